//! Exact addition and subtraction.

use super::{DIGITS_MAX, Number, NumberError};

/// Most digits that two numbers can span and still have a sum of [`DIGITS_MAX`] digits: 1E38 - 1 is 38 nines.
const SPAN_MAX: usize = DIGITS_MAX as usize + 1;

/// A coefficient as digits, lowest first, over the powers of ten that both numbers span. One more for the carry.
type Column = [u8; SPAN_MAX + 1];

impl Number {
    /// The exact sum.
    ///
    /// # Errors
    /// [`NumberError::TooPrecise`] if the sum has more than 38 significant digits (it is refused, never rounded),
    /// [`NumberError::Overflow`] or [`NumberError::Underflow`] if it is out of range.
    pub fn plus(self, other: Self) -> Result<Self, NumberError> {
        if self.is_zero() {
            return Ok(other);
        }
        if other.is_zero() {
            return Ok(self);
        }
        let low = self.exponent().min(other.exponent());
        let high = self.magnitude().max(other.magnitude());
        // Beyond this span the lowest and the highest digit both stay, so no cancelling can bring it back.
        let span = usize::try_from(high - low + 1).map_err(|_| NumberError::TooPrecise)?;
        if span > SPAN_MAX {
            return Err(NumberError::TooPrecise);
        }
        let (larger, smaller) = if self.compare_size(other).is_ge() { (self, other) } else { (other, self) };
        let mut sum = larger.column(low);
        let addend = smaller.column(low);
        if larger.is_negative() == smaller.is_negative() {
            add(&mut sum, &addend);
        } else {
            subtract(&mut sum, &addend);
        }
        Self::from_column(larger.is_negative(), &sum, low)
    }

    /// The exact difference.
    ///
    /// # Errors
    /// As [`Number::plus`].
    pub fn minus(self, other: Self) -> Result<Self, NumberError> {
        self.plus(other.negated())
    }

    fn compare_size(self, other: Self) -> std::cmp::Ordering {
        super::compare_magnitudes(&self, &other)
    }

    /// The digits from the power of ten `low` upwards.
    fn column(self, low: i16) -> Column {
        let mut column = [0; SPAN_MAX + 1];
        let mut rest = self.coefficient();
        let mut at = usize::try_from(self.exponent() - low).unwrap_or(0);
        while rest > 0 {
            column[at] = (rest % 10) as u8;
            rest /= 10;
            at += 1;
        }
        column
    }

    fn from_column(negative: bool, column: &Column, low: i16) -> Result<Self, NumberError> {
        let Some(first) = column.iter().position(|digit| *digit != 0) else { return Ok(Self::ZERO) };
        let last = column.iter().rposition(|digit| *digit != 0).unwrap_or(first);
        if last - first + 1 > DIGITS_MAX as usize {
            return Err(NumberError::TooPrecise);
        }
        let digits = column[first..=last].iter().rev();
        let coefficient = digits.fold(0u128, |value, digit| value * 10 + u128::from(*digit));
        let shift = i16::try_from(first).map_err(|_| NumberError::TooPrecise)?;
        Self::new(negative, coefficient, low + shift)
    }
}

fn add(sum: &mut Column, addend: &Column) {
    let mut carry = 0;
    for (digit, more) in sum.iter_mut().zip(addend) {
        let total = *digit + more + carry;
        carry = total / 10;
        *digit = total % 10;
    }
}

/// The first column is not less than the second.
fn subtract(sum: &mut Column, less: &Column) {
    let mut borrow = 0;
    for (digit, less) in sum.iter_mut().zip(less) {
        let needed = less + borrow;
        borrow = u8::from(*digit < needed);
        *digit = *digit + borrow * 10 - needed;
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{big, numbers};
    use super::super::{MAGNITUDE_MAX, MAGNITUDE_MIN};
    use super::*;
    use bigdecimal::{BigDecimal, Zero};
    use proptest::prelude::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn edges() {
        let nines = number(&"9".repeat(38));
        assert_eq!(nines.plus(number("1")), Ok(number("1e38")));
        assert_eq!(number("1e38").minus(number("1")), Ok(nines));
        assert_eq!(number("1e38").plus(number("1")), Err(NumberError::TooPrecise));
        assert_eq!(number("1e39").minus(number("1")), Err(NumberError::TooPrecise));
        assert_eq!(number("1e125").minus(number("1e-130")), Err(NumberError::TooPrecise));
        assert_eq!(number("9.9e125").plus(number("9.9e125")), Err(NumberError::Overflow));
        assert_eq!(number("1.1e-130").minus(number("1e-130")), Err(NumberError::Underflow));
        assert_eq!(number("0.1").plus(number("0.2")), Ok(number("0.3")));
        assert_eq!(number("-5").plus(number("5")), Ok(Number::ZERO));
        assert_eq!(Number::ZERO.minus(number("5")), Ok(number("-5")));
    }

    fn near() -> impl Strategy<Value = (Number, Number)> {
        // Numbers that share digits, so that sums fit and cancel.
        (any::<bool>(), any::<bool>(), 1u128..10u128.pow(20), 1u128..10u128.pow(20), -40i16..40, -20i16..20)
            .prop_map(|(left, right, one, two, exponent, apart)| {
                (
                    Number::new(left, one, exponent).unwrap(),
                    Number::new(right, two, exponent + apart).unwrap(),
                )
            })
    }

    fn check(left: Number, right: Number) -> Result<(), TestCaseError> {
        let exact = (big(left) + big(right)).normalized();
        match left.plus(right) {
            Ok(sum) => prop_assert_eq!(big(sum).normalized(), exact),
            Err(error) => {
                let (digits, magnitude) = size(&exact);
                let expected = if digits > u64::from(DIGITS_MAX) {
                    NumberError::TooPrecise
                } else if magnitude > i64::from(MAGNITUDE_MAX) {
                    NumberError::Overflow
                } else {
                    prop_assert!(magnitude < i64::from(MAGNITUDE_MIN));
                    NumberError::Underflow
                };
                prop_assert_eq!(error, expected);
            }
        }
        prop_assert_eq!(left.plus(right), right.plus(left));
        Ok(())
    }

    fn size(value: &BigDecimal) -> (u64, i64) {
        if value.is_zero() {
            return (0, 0);
        }
        let digits = value.digits();
        let (_, scale) = value.as_bigint_and_exponent();
        (digits, digits.cast_signed() - 1 - scale)
    }

    proptest! {
        #[test]
        fn sums_are_exact_or_refused(left in numbers(), right in numbers()) {
            check(left, right)?;
        }

        #[test]
        fn sums_of_near_numbers_too((left, right) in near()) {
            check(left, right)?;
            prop_assert_eq!(left.minus(right), left.plus(right.negated()));
        }
    }
}
