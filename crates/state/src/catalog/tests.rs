//! The catalog in a running store.

use super::*;
use crate::fixture::{run, store};
use holdfast_store::Store;
use proptest::prelude::*;
use std::collections::BTreeMap;

const HERE: Scope<'static> =
    Scope { account: "000000000000", region: "us-east-1", resource: Resource::DYNAMODB_TABLE };
const THERE: Scope<'static> = Scope { region: "us-east-2", ..HERE };

fn make(store: &Store, scope: Scope<'static>, name: &'static str) -> SpaceId {
    run(store, move |tx| create(tx, &scope, name, name, b"one").map(|space| space.id())).0.unwrap()
}

fn names(read: &impl Read, scope: &Scope<'_>, after: Option<&str>, limit: usize) -> Vec<String> {
    list(read, scope, after, limit).unwrap().into_iter().map(|(name, _)| name).collect()
}

#[test]
fn entry_and_key_are_frozen() {
    let key = HERE.encode("T");
    assert_eq!(key, b"\x01000000000000\x00\x01us-east-1\x00\x01dynamodb\x00\x01table\x00\x01T\x00\x01");
    assert_eq!(CatalogKey::decode(Family::CATALOG_ENTRY, &key), Ok(HERE.key("T")));
    assert_eq!(HERE.key("T").encode(Family::CATALOG_ENTRY), key);
    let entry =
        CatalogEntry { space: SpaceId(300), label: "T".into(), definition: Bytes::from_static(b"de") };
    assert_eq!(entry.to_bytes(), b"\x01\xAC\x02\x01T\x02de");
    assert_eq!(CatalogEntry::from_bytes(&entry.to_bytes()), Ok(entry));
}

#[test]
fn an_empty_store_has_an_empty_catalog() {
    let store = store();
    let now = store.snapshot();
    assert_eq!(find(&now, &HERE, "T").unwrap(), None);
    assert_eq!(resolve(&now, &HERE, "T").unwrap(), None);
    assert!(list(&now, &HERE, None, 10).unwrap().is_empty());
    assert!(list_all(&now, None, 10).unwrap().is_empty());
    let ((redefined, removed), _) = run(&store, |tx| (redefine(tx, &HERE, "T", b""), remove(tx, &HERE, "T")));
    assert!(matches!(redefined, Err(StateError::NoSuchName { .. })));
    assert!(matches!(removed, Err(StateError::NoSuchName { .. })));
    assert_eq!(store.snapshot().root(ROOT).unwrap(), None);
}

#[test]
fn the_root_is_made_once() {
    let store = store();
    let (first, _) = run(&store, |tx| ensure_root(tx).map(|space| space.id()));
    let (second, _) = run(&store, |tx| ensure_root(tx).map(|space| space.id()));
    assert_eq!(first.unwrap(), second.unwrap());
    assert_ne!(make(&store, HERE, "T"), make(&store, HERE, "U"));
    let spaces = run(&store, |tx| ensure_root(tx).map(|space| space.id())).0;
    assert_eq!(store.snapshot().root(ROOT).unwrap(), Some(spaces.unwrap()));
}

#[test]
fn a_name_is_made_found_redefined_and_removed() {
    let store = store();
    let space = make(&store, HERE, "T");
    let entry = find(&store.snapshot(), &HERE, "T").unwrap().unwrap();
    let expected = CatalogEntry { space, label: "T".into(), definition: Bytes::from_static(b"one") };
    assert_eq!(entry.record, expected);

    let (taken, _) = run(&store, |tx| create(tx, &HERE, "T", "T", b"other").map(|_| ()));
    assert!(matches!(taken, Err(StateError::NameTaken { .. })), "{taken:?}");
    assert_eq!(find(&store.snapshot(), &HERE, "T").unwrap().unwrap(), entry);

    let (redefined, version) = run(&store, |tx| redefine(tx, &HERE, "T", b"two"));
    redefined.unwrap();
    let entry = find(&store.snapshot(), &HERE, "T").unwrap().unwrap();
    assert_eq!((entry.since, &entry.record.definition[..]), (version, &b"two"[..]));
    assert_eq!((entry.record.space, &*entry.record.label), (space, "T"));

    let (removed, removal) = run(&store, |tx| remove(tx, &HERE, "T"));
    assert_eq!(removed.unwrap(), entry.record);
    let now = store.snapshot();
    assert_eq!(find(&now, &HERE, "T").unwrap(), None);
    assert_eq!(now.space(space).unwrap().unwrap().dropped, Some(removal));
    assert_ne!(make(&store, HERE, "T"), space);
}

#[test]
fn earlier_states_have_their_own_names() {
    let store = store();
    let space = make(&store, HERE, "T");
    let (_, version) = run(&store, |tx| redefine(tx, &HERE, "T", b"two").unwrap());
    run(&store, |tx| remove(tx, &HERE, "T").unwrap());
    let other = make(&store, HERE, "T");
    let as_of = store.as_of(version).unwrap();
    let (old, entry) = resolve(&as_of, &HERE, "T").unwrap().unwrap();
    assert_eq!((old.id(), &entry.record.definition[..]), (space, &b"two"[..]));
    let now = store.snapshot();
    assert_eq!(resolve(&now, &HERE, "T").unwrap().unwrap().0.id(), other);
    assert!(matches!(
        Space::open(&now, space, SpaceKind::DYNAMODB_TABLE),
        Err(StateError::NoSuchSpace { space: found, .. }) if found == space
    ));
}

