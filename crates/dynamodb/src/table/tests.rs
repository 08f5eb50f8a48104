use super::*;
use proptest::prelude::*;

fn definition() -> TableDefinition {
    let keys = (("pk".into(), ScalarType::S), Some(("sk".into(), ScalarType::N)));
    let billing = BillingMode::Provisioned { read: 5, write: 6 };
    let attributes = vec![("pk".into(), ScalarType::S), ("sk".into(), ScalarType::N)];
    TableDefinition { attributes, ..TableDefinition::new(keys, "f0e1".into(), 300, billing) }
}

fn indexes() -> Vec<IndexDefinition> {
    let binary = ("gp".to_owned(), ScalarType::B);
    let keys = (vec![binary.clone()], Vec::new());
    let global = IndexDefinition {
        space: SpaceId(7),
        throughput: Some((5, 6)),
        ..IndexDefinition::new("g".into(), IndexScope::Global, keys, Projection::All)
    };
    let keys_only = IndexDefinition {
        name: "k".into(),
        space: SpaceId(8),
        sort: definition().sort.into_iter().collect(),
        projection: Projection::KeysOnly,
        throughput: None,
        ..global.clone()
    };
    let keys = (vec![definition().partition], vec![binary]);
    let include = Projection::Include(vec!["y".into(), "x".into()]);
    let local = IndexDefinition {
        space: SpaceId(9),
        ..IndexDefinition::new("l".into(), IndexScope::Local, keys, include)
    };
    vec![global, keys_only, local]
}

/// With everything that a definition of version 2 could have.
fn indexed() -> TableDefinition {
    let states = StateTimes { active_ms: 301, gone_ms: 302, changed_ms: 0 };
    TableDefinition { states, indexes: indexes(), class: TableClass::Standard, ..definition() }
}

/// With everything else.
fn full() -> TableDefinition {
    let mut indexes = indexes();
    indexes[0].state = IndexState::Building { from_ms: 4 };
    indexes[0].throughput_changes = ThroughputChanges { increased_ms: 1, decreased_ms: 2, decreases: 3 };
    indexes[0].on_demand = OnDemandLimits { read: -1, write: 7 };
    indexes[1].state = IndexState::Dropped { gone_ms: 5 };
    TableDefinition {
        states: StateTimes { active_ms: 1, gone_ms: 0, changed_ms: 6 },
        indexes,
        class: TableClass::InfrequentAccess,
        class_changed_ms: 7,
        on_demand_since_ms: 8,
        throughput_changes: ThroughputChanges { increased_ms: 9, decreased_ms: 10, decreases: 11 },
        on_demand: OnDemandLimits { read: 12, write: -1 },
        deletion_protection: true,
        stream: Some(StreamSettings { enabled: true, view: StreamView::OldImage, label_ms: 13 }),
        time_to_live: Some(TimeToLive {
            attribute: "t".into(),
            space: Some(SpaceId(10)),
            built: true,
            changed_ms: 14,
        }),
        tags: vec![("k".into(), "v".into()), ("e".into(), String::new())],
        ..definition()
    }
}

#[test]
fn bytes_are_fixed() {
    let mut expected = vec![0x03];
    expected
        .extend(*b"\x00\x00\x00\x02pkS\x01\x02skN\x00\x00\x02\x02pkS\x02skN\x04f0e1\xAC\x02\x00\x05\x06\x00");
    expected.extend([0; 10]);
    assert_eq!(definition().to_bytes(), expected);

    let mut expected = vec![0x03];
    expected.extend(*b"\x01\x00\x06\x02pkS\x01\x02skN\x03");
    expected.extend(*b"\x01g\x00\x07\x01\x02gpB\x00\x00\x00\x01\x05\x06\x01\x04\x01\x02\x03\x01\x0E");
    expected.extend(*b"\x01k\x00\x08\x01\x02gpB\x01\x02skN\x01\x00\x00\x02\x05\x01\x02\x03\x01\x0E");
    expected
        .extend(*b"\x01l\x01\x09\x01\x02pkS\x01\x02gpB\x02\x02\x01y\x01x\x00\x00\x00\x00\x00\x00\x00\x00");
    expected.extend(*b"\x01\x01t\x0A\x01\x0E\x02\x02pkS\x02skN\x04f0e1\xAC\x02\x00\x05\x06");
    expected.extend(*b"\x02\x07\x08\x09\x0A\x0B\x18\x01\x01\x01\x01\x02\x0D\x02\x01k\x01v\x01e\x00");
    let mut full = full();
    full.indexes[1].throughput_changes = full.indexes[0].throughput_changes;
    full.indexes[1].on_demand = full.indexes[0].on_demand;
    assert_eq!(full.to_bytes(), expected);
}

#[test]
fn a_definition_from_before_indexes_has_none() {
    let mut bytes = vec![0x01];
    bytes.extend(*b"\x02pkS\x01\x02skN\x02\x02pkS\x02skN\x04f0e1\xAC\x02\x00\x05\x06");
    assert_eq!(TableDefinition::from_bytes(&bytes), Ok(definition()));
    assert_eq!(TableDefinition::keys_and_indexes(&bytes).unwrap().1, []);
}

