//! A plain model: values as trees, every action done on its own.

use super::*;
use crate::item::view::Item;
use crate::number::Number;
use crate::number::tests::{big, numbers};
use proptest::prelude::*;
use std::collections::BTreeSet;

type Tree = BTreeMap<String, AttributeValue>;

/// Where list elements are taken from, and where they end up: elements are numbered as before, so that removing one moves
/// no other until the end.
#[derive(Clone, Default)]
struct Lists {
    removed: Vec<Path>,
    appended: Vec<(Path, AttributeValue)>,
}

fn read<'a>(tree: &'a Tree, path: &Path) -> Option<&'a AttributeValue> {
    path.steps.iter().try_fold(tree.get(&*path.attribute)?, |value, step| match (step, value) {
        (Step::Member(name), AttributeValue::M(map)) => {
            map.iter().find(|(found, _)| **found == **name).map(|(_, value)| value)
        }
        (Step::Element(index), AttributeValue::L(list)) => list.get(*index as usize),
        _ => None,
    })
}

fn value_of(sent: &Sent) -> AttributeValue {
    crate::item::tests::read_value(RawValue::new(sent.as_bytes())).unwrap()
}

fn operand(tree: &Tree, operand_: &SetOperand) -> Result<AttributeValue, UpdateFault> {
    match operand_ {
        SetOperand::Path(path) => read(tree, path).cloned().ok_or(UpdateFault::MissingAttribute),
        SetOperand::Value(value) => Ok(value_of(value)),
        SetOperand::IfNotExists(path, otherwise) => {
            let otherwise = operand(tree, otherwise)?;
            Ok(read(tree, path).cloned().unwrap_or(otherwise))
        }
        SetOperand::ListAppend(first, second) => {
            let (first, second) = pair(tree, first, second, |value| match value {
                AttributeValue::L(list) => Ok(list),
                _ => Err(UpdateFault::OperandType),
            })?;
            Ok(AttributeValue::L([first, second].concat()))
        }
    }
}

/// Two operands; faults inside functions come first.
fn pair<T>(
    tree: &Tree,
    left: &SetOperand,
    right: &SetOperand,
    read: fn(AttributeValue) -> Result<T, UpdateFault>,
) -> Result<(T, T), UpdateFault> {
    for value in [left, right] {
        if matches!(value, SetOperand::IfNotExists(..)) {
            operand(tree, value)?;
        }
    }
    let left = read(operand(tree, left)?)?;
    Ok((left, read(operand(tree, right)?)?))
}

fn number(value: AttributeValue) -> Result<Number, UpdateFault> {
    match value {
        AttributeValue::N(text) => Ok(Number::parse(&text).unwrap()),
        _ => Err(UpdateFault::OperandType),
    }
}

fn sum(left: Number, right: Number) -> Result<AttributeValue, UpdateFault> {
    let sum = left.plus(right).map_err(UpdateFault::Number)?;
    assert_eq!(big(sum), big(left) + big(right));
    Ok(AttributeValue::N(sum.to_string()))
}

fn joined<T: Ord + Clone>(old: &[T], more: &[T], keep: bool) -> Vec<T> {
    let old: BTreeSet<T> = old.iter().cloned().collect();
    let more: BTreeSet<T> = more.iter().cloned().collect();
    if keep { old.union(&more).cloned().collect() } else { old.difference(&more).cloned().collect() }
}

/// `ADD` if `keep`, else `DELETE`; an empty set stands for none.
fn changed(
    old: Option<&AttributeValue>,
    value: AttributeValue,
    keep: bool,
) -> Result<AttributeValue, UpdateFault> {
    Ok(match (old, value) {
        (None, value) if keep => value,
        (None, _) => AttributeValue::SS(Vec::new()),
        (Some(AttributeValue::N(old)), AttributeValue::N(more)) => {
            sum(Number::parse(old).unwrap(), Number::parse(&more).unwrap())?
        }
        (Some(AttributeValue::SS(old)), AttributeValue::SS(more)) => {
            AttributeValue::SS(joined(old, &more, keep))
        }
        (Some(AttributeValue::BS(old)), AttributeValue::BS(more)) => {
            AttributeValue::BS(joined(old, &more, keep))
        }
        (Some(AttributeValue::NS(old)), AttributeValue::NS(more)) => {
            let numbers =
                |set: &[String]| set.iter().map(|text| Number::parse(text).unwrap()).collect::<Vec<_>>();
            let joined = joined(&numbers(old), &numbers(&more), keep);
            AttributeValue::NS(joined.iter().map(Number::to_string).collect())
        }
        _ => return Err(UpdateFault::OperandType),
    })
}

