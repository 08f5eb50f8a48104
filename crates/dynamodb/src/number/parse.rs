//! Numbers from text.
//!
//! The grammar is `[+-]? (digits ('.' digits?)? | '.' digits) ([eE] [+-]? digits)?` with ASCII digits and nothing around
//! it. Source: recorded AWS answers (us-east-1, June 2026): `+5`, `.5`, `5.` and `1.e5` are taken; `+e2`, `1e`, `1.2.3`,
//! `0x10`, `NaN`, `Infinity`, the empty text and any white space are not.

use super::{DIGITS_MAX, MAGNITUDE_MAX, MAGNITUDE_MIN, Number, NumberError, POWERS};

/// Digits that fit a `u64` for certain: a coefficient is gathered in two such halves.
const HALF: u32 = 19;

impl Number {
    /// Reads a number.
    ///
    /// An exponent of more than 64 bits is no number; one that fits is judged by its size. Zero is judged by the exponent
    /// it is written with: `0e126` overflows, `0e125` is zero. Source: recorded AWS answers (eu-west-2, October 2026).
    ///
    /// # Errors
    /// Each kind of [`NumberError`]; too many digits come before a size out of range.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        let bytes = text.as_bytes();
        let (negative, unsigned) = match bytes {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let (mantissa, rest) = Mantissa::read(unsigned);
        if !mantissa.any {
            return Err(NumberError::NotNumeric);
        }
        let written = match rest {
            [] => 0,
            [b'e' | b'E', exponent @ ..] => read_exponent(exponent)?,
            _ => return Err(NumberError::NotNumeric),
        };
        if mantissa.digits > DIGITS_MAX {
            return Err(NumberError::TooPrecise);
        }
        // The widest text is far below 2^62 digits, so only the written exponent can reach the edges of an i64.
        let exponent = written.saturating_add(mantissa.shift);
        let magnitude = exponent.saturating_add(i64::from(mantissa.digits.saturating_sub(1)));
        if magnitude > i64::from(MAGNITUDE_MAX) {
            return Err(NumberError::Overflow);
        }
        if magnitude < i64::from(MAGNITUDE_MIN) {
            return Err(NumberError::Underflow);
        }
        if mantissa.digits == 0 {
            return Ok(Self::ZERO);
        }
        let exponent = i16::try_from(exponent).map_err(|_| NumberError::Underflow)?;
        Ok(Self { negative, exponent, coefficient: mantissa.coefficient() })
    }
}

/// The digits before an exponent, with zeros at both ends taken off.
#[derive(Debug, Default)]
struct Mantissa {
    /// Whether there was any digit.
    any: bool,
    /// Significant digits; only counted beyond [`DIGITS_MAX`].
    digits: u32,
    /// The first [`HALF`] significant digits.
    first: u64,
    /// The next [`HALF`] significant digits.
    second: u64,
    /// Power of ten of the last significant digit; of the last digit if all are zero.
    shift: i64,
}

impl Mantissa {
    /// Reads digits and a point; answers what follows them.
    fn read(bytes: &[u8]) -> (Self, &[u8]) {
        let mut mantissa = Self::default();
        // Digits read; digits read before the point; digits read up to the last one that is not zero.
        let (mut count, mut before_point, mut kept) = (0i64, None, 0i64);
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'0' => count += 1,
                b'1'..=b'9' => {
                    mantissa.push(count - kept, byte - b'0');
                    count += 1;
                    kept = count;
                }
                b'.' if before_point.is_none() => before_point = Some(count),
                _ => break,
            }
            at += 1;
        }
        mantissa.any = count > 0;
        mantissa.shift = match mantissa.digits {
            // Java's zero keeps its scale: 0.00 is 0 × 10^-2, 00 is 0 × 10^0.
            0 => before_point.map_or(0, |before| before - count),
            _ => before_point.unwrap_or(count) - kept,
        };
        (mantissa, &bytes[at..])
    }

    /// Appends zeros and a digit that is not zero.
    fn push(&mut self, zeros: i64, digit: u8) {
        if self.digits == 0 {
            // Zeros in front are not significant.
            self.first = u64::from(digit);
            self.digits = 1;
            return;
        }
        // Beyond the most digits allowed, only that there are more counts.
        for _ in 0..zeros.min(i64::from(DIGITS_MAX)) {
            self.push_one(0);
        }
        self.push_one(digit);
    }

    fn push_one(&mut self, digit: u8) {
        if self.digits < HALF {
            self.first = self.first * 10 + u64::from(digit);
        } else if self.digits < 2 * HALF {
            self.second = self.second * 10 + u64::from(digit);
        }
        self.digits = self.digits.saturating_add(1);
    }

    fn coefficient(&self) -> u128 {
        match self.digits.checked_sub(HALF) {
            None | Some(0) => u128::from(self.first),
            Some(more) => u128::from(self.first) * POWERS[more as usize] + u128::from(self.second),
        }
    }
}

