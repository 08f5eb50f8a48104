//! Tags of tables: what may be one, and whose they are.

use crate::catalog::TableName;
use crate::errors::tags;
use holdfast_aws::Error;
use holdfast_shapes::dynamodb::Tag;
use std::collections::HashSet;

/// Most tags of a table, and most that a request may name. Source: verified; documented as a quota.
pub(crate) const TAGS_MAX: usize = 50;
/// Longest key of a tag, in characters. Source: model.
const KEY_CHARACTERS_MAX: usize = 128;
/// Longest value of a tag, in characters. Source: model.
const VALUE_CHARACTERS_MAX: usize = 256;
/// What keys begin with that only AWS gives. Source: documentation.
const RESERVED: &str = "aws:";

/// The table that a request is about.
///
/// # Errors
/// If it names none, or what it names is no table.
pub(crate) fn resource(arn: Option<&str>) -> Result<TableName, Error> {
    let arn = arn.ok_or_else(tags::no_resource)?;
    if !arn.starts_with("arn:") {
        return Err(tags::not_an_arn(arn));
    }
    if let Some(table) = TableName::of_arn(arn) {
        return Ok(table);
    }
    let of_table = |rest: &str| arn.split_once(":table/").is_some_and(|(_, name)| name.contains(rest));
    if of_table("/index/") {
        Err(tags::not_a_table(arn))
    } else if of_table("/stream/") {
        // Streams have no tags. Source: verified.
        Err(tags::no_such_resource(arn))
    } else {
        Err(tags::invalid_arn(arn))
    }
}

/// Keys and values of tags that a request gives.
///
/// # Errors
/// If there are too many, one is none that a table may have, or a key is there twice.
pub(crate) fn read(sent: Vec<Tag>) -> Result<Vec<(String, String)>, Error> {
    if sent.len() > TAGS_MAX {
        return Err(tags::too_many());
    }
    let mut read: Vec<(String, String)> = Vec::with_capacity(sent.len());
    for Tag { key, value } in sent {
        check_key(key.as_deref())?;
        let fits = |value: &str| value.chars().count() <= VALUE_CHARACTERS_MAX && value.chars().all(may_be);
        match (key, value) {
            (Some(key), Some(value)) if fits(&value) => read.push((key, value)),
            (_, value) => return Err(tags::value(value.as_deref())),
        }
    }
    let mut keys = HashSet::with_capacity(read.len());
    match read.iter().find(|(key, _)| !keys.insert(key)) {
        Some((key, _)) => Err(tags::key_twice(key)),
        None => Ok(read),
    }
}

/// Checks the keys of tags that a request takes away.
///
/// # Errors
/// If there are too many, or one is none that a tag may have.
pub(crate) fn check_keys(keys: &[String]) -> Result<(), Error> {
    if keys.len() > TAGS_MAX {
        return Err(tags::too_many());
    }
    keys.iter().try_for_each(|key| check_key(Some(key)))
}

fn check_key(key: Option<&str>) -> Result<(), Error> {
    let fits =
        |key: &&str| (1..=KEY_CHARACTERS_MAX).contains(&key.chars().count()) && key.chars().all(may_be);
    match key.filter(fits) {
        None => Err(tags::key(key)),
        Some(key) if key.starts_with(RESERVED) => Err(tags::reserved(key)),
        Some(_) => Ok(()),
    }
}

/// Whether a character may be in a tag: letters and digits of any script, separators, and a few others. Source: verified; marks that
/// are part of letters pass too.
fn may_be(c: char) -> bool {
    c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "+-=._:/@".contains(c)
}

/// Puts tags to those that there are: each where its key is, or at the end.
///
/// # Errors
/// If there would be too many.
pub(crate) fn put(tags_there: &mut Vec<(String, String)>, new: &[(String, String)]) -> Result<(), Error> {
    for (key, value) in new {
        match tags_there.iter_mut().find(|(there, _)| there == key) {
            Some((_, there)) => there.clone_from(value),
            None => tags_there.push((key.clone(), value.clone())),
        }
    }
    if tags_there.len() > TAGS_MAX { Err(tags::too_many()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: Option<&str>, value: Option<&str>) -> Tag {
        Tag { key: key.map(str::to_owned), value: value.map(str::to_owned) }
    }

    fn refusal(sent: Vec<Tag>) -> String {
        read(sent).unwrap_err().message.into_owned()
    }

    #[test]
    fn characters_of_any_script_and_a_few_others_may_be_in_tags() {
        let good = [
            "\u{43a}\u{43b}\u{44e}\u{447}",
            "caf\u{e9}",
            "\u{8868}",
            "a\u{a0}b\u{3000}",
            "a+b-c=d.e_f:g/h@i",
            "7",
            " ",
        ];
        for text in good {
            assert!(read(vec![tag(Some(text), Some(text))]).is_ok(), "{text}");
        }
        assert!(read(vec![tag(Some("k"), Some(""))]).is_ok());
        for text in [
            "\u{1f511}",
            "100%",
            "a,b",
            "it's",
            "(x)",
            "a&b",
            "a*b",
            "a;b",
            "a?b",
            "a|b",
            "a\\b",
            "<a>",
            "~a",
            "a\tb",
            "#",
        ] {
            assert_eq!(
                refusal(vec![tag(Some("k"), Some(text))]),
                format!("The Tag Value provided is invalid, Value: {text}")
            );
            assert_eq!(
                refusal(vec![tag(Some(text), Some("v"))]),
                format!("The Tag Key provided is invalid, Key: {text}")
            );
        }
    }

    #[test]
    fn lengths_and_numbers_are_bounded() {
        let long = |count| "\u{e9}".repeat(count);
        assert!(read(vec![tag(Some(&long(128)), Some(&long(256)))]).is_ok());
        assert!(refusal(vec![tag(Some(&long(129)), Some(""))]).starts_with("The Tag Key"));
        assert!(refusal(vec![tag(Some("k"), Some(&long(257)))]).starts_with("The Tag Value"));
        assert_eq!(refusal(vec![tag(Some(""), Some(""))]), "The Tag Key provided is invalid, Key: ");
        let many =
            |count: usize| (0..count).map(|at| tag(Some(&format!("k{at}")), Some("v"))).collect::<Vec<_>>();
        let fifty = read(many(50)).unwrap();
        assert!(refusal(many(51)).starts_with("Number of Tags exceed"));
        let mut there = fifty.clone();
        assert!(put(&mut there, &fifty).is_ok() && there == fifty);
        assert!(put(&mut there, &[("new".to_owned(), String::new())]).is_err());
        assert!(
            check_keys(&vec!["k".to_owned(); 50]).is_ok() && check_keys(&vec!["k".to_owned(); 51]).is_err()
        );
    }

    #[test]
    fn tags_replace_those_of_their_keys() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let mut there = vec![pair("a", "1"), pair("b", "2")];
        put(&mut there, &[pair("c", "3"), pair("a", "4")]).unwrap();
        assert_eq!(there, [pair("a", "4"), pair("b", "2"), pair("c", "3")]);
        assert!(refusal(vec![tag(Some("a"), Some("1")), tag(Some("a"), Some("1"))]).ends_with("found a"));
    }
}
