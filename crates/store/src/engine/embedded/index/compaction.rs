//! Merging tables downward: what is merged next, and the merge.

use super::flush::discard;
use super::options::FamilyPolicy;
use super::set::{Change, FamilyTables, TableSet};
use super::table::{Entry, TableFile, TableScan, TableWriter};
use super::{IndexError, lsm::LsmIndex};
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Larger runs of level 0 are left alone when level 0 can only be merged with itself.
const LEVEL0_MERGE_BYTES_MAX: u64 = 64 << 20;
/// Removals are worth a merge of their own when they are at least one of this many keys of the family …
const FAMILY_TOMBSTONES: u64 = 10;
/// … and only in tables where they are at least one of this many keys.
const TABLE_TOMBSTONES: u64 = 4;

/// A merge looks for room each time it has written this much.
const ROOM_CHECK_BYTES: usize = 1 << 20;

/// Where the next merge out of a level starts, by family and level.
type Cursors = HashMap<(u8, usize), Bytes>;

/// One piece of merging.
#[derive(Debug)]
struct Job {
    family: u8,
    target: usize,
    /// Newest first; tables of one run do not overlap.
    runs: Vec<Vec<Arc<TableFile>>>,
    /// Older data for every key may be in levels from this one on; removals of other keys end here.
    older_from: usize,
    /// Not even a lone table may simply be moved.
    rewrite: bool,
}

impl Job {
    fn inputs(&self) -> impl Iterator<Item = &Arc<TableFile>> {
        self.runs.iter().flatten()
    }

    /// The only input, if moving it does.
    fn movable(&self) -> Option<&Arc<TableFile>> {
        let mut inputs = self.inputs();
        let first = inputs.next()?;
        let few_tombstones = first.entry.tombstones * TABLE_TOMBSTONES < first.entry.items;
        (inputs.next().is_none() && !self.rewrite && few_tombstones).then_some(first)
    }
}

impl LsmIndex {
    /// Does the merge that is most due, if any is. Returns whether the set of tables changed.
    pub(super) fn compact_once(&self) -> Result<bool, IndexError> {
        let mut cursors = self.compacting.lock();
        if self.is_frozen() || self.interrupted.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let (tables, job) = {
            let mut install = self.install.lock();
            let tables = Arc::clone(&self.state.load().tables);
            let Some(job) = self.pick(&tables, &mut cursors) else { return Ok(false) };
            install.merging = Some(job.family);
            (tables, job)
        };
        let result = self.run(&tables, &job);
        drop(tables);

        let mut install = self.install.lock();
        install.merging = None;
        let Some(outputs) = result? else { return Ok(false) };
        let remove: Vec<u64> = job.inputs().map(|table| table.entry.id).collect();
        let moved: Vec<u64> = outputs.iter().map(|table| table.entry.id).collect();
        let add = outputs.into_iter().map(|table| (job.target, table)).collect();
        self.publish(vec![(job.family, Change { remove, add })], None);
        let generation = self.state.load().tables.generation;
        drop(install);
        let mut retired = self.retired.lock();
        for table in job.inputs().filter(|table| !moved.contains(&table.entry.id)) {
            retired.add_table(generation, Arc::clone(table));
        }
        Ok(true)
    }

    /// Runs in the fullest level 0, and by how many one exceeds the number at which merging starts. Level 0 of a family
    /// whose merging is blocked by damage does not count: waiting for it would stop all writing.
    pub(super) fn level0_runs(&self, tables: &TableSet) -> (usize, usize) {
        let mut most = (0, 0);
        for family in &tables.families {
            let runs = family.level(0).len();
            let excess = runs.saturating_sub(self.options.policy(family.family).level0_runs);
            if runs > most.0 || excess > most.1 {
                let blocked = excess > 0 && level0_job(family, &self.options.policy(family.family)).is_none();
                if !blocked {
                    most = (most.0.max(runs), most.1.max(excess));
                }
            }
        }
        most
    }

    fn pick(&self, tables: &TableSet, cursors: &mut Cursors) -> Option<Job> {
        let mut due: Vec<(u64, &FamilyTables, usize)> = Vec::new();
        for family in &tables.families {
            let policy = self.options.policy(family.family);
            for (level, tables) in family.levels.iter().enumerate() {
                let bytes: u64 = tables.iter().map(|table| table.entry.len).sum();
                let percent = if level == 0 {
                    tables.len() as u64 * 100 / policy.level0_runs as u64
                } else {
                    bytes.saturating_mul(100) / policy.target_bytes(level)
                };
                if percent >= 100 {
                    due.push((percent, family, level));
                }
            }
        }
        due.sort_by_key(|(percent, ..)| std::cmp::Reverse(*percent));
        let mut jobs = due.iter().filter_map(|(_, family, level)| self.job(family, *level, cursors));
        jobs.next().or_else(|| tables.families.iter().find_map(|family| self.tombstone_job(family)))
    }

