//! The paths of a condition, and conditions some of whose paths lead nowhere.

use super::*;
use crate::item::codec::encode_item;
use crate::item::view::Item;

const EVERY_KIND: &str = "NOT a.b = size(c[0]) AND (d BETWEEN e AND :v OR f IN (g, :v, h)) AND attribute_exists(i) AND \
                          attribute_not_exists(j) AND attribute_type(k, :t) AND begins_with(l, m) AND contains(n, o)";

#[test]
fn are_all_there_from_left_to_right() {
    let condition = condition(ExpressionKind::Filter, EVERY_KIND).unwrap();
    let paths: Vec<String> = condition.paths().into_iter().map(ToString::to_string).collect();
    assert_eq!(paths.join(" "), "a.b c[0] d e f g h i j k l m n o");
}

#[test]
fn lead_nowhere_where_they_are_hidden() {
    let mut every = condition(ExpressionKind::Filter, EVERY_KIND).unwrap();
    every.hide(|_| true);
    assert!(every.paths().into_iter().all(|path| path.attribute.is_empty()));

    let attributes = ["x", "y"].map(|name| (name.to_owned(), AttributeValue::S("b".into())));
    let item = encode_item(&AttributeMap(attributes.into())).unwrap();
    let holds = |text: &str| {
        let mut condition = condition(ExpressionKind::Filter, text).unwrap();
        condition.hide(|attribute| attribute == "y");
        condition.holds(Some(Item::new(&item.bytes).unwrap())).unwrap()
    };
    for (text, expected) in [
        ("x = :v", true),
        ("y = :v", false),
        ("y <> :v", true),
        ("attribute_not_exists(y) AND attribute_exists(x)", true),
        ("NOT y = x AND x IN (y, :v)", true),
        ("size(y) = :n OR contains(y, :v)", false),
    ] {
        assert_eq!(holds(text), expected, "{text}");
    }
}
