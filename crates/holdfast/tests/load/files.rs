//! A directory byte by byte: kept in memory, written again, compared.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Pieces in which zeros are left out when a file is written.
const PIECE_BYTES: usize = 64 << 10;

/// Every file under a directory, by path within it. Directories without files are kept too, as `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files(pub BTreeMap<PathBuf, Option<Arc<Vec<u8>>>>);

impl Files {
    /// Reads a directory. What ends with its process (`LOCK`, `admin.sock`) is left out.
    pub fn read(dir: &Path) -> Self {
        let mut files = BTreeMap::new();
        walk(dir, Path::new(""), &mut |name, is_file| {
            let bytes = is_file.then(|| Arc::new(std::fs::read(dir.join(&name)).expect("reads")));
            files.insert(name, bytes);
        });
        Self(files)
    }

    /// Writes them into a new directory; pieces of zeros take no room.
    pub fn write(&self, dir: &Path) {
        std::fs::create_dir_all(dir).expect("a directory");
        for (name, bytes) in &self.0 {
            let path = dir.join(name);
            let Some(bytes) = bytes else {
                std::fs::create_dir_all(&path).expect("a directory");
                continue;
            };
            std::fs::create_dir_all(path.parent().expect("below dir")).expect("a directory");
            let mut file = File::create(&path).expect("a file");
            file.set_len(bytes.len() as u64).expect("a length");
            for (at, piece) in bytes.chunks(PIECE_BYTES).enumerate() {
                if used(piece) > 0 {
                    file.seek(SeekFrom::Start((at * PIECE_BYTES) as u64)).expect("seeks");
                    file.write_all(piece).expect("writes");
                }
            }
        }
    }

    /// Removes a file; its directory stays.
    pub fn remove(&mut self, name: &Path) {
        self.0.remove(name);
        let dir = name.parent().expect("a relative path");
        if !self.0.keys().any(|other| other.starts_with(dir)) {
            self.0.insert(dir.to_owned(), None);
        }
    }

    /// The paths in a directory whose content is another, or that are there too many or are missing.
    pub fn changes(&self, dir: &Path) -> Vec<PathBuf> {
        let mut names = self.0.keys().cloned().collect::<Vec<_>>();
        walk(dir, Path::new(""), &mut |name, _| names.push(name));
        names.sort();
        names.dedup();
        names
            .retain(|name| !self.0.get(name).is_some_and(|bytes| is_same(&dir.join(name), bytes.as_deref())));
        names
    }
}

/// Whether a path is a file with this content, or a directory if there is none. Read in pieces: most of a log is zeros.
fn is_same(path: &Path, bytes: Option<&Vec<u8>>) -> bool {
    let Some(bytes) = bytes else { return path.is_dir() };
    let Ok(mut file) = File::open(path) else { return false };
    let mut piece = vec![0; PIECE_BYTES];
    let mut rest = bytes.as_slice();
    loop {
        match file.read(&mut piece).expect("reads") {
            0 => return rest.is_empty(),
            read if rest.starts_with(&piece[..read]) => rest = &rest[read..],
            _ => return false,
        }
    }
}

/// How many bytes are in use: up to the last one that is not zero.
pub fn used(bytes: &[u8]) -> usize {
    const ZEROS: [u8; 4096] = [0; 4096];
    let mut end = bytes.len();
    while end > 0 {
        let start = end.saturating_sub(ZEROS.len());
        let piece = &bytes[start..end];
        if piece != &ZEROS[..piece.len()] {
            return start + piece.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
        }
        end = start;
    }
    0
}

/// Calls `each` with every file (and every directory without files) under a directory, and whether it is a file.
fn walk(dir: &Path, inner: &Path, each: &mut impl FnMut(PathBuf, bool)) {
    let mut empty = true;
    for entry in std::fs::read_dir(dir.join(inner)).expect("a directory") {
        let entry = entry.expect("an entry");
        let path = inner.join(entry.file_name());
        if [Path::new("LOCK"), Path::new("admin.sock")].contains(&path.as_path()) {
            continue;
        }
        empty = false;
        if entry.file_type().expect("a type").is_dir() {
            walk(dir, &path, each);
        } else {
            each(path, true);
        }
    }
    if empty {
        each(inner.to_owned(), false);
    }
}
