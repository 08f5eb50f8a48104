use super::*;
use crate::engine::embedded::index::Manifest;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use tempfile::TempDir;

type Map = BTreeMap<Bytes, Bytes>;

#[derive(Debug, Clone)]
enum Step {
    /// (family, number, length of the value or removal)
    Apply(Vec<(u8, u32, Option<u16>)>),
    /// Adds this many keys at the end of the append-only family and removes that many at its front.
    Append(u8, u8),
    Seal(bool),
    Flush,
    Compact,
    CompactAll,
    Checkpoint,
    /// Forgets everything since the last checkpoint, as a crash does; then replays.
    Crash,
    Sweep,
    Hold,
    Release,
    Check(u32, u32, u8, bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let family = prop::sample::select(vec![1_u8, ITEMS, 3, 5]);
    let value = prop::option::weighted(0.75, 0_u16..600);
    let write = (family, 0_u32..160, value);
    let step = prop_oneof![
        12 => prop::collection::vec(write, 1..20).prop_map(Step::Apply),
        4 => (0_u8..12, 0_u8..12).prop_map(|(add, cut)| Step::Append(add, cut)),
        3 => any::<bool>().prop_map(Step::Seal),
        4 => Just(Step::Flush),
        4 => Just(Step::Compact),
        1 => Just(Step::CompactAll),
        2 => Just(Step::Checkpoint),
        1 => Just(Step::Crash),
        1 => Just(Step::Sweep),
        1 => Just(Step::Hold),
        1 => Just(Step::Release),
        4 => (0_u32..170, 0_u32..170, any::<u8>(), any::<bool>())
            .prop_map(|(from, to, how, back)| Step::Check(from, to, how, back)),
    ];
    prop::collection::vec(step, 1..120)
}

struct Tested {
    dir: TempDir,
    index: LsmIndex,
    model: Map,
    /// Every commit so far; the log of a real store.
    log: Vec<Batch>,
    durable: Option<Manifest>,
    held: Vec<(Arc<dyn View>, Map)>,
    appended: u32,
    cut: u32,
}

impl Tested {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let index = LsmIndex::open(&dir.path().join("index"), None, tiny()).unwrap();
        let (model, log, held) = (Map::new(), Vec::new(), Vec::new());
        Self { dir, index, model, log, durable: None, held, appended: 0, cut: 0 }
    }

    fn apply(&mut self, writes: Vec<Write>) {
        let batch = batch(writes);
        for write in &batch.writes {
            match &write.value {
                Some(value) => self.model.insert(write.key.clone(), value.clone()),
                None => self.model.remove(&write.key),
            };
        }
        self.log.push(batch.clone());
        self.index.apply(self.log.len() as u64, &batch);
    }

    fn append(&mut self, add: u8, cut: u8) {
        let end = self.appended + u32::from(add);
        let cut_end = (self.cut + u32::from(cut)).min(self.appended);
        let mut writes: Vec<_> = (self.cut..cut_end).map(|n| write(APPENDED, n, None)).collect();
        // The row at the front is cut down now and then.
        if cut_end < self.appended && cut % 4 == 3 {
            writes.push(write(APPENDED, cut_end, Some("cut down")));
        }
        writes.extend((self.appended..end).map(|n| write(APPENDED, n, Some(&format!("row {n}").repeat(20)))));
        (self.appended, self.cut) = (end, cut_end);
        self.apply(writes);
    }

