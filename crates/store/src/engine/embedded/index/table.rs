//! One immutable sorted table on disk. The only file that knows the `lsm-tree` crate.
//!
//! Of that crate only the table format is used: its writer, its reader, its block cache and its table of open files. Which
//! tables exist, what they contain and when they go is ours. Every key is stored with sequence number 0: a table holds the
//! newest value of each key only.
//!
//! Panics: the crate panics on some damaged bytes, so each call into it that reads a file is caught. Before it sees a file,
//! length and the checksum of the file's end are compared, because a damaged table of contents could make it ask for
//! more memory than there is, which cannot be caught.

use super::super::super::ReadError;
use super::{IndexError, options::FamilyPolicy};
use bytes::Bytes;
use lsm_tree::config::BloomConstructionPolicy;
use lsm_tree::table::filter::standard_bloom::Builder as FilterBuilder;
use lsm_tree::table::{Scanner, Writer};
use lsm_tree::{
    Cache, Checksum, CompressionType, DescriptorTable, GlobalTableId, InternalValue, Slice, Table, ValueType,
};
use std::any::Any;
use std::fmt::{self, Debug, Display};
use std::fs::File;
use std::io;
use std::ops::Bound;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

/// A key with its newest value, or `None` where it was removed.
pub(super) type Entry = (Bytes, Option<Bytes>);

/// Bytes at the end of a file that [`TableEntry::tail`] covers: the table of contents and more.
const TAIL_BYTES: u64 = 4096;
/// Target size of a data block in bytes.
const BLOCK_BYTES: u32 = 4096;
const FILTER_BITS_PER_KEY: f32 = 10.0;
/// All tables belong to one tree as far as the block cache is concerned.
const TREE: u64 = 0;

/// What the manifest knows of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableEntry {
    /// Number of the table, never used twice in a store; names the file.
    pub id: u64,
    /// Family of all its keys.
    pub family: u8,
    /// Length of the file in bytes.
    pub len: u64,
    /// xxh3-128 of the whole file.
    pub checksum: u128,
    /// xxh3-64 of the last 4096 bytes of the file, or of all of it if it is shorter.
    pub tail: u64,
    /// Number of keys, removals included.
    pub items: u64,
    /// Number of keys that are removals.
    pub tombstones: u64,
    /// Smallest key.
    pub min: Bytes,
    /// Greatest key.
    pub max: Bytes,
}

impl TableEntry {
    /// Whether the table's key range and the range from `min` to `max` have a key in common.
    pub(super) fn overlaps(&self, min: &[u8], max: &[u8]) -> bool {
        self.min <= max && self.max >= min
    }
}

/// Name of the file of a table.
pub(super) fn file_name(id: u64) -> String {
    format!("{id:016x}.table")
}

/// Number of the table that a file name belongs to, if it is one of ours.
pub(super) fn parse_file_name(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".table")?;
    let id = u64::from_str_radix(digits, 16).ok()?;
    (file_name(id) == name).then_some(id)
}

/// What all tables of an index share: directory, block cache, open files.
pub(super) struct Shelf {
    dir: PathBuf,
    cache: Arc<Cache>,
    files: Arc<DescriptorTable>,
    pinned_bytes: AtomicU64,
    pinned_bytes_max: u64,
}

impl Shelf {
    pub(super) fn new(dir: &Path, cache_bytes: u64, open_files: usize, pinned_bytes_max: u64) -> Self {
        Self {
            dir: dir.to_owned(),
            cache: Arc::new(Cache::with_capacity_bytes(cache_bytes)),
            files: Arc::new(DescriptorTable::new(open_files)),
            pinned_bytes: AtomicU64::new(0),
            pinned_bytes_max,
        }
    }

    /// Bytes of cached blocks and pinned filters, and the most they may become.
    pub(super) fn cache_bytes(&self) -> (u64, u64) {
        let pinned = self.pinned_bytes.load(Ordering::Relaxed);
        (self.cache.size() + pinned, self.cache.capacity() + self.pinned_bytes_max)
    }

