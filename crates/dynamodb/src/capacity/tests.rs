use super::render::{Kind, list, object};
use super::*;
use crate::index::{self, Indexed};
use crate::item::codec::{Encoded, encode_item};
use crate::item::view::Item;
use crate::key::ScalarType;
use crate::table::{BillingMode, IndexDefinition, Projection, TableDefinition};
use expect_test::{Expect, expect};
use holdfast_shapes::{AttributeMap, AttributeValue};
use holdfast_state::record::Record;
use holdfast_store::SpaceId;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn shown(consumed: &Consumed, table: &str, returned: ReturnCapacity, kind: Kind) -> String {
    let mut out = Vec::new();
    object(consumed, table, returned, kind, &mut out);
    String::from_utf8(out).unwrap()
}

/// A table `pk`, `sk` with the indexes of a test, as its record.
fn record(indexes: &[(&str, IndexScope, &[&str], Projection)]) -> Vec<u8> {
    let attribute = |name: &str| (name.to_owned(), ScalarType::S);
    let indexes = indexes.iter().map(|(name, scope, keys, projection)| {
        let sort = keys[1..].iter().map(|name| attribute(name)).collect();
        let keys = (vec![attribute(keys[0])], sort);
        let index = IndexDefinition::new((*name).to_owned(), *scope, keys, projection.clone());
        IndexDefinition { space: SpaceId(9), ..index }
    });
    let keys = (attribute("pk"), Some(attribute("sk")));
    let created = TableDefinition::new(keys, String::new(), 0, BillingMode::PayPerRequest);
    let definition = TableDefinition { indexes: indexes.collect(), ..created };
    definition.to_bytes()
}

type Attributes<'a> = BTreeMap<&'a str, String>;

fn item<'a>(attributes: &[(&'a str, &str)]) -> Attributes<'a> {
    attributes.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

fn write(record: &[u8], before: Option<&Attributes<'_>>, after: Option<&Attributes<'_>>) -> Consumed {
    let (schema, indexes) = TableDefinition::keys_and_indexes(record).unwrap();
    let encode = |item: &Attributes<'_>| {
        let attributes = item.iter().map(|(name, value)| ((*name).into(), AttributeValue::S(value.clone())));
        encode_item(&AttributeMap(attributes.collect())).unwrap()
    };
    let rows = |encoded: Encoded| {
        let item = Item::new(&encoded.bytes).unwrap();
        let indexed = Indexed { key: &[], item, size: encoded.size };
        // A value that is no key has no row.
        let row = |index| index::row(&indexed, index, &schema).unwrap().ok().flatten();
        let rows: Vec<_> = indexes.iter().map(row).collect();
        (encoded, rows)
    };
    let sides = [before, after].map(|item| item.map(encode).map(rows));
    let [before, after] = sides.each_ref().map(|side| {
        side.as_ref().map(|(encoded, rows)| Side { bytes: &encoded.bytes, size: encoded.size, rows })
    });
    of_write(&schema, &indexes, before, after).unwrap()
}

#[test]
fn reads_cost_a_unit_for_each_block_of_4_kb() {
    let cost = |bytes| {
        [Consistency::Eventual, Consistency::Strong, Consistency::Transactional]
            .map(|consistency| of_read(bytes, consistency))
    };
    assert_eq!(cost(0), [Units::halves(1), Units::whole(1), Units::whole(2)]);
    assert_eq!(cost(1), [Units::halves(1), Units::whole(1), Units::whole(2)]);
    assert_eq!(cost(4096), [Units::halves(1), Units::whole(1), Units::whole(2)]);
    assert_eq!(cost(4097), [Units::whole(1), Units::whole(2), Units::whole(4)]);
    // The guide's own: 8 KB cost two units, one if eventually consistent, four in a transaction.
    assert_eq!(cost(8192), [Units::whole(1), Units::whole(2), Units::whole(4)]);
    // Three of 400 KB and one of 57 units, read consistently in a batch (recorded until 2019): 357.
    let batch: Units = [409_600, 409_600, 409_600, 229_381]
        .into_iter()
        .fold(Units::ZERO, |sum, bytes| sum + of_read(bytes, Consistency::Strong));
    assert_eq!(batch, Units::whole(357));
}

