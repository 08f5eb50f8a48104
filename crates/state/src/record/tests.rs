//! Round trips, migration and malformed bytes of records.

use super::*;
use proptest::prelude::*;

/// A record as it would look after one change: version 1 had no `tags`.
#[derive(Debug, Clone, PartialEq)]
struct Sample {
    id: u64,
    delta: i64,
    on: bool,
    name: String,
    note: Option<Vec<u8>>,
    tags: Vec<(String, u64)>,
}

impl Record for Sample {
    const VERSION: u8 = 2;

    fn encode(&self, out: &mut Vec<u8>) {
        let mut fields = FieldWriter::new(out);
        fields.unsigned(self.id).signed(self.delta).bool(self.on).str(&self.name);
        fields.option(self.note.as_deref(), |fields, note| {
            fields.bytes(note);
        });
        fields.list(&self.tags, |fields, (tag, weight)| {
            fields.str(tag).unsigned(*weight);
        });
    }

    fn decode(version: u8, bytes: &[u8]) -> Result<Self, RecordError> {
        let mut fields = FieldReader::new(bytes);
        let sample = Self {
            id: fields.unsigned()?,
            delta: fields.signed()?,
            on: fields.bool()?,
            name: fields.str()?.to_owned(),
            note: fields.option(|fields| fields.bytes().map(<[u8]>::to_vec))?,
            tags: if version == 1 {
                Vec::new()
            } else {
                fields.list(|fields| Ok((fields.str()?.to_owned(), fields.unsigned()?)))?
            },
        };
        fields.finish()?;
        Ok(sample)
    }
}

fn small() -> Sample {
    Sample {
        id: 300,
        delta: -2,
        on: true,
        name: "n".into(),
        note: Some(vec![7]),
        tags: vec![("t".into(), 1)],
    }
}

#[test]
fn encoding_is_frozen() {
    let expected = [2, 0xAC, 0x02, 3, 1, 1, b'n', 1, 1, 7, 1, 1, b't', 1];
    assert_eq!(small().to_bytes(), expected);
}

#[test]
fn older_versions_migrate_on_read() {
    let stored = [1, 0xAC, 0x02, 3, 1, 1, b'n', 1, 1, 7];
    let sample = Sample::from_bytes(&stored).unwrap();
    assert_eq!(sample, Sample { tags: Vec::new(), ..small() });
    assert_eq!(sample.to_bytes()[0], 2);
}

#[test]
fn a_newer_version_is_refused_and_says_so() {
    let error = Sample::from_bytes(&[3, 1, 2, 3]).unwrap_err();
    assert_eq!(error, RecordError::Newer { found: 3, known: 2 });
    let message = "record version 3 is newer than 2, the newest that this build can read; use a newer build";
    assert_eq!(error.to_string(), message);
}

#[test]
fn malformed_records_are_named() {
    let whole = small().to_bytes();
    assert_eq!(Sample::from_bytes(&[]), Err(RecordError::Short("version byte")));
    assert_eq!(Sample::from_bytes(&[0, 1]), Err(RecordError::NoSuchVersion(0)));
    let longer = [whole.as_slice(), &[9, 9]].concat();
    assert_eq!(Sample::from_bytes(&longer), Err(RecordError::Trailing(2)));
    for len in 1..whole.len() {
        assert!(matches!(Sample::from_bytes(&whole[..len]), Err(RecordError::Short(_))), "cut to {len}");
    }
    let mut bad_bool = whole;
    bad_bool[4] = 2;
    assert_eq!(Sample::from_bytes(&bad_bool), Err(RecordError::Impossible("bool")));
}

#[test]
fn numbers_have_one_form() {
    let read = |bytes: &[u8]| FieldReader::new(bytes).unsigned();
    let max = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01];
    assert_eq!(read(&max), Ok(u64::MAX));
    let mut above = max;
    above[9] = 0x02;
    assert_eq!(read(&above), Err(RecordError::Impossible("number")));
    assert_eq!(read(&[0x80; 11]), Err(RecordError::Impossible("number")));
    assert_eq!(read(&[0x80, 0x00]), Err(RecordError::Impossible("number")));
    assert_eq!(FieldReader::new(&[0xAC, 0x02]).unsigned_as::<u8>(), Err(RecordError::Impossible("number")));
}

#[test]
fn a_count_that_lies_is_refused() {
    let list = |bytes: &[u8]| FieldReader::new(bytes).list(FieldReader::unsigned);
    assert_eq!(list(&[0xFF, 0xFF, 0x03, 1]), Err(RecordError::Short("list")));
    assert_eq!(list(&[2, 1, 1]), Ok(vec![1, 1]));
    let string = FieldReader::new(&[0xFF, 0xFF, 0x03, 1]).bytes();
    assert_eq!(string, Err(RecordError::Short("string")));
}

#[test]
fn records_nest_with_their_own_version() {
    let mut out = Vec::new();
    FieldWriter::new(&mut out).record(&small()).bool(true);
    let mut fields = FieldReader::new(&out);
    assert_eq!(fields.record::<Sample>(), Ok(small()));
    assert_eq!(fields.bool(), Ok(true));
    assert_eq!(fields.finish(), Ok(()));
}

proptest! {
    #[test]
    fn numbers_round_trip(unsigned in any::<u64>(), shift in 0u32..64, signed in any::<i64>()) {
        let (unsigned, signed) = (unsigned >> shift, signed >> shift);
        let mut out = Vec::new();
        FieldWriter::new(&mut out).unsigned(unsigned).signed(signed);
        let mut fields = FieldReader::new(&out);
        prop_assert_eq!(fields.unsigned(), Ok(unsigned));
        prop_assert_eq!(fields.signed(), Ok(signed));
        prop_assert_eq!(fields.finish(), Ok(()));
    }

    #[test]
    fn records_round_trip(
        id in any::<u64>(), delta in any::<i64>(), on in any::<bool>(), name in ".{0,5}",
        note in any::<Option<Vec<u8>>>(), tags in proptest::collection::vec((".{0,3}", any::<u64>()), 0..4),
    ) {
        let sample = Sample { id, delta, on, name, note, tags };
        prop_assert_eq!(Sample::from_bytes(&sample.to_bytes()), Ok(sample));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in any::<Vec<u8>>(), version in 0u8..4) {
        let _ = Sample::from_bytes(&bytes);
        let whole = [&[version], bytes.as_slice()].concat();
        if let Ok(sample) = Sample::from_bytes(&whole) && version == Sample::VERSION {
            prop_assert_eq!(sample.to_bytes(), whole);
        }
    }
}
