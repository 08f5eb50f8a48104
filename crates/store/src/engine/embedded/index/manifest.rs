//! What a checkpoint keeps of the set of tables.
//!
//! All integers little-endian.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 1 | format of this encoding: 1 |
//! | 1 | 8 | next table id: greater than that of every table ever written |
//! | 9 | 4 | number of tables |
//! | 13 | … | the tables, each as below: by family, level, and position in the level (level 0: newest first) |
//! | end − 8 | 8 | xxh3-64 of everything before |
//!
//! | offset in table | size | field |
//! |---|---|---|
//! | 0 | 1 | family byte |
//! | 1 | 1 | level |
//! | 2 | 8 | table id; the file is `<id as 16 hexadecimal digits>.table` |
//! | 10 | 8 | length of the file |
//! | 18 | 16 | xxh3-128 of the file |
//! | 34 | 8 | xxh3-64 of its last 4096 bytes, or of all of it if it is shorter |
//! | 42 | 8 | keys |
//! | 50 | 8 | of these, removals |
//! | 58 | 2 | length *n* of the smallest key |
//! | 60 | n | smallest key |
//! | 60 + n | 2 | length *m* of the greatest key |
//! | 62 + n | m | greatest key |

use super::table::TableEntry;
use bytes::{Buf, Bytes};
use xxhash_rust::xxh3::xxh3_64;

const FORMAT: u8 = 1;
const HEAD_BYTES: usize = 13;
const SUM_BYTES: usize = 8;
/// Bytes of a table without its keys.
const TABLE_BYTES: usize = 62;

/// The decoded form.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Places {
    /// Greater than the id of every table ever written.
    pub next_id: u64,
    /// Levels and tables, in the order of the encoding.
    pub tables: Vec<(usize, TableEntry)>,
}