/// Figures recorded until 2019.
#[test]
fn writes_cost_a_unit_for_each_kb_of_the_larger_item() {
    let record = record(&[]);
    let cost = |before: Option<usize>, after: Option<usize>| {
        // Names and keys are 6 bytes of an item.
        let sized = |size: usize| item(&[("pk", "a"), ("sk", ""), ("d", &"x".repeat(size - 6))]);
        let (before, after) = (before.map(sized), after.map(sized));
        write(&record, before.as_ref(), after.as_ref()).total()
    };
    assert_eq!(cost(None, Some(1024)), Units::whole(1));
    assert_eq!(cost(None, Some(1025)), Units::whole(2));
    assert_eq!(cost(Some(1025), Some(10)), Units::whole(2));
    assert_eq!(cost(Some(10), Some(1025)), Units::whole(2));
    assert_eq!(cost(Some(10), Some(10)), Units::whole(1));
    assert_eq!(cost(Some(1025), None), Units::whole(2));
    assert_eq!(cost(None, None), Units::whole(1));
    assert_eq!(cost(None, Some(409_600)), Units::whole(400));
    // A check in a transaction: as much as a write of what is there.
    assert_eq!(cost(Some(1025), Some(1025)), Units::whole(2));
}

/// The table and the figures of the recorded answers (eu-west-2, August 2026): table, global index, local index.
#[test]
fn index_rows_cost_what_they_change() {
    let record = record(&[
        ("gsi-inc", IndexScope::Global, &["gsiPk"], Projection::Include(vec!["proj".into()])),
        ("lsi1", IndexScope::Local, &["pk", "lsiSk"], Projection::All),
    ]);
    let with = |extra: &[(&'static str, &str)]| {
        let mut item = item(&[("pk", "item-1"), ("sk", "1")]);
        item.extend(self::item(extra));
        item
    };
    let cost = |before: Option<&Attributes<'_>>, after: Option<&Attributes<'_>>| {
        let consumed = write(&record, before, after);
        let of = |name: &str| {
            let index = consumed.indexes.iter().find(|index| &*index.name == name);
            index.map_or(0, |index| {
                assert_ne!(index.units, Units::ZERO, "an index that costs nothing is not named");
                index.units.halves / 2
            })
        };
        let parts = [consumed.table.halves / 2, of("gsi-inc"), of("lsi1")];
        assert_eq!(consumed.total(), Units::whole(parts.iter().sum()));
        parts
    };
    let global = with(&[("gsiPk", "g1"), ("proj", "p")]);
    let sparse = with(&[("other", "o")]);
    let whole = with(&[("gsiPk", "g"), ("lsiSk", "L1"), ("proj", "p"), ("other", "o")]);
    assert_eq!(cost(None, Some(&global)), [1, 1, 0]);
    assert_eq!(cost(None, Some(&sparse)), [1, 0, 0]);
    assert_eq!(cost(None, Some(&with(&[("lsiSk", "L1")]))), [1, 0, 1]);
    assert_eq!(cost(None, Some(&whole)), [1, 1, 1]);
    assert_eq!(cost(Some(&whole), Some(&whole)), [1, 0, 0]);
    let changed = |name: &'static str, value: &str| {
        let mut after = whole.clone();
        after.insert(name, value.to_owned());
        cost(Some(&whole), Some(&after))
    };
    assert_eq!(changed("other", "o2"), [1, 0, 1]);
    assert_eq!(changed("proj", "p2"), [1, 1, 1]);
    assert_eq!(changed("gsiPk", "moved"), [1, 2, 1]);
    assert_eq!(changed("lsiSk", "L2"), [1, 0, 2]);
    let mut without = whole.clone();
    without.remove("gsiPk");
    assert_eq!(cost(Some(&whole), Some(&without)), [1, 1, 1]);
    assert_eq!(cost(Some(&whole), None), [1, 1, 1]);
    assert_eq!(cost(Some(&sparse), None), [1, 0, 0]);
}

/// Large rows, as DynamoDB Local counts them.
#[test]
fn a_moved_row_is_deleted_and_put() {
    let record = record(&[("all", IndexScope::Global, &["g"], Projection::All)]);
    let large = item(&[("pk", "1"), ("sk", "1"), ("g", &"y".repeat(2000))]);
    let small = item(&[("pk", "1"), ("sk", "1"), ("g", "y")]);
    let consumed = write(&record, Some(&large), Some(&small));
    assert_eq!((consumed.table, consumed.total()), (Units::whole(2), Units::whole(5)));
}

