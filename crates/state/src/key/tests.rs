//! Order, round trips and malformed bytes of keys.

use super::*;
use crate::families::SpaceKind;
use proptest::prelude::*;

const FAMILY: Family = Family { kind: SpaceKind::CATALOG, tag: 7, name: "test" };

fn key_of(build: impl FnOnce(&mut KeyWriter)) -> Vec<u8> {
    let mut key = KeyWriter::new(FAMILY);
    build(&mut key);
    key.finish()
}

#[test]
fn encoding_is_frozen() {
    let key = key_of(|key| {
        key.u8(0xAB).u16(0x0102).u32(0x0304_0506).u64(7).i64(-1).i64(1).bool(true).str("a\0b").bytes(&[0xFF]);
        key.raw(&[0, 1, 2]);
    });
    let expected: &[&[u8]] = &[
        &[7],
        &[0xAB],
        &[1, 2],
        &[3, 4, 5, 6],
        &[0, 0, 0, 0, 0, 0, 0, 7],
        &[0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
        &[0x80, 0, 0, 0, 0, 0, 0, 1],
        &[1],
        &[b'a', 0, 0xFF, b'b', 0, 1],
        &[0xFF, 0, 1],
        &[0, 1, 2],
    ];
    assert_eq!(key, expected.concat());
}

#[test]
fn reads_back_every_part() {
    let key = key_of(|key| {
        key.u8(9).u16(10).u32(11).u64(12).i64(i64::MIN).bool(false).str("é").bytes(b"\0\0").raw(b"tail");
    });
    let mut reader = KeyReader::new(FAMILY, &key).unwrap();
    assert_eq!(reader.u8(), Ok(9));
    assert_eq!(reader.u16(), Ok(10));
    assert_eq!(reader.u32(), Ok(11));
    assert_eq!(reader.u64(), Ok(12));
    assert_eq!(reader.i64(), Ok(i64::MIN));
    assert_eq!(reader.bool(), Ok(false));
    assert_eq!(reader.str().as_deref(), Ok("é"));
    assert_eq!(reader.bytes().as_deref(), Ok(&b"\0\0"[..]));
    assert_eq!(reader.raw(), b"tail");
    assert_eq!(reader.finish(), Ok(()));
}

#[test]
fn malformed_keys_are_named() {
    let other = String::decode(FAMILY, &[8, b'a', 0, 1]);
    assert!(matches!(other, Err(KeyError::OtherFamily { family: "test", expected: 7, found: 8 })));
    assert_eq!(String::decode(FAMILY, &[]), Err(KeyError::Short("family tag")));
    assert_eq!(String::decode(FAMILY, &[7, b'a']), Err(KeyError::Short("string")));
    assert_eq!(String::decode(FAMILY, &[7, b'a', 0]), Err(KeyError::Short("string")));
    let impossible = KeyError::Impossible { part: "string", byte: 2 };
    assert_eq!(String::decode(FAMILY, &[7, b'a', 0, 2]), Err(impossible));
    assert_eq!(String::decode(FAMILY, &[7, 0xFF, 0, 1]), Err(KeyError::NotUtf8));
    assert_eq!(String::decode(FAMILY, &[7, 0, 1, 5, 5]), Err(KeyError::Trailing(2)));
    assert_eq!(bool::decode(FAMILY, &[7, 2]), Err(KeyError::Impossible { part: "bool", byte: 2 }));
    assert_eq!(u64::decode(FAMILY, &[7, 1, 2, 3]), Err(KeyError::Short("u64")));
}

#[test]
fn successor_skips_bytes_that_cannot_grow() {
    assert_eq!(successor(&[1, 2]), Some(vec![1, 3]));
    assert_eq!(successor(&[1, 0xFF, 0xFF]), Some(vec![2]));
    assert_eq!(successor(&[0xFF, 0xFF]), None);
    assert_eq!(successor(&[]), None);
}

/// Byte strings that hit the escapes often.
fn tricky_bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![Just(0u8), Just(1), Just(0xFF), Just(0xFE), any::<u8>()];
    proptest::collection::vec(byte, 0..6)
}

type Parts = (Vec<u8>, (i64, String), (u32, bool, Vec<u8>));

fn parts() -> impl Strategy<Value = Parts> {
    let text = proptest::string::string_regex("[\\x00\\x01a-b]{0,3}").unwrap();
    let number = prop_oneof![any::<i64>(), -2i64..2];
    (tricky_bytes(), (number, text), (0u32..3, any::<bool>(), tricky_bytes()))
}

proptest! {
    #[test]
    fn order_of_bytes_is_order_of_parts(a in parts(), b in parts()) {
        prop_assert_eq!(a.encode(FAMILY).cmp(&b.encode(FAMILY)), a.cmp(&b));
    }

    #[test]
    fn round_trip(a in parts()) {
        prop_assert_eq!(Parts::decode(FAMILY, &a.encode(FAMILY)), Ok(a));
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_have_one_meaning(bytes in tricky_bytes(), more in any::<Vec<u8>>()) {
        for tail in [&bytes, &more] {
            let whole = [&[FAMILY.tag], tail.as_slice()].concat();
            if let Ok(key) = Parts::decode(FAMILY, &whole) {
                prop_assert_eq!(&key.encode(FAMILY), &whole);
            }
            if let Ok(key) = Vec::<u8>::decode(FAMILY, &whole) {
                prop_assert_eq!(&key.encode(FAMILY), &whole);
            }
            let _ = Parts::decode(FAMILY, tail);
        }
    }

    #[test]
    fn a_prefix_covers_exactly_the_keys_that_start_with_its_parts(a in tricky_bytes(), key in (tricky_bytes(), 0u8..3)) {
        let mut writer = KeyWriter::new(FAMILY);
        writer.bytes(&a);
        let prefix = writer.prefix();
        let encoded = key.encode(FAMILY);
        let inside = encoded.as_slice() >= prefix.bytes() && prefix.end().is_none_or(|end| encoded < end);
        prop_assert_eq!(inside, key.0 == a);
    }

    #[test]
    fn successor_is_the_least_upper_bound(prefix in tricky_bytes(), key in tricky_bytes()) {
        match successor(&prefix) {
            Some(end) => {
                prop_assert_eq!(key >= prefix && key < end, key.starts_with(&prefix));
            }
            None => prop_assert_eq!(key >= prefix, key.starts_with(&prefix)),
        }
    }
}