pub(super) fn encode<'t>(next_id: u64, tables: impl Iterator<Item = (usize, &'t TableEntry)>) -> Vec<u8> {
    let mut out = vec![FORMAT];
    out.extend_from_slice(&next_id.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    let mut count = 0_u32;
    for (level, table) in tables {
        count += 1;
        out.extend_from_slice(&[table.family, u8::try_from(level).unwrap_or(u8::MAX)]);
        out.extend_from_slice(&table.id.to_le_bytes());
        out.extend_from_slice(&table.len.to_le_bytes());
        out.extend_from_slice(&table.checksum.to_le_bytes());
        for number in [table.tail, table.items, table.tombstones] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        for key in [&table.min, &table.max] {
            out.extend_from_slice(&u16::try_from(key.len()).unwrap_or(u16::MAX).to_le_bytes());
            out.extend_from_slice(key);
        }
    }
    out[9..HEAD_BYTES].copy_from_slice(&count.to_le_bytes());
    let sum = xxh3_64(&out);
    out.extend_from_slice(&sum.to_le_bytes());
    out
}

/// The reverse of [`encode`]; a sentence says what is wrong.
pub(super) fn decode(encoded: &[u8]) -> Result<Places, String> {
    if encoded.len() < HEAD_BYTES + SUM_BYTES {
        return Err("the list of tables is cut off".to_owned());
    }
    let (mut body, mut sum) = encoded.split_at(encoded.len() - SUM_BYTES);
    if sum.get_u64_le() != xxh3_64(body) {
        return Err("the list of tables does not match its checksum".to_owned());
    }
    let format = body.get_u8();
    if format != FORMAT {
        return Err(format!("the list of tables has format {format}; this version knows {FORMAT}"));
    }
    let next_id = body.get_u64_le();
    let count = body.get_u32_le();
    let mut tables = Vec::new();
    for _ in 0..count {
        tables.push(decode_table(&mut body).ok_or("the list of tables ends in the middle of one")?);
    }
    if !body.is_empty() {
        return Err("the list of tables has bytes behind its end".to_owned());
    }
    check_places(next_id, &tables)?;
    Ok(Places { next_id, tables })
}

fn decode_table(body: &mut &[u8]) -> Option<(usize, TableEntry)> {
    if body.remaining() < TABLE_BYTES {
        return None;
    }
    let (family, level) = (body.get_u8(), body.get_u8());
    let (id, len, checksum) = (body.get_u64_le(), body.get_u64_le(), body.get_u128_le());
    let (tail, items, tombstones) = (body.get_u64_le(), body.get_u64_le(), body.get_u64_le());
    let (min, max) = (decode_key(body)?, decode_key(body)?);
    Some((usize::from(level), TableEntry { id, family, len, checksum, tail, items, tombstones, min, max }))
}

fn decode_key(body: &mut &[u8]) -> Option<Bytes> {
    let len = usize::from(body.try_get_u16_le().ok()?);
    let key = body.get(..len)?;
    *body = &body[len..];
    Some(Bytes::copy_from_slice(key))
}

/// What reads rely on: ids are fresh and differ, keys belong to the family, deeper levels are sorted without overlap.
fn check_places(next_id: u64, tables: &[(usize, TableEntry)]) -> Result<(), String> {
    let mut ids = std::collections::BTreeSet::new();
    for (_, table) in tables {
        let family = Some(&table.family);
        let sound = table.id < next_id
            && ids.insert(table.id)
            && table.min <= table.max
            && table.min.first() == family
            && table.max.first() == family;
        if !sound {
            return Err(format!("the list of tables contradicts itself at table {:016x}", table.id));
        }
    }
    for pair in tables.windows(2) {
        let ((left_level, left), (right_level, right)) = (&pair[0], &pair[1]);
        let place = (left.family, *left_level).cmp(&(right.family, *right_level));
        if place.is_gt() || (place.is_eq() && *left_level > 0 && left.max >= right.min) {
            return Err(format!("the list of tables is not in order at table {:016x}", right.id));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn table(id: u64, family: u8, min: &str, max: &str) -> TableEntry {
        let key = |text: &str| [&[family], text.as_bytes()].concat().into();
        let (min, max) = (key(min), key(max));
        TableEntry { id, family, len: 4321, checksum: 7 << 100, tail: 5, items: 3, tombstones: 1, min, max }
    }

    fn sample() -> Vec<(usize, TableEntry)> {
        vec![
            (0, table(9, 2, "b", "x")),
            (0, table(8, 2, "a", "z")),
            (1, table(3, 2, "a", "f")),
            (1, table(4, 2, "g", "t")),
            (0, table(7, 3, "", "q")),
        ]
    }

    fn encoded(tables: &[(usize, TableEntry)]) -> Vec<u8> {
        encode(10, tables.iter().map(|(level, table)| (*level, table)))
    }

    #[test]
    fn decodes_what_it_encoded() {
        let places = decode(&encoded(&sample())).unwrap();
        assert_eq!(places, Places { next_id: 10, tables: sample() });
        assert_eq!(decode(&encoded(&[])).unwrap(), Places { next_id: 10, tables: Vec::new() });
    }

    #[test]
    fn refuses_every_flipped_and_every_missing_byte() {
        let good = encoded(&sample());
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x40;
            assert!(decode(&bad).is_err(), "byte {at} flipped");
            assert!(decode(&good[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn refuses_lists_that_contradict_themselves() {
        let mut overlap = sample();
        overlap[3].1.min = overlap[2].1.max.clone();
        let mut twice = sample();
        twice[1].1.id = 9;
        let mut order = sample();
        order.swap(0, 4);
        let refused = [overlap, twice, order].map(|tables| decode(&encoded(&tables)).unwrap_err()).join("\n");
        expect![[r"
            the list of tables is not in order at table 0000000000000004
            the list of tables contradicts itself at table 0000000000000009
            the list of tables is not in order at table 0000000000000008"]]
        .assert_eq(&refused);
    }

    #[test]
    fn the_format_does_not_change_unnoticed() {
        let bytes: String = encoded(&sample()[..1]).iter().map(|byte| format!("{byte:02x}")).collect();
        expect![["010a00000000000000"]].assert_eq(&bytes[..18]);
    }
}