    /// Where the tables are.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    fn path(&self, id: u64) -> PathBuf {
        self.dir.join(file_name(id))
    }
}

impl Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf").field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// Hash of a key, for [`TableFile::get`].
pub(super) fn key_hash(key: &[u8]) -> u64 {
    FilterBuilder::get_hash(key)
}

/// An open table.
pub(super) struct TableFile {
    /// What the manifest says of it; compared with the file when it was opened.
    pub(super) entry: TableEntry,
    path: PathBuf,
    table: Table,
    shelf: Arc<Shelf>,
    pinned_bytes: u64,
    damaged: AtomicBool,
}

impl Debug for TableFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableFile").field("entry", &self.entry).finish_non_exhaustive()
    }
}

impl TableFile {
    /// Opens a table for reading after comparing it with what the manifest says. Changes nothing on disk.
    pub(super) fn open(shelf: &Arc<Shelf>, entry: TableEntry) -> Result<Self, IndexError> {
        let path = shelf.path(entry.id);
        let failed = |failure: Failure| failure.of(&path);
        check_end(&path, &entry).map_err(failed)?;
        let filter_bytes = entry.items.saturating_mul(FILTER_BITS_PER_KEY as u64) / 8;
        let pinned = shelf.pinned_bytes.load(Ordering::Relaxed);
        let pin = pinned.saturating_add(filter_bytes) <= shelf.pinned_bytes_max;
        let recover = || {
            let checksum = Checksum::from_raw(entry.checksum);
            let files = Some(Arc::clone(&shelf.files));
            Table::recover(path.clone(), checksum, 0, TREE, Arc::clone(&shelf.cache), files, pin, true)
        };
        let table = caught(recover).map_err(failed)?;
        compare(&table, &entry).map_err(failed)?;
        let pinned_bytes = table.pinned_filter_size() as u64;
        shelf.pinned_bytes.fetch_add(pinned_bytes, Ordering::Relaxed);
        Ok(Self {
            entry,
            path,
            table,
            shelf: Arc::clone(shelf),
            pinned_bytes,
            damaged: AtomicBool::new(false),
        })
    }

    /// Path of the file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a scan found damage. Such a table is still read, but no longer merged.
    pub(super) fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }

    /// The newest value of a key in this table: `None` if the table does not have it, `Some(None)` if it was removed.
    /// `hash` is [`key_hash`] of the key. The value is a window into its block.
    pub(super) fn get(&self, key: &[u8], hash: u64) -> Result<Option<Option<Bytes>>, ReadError> {
        match caught(|| self.table.get(key, u64::MAX, hash)) {
            Ok(found) => Ok(found.map(|item| (!item.is_tombstone()).then(|| item.value.into()))),
            Err(failure) => Err(self.read_error(failure)),
        }
    }

    /// All entries within bounds, from both ends.
    pub(super) fn range(self: &Arc<Self>, from: &Bound<Bytes>, to: &Bound<Bytes>) -> TableRange {
        let slice = |bound: &Bound<Bytes>| bound.as_ref().map(|key| Slice::from(key.clone()));
        let items = self.table.range((slice(from), slice(to)));
        TableRange { items: Some(Box::new(items)), file: Arc::clone(self) }
    }

    /// All entries in order, read past the cache. For merging.
    pub(super) fn scan(self: &Arc<Self>) -> Result<TableScan, IndexError> {
        let scanner = caught(|| self.table.scan()).map_err(|failure| self.scan_error(failure))?;
        Ok(TableScan { scanner, file: Arc::clone(self), left: self.entry.items })
    }

    /// Reads the whole file and compares checksums.
    pub(super) fn verify(&self) -> Result<(), IndexError> {
        let failed = |failure: Failure| failure.of(&self.path);
        check_end(&self.path, &self.entry).map_err(failed)?;
        let sum = hash_file(&self.path).map_err(|error| failed(Failure::io(&error)))?;
        if sum == self.entry.checksum {
            return Ok(());
        }
        // Which block is it? Bytes that belong to none are never read and hurt nobody.
        let mut count = 0;
        let blocks = || {
            let cache = Arc::new(Cache::with_capacity_bytes(1 << 20));
            let checksum = Checksum::from_raw(self.entry.checksum);
            let table = Table::recover(self.path.clone(), checksum, 0, TREE, cache, None, true, true)?;
            for item in table.iter() {
                item?;
                count += 1;
            }
            Ok(())
        };
        caught(blocks).map_err(failed)?;
        if count != self.entry.items {
            let cause = format!("holds {count} entries instead of {}", self.entry.items);
            return Err(failed(Failure::lasting(cause)));
        }
        tracing::warn!(file = %self.path.display(), "checksum of the file differs, but all of its blocks are sound");
        Ok(())
    }

    /// Removes the file. Whoever calls this holds the only reference.
    pub(super) fn unlink(&self) -> io::Result<()> {
        self.shelf.files.remove_for_table(&GlobalTableId::from((TREE, self.entry.id)));
        std::fs::remove_file(&self.path)
    }

    fn read_error(&self, failure: Failure) -> ReadError {
        ReadError { file: self.path.display().to_string(), cause: failure.cause }
    }

    fn scan_error(&self, failure: Failure) -> IndexError {
        if !failure.passes {
            self.damaged.store(true, Ordering::Relaxed);
        }
        failure.of(&self.path)
    }
}

