//! A directory byte by byte: kept in memory, written again, compared.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Pieces in which zeros are left out when a file is written.
const PIECE_BYTES: usize = 64 << 10;

/// Every file under a directory, by path within it. Directories without files are kept too, as `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files(pub BTreeMap<PathBuf, Option<Vec<u8>>>);

impl Files {
    /// Reads a directory. What ends with its process (`LOCK`, `admin.sock`) is left out.
    pub fn read(dir: &Path) -> Self {
        let mut files = BTreeMap::new();
        walk(dir, Path::new(""), &mut files);
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

    /// The paths whose content differs, or that only one of them has.
    pub fn changes(&self, after: &Self) -> Vec<PathBuf> {
        let names = self.0.keys().chain(after.0.keys());
        let mut changed: Vec<_> =
            names.filter(|name| self.0.get(*name) != after.0.get(*name)).cloned().collect();
        changed.sort();
        changed.dedup();
        changed
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

fn walk(dir: &Path, inner: &Path, files: &mut BTreeMap<PathBuf, Option<Vec<u8>>>) {
    let mut empty = true;
    for entry in std::fs::read_dir(dir.join(inner)).expect("a directory") {
        let entry = entry.expect("an entry");
        let path = inner.join(entry.file_name());
        if [Path::new("LOCK"), Path::new("admin.sock")].contains(&path.as_path()) {
            continue;
        }
        empty = false;
        if entry.file_type().expect("a type").is_dir() {
            walk(dir, &path, files);
        } else {
            let mut bytes = Vec::new();
            File::open(entry.path()).and_then(|mut file| file.read_to_end(&mut bytes)).expect("reads");
            files.insert(path, Some(bytes));
        }
    }
    if empty {
        files.insert(inner.to_owned(), None);
    }
}
