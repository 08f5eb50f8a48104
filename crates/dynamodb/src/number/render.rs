//! Numbers as text.
//!
//! AWS answers plain decimals without leading or trailing zeros, whatever form a number was written in: `1E125` comes
//! back as 126 digits. Source: recorded AWS answers (eu-west-2, August 2026); DynamoDB Local does the same down to
//! 1E-130.

use super::Number;
use std::fmt;

/// Longest text in bytes: a sign, `0.`, 129 zeros and 38 digits.
pub const TEXT_BYTES_MAX: usize = 1 + 2 + 129 + 38;

/// Decimal digits of a coefficient, as ASCII, at the end of a buffer.
pub(super) struct Digits {
    buffer: [u8; 39],
    start: usize,
}

impl Digits {
    /// Digits of a coefficient; none for zero.
    pub(super) fn of(coefficient: u128) -> Self {
        const HALF: u128 = 10u128.pow(19);
        let mut digits = Self { buffer: [b'0'; 39], start: 39 };
        let mut rest = coefficient;
        // 64-bit divisions are several times quicker than 128-bit ones.
        while rest >= HALF {
            digits.push(u64::try_from(rest % HALF).unwrap_or(u64::MAX), 19);
            rest /= HALF;
        }
        digits.push(u64::try_from(rest).unwrap_or(u64::MAX), 0);
        digits
    }

    /// Puts digits in front, at least `width` of them.
    fn push(&mut self, mut part: u64, width: usize) {
        let end = self.start - width;
        while part > 0 {
            self.start -= 1;
            self.buffer[self.start] = b'0' + (part % 10) as u8;
            part /= 10;
        }
        self.start = self.start.min(end);
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }
}

impl Number {
    /// Appends the text that AWS answers with. At most [`TEXT_BYTES_MAX`] bytes of ASCII.
    pub fn render(self, out: &mut Vec<u8>) {
        if self.is_zero() {
            out.push(b'0');
            return;
        }
        if self.is_negative() {
            out.push(b'-');
        }
        let digits = Digits::of(self.coefficient());
        let digits = digits.as_bytes();
        // How many of the digits are before the point; negative: zeros between point and digits.
        let before = isize::from(self.magnitude()) + 1;
        if before <= 0 {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + before.unsigned_abs(), b'0');
            out.extend_from_slice(digits);
        } else if before.unsigned_abs() >= digits.len() {
            let zeros = before.unsigned_abs() - digits.len();
            out.extend_from_slice(digits);
            out.resize(out.len() + zeros, b'0');
        } else {
            let (whole, fraction) = digits.split_at(before.unsigned_abs());
            out.extend_from_slice(whole);
            out.push(b'.');
            out.extend_from_slice(fraction);
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(TEXT_BYTES_MAX);
        self.render(&mut text);
        formatter.pad(str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{big, numbers};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_longest_text() {
        let number = Number::new(true, 10u128.pow(38) - 1, -130 - 37).unwrap();
        assert_eq!(number.to_string().len(), TEXT_BYTES_MAX);
        assert_eq!(Number::new(false, 1, 125).unwrap().to_string(), format!("1{}", "0".repeat(125)));
        assert_eq!(Number::new(false, 1, -130).unwrap().to_string(), format!("0.{}1", "0".repeat(129)));
    }

    proptest! {
        #[test]
        fn text_is_plain_and_exact(number in numbers()) {
            prop_assert_eq!(number.to_string(), big(number).normalized().to_plain_string());
        }
    }
}