impl Drop for TableFile {
    fn drop(&mut self) {
        self.shelf.pinned_bytes.fetch_sub(self.pinned_bytes, Ordering::Relaxed);
    }
}

type Items = Box<dyn DoubleEndedIterator<Item = lsm_tree::Result<InternalValue>> + Send>;

/// Entries of a table within bounds. Ends after the first error.
pub(super) struct TableRange {
    items: Option<Items>,
    file: Arc<TableFile>,
}

impl TableRange {
    fn advance(
        &mut self,
        step: impl FnOnce(&mut Items) -> Option<lsm_tree::Result<InternalValue>>,
    ) -> Option<Result<Entry, ReadError>> {
        let items = self.items.as_mut()?;
        match caught(|| step(items).transpose()) {
            Ok(Some(item)) => Some(Ok(into_entry(item))),
            Ok(None) => None,
            Err(failure) => {
                self.items = None;
                Some(Err(self.file.read_error(failure)))
            }
        }
    }
}

impl Iterator for TableRange {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance(|items| items.next())
    }
}

impl DoubleEndedIterator for TableRange {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.advance(|items| items.next_back())
    }
}

/// All entries of a table in order.
pub(super) struct TableScan {
    scanner: Scanner,
    file: Arc<TableFile>,
    left: u64,
}

impl Iterator for TableScan {
    type Item = Result<Entry, IndexError>;

    fn next(&mut self) -> Option<Self::Item> {
        match caught(|| self.scanner.next().transpose()) {
            Ok(Some(item)) => {
                self.left = self.left.saturating_sub(1);
                Some(Ok(into_entry(item)))
            }
            Ok(None) if self.left == 0 => None,
            Ok(None) => {
                let cause = format!("{} entries are missing", self.left);
                Some(Err(self.file.scan_error(Failure::lasting(cause))))
            }
            Err(failure) => Some(Err(self.file.scan_error(failure))),
        }
    }
}

fn into_entry(item: InternalValue) -> Entry {
    let value = (!item.is_tombstone()).then(|| item.value.into());
    (item.key.user_key.into(), value)
}

/// Writes one table. Dropped before [`TableWriter::finish`] it removes what it wrote.
pub(super) struct TableWriter {
    writer: Option<Writer>,
    shelf: Arc<Shelf>,
    path: PathBuf,
    entry: TableEntry,
    payload_bytes: u64,
}

