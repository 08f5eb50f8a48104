//! A few attributes of a stored item, for those who look for many names in it, one after the other: an item of 400 KB may have a
//! hundred thousand attributes, and each look goes through all before the one that it finds.

use super::codec::push_length;
use super::view::{Item, RawValue};
use super::{Damaged, VERSION};

/// The stored form of an item that has of another only the attributes of these names; they come in any order, also more than
/// once. Values are copied as they are.
///
/// # Errors
/// If what is read of the item is damaged.
pub(crate) fn few(item: Item<'_>, mut names: Vec<&str>) -> Result<Vec<u8>, Damaged> {
    names.sort_unstable();
    names.dedup();
    let mut attributes = item.attributes();
    let mut found: Vec<(&str, RawValue<'_>)> = Vec::with_capacity(names.len());
    for name in names {
        if let Some(value) = attributes.seek(name)? {
            found.push((name, value));
        }
    }
    let room = found.iter().map(|(name, value)| name.len() + value.as_bytes().len() + 3).sum::<usize>();
    let mut out = Vec::with_capacity(room + 4);
    out.push(VERSION);
    push_length(&mut out, found.len());
    for (name, value) in found {
        push_length(&mut out, name.len());
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(value.as_bytes());
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::codec::encode_item;
    use super::*;
    use holdfast_shapes::{AttributeMap, AttributeValue};
    use proptest::prelude::*;

    fn encode(attributes: Vec<(String, AttributeValue)>) -> Vec<u8> {
        encode_item(&AttributeMap(attributes)).unwrap().bytes
    }

    proptest! {
        #[test]
        fn it_is_the_item_without_the_other_attributes(
            attributes in prop::collection::btree_map("[a-e]{1,2}", "[xy]{0,200}", 0..20),
            names in prop::collection::vec("[a-e]{1,2}", 0..20),
        ) {
            let attributes: Vec<_> =
                attributes.into_iter().map(|(name, text)| (name, AttributeValue::S(text))).collect();
            let kept = attributes.iter().filter(|(name, _)| names.contains(name)).cloned().collect();
            let bytes = encode(attributes);
            let few = few(Item::new(&bytes).unwrap(), names.iter().map(String::as_str).collect()).unwrap();
            prop_assert_eq!(few, encode(kept));
        }
    }
}
