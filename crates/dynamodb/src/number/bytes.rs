//! The stored form of numbers.
//!
//! Bytes of two numbers compare as the numbers do, one value has one form, and the length is what DynamoDB accounts for
//! the number. It is used in items and in sort keys alike; `docs/item-format.md` has it byte by byte.
//!
//! A number is written in base 100, digit pairs aligned to the decimal point: d₀ × 100^e + d₁ × 100^(e-1) + …, with d₀
//! and the last pair not zero.
//!
//! | number | bytes |
//! |---|---|
//! | zero | `80` |
//! | above zero | `C1 + e`, then `dᵢ + 1` for each pair |
//! | below zero | `3E - e`, then `65 - dᵢ` for each pair, then `66` |
//!
//! All numbers here are hexadecimal except e, which is between -65 and 62. A pair becomes `01` to `64`, or `02` to `65`
//! below zero, so the final `66` puts a number with fewer pairs above one that goes on.

use super::render::Digits;
use super::{DIGITS_MAX, MAGNITUDE_MAX, MAGNITUDE_MIN, Number};

/// Most bytes of a stored number: header, 20 pairs, terminator.
pub const BYTES_MAX: usize = 22;

const ZERO: u8 = 0x80;
/// Header of a positive number below 100 and at least 1.
const POSITIVE: i16 = 0xC1;
/// Header of a negative number above -100 and at most -1.
const NEGATIVE: i16 = 0x3E;
/// Last byte of a negative number.
const NEGATIVE_END: u8 = 0x66;
/// Pairs that fit a `u64`.
const PAIRS_OF_U64: usize = 9;
/// Stands for the pair 0 in a negative number.
const NEGATIVE_PAIR: u8 = 0x65;

/// Why bytes are not a stored number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a stored number")]
pub struct NotANumber;

/// A number in its stored form, held inline.
#[derive(Debug, Clone, Copy)]
pub struct NumberBytes {
    buffer: [u8; BYTES_MAX],
    length: u8,
}

impl NumberBytes {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.buffer[..usize::from(self.length)]
    }

    fn push(&mut self, byte: u8) {
        self.buffer[usize::from(self.length)] = byte;
        self.length += 1;
    }
}

impl Number {
    /// Length of the stored form: what DynamoDB accounts for the number, 1 to [`BYTES_MAX`] bytes.
    ///
    /// Source: 23 sizes measured against AWS to the byte (eu-west-2, August 2026), all of which this reproduces. The
    /// Developer Guide's "1 byte per two significant digits + 1 byte" is a rule of thumb: 3.14159 takes 5 bytes, 314159
    /// takes 4.
    #[must_use]
    pub fn size(self) -> usize {
        if self.is_zero() {
            return 1;
        }
        let pairs = self.magnitude().div_euclid(2) - self.exponent().div_euclid(2) + 1;
        1 + usize::try_from(pairs).unwrap_or(0) + usize::from(self.is_negative())
    }

    /// The stored form.
    #[must_use]
    pub fn to_bytes(self) -> NumberBytes {
        let mut bytes = NumberBytes { buffer: [0; BYTES_MAX], length: 0 };
        if self.is_zero() {
            bytes.push(ZERO);
            return bytes;
        }
        let high = self.magnitude().div_euclid(2);
        let header = if self.is_negative() { NEGATIVE - high } else { POSITIVE + high };
        // In range for every number within the limits of magnitude.
        bytes.push(header.to_le_bytes()[0]);

        let digits = Digits::of(self.coefficient());
        let digits = digits.as_bytes();
        let mut pair = |tens: u8, ones: u8| {
            let value = (tens - b'0') * 10 + (ones - b'0');
            bytes.push(if self.is_negative() { NEGATIVE_PAIR - value } else { value + 1 });
        };
        // An even magnitude means that the first digit stands alone in its pair.
        let rest = if self.magnitude().rem_euclid(2) == 0 {
            pair(b'0', digits[0]);
            &digits[1..]
        } else {
            digits
        };
        let (pairs, last) = rest.as_chunks::<2>();
        for [tens, ones] in pairs {
            pair(*tens, *ones);
        }
        if let [tens] = last {
            pair(*tens, b'0');
        }
        if self.is_negative() {
            bytes.push(NEGATIVE_END);
        }
        bytes
    }

