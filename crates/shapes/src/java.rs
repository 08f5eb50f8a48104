//! Values as Java's `toString` prints them, which is how DynamoDB's older form echoes what is not a scalar.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_and_lists() {
        let element = structure("KeySchemaElement", &[("AttributeName", Some("pk")), ("KeyType", None)]);
        assert_eq!(list([element].into_iter()), "[KeySchemaElement(attributeName=pk, keyType=null)]");
        assert_eq!(list(std::iter::empty()), "[]");
    }
}