/// Values that cannot be keys of the index have no row in it, before or after.
#[test]
fn what_does_not_fit_an_index_costs_nothing_there() {
    let record = record(&[("all", IndexScope::Global, &["g"], Projection::All)]);
    let empty = item(&[("pk", "1"), ("sk", "1"), ("g", "")]);
    let fits = item(&[("pk", "1"), ("sk", "1"), ("g", "y")]);
    assert_eq!(write(&record, None, Some(&empty)).total(), Units::whole(1));
    assert_eq!(write(&record, Some(&empty), Some(&fits)).total(), Units::whole(2));
}

fn check(consumed: &Consumed, returned: ReturnCapacity, kind: Kind, expected: &Expect) {
    expected.assert_eq(&shown(consumed, "Music", returned, kind));
}

/// Bodies that AWS sent, with their checksums.
#[test]
fn promise_bytes_are_those_of_aws() {
    let one = Consumed::of_table(Units::whole(1));
    let body = format!(
        "{{\"ConsumedCapacity\":{}}}",
        shown(&one, "de-c2w1-dynamodb-Reply", ReturnCapacity::Total, Kind::Unsaid)
    );
    assert_eq!((body.len(), crc32fast::hash(body.as_bytes())), (79, 4_237_884_917));
    let mut body = b"{\"ConsumedCapacity\":".to_vec();
    let twenty = Consumed::of_table(Units::whole(20));
    list([("core-mail-data-1", &twenty)], ReturnCapacity::Total, Kind::Unsaid, &mut body);
    body.extend_from_slice(b",\"UnprocessedItems\":{}}");
    assert_eq!((body.len(), crc32fast::hash(&body)), (98, 2_598_397_897));
}

