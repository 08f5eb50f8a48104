//! DynamoDB's number: a decimal of up to 38 significant digits between 1E-130 and 9.99…E+125, and zero.
//!
//! # Layout
//! - [`parse`]: every textual form that AWS accepts, and its refusals
//! - [`render`]: the one text that AWS answers with, never with an exponent
//! - [`bytes`]: the stored form, whose bytes sort as numbers do and whose length is the size AWS accounts
//! - [`arithmetic`]: exact addition and subtraction
//!
//! There is exactly one `Number` for a value, so derived equality and hashing are those of the value.

use std::cmp::Ordering;

pub mod arithmetic;
pub mod bytes;
pub mod parse;
pub mod render;

/// Most significant digits of a number. Source: DynamoDB Developer Guide, "Constraints", "Numbers".
pub const DIGITS_MAX: u32 = 38;
/// Largest power of ten of the first digit. Source: as [`DIGITS_MAX`].
pub const MAGNITUDE_MAX: i16 = 125;
/// Smallest power of ten of the first digit. Source: as [`DIGITS_MAX`].
pub const MAGNITUDE_MIN: i16 = -130;

/// Why text or the result of arithmetic is not a number that DynamoDB holds. `errors.rs` has AWS's wording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// The text is not a number.
    #[error("not a number")]
    NotNumeric,
    /// More than [`DIGITS_MAX`] significant digits.
    #[error("more than 38 significant digits")]
    TooPrecise,
    /// The first digit is above [`MAGNITUDE_MAX`].
    #[error("number overflow")]
    Overflow,
    /// The first digit is below [`MAGNITUDE_MIN`].
    #[error("number underflow")]
    Underflow,
}

/// A number: `coefficient` × 10^`exponent`, negated if `negative`.
///
/// Invariants: the coefficient has at most 38 digits and does not end in a zero digit; the power of ten of its first
/// digit is between -130 and 125; zero is `{ false, 0, 0 }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number {
    negative: bool,
    exponent: i16,
    coefficient: u128,
}

impl Number {
    /// Zero. There is no negative zero.
    pub const ZERO: Self = Self { negative: false, exponent: 0, coefficient: 0 };

    /// A number from its parts, which need not be normal.
    ///
    /// # Errors
    /// [`NumberError::TooPrecise`], [`NumberError::Overflow`] or [`NumberError::Underflow`]; never for a zero coefficient.
    pub fn new(negative: bool, coefficient: u128, exponent: i16) -> Result<Self, NumberError> {
        if coefficient == 0 {
            return Ok(Self::ZERO);
        }
        let mut coefficient = coefficient;
        let mut exponent = i32::from(exponent);
        while coefficient.is_multiple_of(10) {
            coefficient /= 10;
            exponent += 1;
        }
        let digits = digits(coefficient);
        if digits > DIGITS_MAX {
            return Err(NumberError::TooPrecise);
        }
        let magnitude = exponent + digits.cast_signed() - 1;
        if magnitude > i32::from(MAGNITUDE_MAX) {
            return Err(NumberError::Overflow);
        }
        if magnitude < i32::from(MAGNITUDE_MIN) {
            return Err(NumberError::Underflow);
        }
        let exponent = i16::try_from(exponent).map_err(|_| NumberError::Overflow)?;
        Ok(Self { negative, exponent, coefficient })
    }

    /// Whether it is below zero.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.negative
    }

    /// Whether it is zero.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.coefficient == 0
    }

    /// Power of ten of the last significant digit; 0 for zero.
    #[must_use]
    pub fn exponent(self) -> i16 {
        self.exponent
    }

    /// The significant digits; does not end in a zero digit.
    #[must_use]
    pub fn coefficient(self) -> u128 {
        self.coefficient
    }

    /// Power of ten of the first significant digit; 0 for zero.
    #[must_use]
    pub fn magnitude(self) -> i16 {
        if self.coefficient == 0 {
            return 0;
        }
        self.exponent + digit_count(self.coefficient) - 1
    }

    /// The number with its sign turned.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { negative: !self.negative && self.coefficient != 0, ..self }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.negative, number.coefficient) {
            (true, _) => -1,
            (false, 0) => 0,
            (false, _) => 1,
        };
        let (left, right) = (sign(self), sign(other));
        if left != right || left == 0 {
            return left.cmp(&right);
        }
        let size = compare_magnitudes(self, other);
        if self.negative { size.reverse() } else { size }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares two numbers that are not zero without their signs.
