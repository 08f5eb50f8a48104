//! Overwrites keys in the index alone, without log and HTTP, and prints what that costs.
//!
//! `cargo run --release -p holdfast-store --example index_bench -- [keys] [overwrites] [directory]`
//!
//! Each put writes an item (40 B key, 500 B value), its old value into the history family, a commit row and a counter, as
//! the store does. Batches of 20 puts; flush, merge and checkpoint run on threads of their own.
#![allow(missing_docs, dead_code, clippy::print_stdout, clippy::unwrap_used, clippy::cast_precision_loss)]

/// The engine's own source, because the index is private to the crate.
#[path = "../src/engine"]
mod engine {
    pub(crate) use holdfast_store::engine::*;
    #[path = "embedded"]
    pub(crate) mod embedded {
        #[path = "index/mod.rs"]
        pub(crate) mod index;
    }
}

use bytes::Bytes;
use engine::embedded::index::{FamilyPolicy, Index, IndexError, IndexOptions, LsmIndex, Manifest};
use engine::{Batch, View, Write};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const BATCH: u64 = 20;
const VALUE_BYTES: usize = 500;
/// Runs above the threshold at which the writer waits for merging.
const EXCESS_MAX: usize = 8;
/// First argument of the process that only opens and reads.
const REOPEN: &str = "--reopen";