#[test]
fn parts_are_shown_where_they_are_asked_for() {
    let record = record(&[
        ("zeta", IndexScope::Global, &["g"], Projection::All),
        ("alpha", IndexScope::Global, &["g"], Projection::KeysOnly),
        ("local", IndexScope::Local, &["pk", "l"], Projection::All),
    ]);
    let after = item(&[("pk", "1"), ("sk", "1"), ("g", "g"), ("l", "l")]);
    let consumed = write(&record, None, Some(&after));
    let total = ReturnCapacity::Total;
    let all = ReturnCapacity::Indexes;
    check(&consumed, total, Kind::Unsaid, &expect![[r#"{"CapacityUnits":4.0,"TableName":"Music"}"#]]);
    check(
        &consumed,
        all,
        Kind::Unsaid,
        &expect![[
            r#"{"CapacityUnits":4.0,"GlobalSecondaryIndexes":{"alpha":{"CapacityUnits":1.0},"zeta":{"CapacityUnits":1.0}},"LocalSecondaryIndexes":{"local":{"CapacityUnits":1.0}},"Table":{"CapacityUnits":1.0},"TableName":"Music"}"#
        ]],
    );
    check(
        &consumed.doubled(),
        total,
        Kind::Write,
        &expect![[r#"{"CapacityUnits":8.0,"TableName":"Music","WriteCapacityUnits":8.0}"#]],
    );
    check(
        &Consumed::of_table(of_read(5000, Consistency::Transactional)),
        all,
        Kind::Read,
        &expect![[
            r#"{"CapacityUnits":4.0,"ReadCapacityUnits":4.0,"Table":{"CapacityUnits":4.0,"ReadCapacityUnits":4.0},"TableName":"Music"}"#
        ]],
    );
    let (_, indexes) = TableDefinition::keys_and_indexes(&record).unwrap();
    let mut page = Consumed::of_index(&indexes[2], of_read(100, Consistency::Eventual));
    check(
        &page,
        all,
        Kind::Unsaid,
        &expect![[
            r#"{"CapacityUnits":0.5,"LocalSecondaryIndexes":{"local":{"CapacityUnits":0.5}},"Table":{"CapacityUnits":0.0},"TableName":"Music"}"#
        ]],
    );
    page.add_table(of_read(4097, Consistency::Eventual));
    check(&page, total, Kind::Unsaid, &expect![[r#"{"CapacityUnits":1.5,"TableName":"Music"}"#]]);
}

#[test]
fn what_is_asked_for_is_read() {
    assert_eq!(ReturnCapacity::read(None), ReturnCapacity::Nothing);
    assert_eq!(ReturnCapacity::read(Some("NONE")), ReturnCapacity::Nothing);
    assert_eq!(ReturnCapacity::read(Some("TOTAL")), ReturnCapacity::Total);
    assert_eq!(ReturnCapacity::read(Some("INDEXES")), ReturnCapacity::Indexes);
    assert!(!ReturnCapacity::Nothing.is_wanted() && ReturnCapacity::Total.is_wanted());
}

/// Name, scope, keys, and what it projects beside them, or everything.
type Index = (&'static str, IndexScope, &'static [&'static str], Option<&'static [&'static str]>);
const INDEXES: [Index; 3] = [
    ("all", IndexScope::Global, &["a", "b"], None),
    ("keys", IndexScope::Global, &["b"], Some(&["pk", "sk", "b"])),
    ("some", IndexScope::Local, &["pk", "c"], Some(&["pk", "sk", "c", "d"])),
];

/// The item as an index holds it: its key there, and what is projected.
fn held<'a>(
    item: Option<&'a Attributes<'a>>,
    keys: &[&str],
    projected: Option<&[&str]>,
) -> Option<(Vec<String>, Attributes<'a>)> {
    let item = item?;
    let key = keys.iter().map(|key| item.get(key).cloned()).collect::<Option<Vec<_>>>()?;
    let shown = item.iter().filter(|(name, _)| projected.is_none_or(|names| names.contains(name)));
    Some((key, shown.map(|(name, value)| (*name, value.clone())).collect()))
}

fn kilobytes(item: &Attributes<'_>) -> u64 {
    let bytes: usize = item.iter().map(|(name, value)| name.len() + value.len()).sum();
    (bytes as u64).div_ceil(1024).max(1)
}

fn items() -> impl Strategy<Value = Option<Attributes<'static>>> {
    let value = || {
        let length = prop_oneof![4 => 1usize..3, 1 => 800usize..1300];
        prop::option::weighted(0.7, (prop::char::range('a', 'b'), length))
    };
    let attributes = (value(), value(), value(), value(), value());
    prop::option::weighted(0.8, attributes).prop_map(|attributes| {
        let (a, b, c, d, e) = attributes?;
        let mut item = item(&[("pk", "p"), ("sk", "s")]);
        for (name, value) in [("a", a), ("b", b), ("c", c), ("d", d), ("e", e)] {
            // A sort key has at most 1024 bytes.
            if let Some((letter, length)) = value {
                item.insert(
                    name,
                    letter.to_string().repeat(if name == "c" { length % 900 + 1 } else { length }),
                );
            }
        }
        if item.get("b").is_some_and(|b| b.len() > 1024) {
            item.remove("b");
        }
        Some(item)
    })
}

proptest! {
    #[test]
    fn costs_follow_from_what_indexes_hold(before in items(), after in items()) {
        let definitions = INDEXES.map(|(name, scope, keys, projected)| {
            let include = |names: &[&str]| Projection::Include(names.iter().map(|n| (*n).to_owned()).collect());
            (name, scope, keys, projected.map_or(Projection::All, include))
        });
        let consumed = write(&record(&definitions), before.as_ref(), after.as_ref());
        let mut expected = Consumed::of_table(Units::whole(
            before.iter().chain(&after).map(kilobytes).max().unwrap_or(1),
        ));
        for (name, scope, keys, projected) in INDEXES {
            let old = held(before.as_ref(), keys, projected);
            let new = held(after.as_ref(), keys, projected);
            let units = match (old, new) {
                (Some((old_key, old)), Some((new_key, new))) if old_key == new_key => {
                    if old == new { 0 } else { kilobytes(&old).max(kilobytes(&new)) }
                }
                (old, new) => [old, new].iter().flatten().map(|(_, held)| kilobytes(held)).sum(),
            };
            if units > 0 {
                expected.add_index(name, scope, Units::whole(units));
            }
        }
        prop_assert_eq!(&consumed, &expected);
        // Adding is in parts what it is in sum.
        let mut twice = consumed.clone();
        twice.add(&consumed);
        prop_assert_eq!(twice, consumed.doubled());
    }
}
