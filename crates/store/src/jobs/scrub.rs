//! The scrub: reads every table of the index whole, one now and then, so that rot shows before somebody needs what is there.
//!
//! It is part of keeping house and no job: it writes nothing, and begins anew with each start. The first round begins an hour
//! after the start, so that it is in nobody's way while a test suite runs or a server warms up; the next ones once a day, or
//! as soon as the last one ended if that took longer. A table is at most a few MiB, and is read without a break.

use super::runner::House;
use crate::engine::embedded::{ScrubbedTable, TableCondition};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// When the first round begins, after the first look.
pub(crate) const FIRST_AFTER: Duration = Duration::from_secs(3_600);
/// From the beginning of a round to that of the next.
pub(crate) const ROUND_INTERVAL: Duration = Duration::from_secs(24 * 3_600);
/// From one table to the next, at least.
pub(crate) const TABLE_INTERVAL: Duration = Duration::from_secs(2);
/// How much is read on average, at most.
const BYTES_PER_SECOND: u64 = 1 << 20;
/// A table that is due waits so long while clients wait in the queue: a busy server's tables are read too.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A table that is not as it was written. Reads of what is rotten in it fail; everything else goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDamage {
    /// Its file.
    pub file: PathBuf,
    /// What is wrong with it, as a phrase.
    pub cause: String,
}

/// What is known of the tables in this process.
#[derive(Debug, Default)]
pub(crate) struct Scrubber {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When the next table is due; `None` before the first look.
    due: Option<Instant>,
    /// When this round began.
    began: Option<Instant>,
    /// Tables of this round that were not read yet, the next one last.
    left: Vec<u64>,
    /// What is damaged, by table.
    damage: BTreeMap<u64, TableDamage>,
}

impl Scrubber {
    /// Notes what was found of a table, and logs damage that is new.
    pub(crate) fn note(&self, table: &ScrubbedTable) {
        let mut state = self.state.lock();
        match &table.condition {
            TableCondition::Sound => drop(state.damage.remove(&table.id)),
            TableCondition::Damaged(cause) => {
                let damage = TableDamage { file: table.file.clone(), cause: cause.clone() };
                if state.damage.insert(table.id, damage).is_none() {
                    let file = table.file.display();
                    tracing::error!(%file, %cause, "a table is damaged: reads of what is rotten in it fail");
                }
            }
            // Looked at again in the next round.
            TableCondition::Unread(cause) => {
                tracing::warn!(file = %table.file.display(), %cause, "a table could not be checked");
            }
        }
    }

    /// What is damaged of the tables that there are.
    pub(crate) fn damage(&self, tables: &[u64]) -> Vec<TableDamage> {
        let mut state = self.state.lock();
        state.damage.retain(|id, _| tables.contains(id));
        state.damage.values().cloned().collect()
    }

    /// Whether a table is due.
    fn is_due(&self, now: Instant, clients_wait: bool) -> bool {
        let due = *self.state.lock().due.get_or_insert(now + FIRST_AFTER);
        now >= if clients_wait { due + PATIENCE } else { due }
    }

    /// Begins a round if none is under way. `tables` answers what there is, in ascending order.
    fn begin(&self, now: Instant, tables: impl FnOnce() -> Vec<u64>) {
        let mut state = self.state.lock();
        if state.left.is_empty() {
            state.left = tables();
            state.left.reverse();
            state.began = Some(now);
        }
    }

    fn next(&self) -> Option<u64> {
        self.state.lock().left.pop()
    }

    /// Sets when the next table is due, after one of so many bytes.
    fn rest(&self, now: Instant, bytes: u64) {
        let mut state = self.state.lock();
        let paced = Duration::from_millis(bytes.saturating_mul(1_000) / BYTES_PER_SECOND);
        let next = now + paced.max(TABLE_INTERVAL);
        let round = state.began.filter(|_| state.left.is_empty()).map(|began| began + ROUND_INTERVAL);
        state.due = Some(round.map_or(next, |round| round.max(next)));
    }
}