impl TableWriter {
    /// Starts a table.
    pub(super) fn create(
        shelf: &Arc<Shelf>,
        id: u64,
        family: u8,
        policy: &FamilyPolicy,
    ) -> Result<Self, IndexError> {
        let path = shelf.path(id);
        let bits = if policy.filter { FILTER_BITS_PER_KEY } else { 0.0 };
        let writer = Writer::new(path.clone(), id, 0)
            .map_err(|error| write_error(&path, &error))?
            .use_partitioned_index()
            .use_data_block_size(BLOCK_BYTES)
            .use_data_block_compression(CompressionType::None)
            .use_bloom_policy(BloomConstructionPolicy::BitsPerKey(bits));
        let (min, max) = (Bytes::new(), Bytes::new());
        let entry =
            TableEntry { id, family, len: 0, checksum: 0, tail: 0, items: 0, tombstones: 0, min, max };
        Ok(Self { writer: Some(writer), shelf: Arc::clone(shelf), path, entry, payload_bytes: 0 })
    }

    /// Family of the table's keys.
    pub(super) fn family(&self) -> u8 {
        self.entry.family
    }

    /// Bytes of keys and values so far.
    pub(super) fn payload_bytes(&self) -> u64 {
        self.payload_bytes
    }

    /// Appends an entry. Keys must ascend.
    pub(super) fn add(&mut self, key: Bytes, value: Option<Bytes>) -> Result<(), IndexError> {
        debug_assert!(self.entry.items == 0 || key > self.entry.max, "keys must ascend");
        if self.entry.items == 0 {
            // A copy, because the key may be a window into something large.
            self.entry.min = Bytes::copy_from_slice(&key);
        }
        self.entry.items += 1;
        self.entry.tombstones += u64::from(value.is_none());
        self.payload_bytes += (key.len() + value.as_ref().map_or(0, Bytes::len)) as u64;
        self.entry.max = key.clone();
        let kind = if value.is_some() { ValueType::Value } else { ValueType::Tombstone };
        let item = InternalValue::from_components(key, value.unwrap_or_default(), 0, kind);
        let writer = self.writer.as_mut().ok_or_else(|| io_error(&self.path, "already ended"))?;
        writer.write(item).map_err(|error| write_error(&self.path, &error))
    }

    /// Writes what is left, syncs file and directory, and opens the table. It holds at least one entry.
    pub(super) fn finish(mut self) -> Result<TableFile, IndexError> {
        let writer = self.writer.take().ok_or_else(|| io_error(&self.path, "already ended"))?;
        let finished = writer.finish().map_err(|error| write_error(&self.path, &error));
        let opened = finished.and_then(|written| {
            let (_, checksum) = written.ok_or_else(|| io_error(&self.path, "a table must not be empty"))?;
            let read = read_end(&self.path);
            let (len, tail) = read.map_err(|error| write_error(&self.path, &lsm_tree::Error::Io(error)))?;
            let max = Bytes::copy_from_slice(&self.entry.max);
            let entry = TableEntry { len, tail, checksum: checksum.into_u128(), max, ..self.entry.clone() };
            TableFile::open(&self.shelf, entry).map_err(|error| match error {
                // What cannot be read back has not been written.
                IndexError::Damaged { file, cause } => IndexError::Io { file, cause },
                other => other,
            })
        });
        if opened.is_err() {
            remove_partial(&self.path);
        }
        opened
    }
}

impl Drop for TableWriter {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take() {
            drop(writer);
            remove_partial(&self.path);
        }
    }
}

/// Best effort: what stays is an orphan that the next sweep removes.
fn remove_partial(path: &Path) {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(file = %path.display(), %error, "cannot remove a partial table");
    }
}

/// Why a read of the `lsm-tree` crate failed.
struct Failure {
    cause: String,
    /// Not the file's fault: too many open files, or no memory.
    passes: bool,
}

impl Failure {
    fn lasting(cause: String) -> Self {
        Self { cause, passes: false }
    }

    fn io(error: &io::Error) -> Self {
        let cause = match error.kind() {
            io::ErrorKind::NotFound => "is missing".to_owned(),
            _ => error.to_string(),
        };
        Self { cause, passes: passes(error) }
    }

