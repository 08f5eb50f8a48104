use super::*;
use crate::item::codec::{Encoded, encode_item};
use crate::table::{BillingMode, IndexDefinition, IndexScope, Projection, TableDefinition};
use holdfast_shapes::{AttributeMap, AttributeValue};
use holdfast_state::record::Record;
use holdfast_store::SpaceId;
use proptest::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

/// The definition of a table `pk` (S) with one index on `gp` (S) and `gs` (N).
fn record(projection: Projection, sort: bool) -> Vec<u8> {
    let sort = if sort { vec![("gs".into(), ScalarType::N)] } else { Vec::new() };
    let keys = (vec![("gp".into(), ScalarType::S)], sort);
    let index = IndexDefinition::new("i".into(), IndexScope::Global, keys, projection);
    let keys = (("pk".into(), ScalarType::S), None);
    let created = TableDefinition::new(keys, String::new(), 0, BillingMode::PayPerRequest);
    let indexes = vec![IndexDefinition { space: SpaceId(9), ..index }];
    let definition = TableDefinition { indexes, ..created };
    definition.to_bytes()
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn number(number: &str) -> AttributeValue {
    AttributeValue::N(number.into())
}

fn row_of(
    record: &[u8],
    attributes: &[(&str, AttributeValue)],
) -> (Result<Option<IndexRow>, IndexKeyError>, u64) {
    let attributes: Vec<_> =
        attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let (schema, indexes) = TableDefinition::keys_and_indexes(record).unwrap();
    let key = key::of_item(&attributes, &schema).unwrap();
    let Encoded { bytes, size } = encode_item(&AttributeMap(attributes)).unwrap();
    let indexed = Indexed { key: &key, item: Item::new(&bytes).unwrap(), size };
    (row(&indexed, &indexes[0], &schema).unwrap(), size)
}

/// The format for ever: as docs/item-format.md says.
#[test]
fn bytes_are_fixed() {
    let record = record(Projection::All, true);
    let (row, size) = row_of(&record, &[("pk", text("a")), ("gp", text("b\0")), ("gs", number("42"))]);
    let row = row.unwrap().unwrap();
    let mut expected = vec![0x01];
    expected.extend(xxh3_64(b"b\0").to_be_bytes());
    expected.extend(*b"Sb\x00\xFF\x00\x01N\xC1\x2B\x00\x01");
    expected.extend(0xE6C6_32B6_1E96_4E1Fu64.to_be_bytes());
    expected.extend(*b"Sa\x00\x01");
    assert_eq!(row, IndexRow { key: expected, size });
}

/// As [`bytes_are_fixed`], of a key of several attributes.
#[test]
fn bytes_of_several_attributes_are_fixed() {
    let mut definition = TableDefinition::from_bytes(&record(Projection::All, true)).unwrap();
    definition.indexes[0].partition.push(("gq".into(), ScalarType::N));
    definition.indexes[0].sort.push(("gt".into(), ScalarType::B));
    let record = definition.to_bytes();
    let item = [
        ("pk", text("a")),
        ("gp", text("b\0")),
        ("gq", number("1")),
        ("gs", number("42")),
        ("gt", AttributeValue::B(vec![7, 0])),
    ];
    let (row, size) = row_of(&record, &item);
    let partition = *b"Sb\x00\xFF\x00\x01N\xC1\x02\x00\x01";
    let mut expected = vec![0x01];
    expected.extend(xxh3_64(&partition).to_be_bytes());
    expected.extend(partition);
    expected.extend(*b"N\xC1\x2B\x00\x01B\x07\x00\xFF\x00\x01");
    expected.extend(0xE6C6_32B6_1E96_4E1Fu64.to_be_bytes());
    expected.extend(*b"Sa\x00\x01");
    assert_eq!(row.unwrap().unwrap(), IndexRow { key: expected, size });
    for absent in 1..item.len() {
        let item: Vec<_> =
            item.iter().enumerate().filter(|(at, _)| *at != absent).map(|(_, of)| of.clone()).collect();
        assert_eq!(row_of(&record, &item).0, Ok(None));
    }
}

#[test]
fn an_item_without_a_key_attribute_has_no_row() {
    let record = record(Projection::All, true);
    assert_eq!(row_of(&record, &[("pk", text("a")), ("gp", text("b"))]).0, Ok(None));
    assert_eq!(row_of(&record, &[("pk", text("a")), ("gs", number("1"))]).0, Ok(None));
    assert_eq!(row_of(&record, &[("pk", text("a"))]).0, Ok(None));
}

#[test]
fn values_that_cannot_be_keys() {
    let record = record(Projection::All, true);
    let error = |attributes: &[(&str, AttributeValue)]| row_of(&record, attributes).0.unwrap_err();
    let wrong = |name: &str, expected, actual| IndexKeyError::WrongType {
        index: "i".into(),
        name: name.into(),
        expected,
        actual,
    };
    let pk = ("pk", text("a"));
    assert_eq!(
        error(&[pk.clone(), ("gp", AttributeValue::Bool(true)), ("gs", number("1"))]),
        wrong("gp", ScalarType::S, "BOOL")
    );
    // Also without the other key attribute.
    assert_eq!(error(&[pk.clone(), ("gs", text("1"))]), wrong("gs", ScalarType::N, "S"));
    assert_eq!(
        error(&[pk.clone(), ("gp", text(""))]),
        IndexKeyError::Empty { index: "i".into(), name: "gp".into(), kind: ScalarType::S }
    );
    assert_eq!(
        error(&[pk, ("gp", text(&"a".repeat(2049))), ("gs", number("1"))]),
        IndexKeyError::TooLong(Role::Partition)
    );
}

#[test]
fn sizes_are_those_of_what_is_projected() {
    let item = [
        ("pk", text("a")),
        ("gp", text("bcd")),
        ("gs", number("1")),
        ("kept", text("0123456789")),
        ("other", text("x")),
    ];
    let size = |projection| row_of(&record(projection, true), &item).0.unwrap().unwrap().size;
    let keys = (2 + 1) + (2 + 3) + (2 + 2);
    assert_eq!(size(Projection::All), keys + (4 + 10) + (5 + 1));
    assert_eq!(size(Projection::KeysOnly), keys);
    // A name twice counts once; one that the item lacks counts nothing.
    let included = ["kept", "gp", "absent"].map(str::to_owned).to_vec();
    assert_eq!(size(Projection::Include(included)), keys + (4 + 10));
}

proptest! {
    /// Rows of one partition sort by sort key, then by the item's key; no row is another's.
    #[test]
    fn rows_are_in_order(
        (one, other) in (crate::number::tests::numbers(), crate::number::tests::numbers()),
        (pk, pk_other) in ("[\\x00-\\x02a]{1,4}", "[\\x00-\\x02a]{1,4}"),
        gp in "[\\x00-\\x02a]{1,4}",
    ) {
        let record = record(Projection::KeysOnly, true);
        let key = |pk: &str, sort: &crate::number::Number| {
            let item = [("pk", text(pk)), ("gp", text(&gp)), ("gs", number(&sort.to_string()))];
            row_of(&record, &item).0.unwrap().unwrap().key
        };
        let (left, right) = (key(&pk, &one), key(&pk_other, &other));
        let item_key = |pk: &str| (xxh3_64(pk.as_bytes()), pk.as_bytes().to_vec());
        let expected = one.cmp(&other).then_with(|| item_key(&pk).cmp(&item_key(&pk_other)));
        prop_assert_eq!(left.cmp(&right), expected);
    }
}