impl House<'_> {
    /// Reads the next table if one is due at `now`; answers which.
    pub(crate) fn scrub_step(&self, now: Instant) -> Option<ScrubbedTable> {
        let engine = self.store.embedded()?;
        let scrubber = &self.runner.scrubber;
        if !scrubber.is_due(now, self.executor.queued() > 0) {
            return None;
        }
        scrubber.begin(now, || engine.tables());
        // Those that were merged away since the round began are passed over.
        let table = std::iter::from_fn(|| scrubber.next()).find_map(|id| engine.scrub_table(id));
        if let Some(table) = &table {
            scrubber.note(table);
        }
        scrubber.rest(now, table.as_ref().map_or(0, |table| table.bytes));
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::embedded::EmbeddedOptions;
    use crate::{CommitInfo, Operation, Options, Place, SpaceId, Store, Transaction, Verdict};

    struct Fill(u8);

    impl Operation for Fill {
        fn info(&self) -> CommitInfo {
            CommitInfo::default()
        }

        fn run(&mut self, tx: &mut Transaction<'_>) -> Verdict {
            let space = if self.0 == 0 { tx.create_space(1).expect("creates") } else { SpaceId(1) };
            for number in 0..100u8 {
                tx.put(space, &[number], &[self.0; 300], 300).expect("puts");
            }
            Verdict::Keep
        }
    }

    fn open(dir: &std::path::Path) -> Store {
        let place = Place::Directory(EmbeddedOptions::new(dir.join("data")));
        Store::open(Options { place, trimmer: false, ..Options::in_memory() }).expect("opens")
    }

    /// A store with several tables.
    fn filled() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().expect("a directory");
        let store = open(dir.path());
        for round in 0..2 {
            store.execute(Fill(round)).1.expect("commits");
        }
        store.close(Duration::from_secs(60)).expect("closes");
        drop(store);
        let store = open(dir.path());
        assert!(store.status().expect("status").engine.expect("embedded").tables > 3);
        (dir, store)
    }

    fn flip(file: &std::path::Path) {
        let mut bytes = std::fs::read(file).expect("read");
        bytes[20] ^= 1;
        std::fs::write(file, bytes).expect("written");
    }

    /// One round, and when it ended: a table at a time.
    fn round(store: &Store, mut now: Instant) -> (Vec<ScrubbedTable>, Instant) {
        let mut read = Vec::new();
        while let Some(table) = store.house().scrub_step(now) {
            read.push(table);
            assert_eq!(store.house().scrub_step(now + TABLE_INTERVAL / 2), None, "too soon");
            now += TABLE_INTERVAL;
        }
        (read, now)
    }

    #[test]
    fn rounds_are_paced_and_read_every_table_once() {
        let (_dir, store) = filled();
        let start = Instant::now();
        let tables = store.status().expect("status").engine.expect("embedded").tables;
        assert_eq!(store.house().scrub_step(start), None);
        assert_eq!(store.house().scrub_step(start + FIRST_AFTER - TABLE_INTERVAL), None);
        let began = start + FIRST_AFTER;
        let (read, ended) = round(&store, began);
        assert_eq!(read.len(), tables);
        assert!(read.windows(2).all(|pair| pair[0].id < pair[1].id));
        assert!(read.iter().all(|table| table.condition == TableCondition::Sound));
        assert_eq!(store.house().scrub_step(ended + TABLE_INTERVAL * 10), None, "not before tomorrow");
        assert_eq!(round(&store, began + ROUND_INTERVAL).0.len(), tables);
    }

    #[test]
    fn rot_in_several_tables_is_found_and_shown_as_long_as_they_are_there() {
        let (_dir, store) = filled();
        let start = Instant::now();
        assert_eq!(store.house().scrub_step(start), None);
        let mut files = Vec::new();
        store.scrub(&mut |table| {
            files.push(table.file.clone());
            true
        });
        assert_eq!(store.status().expect("status").damage, []);
        let rotten = [files[0].clone(), files[2].clone()];
        rotten.iter().for_each(|file| flip(file));

        let began = start + FIRST_AFTER;
        let (read, _) = round(&store, began);
        assert_eq!(read.len(), files.len(), "a damaged table does not end the round");
        let shown = |store: &Store| store.status().expect("status").damage;
        let found: Vec<PathBuf> = shown(&store).into_iter().map(|damage| damage.file).collect();
        assert_eq!(found, rotten);
        assert!(shown(&store).iter().all(|damage| damage.cause.contains("checksum")));
        assert_eq!(store.status().expect("status").ended, None, "everything else goes on");

        // What `doctor` asks for finds the same.
        let mut damaged = 0;
        store.scrub(&mut |table| {
            damaged += usize::from(matches!(table.condition, TableCondition::Damaged(_)));
            true
        });
        assert_eq!(damaged, 2);
        // Put back as it was, it is right again.
        rotten.iter().for_each(|file| flip(file));
        round(&store, began + ROUND_INTERVAL);
        assert_eq!(shown(&store), []);
    }

    #[test]
    fn large_tables_take_their_time_and_clients_go_first() {
        let scrubber = Scrubber::default();
        let start = Instant::now();
        assert!(!scrubber.is_due(start, false));
        let now = start + FIRST_AFTER;
        assert!(scrubber.is_due(now, false) && !scrubber.is_due(now, true));
        assert!(scrubber.is_due(now + PATIENCE, true), "but not for ever");
        scrubber.begin(now, || vec![1, 2]);
        assert_eq!(scrubber.next(), Some(1));
        scrubber.rest(now, 8 << 20);
        let eight = Duration::from_secs(8);
        assert!(!scrubber.is_due(now + eight - TABLE_INTERVAL, false));
        assert!(scrubber.is_due(now + eight, false));
        // A table that is gone is not shown.
        let damaged = ScrubbedTable {
            id: 7,
            file: "seven".into(),
            bytes: 1,
            condition: TableCondition::Damaged("rot".to_owned()),
        };
        scrubber.note(&damaged);
        assert_eq!(scrubber.damage(&[6, 7]).len(), 1);
        assert_eq!(scrubber.damage(&[8]), []);
    }

    #[test]
    fn without_tables_there_is_nothing_to_do() {
        let store = Store::open(Options { trimmer: false, ..Options::in_memory() }).expect("opens");
        let start = Instant::now();
        assert_eq!(store.house().scrub_step(start), None);
        assert_eq!(store.house().scrub_step(start + FIRST_AFTER), None);
    }
}
