//! Texts of `BatchWriteItem`. Sources are named as in [`errors`](super).

use super::{INVALID, validation};
use crate::item::{SetKind, ValueError};
use crate::number::NumberError;
use holdfast_aws::Error;

/// More than 25 writes in the lists of several tables together. Source: known.
#[must_use]
pub fn too_many_writes() -> Error {
    validation("Too many items requested for the BatchWriteItem call")
}

/// A request that is neither or both of a put and a delete. Source: known for neither.
#[must_use]
pub fn not_one_write() -> Error {
    validation(
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
    )
}

/// An item that two requests name. Source: recorded.
#[must_use]
pub fn duplicate_keys() -> Error {
    validation("Provided list of item keys contains duplicates")
}

/// Faults of attribute values that the older of AWS's two layers words in its own way; none if both have the same words.
/// Source: recorded; of numbers, that an empty one and one whose exponent comes near 32 bits differ.
#[must_use]
pub fn older_value(error: &ValueError) -> Option<Error> {
    match error {
        ValueError::Number { text, error } => older_number(text, *error),
        ValueError::Duplicates { set: SetKind::Number, .. } => {
            Some(validation("Input collection contains duplicates"))
        }
        ValueError::Duplicates { set, sent, .. } => {
            // No space before "of": AWS's own.
            let of = if *set == SetKind::Binary { "of type BS" } else { "" };
            Some(validation(format!(
                "{INVALID}Input collection [{}]{of} contains duplicates.",
                sent.join(", ")
            )))
        }
        _ => None,
    }
}

/// The older layer reads numbers as Java's `BigDecimal` does: the digits as an integer, and a scale of 32 bits. Where the
/// magnitude made of the two no longer fits 32 bits, it wraps around.
fn older_number(text: &str, error: NumberError) -> Option<Error> {
    const NOT_NUMERIC: &str = "The parameter cannot be converted to a numeric value";
    match error {
        NumberError::NotNumeric if text.is_empty() => Some(validation(NOT_NUMERIC)),
        NumberError::NotNumeric | NumberError::TooPrecise => None,
        NumberError::Overflow | NumberError::Underflow => {
            let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
            let decimals = mantissa.split_once('.').map_or(0, |(_, decimals)| decimals.len());
            let scale = exponent
                .parse::<i64>()
                .ok()
                .and_then(|exponent| i64::try_from(decimals).ok()?.checked_sub(exponent))
                .and_then(|scale| i32::try_from(scale).ok());
            let Some(scale) = scale else {
                return Some(validation(format!("{NOT_NUMERIC}: {text}")));
            };
            let digits = mantissa.trim_start_matches(['+', '-', '0', '.']).bytes().filter(u8::is_ascii_digit);
            let precision = i64::try_from(digits.count().max(1)).unwrap_or(i64::MAX);
            let wraps = i32::try_from(precision.saturating_sub(i64::from(scale))).is_err();
            let underflow = (error == NumberError::Underflow) != wraps;
            let other = if underflow { NumberError::Underflow } else { NumberError::Overflow };
            (other != error).then(|| validation(super::number_text(text, other)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::Number;

    #[test]
    fn numbers_are_read_as_java_reads_them() {
        let message = |text: &str| {
            let error = Number::parse(text).expect_err("no number");
            let error = ValueError::Number { text: text.to_owned(), error };
            super::super::value(super::super::Wording::Older, &error).message.into_owned()
        };
        let overflow = super::super::number_text("", NumberError::Overflow);
        let underflow = super::super::number_text("", NumberError::Underflow);
        const NOT_NUMERIC: &str = "The parameter cannot be converted to a numeric value";
        // The first four are recorded.
        assert_eq!(message("abc"), format!("{NOT_NUMERIC}: abc"));
        assert_eq!(message(""), NOT_NUMERIC);
        assert_eq!(message("1e126"), overflow);
        assert_eq!(message("1e2147483647"), underflow);
        assert_eq!(message("1e2147483646"), overflow);
        assert_eq!(message("1e-131"), underflow);
        assert_eq!(message("-0.5E-140"), underflow);
        assert_eq!(message("1e2147483648"), underflow);
        assert_eq!(message("1e2147483649"), format!("{NOT_NUMERIC}: 1e2147483649"));
        assert_eq!(message("1e99999999999999999999"), format!("{NOT_NUMERIC}: 1e99999999999999999999"));
    }
}