/// Reads the digits after `e`; 64 bits, as AWS reads them.
fn read_exponent(bytes: &[u8]) -> Result<i64, NumberError> {
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if digits.is_empty() {
        return Err(NumberError::NotNumeric);
    }
    let mut exponent = 0i64;
    for byte in digits {
        let digit = match byte {
            b'0'..=b'9' => i64::from(byte - b'0'),
            _ => return Err(NumberError::NotNumeric),
        };
        let next = exponent
            .checked_mul(10)
            .and_then(|value| if negative { value.checked_sub(digit) } else { value.checked_add(digit) });
        exponent = next.ok_or(NumberError::NotNumeric)?;
    }
    Ok(exponent)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{big, numbers};
    use super::*;
    use bigdecimal::BigDecimal;
    use proptest::prelude::*;
    use std::str::FromStr;

    fn text(input: &str) -> String {
        Number::parse(input).unwrap().to_string()
    }

    #[test]
    fn forms_that_aws_takes() {
        for (input, answer) in [
            ("0", "0"),
            ("-0", "0"),
            ("0.000", "0"),
            ("+5", "5"),
            (".5", "0.5"),
            ("-.5", "-0.5"),
            ("5.", "5"),
            ("1.e5", "100000"),
            ("00042", "42"),
            ("0042.1200", "42.12"),
            ("1.0", "1"),
            ("3.1400", "3.14"),
            ("1.5E2", "150"),
            ("1e+2", "100"),
            ("1E-2", "0.01"),
            ("1e0000000000000000000000000002", "100"),
            ("0e125", "0"),
            ("0e-130", "0"),
            ("0.0e126", "0"),
            ("100000000000000000000000000000000000000000", "100000000000000000000000000000000000000000"),
            ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
            ("0.00000000000000000000000000000000000001", "0.00000000000000000000000000000000000001"),
            ("10000000000000000001", "10000000000000000001"),
        ] {
            assert_eq!(text(input), answer, "{input}");
        }
    }

    #[test]
    fn forms_that_aws_refuses() {
        for input in [
            "",
            "-",
            "+",
            ".",
            "-.",
            "e5",
            ".e5",
            "+e2",
            "1e",
            "1e+",
            "1e-",
            "1.2.3",
            "1+2",
            "0x10",
            "NaN",
            "Infinity",
            " 1",
            "1 ",
            "1 2",
            "1e 5",
            "--1",
            "+-1",
            "1e5e5",
            "1e1.5",
            "1_000",
            "1,5",
            "\u{664}",
            "1\0",
            "1e9223372036854775808",
            "1e-9223372036854775809",
            "0e9223372036854775808",
        ] {
            assert_eq!(Number::parse(input), Err(NumberError::NotNumeric), "{input:?}");
        }
    }

    #[test]
    fn sizes_that_aws_refuses() {
        for (input, error) in [
            ("1e126", NumberError::Overflow),
            ("-1e126", NumberError::Overflow),
            ("1e2147483647", NumberError::Overflow),
            ("1e2147483648", NumberError::Overflow),
            ("1e99999999999", NumberError::Overflow),
            ("1e9223372036854775807", NumberError::Overflow),
            ("10e9223372036854775807", NumberError::Overflow),
            ("0e126", NumberError::Overflow),
            ("1e-131", NumberError::Underflow),
            ("1e-2147483648", NumberError::Underflow),
            ("0.1e-9223372036854775808", NumberError::Underflow),
            ("0e-131", NumberError::Underflow),
            ("123456789012345678901234567890123456789", NumberError::TooPrecise),
            ("1234567890123456789012345678901234567890", NumberError::TooPrecise),
            ("100000000000000000000000000000000000000.1", NumberError::TooPrecise),
            ("1e999.", NumberError::NotNumeric),
        ] {
            assert_eq!(Number::parse(input), Err(error), "{input}");
        }
        assert!(Number::parse("9.9999999999999999999999999999999999999E+125").is_ok());
        assert!(Number::parse("1E-130").is_ok());
        let many_zeros = format!("1{}1", "0".repeat(100_000));
        assert_eq!(Number::parse(&many_zeros), Err(NumberError::TooPrecise));
        let leading = format!("{}1", "0".repeat(100_000));
        assert_eq!(text(&leading), "1");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(input in ".{0,60}") {
            let _ = Number::parse(&input);
        }

        #[test]
        fn numeric_text_is_read_as_the_oracle_reads_it(
            input in "[+-]?[0-9]{0,25}(\\.[0-9]{0,25})?([eE][+-]?[0-9]{1,3})?",
        ) {
            let Ok(number) = Number::parse(&input) else { return Ok(()) };
            prop_assert_eq!(big(number), BigDecimal::from_str(&input).unwrap());
        }

        #[test]
        fn what_is_in_range_is_taken_however_it_is_written(
            number in numbers(), front in 0usize..3, back in 0usize..50, point in 0usize..100,
        ) {
            let digits = format!("{}{}{}", "0".repeat(front), number.coefficient(), "0".repeat(back));
            let (whole, fraction) = digits.split_at(point.min(digits.len()));
            let sign = if number.is_negative() { "-" } else { "+" };
            let exponent = i64::from(number.exponent()) - back as i64 + fraction.len() as i64;
            let written = format!("{sign}{whole}.{fraction}E{exponent:+}");
            prop_assume!(!number.is_zero());
            prop_assert_eq!(Number::parse(&written), Ok(number), "{}", written);
        }

        #[test]
        fn rendered_numbers_are_read_back(number in numbers()) {
            prop_assert_eq!(Number::parse(&number.to_string()), Ok(number));
        }
    }
}
