//! Values as Java's `toString` prints them, which is how DynamoDB's older form echoes what is not a scalar.

use std::collections::HashSet;

/// `[a, b]`.
pub fn list(elements: impl Iterator<Item = String>) -> String {
    format!("[{}]", elements.collect::<Vec<_>>().join(", "))
}

/// `Name(firstMember=value, secondMember=null)`: members begin with a small letter.
pub fn structure(name: &str, members: &[(&str, Option<&str>)]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(member, value)| {
            let mut letters = member.chars();
            let first = letters.next().map(|first| first.to_ascii_lowercase());
            format!(
                "{}{}={}",
                first.map(String::from).unwrap_or_default(),
                letters.as_str(),
                value.unwrap_or("null")
            )
        })
        .collect();
    format!("{name}({})", members.join(", "))
}

/// Table size of a set or map for which none is asked for.
pub const DEFAULT_CAPACITY: usize = 16;

/// Texts in the order in which Java's `HashSet` gives them, made with a capacity and filled in the order given; each once.
/// The capacity only sets where the table starts: it grows by doubling when more than three quarters are taken.
pub fn set_order<'a>(texts: &[&'a str], capacity: usize) -> Vec<&'a str> {
    let mut seen = HashSet::with_capacity(texts.len());
    let mut set: Vec<&str> = texts.iter().copied().filter(|text| seen.insert(*text)).collect();
    let mut size = capacity.max(1).next_power_of_two();
    while set.len() > size * 3 / 4 {
        size *= 2;
    }
    // Within one place of the table the order of arrival stays.
    set.sort_by_key(|text| {
        let hash =
            text.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(unit.into()));
        (hash ^ (hash >> 16)) as usize & (size - 1)
    });
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_and_lists() {
        let element = structure("KeySchemaElement", &[("AttributeName", Some("pk")), ("KeyType", None)]);
        assert_eq!(list([element].into_iter()), "[KeySchemaElement(attributeName=pk, keyType=null)]");
        assert_eq!(list(std::iter::empty()), "[]");
    }
    /// Lists in error texts that AWS gave.
    #[test]
    fn sets_have_the_order_of_recorded_texts() {
        assert_eq!(set_order(&["pk", "sk", "a", "b", "c"], 5), ["sk", "a", "b", "pk", "c"]);
        assert_eq!(set_order(&["pk", "sk", "a", "a"], DEFAULT_CAPACITY), ["a", "sk", "pk"]);
        assert_eq!(set_order(&["my-hash", "my-string", "my-int"], 3), ["my-string", "my-int", "my-hash"]);
        assert_eq!(set_order(&["my-hash", "my-string"], DEFAULT_CAPACITY), ["my-hash", "my-string"]);
        assert_eq!(set_order(&[], 0), [""; 0]);
    }
}