    fn crash(&mut self) {
        self.held.clear();
        let dir = self.dir.path().join("index");
        let index = LsmIndex::open(&dir, self.durable.as_ref(), tiny()).unwrap();
        let flushed = self.durable.as_ref().map_or(0, |manifest| manifest.flushed);
        for commit in flushed + 1..=self.log.len() as u64 {
            index.apply(commit, &self.log[usize::try_from(commit).unwrap() - 1]);
        }
        self.index = index;
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Apply(writes) => {
                let commit = self.log.len();
                let text = |len: u16| format!("{commit}-").repeat(usize::from(len) / 4);
                let writes = writes
                    .into_iter()
                    .map(|(family, number, len)| write(family, number, len.map(text).as_deref()));
                self.apply(writes.collect());
            }
            Step::Append(add, cut) => self.append(add, cut),
            Step::Seal(force) => drop(self.index.seal(force)),
            Step::Flush => drop(self.index.flush().unwrap()),
            Step::Compact => drop(self.index.compact().unwrap()),
            Step::CompactAll => compact_all(&self.index),
            Step::Checkpoint => {
                let manifest = self.index.manifest();
                self.index.checkpointed(manifest.generation);
                self.durable = Some(manifest);
            }
            Step::Crash => self.crash(),
            Step::Sweep => drop(self.index.sweep()),
            Step::Hold => self.held.push((self.index.view(), self.model.clone())),
            Step::Release => drop(self.held.pop()),
            Step::Check(from, to, how, back) => {
                let family = how % 6;
                let bound = |number, how: u8| match how % 3 {
                    0 => Bound::Included(key(family, number)),
                    1 => Bound::Excluded(key(family, number)),
                    _ => Bound::Unbounded,
                };
                let bounds = (bound(from, how / 6), bound(to, how / 18));
                check_range(self.index.view().as_ref(), &self.model, &bounds, back);
                for (view, model) in &self.held {
                    check_range(view.as_ref(), model, &bounds, !back);
                }
            }
        }
    }
}

fn check_range(view: &dyn View, model: &Map, bounds: &(Bound<Bytes>, Bound<Bytes>), back: bool) {
    let (from, to) = bounds;
    let above = |key: &Bytes| match from {
        Bound::Included(from) => key >= from,
        Bound::Excluded(from) => key > from,
        Bound::Unbounded => true,
    };
    let below = |key: &Bytes| match to {
        Bound::Included(to) => key <= to,
        Bound::Excluded(to) => key < to,
        Bound::Unbounded => true,
    };
    let mut expected: Vec<_> = model
        .iter()
        .filter(|(key, _)| above(key) && below(key))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    let range = || view.range(from.as_ref().map(|key| &key[..]), to.as_ref().map(|key| &key[..]));
    let mut found: Vec<Pair> = if back {
        range().rev().map(Result::unwrap).collect()
    } else {
        range().map(Result::unwrap).collect()
    };
    if back {
        found.reverse();
    }
    assert_eq!(found, expected);
    // From both ends at once, two from the front for each from the back.
    let mut range = range();
    let (mut front, mut end) = (Vec::new(), Vec::new());
    loop {
        let taken = front.len() + end.len();
        front.extend(range.next().map(Result::unwrap));
        end.extend(range.next_back().map(Result::unwrap));
        front.extend(range.next().map(Result::unwrap));
        if front.len() + end.len() == taken {
            break;
        }
    }
    end.reverse();
    front.append(&mut end);
    assert_eq!(front, expected);
    expected.clear();
}

fn check_all(view: &dyn View, model: &Map) {
    let expected: Vec<Pair> = model.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    assert_eq!(all(view), expected);
    for family in 1..=5 {
        for number in 0..165 {
            let key = key(family, number);
            assert_eq!(view.get(&key).unwrap().as_ref(), model.get(&key));
        }
    }
}

fn files(tested: &Tested) -> usize {
    std::fs::read_dir(tested.dir.path().join("index")).unwrap().count()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, max_shrink_iters: 2_000, ..ProptestConfig::default() })]
    #[test]
    fn behaves_like_a_map(steps in steps()) {
        let mut tested = Tested::new();
        for step in steps {
            tested.step(step);
        }
        check_all(tested.index.view().as_ref(), &tested.model);
        for (view, model) in &tested.held {
            check_all(view.as_ref(), model);
        }
        tested.held.clear();

        flush_all(&tested.index);
        compact_all(&tested.index);
        check_all(tested.index.view().as_ref(), &tested.model);
        tested.step(Step::Checkpoint);
        tested.index.sweep();
        assert_eq!(scrub(&tested.index), []);
        prop_assert_eq!(files(&tested), tested.index.stats().table_count, "files that nobody needs are gone");
        tested.step(Step::Crash);
        check_all(tested.index.view().as_ref(), &tested.model);
    }
}

