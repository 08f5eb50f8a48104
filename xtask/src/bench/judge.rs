//! A figure against its limits.

use std::cmp::Ordering;

/// How a figure compares with its limits; the better, the smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As good as is aimed for; where nothing more is aimed for, as good as it must be.
    Aim,
    /// As good as it must be.
    Must,
    /// Worse than it must be.
    Missed,
}

impl Verdict {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Aim => "aim",
            Verdict::Must => "must",
            Verdict::Missed => "**missed**",
        }
    }
}

/// Which figures are good ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// The figure must be at least the limit.
    Higher,
    /// The figure must be at most the limit.
    Lower,
}

/// A figure with its limits.
#[derive(Clone, Debug)]
pub struct Judged {
    /// What was measured; the same text in every run.
    pub what: &'static str,
    /// The figure; `None` when it could not be had.
    pub value: Option<f64>,
    /// The unit of figure and limits, as it is printed behind them.
    pub unit: &'static str,
    /// Which figures are good.
    pub better: Better,
    /// The limit.
    pub must: f64,
    /// What is aimed for, where that is more.
    pub aim: Option<f64>,
    /// Where the figure comes from.
    pub basis: String,
    /// Whether something else took a good part of the machine meanwhile.
    pub is_disturbed: bool,
}

impl Judged {
    /// A figure that must be at least `must`.
    pub fn at_least(
        what: &'static str,
        value: f64,
        unit: &'static str,
        must: f64,
        aim: Option<f64>,
    ) -> Judged {
        Judged {
            what,
            value: Some(value),
            unit,
            better: Better::Higher,
            must,
            aim,
            basis: String::new(),
            is_disturbed: false,
        }
    }

    /// A figure that must be at most `must`.
    pub fn at_most(
        what: &'static str,
        value: f64,
        unit: &'static str,
        must: f64,
        aim: Option<f64>,
    ) -> Judged {
        Judged { better: Better::Lower, ..Judged::at_least(what, value, unit, must, aim) }
    }

    /// Says where the figure comes from.
    pub fn because(mut self, basis: impl Into<String>) -> Judged {
        self.basis = basis.into();
        self
    }

    /// The verdict; a figure that could not be had, or is no number, is missed.
    pub fn verdict(&self) -> Verdict {
        let is_good = |limit: f64| match (self.value.and_then(|value| value.partial_cmp(&limit)), self.better)
        {
            (None, _) => false,
            (Some(order), Better::Higher) => order != Ordering::Less,
            (Some(order), Better::Lower) => order != Ordering::Greater,
        };
        match self.aim {
            _ if !is_good(self.must) => Verdict::Missed,
            Some(aim) if !is_good(aim) => Verdict::Must,
            _ => Verdict::Aim,
        }
    }

    /// One limit with its sign and unit.
    pub fn limit(&self, limit: f64) -> String {
        let sign = if self.better == Better::Higher { "≥" } else { "≤" };
        format!("{sign} {}", self.amount(limit))
    }

    /// A number with the unit.
    pub fn amount(&self, value: f64) -> String {
        format!("{}{}", number(value), self.unit)
    }

    /// The whole as one line.
    pub fn render(&self) -> String {
        let value = self.value.map_or_else(|| "not measured".into(), |value| self.amount(value));
        let aim = self.aim.map(|aim| format!(", aim {}", self.limit(aim))).unwrap_or_default();
        format!(
            "=> {}: {value} (must {}{aim}): {} · {}",
            self.what,
            self.limit(self.must),
            self.verdict().name(),
            self.basis
        )
    }
}

/// A number with as many digits as are worth reading: thousands with commas, small ones with decimals.
pub fn number(value: f64) -> String {
    if value.abs() < 10.0 {
        return format!("{value:.2}");
    }
    if value.abs() < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |rest| ("-", rest));
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    format!("{sign}{}", groups.join(","))
}

/// The middle one; of an even number the higher of the two in the middle. `None` when empty.
pub fn median<T: Copy + PartialOrd>(values: &[T]) -> Option<T> {
    let mut sorted = values.to_vec();
    sorted.sort_by(|one, other| one.partial_cmp(other).unwrap_or(Ordering::Equal));
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_themselves_are_met() {
        let verdict = |value| Judged::at_least("x", value, "", 5.0, Some(7.0)).verdict();
        assert_eq!(
            [verdict(4.9), verdict(5.0), verdict(7.0)],
            [Verdict::Missed, Verdict::Must, Verdict::Aim]
        );
        let verdict = |value| Judged::at_most("x", value, "", 25.0, None).verdict();
        assert_eq!(
            [verdict(25.1), verdict(25.0), verdict(f64::NAN)],
            [Verdict::Missed, Verdict::Aim, Verdict::Missed]
        );
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(number(0.1234), "0.12");
        assert_eq!(number(43.21), "43.2");
        assert_eq!(number(-1_234_567.8), "-1,234,568");
        assert_eq!(number(999.4), "999");
    }

    #[test]
    fn the_median_verdict_is_the_worse_of_two() {
        assert_eq!(median(&[Verdict::Missed, Verdict::Aim]), Some(Verdict::Missed));
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median::<f64>(&[]), None);
    }
}