    /// The failure as one of a file.
    fn of(self, path: &Path) -> IndexError {
        let file = path.display().to_string();
        if self.passes {
            IndexError::NoRoom { file }
        } else {
            IndexError::Damaged { file, cause: self.cause }
        }
    }
}

/// Runs a read of the `lsm-tree` crate and turns errors and panics into sentences.
fn caught<T>(read: impl FnOnce() -> lsm_tree::Result<T>) -> Result<T, Failure> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(lsm_tree::Error::Io(error))) => Err(Failure::io(&error)),
        Ok(Err(error)) => Err(Failure::lasting(describe(&error))),
        Err(panic) => {
            let cause = format!("its contents make no sense: {}", panic_text(panic.as_ref()));
            Err(Failure::lasting(cause))
        }
    }
}

/// Whether an error has its reason in what the process may use now, not in the file or the disk.
fn passes(error: &io::Error) -> bool {
    let errno = rustix::io::Errno::from_io_error(error);
    errno.is_some_and(|errno| {
        errno == rustix::io::Errno::MFILE
            || errno == rustix::io::Errno::NFILE
            || errno == rustix::io::Errno::NOMEM
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown")
}

fn describe(error: &lsm_tree::Error) -> String {
    match error {
        lsm_tree::Error::Io(error) => error.to_string(),
        lsm_tree::Error::ChecksumMismatch { .. } => "a block does not match its checksum".to_owned(),
        other => format!("{other:?}"),
    }
}

fn io_error(path: &Path, cause: impl Display) -> IndexError {
    IndexError::Io { file: path.display().to_string(), cause: cause.to_string() }
}

/// A full disk can be waited for, even where the sync reports it: nothing refers to the file, and all of it is written
/// again from memory.
fn write_error(path: &Path, error: &lsm_tree::Error) -> IndexError {
    if let lsm_tree::Error::Io(cause) = error
        && (passes(cause)
            || matches!(cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
    {
        return IndexError::NoRoom { file: path.display().to_string() };
    }
    io_error(path, describe(error))
}

/// Compares length and end of a file with the manifest.
fn check_end(path: &Path, entry: &TableEntry) -> Result<(), Failure> {
    let (len, tail) = read_end(path).map_err(|error| Failure::io(&error))?;
    if len != entry.len {
        return Err(Failure::lasting(format!("is {len} bytes long instead of {}", entry.len)));
    }
    if tail != entry.tail {
        return Err(Failure::lasting("its end does not match its checksum".to_owned()));
    }
    Ok(())
}

fn read_end(path: &Path) -> io::Result<(u64, u64)> {
    let file = File::open(path)?;
    let len = file.metadata()?.len();
    let mut tail = vec![0; usize::try_from(len.min(TAIL_BYTES)).unwrap_or_default()];
    let offset = len - tail.len() as u64;
    file.read_exact_at(&mut tail, offset)?;
    Ok((len, xxh3_64(&tail)))
}

fn hash_file(path: &Path) -> io::Result<u128> {
    let file = File::open(path)?;
    let mut hasher = Xxh3Default::new();
    let mut buffer = vec![0; 128 << 10];
    let mut offset = 0;
    loop {
        let read = file.read_at(&mut buffer, offset)?;
        if read == 0 {
            return Ok(hasher.digest128());
        }
        hasher.update(&buffer[..read]);
        offset += read as u64;
    }
}

fn compare(table: &Table, entry: &TableEntry) -> Result<(), Failure> {
    let meta = &table.metadata;
    let same = meta.id == entry.id
        && meta.item_count == entry.items
        && meta.tombstone_count == entry.tombstones
        && meta.key_range.min().as_ref() == entry.min.as_ref()
        && meta.key_range.max().as_ref() == entry.max.as_ref();
    let other = || Failure::lasting("is another table than the one the manifest names".to_owned());
    if same { Ok(()) } else { Err(other()) }
}