fn hash(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn item_key(family: u8, item: u64, superseded: Option<u64>) -> Bytes {
    let mut key = Vec::with_capacity(48);
    key.push(family);
    key.extend_from_slice(&1_u32.to_be_bytes());
    key.extend_from_slice(&hash(item).to_be_bytes());
    key.extend_from_slice(format!("partition-key-{item:012}").as_bytes());
    key.extend_from_slice(&[0, 1]);
    if let Some(version) = superseded {
        key.extend_from_slice(&version.to_be_bytes());
    }
    key.into()
}

fn value(version: u64) -> Bytes {
    let mut value = vec![b'v'; VALUE_BYTES];
    value[..8].copy_from_slice(&version.to_be_bytes());
    for (at, chunk) in value[8..].chunks_mut(8).enumerate() {
        let noise = hash(version ^ (at as u64) << 40).to_be_bytes();
        chunk.copy_from_slice(&noise[..chunk.len()]);
    }
    value.into()
}

/// The batch of a commit, and the item that each put of it names.
fn batch(first: u64, items: &mut dyn Iterator<Item = u64>, history: bool) -> Batch {
    let mut writes = Vec::new();
    for (at, item) in items.enumerate() {
        let version = first + at as u64;
        let mut put = |key, value| writes.push(Write { key, value: Some(value) });
        put(item_key(2, item, None), value(version));
        if history {
            put(item_key(3, item, Some(version)), value(version.wrapping_sub(1)));
        }
        put([&[4][..], &version.to_be_bytes()].concat().into(), Bytes::copy_from_slice(&[b'c'; 110]));
    }
    writes.push(Write { key: Bytes::from_static(&[5, 0, 0, 0, 1]), value: Some(value(first).slice(..16)) });
    writes.sort_by(|a, b| a.key.cmp(&b.key));
    writes.dedup_by(|a, b| a.key == b.key);
    Batch { writes, first_version: first, last_version: first }
}

fn status_kib(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn bytes_written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io.lines().find(|line| line.starts_with("wchar")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// CPU time of this thread in nanoseconds.
fn thread_cpu_ns() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

struct Costs {
    flush_ns: AtomicU64,
    compact_ns: AtomicU64,
}

/// Runs the three background threads while `write` runs.
fn with_background<T>(index: &LsmIndex, costs: &Costs, write: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for (work, ns) in [
            (LsmIndex::flush as fn(&LsmIndex) -> Result<bool, IndexError>, &costs.flush_ns),
            (LsmIndex::compact as fn(&LsmIndex) -> Result<bool, IndexError>, &costs.compact_ns),
        ] {
            let done = &done;
            scope.spawn(move || {
                while !done.load(Ordering::Acquire) {
                    if !work(index).unwrap() {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    ns.store(thread_cpu_ns(), Ordering::Relaxed);
                }
            });
        }
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                index.checkpointed(index.manifest().generation);
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        let result = write();
        done.store(true, Ordering::Release);
        result
    })
}

fn put_all(
    index: &LsmIndex,
    commit: &mut u64,
    version: &mut u64,
    items: &mut dyn Iterator<Item = u64>,
    history: bool,
) -> (u64, u64, Duration) {
    let (mut entries, mut apply_ns, mut waited) = (0, 0, Duration::ZERO);
    let mut items = items.peekable();
    while items.peek().is_some() {
        let batch = batch(*version, &mut items.by_ref().take(usize::try_from(BATCH).unwrap()), history);
        *version += BATCH;
        *commit += 1;
        let start = thread_cpu_ns();
        index.apply(*commit, &batch);
        index.seal(false);
        drop(index.view());
        apply_ns += thread_cpu_ns() - start;
        entries += batch.writes.len() as u64;
        if (*commit).is_multiple_of(64) {
            let start = Instant::now();
            loop {
                let stats = index.stats();
                if stats.sealed_count <= 2 && stats.level0_excess <= EXCESS_MAX {
                    break;
                }
                std::thread::sleep(Duration::from_micros(500));
            }
            waited += start.elapsed();
        }
    }
    (entries, apply_ns, waited)
}

fn options() -> IndexOptions {
    IndexOptions {
        policies: vec![(3, FamilyPolicy::WRITE_ONCE), (4, FamilyPolicy::APPEND_ONLY)],
        ..IndexOptions::default()
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if(|first| first == REOPEN).is_some() {
        let mut next = || arguments.next().unwrap();
        let keys = next().parse().unwrap();
        return reopen(Path::new(&next()), keys);
    }
    let mut number = |default: u64| arguments.next().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (keys, overwrites) = (number(1_000_000), number(1_000_000));
    let scratch = std::env::temp_dir().join(format!("index-bench-{}", std::process::id()));
    let dir = arguments.next().map_or(scratch, PathBuf::from);
    run(&dir, keys, overwrites);
    std::fs::remove_dir_all(&dir).unwrap();
}

fn run(dir: &Path, keys: u64, overwrites: u64) {
    let index = LsmIndex::open(dir, None, options()).unwrap();
    let (mut commit, mut version) = (0, 1);
    for (name, count, history) in [("load", keys, false), ("overwrite", overwrites, true)] {
        let costs = Costs { flush_ns: AtomicU64::new(0), compact_ns: AtomicU64::new(0) };
        let (start, written, version_before) = (Instant::now(), bytes_written(), version);
        let (entries, apply_ns, waited) = with_background(&index, &costs, || {
            let mut items = (0..count).map(|n| if history { hash(n) % keys } else { n });
            put_all(&index, &mut commit, &mut version, &mut items, history)
        });
        let written = bytes_written() - written;
        let (flush, compact) = (costs.flush_ns.into_inner(), costs.compact_ns.into_inner());
        let puts = (version - version_before) as f64;
        println!(
            "{name}: {:.1} s, {:.0} puts/s, waited {:.1} s; apply {:.2} µs/entry; CPU per put: flush {:.1} µs, merge {:.1} µs; {:.0} B/put written; peak RSS {} MB",
            start.elapsed().as_secs_f64(),
            puts / start.elapsed().as_secs_f64(),
            waited.as_secs_f64(),
            apply_ns as f64 / entries as f64 / 1e3,
            flush as f64 / puts / 1e3,
            compact as f64 / puts / 1e3,
            written as f64 / puts,
            status_kib("VmHWM") / 1024,
        );
        println!("  {:?}; RSS {} MB", index.stats(), status_kib("VmRSS") / 1024);
    }
    index.seal(true);
    while index.flush().unwrap() {}
    while index.compact().unwrap() {}
    index.checkpointed(index.manifest().generation);
    reads(&index, keys);
    let manifest = index.manifest();
    drop(index);
    let saved =
        [&manifest.generation.to_le_bytes()[..], &manifest.flushed.to_le_bytes(), &manifest.encoded].concat();
    std::fs::write(dir.join("manifest"), saved).unwrap();
    // Another process, whose memory tells what a start costs.
    let itself = std::env::current_exe().unwrap();
    let keys = keys.to_string();
    let done = std::process::Command::new(itself).args([REOPEN, &keys]).arg(dir).status().unwrap();
    assert!(done.success());
}

fn reopen(dir: &Path, keys: u64) {
    let saved = std::fs::read(dir.join("manifest")).unwrap();
    let number = |at: usize| u64::from_le_bytes(saved[at..at + 8].try_into().unwrap());
    let manifest = Manifest { generation: number(0), flushed: number(8), encoded: saved[16..].to_vec() };
    let start = Instant::now();
    let index = LsmIndex::open(dir, Some(&manifest), options()).unwrap();
    println!(
        "start: {} tables, manifest of {} B, {:.1} ms; RSS {} MB",
        index.stats().table_count,
        manifest.encoded.len(),
        start.elapsed().as_secs_f64() * 1e3,
        status_kib("VmRSS") / 1024
    );
    reads(&index, keys);
}

fn reads(index: &LsmIndex, keys: u64) {
    let view: Arc<dyn View> = index.view();
    let gets = 200_000;
    let start = Instant::now();
    for n in 0..gets {
        assert!(view.get(&item_key(2, hash(n) % keys, None)).unwrap().is_some());
    }
    let random = start.elapsed();
    let start = Instant::now();
    for n in 0..gets {
        assert!(view.get(&item_key(2, hash(n) % 4_000, None)).unwrap().is_some());
    }
    let hot = start.elapsed();
    let start = Instant::now();
    for n in 0..gets {
        assert!(view.get(&item_key(2, keys + n, None)).unwrap().is_none());
    }
    let absent = start.elapsed();
    let start = Instant::now();
    let scanned = view
        .range(Bound::Included(&[2]), Bound::Excluded(&[3]))
        .inspect(|pair| assert!(pair.is_ok()))
        .count();
    let scan = start.elapsed();
    let per = |time: Duration, count: u64| time.as_secs_f64() * 1e6 / count as f64;
    println!(
        "  get {:.2} µs, of 4,000 hot keys {:.2} µs, absent {:.2} µs; scan {:.2} µs/item ({scanned}); RSS {} MB",
        per(random, gets),
        per(hot, gets),
        per(absent, gets),
        per(scan, scanned as u64),
        status_kib("VmRSS") / 1024,
    );
}