#[test]
fn many_levels_and_every_removal_ends() {
    let mut tested = Tested::new();
    for round in 0..40_u32 {
        for chunk in 0..10 {
            let numbers = (0..30).map(|n| (n * 37 + chunk * 11 + round * 7) % 160);
            let writes = numbers.map(|n| write(ITEMS, n, Some(&format!("{round}").repeat(100)))).collect();
            tested.apply(writes);
        }
        flush_all(&tested.index);
        compact_all(&tested.index);
    }
    let levels = tested.index.state.load().tables.family(ITEMS).unwrap().levels.len();
    assert!(levels > 3, "{levels} levels");
    check_all(tested.index.view().as_ref(), &tested.model);

    tested.apply((0..160).map(|n| write(ITEMS, n, None)).collect());
    flush_all(&tested.index);
    compact_all(&tested.index);
    let stats = tested.index.stats();
    assert_eq!((stats.table_count, stats.table_bytes), (0, 0), "nothing is left of removed keys");
    tested.step(Step::Checkpoint);
    assert_eq!(files(&tested), 0);
}

#[test]
fn appended_keys_are_never_rewritten() {
    let mut tested = Tested::new();
    for _ in 0..30 {
        tested.append(40, 0);
        flush_all(&tested.index);
        compact_all(&tested.index);
    }
    let tables = Arc::clone(&tested.index.state.load().tables);
    let family = tables.family(APPENDED).unwrap();
    assert_eq!(
        (family.level(0).len(), family.level(1).len()),
        (0, 30),
        "each flush went to the bottom as it was"
    );
    drop(tables);
    // Cutting the front leaves the rest alone.
    let before: Vec<_> = tested.index.state.load().tables.tables().map(|(_, t)| t.entry.id).collect();
    for _ in 0..60 {
        tested.append(0, 10);
        flush_all(&tested.index);
        compact_all(&tested.index);
    }
    let after: Vec<_> = tested.index.state.load().tables.tables().map(|(_, t)| t.entry.id).collect();
    assert_eq!(after[after.len() - 10..], before[before.len() - 10..]);
    assert!(after.len() < 25, "{} tables", after.len());
    check_all(tested.index.view().as_ref(), &tested.model);
}

#[test]
fn a_file_stays_until_no_checkpoint_and_no_view_needs_it() {
    let mut tested = Tested::new();
    for round in 0..3 {
        tested.apply((0..50).map(|n| write(ITEMS, n, Some(&format!("round {round}")))).collect());
        flush_all(&tested.index);
    }
    tested.step(Step::Checkpoint);
    assert_eq!(files(&tested), 3);
    let view = tested.index.view();
    let model = tested.model.clone();
    compact_all(&tested.index);
    assert_eq!(tested.index.stats().table_count, 1);
    assert_eq!(files(&tested), 4, "the checkpoint still names the old tables");
    tested.step(Step::Checkpoint);
    assert_eq!(files(&tested), 4, "a view still reads them");
    check_all(view.as_ref(), &model);
    drop(view);
    tested.index.compact().unwrap();
    assert_eq!(files(&tested), 1);

    tested.apply((0..50).map(|n| write(ITEMS, n, Some("frozen"))).collect());
    flush_all(&tested.index);
    tested.apply((0..50).map(|n| write(ITEMS, n, Some("frozen too"))).collect());
    flush_all(&tested.index);
    compact_all(&tested.index);
    tested.index.freeze();
    let count = files(&tested);
    tested.step(Step::Checkpoint);
    assert!(!tested.index.compact().unwrap());
    assert_eq!(files(&tested), count, "nothing is unlinked once frozen");
}

#[test]
fn leftovers_of_a_crash_are_swept_after_the_start_only() {
    let mut tested = Tested::new();
    tested.apply((0..50).map(|n| write(ITEMS, n, Some("kept"))).collect());
    flush_all(&tested.index);
    tested.step(Step::Checkpoint);
    tested.apply((0..50).map(|n| write(ITEMS, n, Some("not in a checkpoint"))).collect());
    flush_all(&tested.index);
    let foreign = tested.dir.path().join("index").join("notes.txt");
    std::fs::write(&foreign, "not ours").unwrap();
    assert_eq!(files(&tested), 3);
    tested.step(Step::Crash);
    assert_eq!(files(&tested), 3, "opening removes nothing");
    flush_all(&tested.index);
    assert_eq!(tested.index.sweep(), 1, "the orphan goes, the new table stays");
    assert!(foreign.exists());
    assert_eq!(tested.index.sweep(), 0);
    check_all(tested.index.view().as_ref(), &tested.model);
    assert_eq!(scrub(&tested.index), []);
}