    fn job(&self, family: &FamilyTables, level: usize, cursors: &mut Cursors) -> Option<Job> {
        let policy = self.options.policy(family.family);
        if level == 0 {
            return level0_job(family, &policy).or_else(|| level0_merge(family, &policy));
        }
        let tables = family.level(level);
        let cursor = cursors.get(&(family.family, level));
        let start = cursor.map_or(0, |cursor| tables.partition_point(|table| table.entry.min <= *cursor));
        let (before, after) = tables.split_at(start);
        let job = after.iter().chain(before).find_map(|table| table_job(family, level, table, level + 1));
        if let Some(table) = job.as_ref().and_then(|job| job.runs.first()?.first()) {
            cursors.insert((family.family, level), table.entry.max.clone());
        }
        job
    }

    /// A merge that frees room: many keys of the family were removed, and this table holds many of the removals.
    fn tombstone_job(&self, family: &FamilyTables) -> Option<Job> {
        let entries = || family.levels.iter().flatten().map(|table| &table.entry);
        let tombstones: u64 = entries().map(|entry| entry.tombstones).sum();
        let items: u64 = entries().map(|entry| entry.items).sum();
        if tombstones == 0 || tombstones * FAMILY_TOMBSTONES < items {
            return None;
        }
        let heavy = |table: &&Arc<TableFile>| table.entry.tombstones * TABLE_TOMBSTONES >= table.entry.items;
        let deepest = family.levels.len() - 1;
        family
            .levels
            .iter()
            .enumerate()
            .find_map(|(level, tables)| {
                let mut heavy = tables.iter().filter(heavy);
                if level == 0 {
                    heavy.next()?;
                    return level0_job(family, &self.options.policy(family.family));
                }
                let target = if level == deepest { level } else { level + 1 };
                heavy.find_map(|table| table_job(family, level, table, target))
            })
            .map(|job| Job { rewrite: true, ..job })
    }

    /// Writes the outputs of a job; `None` if it was interrupted.
    fn run(&self, tables: &TableSet, job: &Job) -> Result<Option<Vec<Arc<TableFile>>>, IndexError> {
        if let Some(table) = job.movable() {
            return Ok(Some(vec![Arc::clone(table)]));
        }
        let mut done = Vec::new();
        match self.merge(tables, job, &mut done) {
            Ok(true) => Ok(Some(done.into_iter().map(Arc::new).collect())),
            Ok(false) => {
                discard(done);
                Ok(None)
            }
            Err(error) => {
                discard(done);
                Err(error)
            }
        }
    }

    fn merge(&self, tables: &TableSet, job: &Job, done: &mut Vec<TableFile>) -> Result<bool, IndexError> {
        let policy = self.options.policy(job.family);
        let cut_bytes = if job.target == 0 { u64::MAX } else { policy.table_bytes };
        let own = tables.family(job.family);
        let mut merge = Merge::new(&job.runs)?;
        let mut writer: Option<TableWriter> = None;
        let mut unchecked = 0;
        while let Some((key, value)) = merge.next()? {
            if self.interrupted.load(Ordering::Relaxed) {
                return Ok(false);
            }
            if value.is_none() && !own.is_some_and(|own| own.may_hold(job.older_from, &key)) {
                continue;
            }
            if writer.as_ref().is_some_and(|writer| writer.payload_bytes() >= cut_bytes)
                && let Some(full) = writer.take()
            {
                done.push(full.finish()?);
            }
            let writer = match &mut writer {
                Some(writer) => writer,
                None => {
                    writer.insert(TableWriter::create(&self.shelf, self.fresh_id(), job.family, &policy)?)
                }
            };
            unchecked += key.len() + value.as_ref().map_or(0, Bytes::len);
            writer.add(key, value)?;
            if unchecked >= ROOM_CHECK_BYTES {
                self.leave_room()?;
                unchecked = 0;
            }
        }
        if let Some(writer) = writer {
            done.push(writer.finish()?);
        }
        Ok(true)
    }
}