#[test]
fn a_transaction_sees_what_it_made() {
    let store = store();
    let (outcome, _) = run(&store, |tx| {
        let space = create(tx, &HERE, "T", "T", b"one")?;
        space.put(tx, &[Family::DYNAMODB_ITEM.tag, 7], b"v", 1)?;
        let (found, _) = resolve(tx, &HERE, "T")?.expect("made above");
        assert_eq!(found, space);
        assert_eq!(names(tx, &HERE, None, 9), ["T"]);
        let entry = remove(tx, &HERE, "T")?;
        assert_eq!(entry.space, space.id());
        assert!(matches!(Space::open(tx, space.id(), space.kind()), Err(StateError::NoSuchSpace { .. })));
        assert_eq!(find(tx, &HERE, "T")?, None);
        let again = create(tx, &HERE, "T", "T", b"one")?;
        assert_ne!(again, space);
        Ok::<_, StateError>(again.id())
    });
    let now = store.snapshot();
    assert_eq!(find(&now, &HERE, "T").unwrap().unwrap().record.space, outcome.unwrap());
}

#[test]
fn lists_are_pages_of_one_scope_in_order() {
    let store = store();
    for name in ["b", "a", "ab", "c", "B"] {
        make(&store, HERE, name);
    }
    make(&store, THERE, "a");
    let now = store.snapshot();
    assert_eq!(names(&now, &HERE, None, 10), ["B", "a", "ab", "b", "c"]);
    assert_eq!(names(&now, &HERE, None, 2), ["B", "a"]);
    assert_eq!(names(&now, &HERE, Some("a"), 2), ["ab", "b"]);
    assert_eq!(names(&now, &HERE, Some("aa"), 10), ["ab", "b", "c"]);
    assert_eq!(names(&now, &HERE, Some("c"), 10), [""; 0]);
    assert_eq!(names(&now, &HERE, None, 0), [""; 0]);
    assert_eq!(names(&now, &THERE, None, 10), ["a"]);
    assert_eq!(names(&now, &Scope { region: "us-east", ..HERE }, None, 10), [""; 0]);
    let all = list_all(&now, None, 10).unwrap();
    assert_eq!(all.len(), 6);
    assert_eq!(all[5].0, THERE.key("a"));
    let rest = list_all(&now, Some(&all[3].0), 10).unwrap();
    assert_eq!(rest, all[4..]);
    assert_eq!(list_all_of(&now, Resource::DYNAMODB_TABLE, None, 10).unwrap(), all);
    assert!(list_all_of(&now, Resource::DYNAMODB_TOKENS, None, 10).unwrap().is_empty());
}

#[test]
fn an_unreadable_entry_is_named() {
    let store = store();
    let key = HERE.encode("T");
    let (catalog, _) = run(&store, move |tx| {
        let catalog = ensure_root(tx).unwrap();
        catalog.put(tx, &key, &[9, 1, 2], 3).unwrap();
        catalog.id()
    });
    let now = store.snapshot();
    for error in [find(&now, &HERE, "T").unwrap_err(), list(&now, &HERE, None, 1).unwrap_err()] {
        let message = error.to_string();
        let start = format!("cannot read catalog entry in space {}, key \\x01000000000000", catalog.0);
        assert!(message.starts_with(&start), "{message}");
        assert!(message.contains("record version 9 is newer than 1"), "{message}");
    }
}

/// A change of the catalog, for the comparison with a plain map.
#[derive(Debug, Clone)]
enum Step {
    Create(usize, u8),
    Redefine(usize, u8),
    Remove(usize),
}

const NAMES: [&str; 5] = ["a", "a\0", "aa", "b", "\u{10FFFF}"];

fn step() -> impl Strategy<Value = Step> {
    let name = 0..NAMES.len();
    prop_oneof![
        (name.clone(), any::<u8>()).prop_map(|(name, byte)| Step::Create(name, byte)),
        (name.clone(), any::<u8>()).prop_map(|(name, byte)| Step::Redefine(name, byte)),
        name.prop_map(Step::Remove),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn behaves_as_a_map(steps in proptest::collection::vec(step(), 1..20)) {
        let store = store();
        let mut model: BTreeMap<&str, u8> = BTreeMap::new();
        for step in steps {
            let applied = step.clone();
            let (worked, _) = run(&store, move |tx| match applied {
                Step::Create(name, byte) => create(tx, &HERE, NAMES[name], "", &[byte]).is_ok(),
                Step::Redefine(name, byte) => redefine(tx, &HERE, NAMES[name], &[byte]).is_ok(),
                Step::Remove(name) => remove(tx, &HERE, NAMES[name]).is_ok(),
            });
            let expected = match step {
                Step::Create(name, byte) if !model.contains_key(NAMES[name]) => {
                    model.insert(NAMES[name], byte);
                    true
                }
                Step::Redefine(name, byte) => match model.get_mut(NAMES[name]) {
                    Some(definition) => { *definition = byte; true }
                    None => false,
                },
                Step::Remove(name) => model.remove(NAMES[name]).is_some(),
                Step::Create(..) => false,
            };
            prop_assert_eq!(worked, expected);
            let now = store.snapshot();
            let listed: Vec<_> = list(&now, &HERE, None, 99).unwrap().into_iter()
                .map(|(name, entry)| (name, entry.record.definition[0])).collect();
            let modelled: Vec<_> = model.iter().map(|(name, byte)| ((*name).to_owned(), *byte)).collect();
            prop_assert_eq!(listed, modelled);
            for name in NAMES {
                let found = resolve(&now, &HERE, name).unwrap().map(|(_, entry)| entry.record.definition[0]);
                prop_assert_eq!(found, model.get(name).copied());
            }
        }
    }
}