/// The new value of an action's place; nothing removes it.
fn new_value(tree: &Tree, action: &Action) -> Result<Option<AttributeValue>, UpdateFault> {
    let path = action.path();
    if let Some((last, steps)) = path.steps.split_last() {
        let holder = Path { attribute: Arc::clone(&path.attribute), steps: steps.to_vec() };
        let fits = match read(tree, &holder) {
            Some(AttributeValue::M(_)) => matches!(last, Step::Member(_)),
            Some(AttributeValue::L(_)) => matches!(last, Step::Element(_)),
            _ => false,
        };
        if !fits {
            return Err(UpdateFault::InvalidPath);
        }
    }
    let changed = |value: &Sent, keep| {
        let new = changed(read(tree, path), value_of(value), keep)?;
        let empty = match &new {
            AttributeValue::SS(set) | AttributeValue::NS(set) => set.is_empty(),
            AttributeValue::BS(set) => set.is_empty(),
            _ => false,
        };
        Ok((!empty).then_some(new))
    };
    match action {
        Action::Set(_, SetValue::Operand(value)) => operand(tree, value).map(Some),
        Action::Set(_, SetValue::Sum(left, right)) => {
            let (left, right) = pair(tree, left, right, number)?;
            sum(left, right).map(Some)
        }
        Action::Set(_, SetValue::Difference(left, right)) => {
            let (left, right) = pair(tree, left, right, number)?;
            sum(left, right.negated()).map(Some)
        }
        Action::Remove(_) => Ok(None),
        Action::Add(_, value) => changed(value, true),
        Action::Delete(_, value) => changed(value, false),
    }
}

/// Puts a value where a path leads to, or removes what is there; what moves elements of lists is kept for later.
fn put(tree: &mut Tree, path: &Path, new: Option<AttributeValue>, lists: &mut Lists) {
    let Some((last, steps)) = path.steps.split_last() else {
        match new {
            Some(new) => tree.insert(path.attribute.to_string(), new),
            None => tree.remove(&*path.attribute),
        };
        return;
    };
    match (holder(tree, path, steps), last) {
        (AttributeValue::M(map), Step::Member(name)) => {
            map.retain(|(found, _)| **found != **name);
            map.extend(new.map(|new| (name.to_string(), new)));
        }
        (AttributeValue::L(list), Step::Element(index)) => match (list.get_mut(*index as usize), new) {
            (Some(old), Some(new)) => *old = new,
            (None, Some(new)) => lists.appended.push((path.clone(), new)),
            (Some(_), None) => lists.removed.push(path.clone()),
            (None, None) => {}
        },
        _ => unreachable!("the path was checked"),
    }
}

fn holder<'a>(tree: &'a mut Tree, path: &Path, steps: &[Step]) -> &'a mut AttributeValue {
    let mut value = tree.get_mut(&*path.attribute).unwrap();
    for step in steps {
        value = match (step, value) {
            (Step::Member(name), AttributeValue::M(map)) => {
                map.iter_mut().find(|(found, _)| **found == **name).map(|(_, value)| value).unwrap()
            }
            (Step::Element(index), AttributeValue::L(list)) => &mut list[*index as usize],
            _ => unreachable!("the path was checked"),
        };
    }
    value
}