fn compare_magnitudes(left: &Number, right: &Number) -> Ordering {
    left.magnitude().cmp(&right.magnitude()).then_with(|| {
        // First digits are of the same power, so the shorter one only lacks zeros at its end. Neither exceeds 10^38.
        let scaled = |number: &Number, by: i16| number.coefficient * POWERS[usize::from(by.unsigned_abs())];
        let difference = left.exponent - right.exponent;
        if difference >= 0 {
            scaled(left, difference).cmp(&right.coefficient)
        } else {
            left.coefficient.cmp(&scaled(right, difference))
        }
    })
}

/// Powers of ten that fit a `u128`.
const POWERS: [u128; 39] = {
    let mut powers = [1u128; 39];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// Number of decimal digits; 0 for 0.
fn digits(coefficient: u128) -> u32 {
    coefficient.checked_ilog10().map_or(0, |log| log + 1)
}

/// [`digits`] as `i16`: at most 39.
fn digit_count(coefficient: u128) -> i16 {
    i16::try_from(digits(coefficient)).unwrap_or(i16::MAX)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use bigdecimal::{BigDecimal, num_bigint::BigInt};
    use proptest::prelude::*;

    /// Any number that DynamoDB holds, with the edges of range and precision over-represented.
    pub(crate) fn numbers() -> impl Strategy<Value = Number> {
        let coefficient = prop_oneof![
            1 => Just(0u128),
            4 => 1u128..1000,
            4 => 1u128..10u128.pow(38),
            2 => (1u32..=38).prop_map(|digits| 10u128.pow(digits) - 1),
        ];
        (any::<bool>(), coefficient, -130i16..=125).prop_map(|(negative, coefficient, magnitude)| {
            let exponent = magnitude - digit_count(coefficient) + 1;
            Number::new(negative, coefficient, exponent).unwrap()
        })
    }

    /// The same value in the type that serves as oracle.
    pub(crate) fn big(number: Number) -> BigDecimal {
        let coefficient = BigInt::from(number.coefficient);
        let signed = if number.negative { -coefficient } else { coefficient };
        BigDecimal::new(signed, -i64::from(number.exponent))
    }

    #[test]
    fn parts_are_normalised() {
        let number = Number::new(true, 42_000, -3).unwrap();
        assert_eq!((number.coefficient(), number.exponent(), number.magnitude()), (42, 0, 1));
        assert!(number.is_negative());
        assert_eq!(Number::new(true, 0, 7), Ok(Number::ZERO));
        assert_eq!(Number::ZERO.negated(), Number::ZERO);
        assert_eq!(number.negated().negated(), number);
    }

    #[test]
    fn the_edges_of_range_and_precision() {
        let most = 10u128.pow(38) - 1;
        assert!(Number::new(false, most, 88).is_ok());
        assert_eq!(Number::new(false, most, 89), Err(NumberError::Overflow));
        assert!(Number::new(false, 1, -130).is_ok());
        assert_eq!(Number::new(false, 1, -131), Err(NumberError::Underflow));
        assert!(Number::new(false, 15, -131).is_ok());
        assert_eq!(Number::new(false, 10u128.pow(38) + 1, 0), Err(NumberError::TooPrecise));
        assert!(Number::new(false, 10u128.pow(38), 0).is_ok());
        assert_eq!(Number::new(false, 1, i16::MAX), Err(NumberError::Overflow));
        assert_eq!(Number::new(false, 10, i16::MAX), Err(NumberError::Overflow));
        assert_eq!(Number::new(false, 1, i16::MIN), Err(NumberError::Underflow));
    }

    proptest! {
        #[test]
        fn order_is_that_of_the_values(left in numbers(), right in numbers()) {
            prop_assert_eq!(left.cmp(&right), big(left).cmp(&big(right)));
            prop_assert_eq!(left == right, big(left) == big(right));
        }
    }
}