#[test]
fn a_definition_from_before_changes_has_none() {
    let mut bytes = vec![0x02];
    bytes.extend(*b"\xAD\x02\xAE\x02\x02pkS\x01\x02skN\x03");
    bytes.extend(*b"\x01g\x00\x07\x01\x02gpB\x00\x00\x00\x01\x05\x06");
    bytes.extend(*b"\x01k\x00\x08\x01\x02gpB\x01\x02skN\x01\x00\x00");
    bytes.extend(*b"\x01l\x01\x09\x01\x02pkS\x01\x02gpB\x02\x02\x01y\x01x\x00");
    bytes.extend(*b"\x02\x02pkS\x02skN\x04f0e1\xAC\x02\x00\x05\x06\x01");
    assert_eq!(TableDefinition::from_bytes(&bytes), Ok(indexed()));
    let (_, views, expiry) = TableDefinition::derived(&bytes).unwrap();
    assert_eq!((views.len(), expiry), (3, None));
}

#[test]
fn what_is_derived_has_spaces_unless_it_was_dropped() {
    let bytes = full().to_bytes();
    let (_, views, expiry) = TableDefinition::derived(&bytes).unwrap();
    assert_eq!(views.iter().map(|view| view.name).collect::<Vec<_>>(), ["g", "l"]);
    assert_eq!(expiry, Some(ExpiryView { attribute: "t", space: SpaceId(10), built: true }));
    let (index, expiry) = (SpaceKind::DYNAMODB_INDEX, SpaceKind::DYNAMODB_EXPIRY);
    let expected = [(SpaceId(7), index), (SpaceId(9), index), (SpaceId(10), expiry)];
    assert_eq!(TableDefinition::derived_spaces(&bytes), Ok(expected.to_vec()));
    let disabled = TimeToLive { attribute: "t".into(), space: None, built: false, changed_ms: 1 };
    let disabled = TableDefinition { time_to_live: Some(disabled), ..full() };
    let bytes = disabled.to_bytes();
    assert_eq!(TableDefinition::from_bytes(&bytes), Ok(disabled));
    assert_eq!(TableDefinition::derived(&bytes).unwrap().2, None);
}

#[test]
fn changes_show_until_their_time() {
    let changing = |at| full().is_changing(at);
    assert!(changing(5) && changing(6), "the index is still being made");
    let mut definition = full();
    definition.indexes[0].state = IndexState::Active { from_ms: 4 };
    assert_eq!([3, 4, 5, 6].map(|at| definition.is_changing(at)), [true, true, true, false]);
    definition.forget_dropped(4);
    assert_eq!(definition.indexes.len(), 3);
    definition.forget_dropped(5);
    assert_eq!(definition.indexes.iter().map(|index| &*index.name).collect::<Vec<_>>(), ["g", "l"]);
}

#[test]
fn definitions_are_read_back() {
    let composite = definition();
    let simple = TableDefinition { sort: None, billing: BillingMode::PayPerRequest, ..definition() };
    for definition in [composite, simple, indexed(), full()] {
        let bytes = definition.to_bytes();
        assert_eq!(TableDefinition::from_bytes(&bytes), Ok(definition.clone()));
        let schema = TableDefinition::key_schema(&bytes).unwrap();
        assert_eq!(owned(schema.partition), definition.partition);
        assert_eq!(schema.sort.map(owned), definition.sort);
        assert_eq!(TableDefinition::states(&bytes), Ok(definition.states));
        let (_, indexes) = TableDefinition::keys_and_indexes(&bytes).unwrap();
        let indexes: Vec<_> = indexes.iter().map(IndexView::to_definition).collect();
        let mut expected = definition.indexes;
        expected.retain(|index| !matches!(index.state, IndexState::Dropped { .. }));
        assert_eq!(indexes, expected);
    }
}

#[test]
fn states_follow_their_times() {
    let at = |active_ms, gone_ms| {
        let times = StateTimes { active_ms, gone_ms, changed_ms: 0 };
        [9, 10, 19, 20].map(|now_ms| times.state(now_ms))
    };
    use TableState::{Active, Creating, Deleting, Gone};
    assert_eq!(at(0, 0), [Active; 4]);
    assert_eq!(at(10, 0), [Creating, Active, Active, Active]);
    assert_eq!(at(10, 20), [Deleting, Deleting, Deleting, Gone]);
}

#[test]
fn a_newer_definition_is_refused() {
    let mut bytes = definition().to_bytes();
    bytes[0] = 4;
    assert!(matches!(TableDefinition::key_schema(&bytes), Err(RecordError::Newer { .. })));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..60), at in 0usize..240, byte in any::<u8>(),
    ) {
        let _ = TableDefinition::from_bytes(&bytes);
        let mut damaged = full().to_bytes();
        let at = at % damaged.len();
        damaged[at] = byte;
        let _ = TableDefinition::from_bytes(&damaged);
        let _ = TableDefinition::derived(&damaged);
        let _ = TableDefinition::keys_and_indexes(&damaged[..at]);
    }
}