    /// Reads a stored number.
    ///
    /// # Errors
    /// If the bytes are not the stored form of any number. Never panics.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotANumber> {
        let (header, rest) = bytes.split_first().ok_or(NotANumber)?;
        let (negative, pairs) = match (*header, rest) {
            (ZERO, []) => return Ok(Self::ZERO),
            (ZERO.., pairs) => (false, pairs),
            (_, [pairs @ .., NEGATIVE_END]) => (true, pairs),
            _ => return Err(NotANumber),
        };
        let high = if negative { NEGATIVE - i16::from(*header) } else { i16::from(*header) - POSITIVE };
        let value = |byte: u8| {
            let value = if negative { NEGATIVE_PAIR.checked_sub(byte) } else { byte.checked_sub(1) };
            value.filter(|value| *value < 100).ok_or(NotANumber)
        };
        let (last, front) = pairs.split_last().ok_or(NotANumber)?;
        if front.len() >= BYTES_MAX - 2 {
            return Err(NotANumber);
        }
        let mut coefficient = 0u128;
        for pairs in front.chunks(PAIRS_OF_U64) {
            // 64-bit arithmetic as far as it goes.
            let (mut part, mut power) = (0u64, 1u64);
            for byte in pairs {
                part = part * 100 + u64::from(value(*byte)?);
                power *= 100;
            }
            coefficient = coefficient * u128::from(power) + u128::from(part);
        }
        let last = value(*last)?;
        if last == 0 || value(pairs[0])? == 0 {
            return Err(NotANumber);
        }
        let count = i16::try_from(pairs.len()).map_err(|_| NotANumber)?;
        let mut exponent = (high - count + 1) * 2;
        // 19 pairs make at most 10^38, so only the last pair can go past a u128.
        coefficient = if last % 10 == 0 {
            exponent += 1;
            coefficient.checked_mul(10).and_then(|value| value.checked_add(u128::from(last / 10)))
        } else {
            coefficient.checked_mul(100).and_then(|value| value.checked_add(u128::from(last)))
        }
        .ok_or(NotANumber)?;
        let number = Self { negative, exponent, coefficient };
        let in_range = (MAGNITUDE_MIN..=MAGNITUDE_MAX).contains(&number.magnitude());
        if super::digits(coefficient) > DIGITS_MAX || !in_range {
            return Err(NotANumber);
        }
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::numbers;
    use super::*;
    use proptest::prelude::*;

    fn stored(text: &str) -> Vec<u8> {
        Number::parse(text).unwrap().to_bytes().as_bytes().to_vec()
    }

    #[test]
    fn bytes_of_the_document() {
        for (text, bytes) in [
            ("0", vec![0x80]),
            ("1", vec![0xC1, 0x02]),
            ("-1", vec![0x3E, 0x64, 0x66]),
            ("100", vec![0xC2, 0x02]),
            ("1234.5", vec![0xC2, 0x0D, 0x23, 0x33]),
            ("-1234.5", vec![0x3D, 0x59, 0x43, 0x33, 0x66]),
            ("0.01", vec![0xC0, 0x02]),
            ("1E125", vec![0xFF, 0x0B]),
            ("1E-130", vec![0x80, 0x02]),
            ("-1E125", vec![0x00, 0x5B, 0x66]),
            ("-1E-130", vec![0x7F, 0x64, 0x66]),
        ] {
            assert_eq!(stored(text), bytes, "{text}");
        }
    }

    /// Sizes measured against AWS, each by a pair of items one byte apart at the item size limit (August 2026).
    #[test]
    fn sizes_are_those_measured_against_aws() {
        for (text, size) in [
            ("0", 1),
            ("1", 2),
            ("12", 2),
            ("123", 3),
            ("1234", 3),
            ("12345678901234567890123456789012345678", 20),
            ("0042", 2),
            ("100", 2),
            ("1010", 3),
            ("0.0000001", 2),
            ("1E125", 2),
            ("1E-100", 2),
            ("1.5", 3),
            ("15", 2),
            ("1.2", 3),
            ("1.200", 3),
            ("1.234", 4),
            ("3.14159", 5),
            ("123456", 4),
            ("100.5", 4),
            ("0.15", 2),
            ("-42", 3),
            ("-0", 1),
        ] {
            assert_eq!(Number::parse(text).unwrap().size(), size, "{text}");
        }
    }

    proptest! {
        #[test]
        fn bytes_are_read_back(number in numbers()) {
            let bytes = number.to_bytes();
            prop_assert_eq!(bytes.as_bytes().len(), number.size());
            prop_assert_eq!(Number::from_bytes(bytes.as_bytes()), Ok(number));
        }

        #[test]
        fn bytes_sort_as_numbers_do(left in numbers(), right in numbers()) {
            prop_assert_eq!(left.to_bytes().as_bytes().cmp(right.to_bytes().as_bytes()), left.cmp(&right));
        }

        #[test]
        fn neighbours_sort_too(number in numbers(), step in -2i8..=2) {
            let Ok(step) = Number::new(step < 0, u128::from(step.unsigned_abs()), number.exponent()) else {
                return Ok(());
            };
            let Ok(other) = number.plus(step) else { return Ok(()) };
            prop_assert_eq!(number.to_bytes().as_bytes().cmp(other.to_bytes().as_bytes()), number.cmp(&other));
        }

        #[test]
        fn any_bytes_are_the_one_form_of_a_number_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..30)) {
            if let Ok(number) = Number::from_bytes(&bytes) {
                prop_assert_eq!(number.to_bytes().as_bytes().to_vec(), bytes);
            }
        }

        #[test]
        fn likely_bytes_too(
            header in any::<u8>(),
            pairs in prop::collection::vec(1u8..=0x65, 0..22),
            end in any::<bool>(),
        ) {
            let mut bytes = vec![header];
            bytes.extend(pairs);
            if end { bytes.push(NEGATIVE_END); }
            if let Ok(number) = Number::from_bytes(&bytes) {
                prop_assert_eq!(number.to_bytes().as_bytes().to_vec(), bytes);
            }
        }
    }
}