fn model(before: &Tree, update: &Update) -> Result<Tree, UpdateFault> {
    let news: Vec<_> = update.actions.iter().rev().map(|action| new_value(before, action)).collect();
    let faults = || news.iter().filter_map(|new| new.as_ref().err());
    let sum = |fault: &&UpdateFault| matches!(fault, UpdateFault::Number(_));
    if let Some(fault) = faults().find(|fault| !sum(fault)).or_else(|| faults().next()) {
        return Err(fault.clone());
    }
    let (mut tree, mut lists) = (before.clone(), Lists::default());
    for (action, new) in update.actions.iter().rev().zip(news) {
        put(&mut tree, action.path(), new.unwrap(), &mut lists);
    }
    // Paths name elements as before: longer paths first, then from the end of lists.
    lists.appended.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (path, new) in lists.appended {
        let Some((_, steps)) = path.steps.split_last() else { continue };
        if let AttributeValue::L(list) = holder(&mut tree, &path, steps) {
            list.push(new);
        }
    }
    lists.removed.sort_by(|one, other| other.elements().cmp(&one.elements()).then_with(|| other.cmp(one)));
    for path in lists.removed {
        let Some((Step::Element(index), steps)) = path.steps.split_last() else { continue };
        if let AttributeValue::L(list) = holder(&mut tree, &path, steps) {
            list.remove(*index as usize);
        }
    }
    Ok(tree)
}

fn names() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "c", "dd", "e"])
}

fn decimals() -> impl Strategy<Value = AttributeValue> {
    prop_oneof![
        4 => any::<i8>().prop_map(|number| AttributeValue::N(number.to_string())),
        1 => numbers().prop_map(|number| AttributeValue::N(number.to_string())),
    ]
}

fn sets() -> impl Strategy<Value = AttributeValue> {
    let bytes = prop::collection::vec(0u8..3, 0..3);
    prop_oneof![
        prop::collection::btree_set("[a-d]{0,2}", 1..4)
            .prop_map(|set| AttributeValue::SS(set.into_iter().collect())),
        prop::collection::btree_set(-3i32..3, 1..4)
            .prop_map(|set| AttributeValue::NS(set.iter().map(i32::to_string).collect())),
        prop::collection::btree_set(bytes, 1..4)
            .prop_map(|set| AttributeValue::BS(set.into_iter().collect())),
    ]
}

fn values() -> impl Strategy<Value = AttributeValue> {
    let leaf = prop_oneof![
        2 => "[a-d]{0,2}".prop_map(AttributeValue::S),
        1 => Just(AttributeValue::Null(true)),
        3 => decimals(),
        4 => sets(),
    ];
    leaf.prop_recursive(4, 30, 5, |inner| {
        let members = |map: BTreeMap<&str, AttributeValue>| {
            AttributeValue::M(map.into_iter().map(|(name, value)| (name.into(), value)).collect())
        };
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(AttributeValue::L),
            prop::collection::btree_map(names(), inner, 0..5).prop_map(members),
        ]
    })
}

fn trees() -> impl Strategy<Value = Tree> {
    prop::collection::btree_map(names().prop_map(str::to_owned), values(), 0..6)
}

