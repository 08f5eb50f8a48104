//! The file `FORMAT`: says that a directory is a store, of which format and which identity.
//!
//! ```text
//! holdfast data directory
//! format = 1
//! store = 00112233445566778899aabbccddeeff
//! created = 1764000000000
//! checksum = 0123456789abcdef
//! ```
//! Text in ASCII, lines end with a line feed. `store` is the store id, 16 random bytes in hexadecimal; `created` is in
//! milliseconds since 1970; `checksum` is the xxh3-64 of all bytes before its line, and the last line in every format.
//! The file is written last when a store is made: where it exists, checkpoint, log and witness exist too. It never
//! changes.

use super::layout::{self, FORMAT};
use super::{Refusal, RefusalKind};
use crate::io::{Disk, error};
use std::fmt::Write;
use std::io;
use std::path::Path;
use xxhash_rust::xxh3::xxh3_64;

/// The format that this program writes, and the newest that it reads.
pub const CURRENT: u32 = 1;

const FIRST_LINE: &str = "holdfast data directory";
/// More than any `FORMAT` of this or a later version will have.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// What `FORMAT` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// Format number, 1 to [`CURRENT`].
    pub number: u32,
    /// Identity of the store, drawn at random when it was made.
    pub store: [u8; 16],
    /// When the store was made, in milliseconds since 1970, by the system's clock.
    pub created_ms: u64,
}

/// Why a `FORMAT` file is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// It is intact, but of a later format.
    #[error("the store has format {found}, and this version of holdfast reads up to format {CURRENT}")]
    Newer {
        /// The format it has.
        found: u32,
    },
    /// It is a file of somebody else.
    #[error("this is not a FORMAT file of holdfast")]
    Foreign,
    /// It is ours, but not as it was written.
    #[error("the file is damaged: {0}")]
    Damaged(&'static str),
}

impl Format {
    /// The format of a store that is made now.
    #[must_use]
    pub fn new(store: [u8; 16], created_ms: u64) -> Self {
        Self { number: CURRENT, store, created_ms }
    }

