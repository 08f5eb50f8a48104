//! Rows of expiry: when the items of a table with time to live expire, in the order of that time.
//!
//! | part | bytes |
//! |---|---|
//! | family | 1, the tag of [`Family::DYNAMODB_EXPIRY_ROW`] |
//! | second | 8, big endian: the first second since 1970 at which the time has come |
//! | item | the item's key without its family, to the end |
//!
//! A row has no value, and no size. An item has a row if its attribute is a number between 0 and the end of the year 9999:
//! everything else never expires. So rows and items tell the same, which the deep check compares.

use crate::item::Damaged;
use crate::item::view::{Item, Value};
use crate::number::Number;
use holdfast_state::families::Family;
use holdfast_state::key::{KeyError, KeyReader, KeyWriter};

/// Last second that has a row: the end of the year 9999, which no clock passes.
const SECOND_MAX: u64 = 253_402_300_799;
/// Items whose time is longer ago are left alone, in seconds: five years of 365 days. Source: Developer Guide, "Using time to live
/// (TTL) in DynamoDB".
const IGNORED_S: u64 = 5 * 365 * 86_400;

/// The row of an item that expires by an attribute; none if it never does.
///
/// # Errors
/// If the item is damaged.
pub(crate) fn row(key: &[u8], item: Item<'_>, attribute: &str) -> Result<Option<Vec<u8>>, Damaged> {
    let Some(value) = item.get(attribute)? else { return Ok(None) };
    let Value::N(number) = value.read()? else { return Ok(None) };
    Ok(second(number.read()?).map(|second| write(second, key)))
}

/// The key of a row.
fn write(second: u64, item_key: &[u8]) -> Vec<u8> {
    let mut key = KeyWriter::with_capacity(Family::DYNAMODB_EXPIRY_ROW, 9 + item_key.len());
    key.u64(second).raw(item_key.get(1..).unwrap_or_default());
    key.finish()
}

/// The first second at which the time of a number has come, if that is not too far away. A fraction is rounded up: nothing goes
/// early.
fn second(time: Number) -> Option<u64> {
    if time.is_negative() || time.magnitude() > 11 {
        return None;
    }
    let coefficient = time.coefficient();
    let second = match u32::try_from(time.exponent()) {
        // Of twelve digits at most.
        Ok(zeros) => coefficient.checked_mul(10_u128.checked_pow(zeros)?)?,
        Err(_) => match 10_u128.checked_pow(u32::from(time.exponent().unsigned_abs())) {
            Some(divisor) => coefficient.div_ceil(divisor),
            // Less than one.
            None => 1,
        },
    };
    u64::try_from(second).ok().filter(|second| *second <= SECOND_MAX)
}

/// The key of the item that a row is of.
///
/// # Errors
/// If it is no key of a row.
pub(crate) fn item_key(row: &[u8]) -> Result<Vec<u8>, KeyError> {
    let mut reader = KeyReader::new(Family::DYNAMODB_EXPIRY_ROW, row)?;
    reader.u64()?;
    let mut key = KeyWriter::with_capacity(Family::DYNAMODB_ITEM, row.len());
    key.raw(reader.raw());
    Ok(key.finish())
}

/// The rows of items whose time has come: from the first of these keys up to the second, which is none of them.
pub(crate) fn due(now_ms: u64) -> (Vec<u8>, Vec<u8>) {
    let now = now_ms / 1_000;
    (write(now.saturating_sub(IGNORED_S), &[]), write(now.saturating_add(1), &[]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::codec::encode_item;
    use holdfast_shapes::{AttributeMap, AttributeValue};
    use proptest::prelude::*;

    fn of(value: AttributeValue) -> Option<u64> {
        let item = encode_item(&AttributeMap(vec![("ttl".to_owned(), value)])).expect("an item").bytes;
        let key = [Family::DYNAMODB_ITEM.tag, 0, 9, 0xFF];
        let row = row(&key, Item::new(&item).expect("sound"), "ttl").expect("sound")?;
        assert_eq!(item_key(&row), Ok(key.to_vec()));
        assert_eq!((row[0], &row[9..]), (Family::DYNAMODB_EXPIRY_ROW.tag, &key[1..]));
        Some(u64::from_be_bytes(row[1..9].try_into().expect("eight bytes")))
    }

    #[test]
    fn only_numbers_expire() {
        let number = |text: &str| of(AttributeValue::N(text.to_owned()));
        for (text, second) in [
            ("0", 0),
            ("1795525559", 1_795_525_559),
            ("12345678.1234", 12_345_679),
            ("1234567e1", 12_345_670),
            ("0.1", 1),
            ("1E-130", 1),
            ("253402300799", SECOND_MAX),
        ] {
            assert_eq!(number(text), Some(second), "{text}");
        }
        for text in ["-1", "-0.5", "253402300799.5", "253402300800", "1795525559000", "1E+125"] {
            assert_eq!(number(text), None, "{text}");
        }
        assert_eq!(of(AttributeValue::S("1795525559".to_owned())), None);
        assert_eq!(of(AttributeValue::NS(vec!["1795525559".to_owned()])), None);
        let item = encode_item(&AttributeMap(Vec::new())).expect("an item").bytes;
        assert_eq!(row(&[1], Item::new(&item).expect("sound"), "ttl"), Ok(None));
    }

    #[test]
    fn what_is_due_is_neither_of_the_future_nor_five_years_old() {
        let now = 1_795_525_559;
        let (from, to) = due(now * 1_000 + 999);
        let is_due = |second: u64| {
            let row = write(second, &[1, 0]);
            from <= row && row < to
        };
        assert!(is_due(now) && is_due(now - IGNORED_S) && is_due(now - 1));
        assert!(!is_due(now + 1) && !is_due(now - IGNORED_S - 1) && !is_due(0));
        assert_eq!(due(0).0, write(0, &[]));
    }

    proptest! {
        #[test]
        fn rows_are_in_the_order_of_their_times(one in 0_u64..=SECOND_MAX, other in 0_u64..=SECOND_MAX, key: Vec<u8>) {
            let rows = [one, other].map(|second| write(second, &key));
            prop_assert_eq!(rows[0].cmp(&rows[1]), one.cmp(&other));
            prop_assert_eq!(of(AttributeValue::N(one.to_string())), Some(one));
        }

        #[test]
        fn any_bytes_are_read_or_refused(row: Vec<u8>) {
            let _ = item_key(&row);
        }
    }
}