/// Every place of a tree, and some that are not there.
fn places(tree: &Tree) -> Vec<Path> {
    fn below(path: &Path, value: &AttributeValue, found: &mut Vec<Path>) {
        let step = |step: Step| Path { steps: [&path.steps[..], &[step]].concat(), ..path.clone() };
        found.push(path.clone());
        match value {
            AttributeValue::M(map) => {
                found.push(step(Step::Member("d".into())));
                map.iter()
                    .for_each(|(name, value)| below(&step(Step::Member(name.as_str().into())), value, found));
            }
            AttributeValue::L(list) => {
                found.extend(
                    [0, 2, 7].map(|more| step(Step::Element(u32::try_from(list.len()).unwrap() + more))),
                );
                for (index, value) in (0..).zip(list) {
                    below(&step(Step::Element(index)), value, found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    for name in ["a", "b", "c", "dd", "e", "f"] {
        let path = Path { attribute: name.into(), steps: Vec::new() };
        match tree.get(name) {
            Some(value) => below(&path, value, &mut found),
            None => found.push(path),
        }
    }
    found
}

/// A tree, and an update of its places; a few paths lead astray.
fn cases() -> impl Strategy<Value = (Tree, Update)> {
    trees().prop_flat_map(|tree| {
        let places = places(&tree);
        let astray = (
            prop::sample::select(places.clone()),
            prop_oneof![Just(Step::Element(0)), Just(Step::Member("x".into()))],
        )
            .prop_map(|(path, step)| Path { steps: [&path.steps[..], &[step]].concat(), ..path });
        let path = prop_oneof![30 => prop::sample::select(places), 1 => astray].boxed();
        let actions = prop::collection::vec((path.clone(), action(path)), 1..7);
        (Just(tree), actions.prop_map(distinct))
    })
}

/// What is done at a path.
fn action(path: BoxedStrategy<Path>) -> impl Strategy<Value = Action> {
    let nowhere = || Path { attribute: "".into(), steps: Vec::new() };
    let sent = |value: AttributeValue| Arc::new(Sent::new(&value).unwrap());
    let scalar = prop_oneof![3 => path.clone().prop_map(SetOperand::Path), 2 => values().prop_map(move |value| SetOperand::Value(sent(value)))];
    let operand = (scalar, prop::option::weighted(0.3, path)).prop_map(|(value, first)| match first {
        Some(path) => SetOperand::IfNotExists(path, Box::new(value)),
        None => value,
    });
    prop_oneof![
        3 => operand.clone().prop_map(move |value| Action::Set(nowhere(), SetValue::Operand(value))),
        2 => (operand.clone(), operand.clone()).prop_map(move |(one, two)| {
            Action::Set(nowhere(), SetValue::Operand(SetOperand::ListAppend(Box::new(one), Box::new(two))))
        }),
        1 => (operand.clone(), operand.clone())
            .prop_map(move |(one, two)| Action::Set(nowhere(), SetValue::Sum(one, two))),
        1 => (operand.clone(), operand).prop_map(move |(one, two)| Action::Set(nowhere(), SetValue::Difference(one, two))),
        4 => Just(Action::Remove(nowhere())),
        4 => prop_oneof![decimals(), sets()].prop_map(move |value| Action::Add(nowhere(), sent(value))),
        4 => sets().prop_map(move |value| Action::Delete(nowhere(), sent(value))),
    ]
}

/// An update of those actions whose paths do not touch one before them.
fn distinct(actions: Vec<(Path, Action)>) -> Update {
    let mut update = Update { actions: Vec::new() };
    for (path, action) in actions {
        let apart = |other: &Path| {
            let mut both = other.steps.iter().zip(&path.steps);
            other.attribute != path.attribute
                || both.find(|(one, two)| one != two).is_some_and(|steps| {
                    matches!(steps, (Step::Member(_), Step::Member(_)) | (Step::Element(_), Step::Element(_)))
                })
        };
        if update.paths().all(apart) {
            update.actions.push(match action {
                Action::Set(_, value) => Action::Set(path, value),
                Action::Remove(_) => Action::Remove(path),
                Action::Add(_, value) => Action::Add(path, value),
                Action::Delete(_, value) => Action::Delete(path, value),
            });
        }
    }
    update
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// The item after is the one that the encoder would write, to the byte, and has its size.
    #[test]
    fn updates_do_what_the_model_does((tree, update) in cases()) {
        let before = AttributeMap(tree.clone().into_iter().collect());
        let answer = apply(&update, &before);
        match model(&tree, &update) {
            Ok(after) => {
                let expected = encode_item(&AttributeMap(after.into_iter().collect())).unwrap();
                let answer = answer.map_err(|error| TestCaseError::fail(format!("{update}: {error}")))?;
                prop_assert_eq!(size::of_item(Item::new(&answer.bytes).unwrap()), Ok(answer.size));
                prop_assert_eq!(answer, expected, "{}", update);
            }
            Err(fault) => prop_assert_eq!(answer, Err(UpdateError::Refused(fault)), "{}", update),
        }
    }

    /// Damaged bytes make no panic.
    #[test]
    fn damaged_items_are_changed_or_refused(
        (tree, update) in cases(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let before = encode_item(&AttributeMap(tree.into_iter().collect())).unwrap();
        let mut bytes = before.bytes.clone();
        let at = at.index(bytes.len());
        bytes[at] ^= byte;
        let _ = update.apply(Some(Stored { bytes: &bytes, size: before.size }), &[]);
        let _ = update.apply(Some(Stored { bytes: &before.bytes[..at], size: before.size }), &[]);
    }
}