    /// The store id in hexadecimal.
    #[must_use]
    pub fn store_hex(&self) -> String {
        self.store.iter().fold(String::new(), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    fn encode(&self) -> String {
        let mut text = format!(
            "{FIRST_LINE}\nformat = {}\nstore = {}\ncreated = {}\n",
            self.number,
            self.store_hex(),
            self.created_ms
        );
        let checksum = xxh3_64(text.as_bytes());
        let _ = writeln!(text, "checksum = {checksum:016x}");
        text
    }

    /// Reads the bytes of a `FORMAT` file.
    ///
    /// # Errors
    /// The checksum is looked at first, so that a flipped digit is not taken for a newer format.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let text = std::str::from_utf8(bytes).unwrap_or("");
        let Some((body, checksum)) = split_checksum(text) else {
            return Err(if looks_like_ours(bytes) {
                FormatError::Damaged("the checksum line is missing or not whole")
            } else {
                FormatError::Foreign
            });
        };
        if format!("{:016x}", xxh3_64(body.as_bytes())) != checksum {
            return Err(FormatError::Damaged("the checksum is wrong"));
        }
        let mut lines = body.lines();
        if lines.next() != Some(FIRST_LINE) {
            return Err(FormatError::Foreign);
        }
        let number: u32 = value(lines.next(), "format")?;
        if number > CURRENT {
            return Err(FormatError::Newer { found: number });
        }
        let store: String = value(lines.next(), "store")?;
        let store =
            bytes_from_hex(&store).ok_or(FormatError::Damaged("the store id is not 32 hex digits"))?;
        let created_ms = value(lines.next(), "created")?;
        if number == 0 || lines.next().is_some() {
            return Err(FormatError::Damaged("it has lines that no format has"));
        }
        Ok(Self { number, store, created_ms })
    }

    /// Reads `FORMAT` of a data directory; `None` if there is none.
    ///
    /// # Errors
    /// A refusal of kind `Newer`, `Foreign` or `Damaged`, or what the operating system said.
    pub fn read(disk: &dyn Disk, dir: &Path) -> Result<Option<Self>, Refusal> {
        let path = dir.join(FORMAT);
        let refuse = |e: io::Error| Refusal::from_io(&path, &e);
        let Some(len) = disk.len(&path).map_err(refuse)? else { return Ok(None) };
        let mut bytes = vec![0; usize::try_from(len.min(FILE_BYTES_MAX)).unwrap_or(0)];
        let read = disk.open_read(&path).and_then(|file| file.read_at(&mut bytes, 0)).map_err(refuse)?;
        bytes.truncate(read);
        match Self::parse(&bytes) {
            Ok(format) => Ok(Some(format)),
            Err(error) => Err(refusal(dir, &path, &error)),
        }
    }

    /// Writes `FORMAT`: under a temporary name, synced, renamed, directory synced. The last act of making a store.
    ///
    /// # Errors
    /// `AlreadyExists` if there is one; it is left alone. Anything else: whether the file is there is not known.
    pub fn write(&self, disk: &dyn Disk, dir: &Path) -> io::Result<()> {
        let path = dir.join(FORMAT);
        if disk.len(&path)?.is_some() {
            return Err(error::at("create", &path, io::ErrorKind::AlreadyExists.into()));
        }
        layout::write_durably(disk, &path, self.encode().as_bytes())
    }
}

fn refusal(dir: &Path, path: &Path, error: &FormatError) -> Refusal {
    let cause = error.to_string();
    match error {
        FormatError::Newer { .. } => Refusal::new(
            RefusalKind::Newer,
            path,
            cause,
            "Use the version of holdfast that wrote it, or a later one (`holdfast --version`).",
        ),
        FormatError::Foreign => Refusal::new(
            RefusalKind::Foreign,
            path,
            cause,
            "Choose another `--data-dir`: this directory belongs to another program.",
        ),
        FormatError::Damaged(_) => Refusal::damaged(dir, path, cause),
    }
}

/// Body and value of the last line, if that is a whole checksum line.
fn split_checksum(text: &str) -> Option<(&str, &str)> {
    let start = text.strip_suffix('\n')?.rfind('\n')? + 1;
    let checksum = text[start..].strip_suffix('\n')?.strip_prefix("checksum = ")?;
    Some((&text[..start], checksum))
}

/// Whether a file without a whole checksum line was one of ours.
fn looks_like_ours(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    bytes.is_empty() || text.contains("holdfast") || (text.contains("store = ") && text.contains("format = "))
}

fn value<T: std::str::FromStr>(line: Option<&str>, name: &str) -> Result<T, FormatError> {
    line.and_then(|line| line.strip_prefix(name))
        .and_then(|rest| rest.strip_prefix(" = "))
        .and_then(|value| value.parse().ok())
        .ok_or(FormatError::Damaged("a line is missing or has no valid value"))
}

fn bytes_from_hex(hex: &str) -> Option<[u8; 16]> {
    let valid = hex.len() == 32 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    valid.then(|| u128::from_str_radix(hex, 16).ok().map(u128::to_be_bytes)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::simulated::{Fault, SimulatedDisk};

    const FORMAT_1: Format =
        Format { number: 1, store: *b"\x00\x1123456789abcdef", created_ms: 1_764_000_000_000 };

    /// Stores of format 1 exist: this text must be read for ever.
    #[test]
    fn the_text_of_format_1_is_fixed() {
        expect_test::expect![[r#"
            holdfast data directory
            format = 1
            store = 00113233343536373839616263646566
            created = 1764000000000
            checksum = 4e1d1c553725e4e3
        "#]]
        .assert_eq(&FORMAT_1.encode());
        assert_eq!(Format::parse(FORMAT_1.encode().as_bytes()), Ok(FORMAT_1));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed_as_damage() {
        let good = FORMAT_1.encode().into_bytes();
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(Format::parse(&bad), Err(FormatError::Damaged(_))), "bit {bit}");
        }
        for len in 0..good.len() {
            let error = Format::parse(&good[..len]).unwrap_err();
            assert!(!matches!(error, FormatError::Newer { .. }), "cut to {len}");
            assert!(matches!(error, FormatError::Damaged(_)) || len < FIRST_LINE.len(), "cut to {len}");
        }
    }

    fn with_checksum(body: &str) -> Vec<u8> {
        format!("{body}checksum = {:016x}\n", xxh3_64(body.as_bytes())).into_bytes()
    }

    #[test]
    fn newer_foreign_and_nonsense_are_told_apart() {
        let newer = with_checksum("holdfast data directory\nformat = 2\nshape = unknown\n");
        assert_eq!(Format::parse(&newer), Err(FormatError::Newer { found: 2 }));
        assert_eq!(Format::parse(b"ext4\n"), Err(FormatError::Foreign));
        assert_eq!(Format::parse(b"\xff\xfe\x00"), Err(FormatError::Foreign));
        assert_eq!(Format::parse(&with_checksum("another program\nformat = 1\n")), Err(FormatError::Foreign));
        for body in ["format = 0\n", "format = x\n", "format = 1\nstore = 00\ncreated = 1\n", "format = 1\n"]
        {
            let bytes = with_checksum(&format!("{FIRST_LINE}\n{body}"));
            assert!(matches!(Format::parse(&bytes), Err(FormatError::Damaged(_))), "{body}");
        }
    }

    #[test]
    fn it_is_there_whole_or_not_at_all() {
        let dir = Path::new("/data");
        for seed in 0..400 {
            let mut disk = SimulatedDisk::new(seed);
            disk.put_dir(dir);
            disk.fail_after(seed % 10 + 1, Fault::PowerCut);
            let written = FORMAT_1.write(&disk, dir);
            disk.crash();
            disk.clear_faults();
            disk = disk.restart();
            match Format::read(&disk, dir) {
                Ok(Some(format)) => assert_eq!(format, FORMAT_1),
                Ok(None) => {
                    assert!(written.is_err());
                    FORMAT_1.write(&disk, dir).unwrap();
                    assert_eq!(Format::read(&disk, dir), Ok(Some(FORMAT_1)));
                }
                Err(refusal) => panic!("seed {seed}: {refusal}"),
            }
            assert_eq!(FORMAT_1.write(&disk, dir).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        }
    }

    #[test]
    fn refusals_name_the_file_and_a_remedy() {
        let dir = Path::new("/data");
        let disk = SimulatedDisk::new(1);
        disk.put(&dir.join(FORMAT), &with_checksum("holdfast data directory\nformat = 7\n"));
        let refusal = Format::read(&disk, dir).unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::Newer);
        assert!(refusal.to_string().starts_with("/data/FORMAT: the store has format 7"), "{refusal}");
        disk.flip(&dir.join(FORMAT), 40);
        assert_eq!(Format::read(&disk, dir).unwrap_err().kind, RefusalKind::Damaged);
        disk.put(&dir.join(FORMAT), b"something else\n");
        assert_eq!(Format::read(&disk, dir).unwrap_err().kind, RefusalKind::Foreign);
    }
}