impl LsmIndex {
    /// A merge can wait, the flush cannot: gives up where less is free than the memtables need.
    fn leave_room(&self) -> Result<(), IndexError> {
        let state = self.state.load();
        let sealed: u64 = state.sealed.iter().map(|memtable| memtable.bytes()).sum();
        let needed = state.active.bytes() + sealed + ROOM_CHECK_BYTES as u64;
        // Who cannot measure finds out by writing.
        let Ok(stat) = rustix::fs::statvfs(self.shelf.dir()) else { return Ok(()) };
        if stat.f_bavail.saturating_mul(stat.f_frsize) < needed {
            return Err(IndexError::NoRoom { file: self.shelf.dir().display().to_string() });
        }
        Ok(())
    }
}

fn sound(tables: &[Arc<TableFile>]) -> bool {
    !tables.iter().any(|table| table.is_damaged())
}

/// Merges the oldest runs of level 0, all of them if none is damaged, into level 1.
fn level0_job(family: &FamilyTables, policy: &FamilyPolicy) -> Option<Job> {
    let level0 = family.level(0);
    let oldest = level0.last().filter(|table| !table.is_damaged())?;
    let alone = family.overlapping(1, &oldest.entry.min, &oldest.entry.max).is_empty();
    let runs = if policy.append_only || alone {
        &level0[level0.len() - 1..]
    } else {
        let damaged = level0.iter().rposition(|table| table.is_damaged());
        &level0[damaged.map_or(0, |at| at + 1)..]
    };
    let min = runs.iter().map(|table| &table.entry.min).min()?;
    let max = runs.iter().map(|table| &table.entry.max).max()?;
    let lower = family.overlapping(1, min, max);
    if !sound(lower) {
        return None;
    }
    let mut runs: Vec<_> = runs.iter().map(|table| vec![Arc::clone(table)]).collect();
    runs.push(lower.to_vec());
    Some(Job { family: family.family, target: 1, runs, older_from: 2, rewrite: false })
}

/// Damage is in the way of merging level 0 downward: merges its newest runs with each other, so that they stay few.
fn level0_merge(family: &FamilyTables, policy: &FamilyPolicy) -> Option<Job> {
    let small = |table: &&Arc<TableFile>| !table.is_damaged() && table.entry.len < LEVEL0_MERGE_BYTES_MAX;
    let runs: Vec<_> =
        family.level(0).iter().take_while(small).map(|table| vec![Arc::clone(table)]).collect();
    (runs.len() >= policy.level0_runs.max(2)).then_some(Job {
        family: family.family,
        target: 0,
        runs,
        older_from: 0,
        rewrite: false,
    })
}

/// Merges one table into the next level, or into the same to be rid of its removals.
fn table_job(family: &FamilyTables, level: usize, table: &Arc<TableFile>, target: usize) -> Option<Job> {
    let lower =
        if target == level { &[] } else { family.overlapping(target, &table.entry.min, &table.entry.max) };
    if table.is_damaged() || !sound(lower) {
        return None;
    }
    let runs = vec![vec![Arc::clone(table)], lower.to_vec()];
    Some(Job { family: family.family, target, runs, older_from: target + 1, rewrite: false })
}

/// Entries of several runs in key order, each key once with its newest value.
struct Merge {
    runs: Vec<RunScan>,
}

/// The entries of a run's tables, one file open at a time.
struct RunScan {
    tables: std::vec::IntoIter<Arc<TableFile>>,
    scan: Option<TableScan>,
    head: Option<Entry>,
}

impl RunScan {
    fn advance(&mut self) -> Result<(), IndexError> {
        loop {
            self.head = self.scan.as_mut().and_then(Iterator::next).transpose()?;
            if self.head.is_some() {
                return Ok(());
            }
            let Some(table) = self.tables.next() else { return Ok(()) };
            self.scan = Some(table.scan()?);
        }
    }
}

impl Merge {
    fn new(runs: &[Vec<Arc<TableFile>>]) -> Result<Self, IndexError> {
        let mut scans = Vec::with_capacity(runs.len());
        for run in runs {
            let mut scan = RunScan { tables: run.clone().into_iter(), scan: None, head: None };
            scan.advance()?;
            scans.push(scan);
        }
        Ok(Self { runs: scans })
    }

    fn next(&mut self) -> Result<Option<Entry>, IndexError> {
        let mut best: Option<(usize, &Bytes)> = None;
        for (at, run) in self.runs.iter().enumerate() {
            if let Some((key, _)) = &run.head
                && best.is_none_or(|(_, least)| key < least)
            {
                best = Some((at, key));
            }
        }
        let Some((best, _)) = best else { return Ok(None) };
        let Some(entry) = self.runs[best].head.take() else { return Ok(None) };
        self.runs[best].advance()?;
        for older in &mut self.runs[best + 1..] {
            if older.head.as_ref().is_some_and(|(key, _)| *key == entry.0) {
                older.advance()?;
            }
        }
        Ok(Some(entry))
    }
}
