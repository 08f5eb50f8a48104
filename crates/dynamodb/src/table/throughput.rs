//! What is remembered of the throughput of a table or a global index, beside its units.
//!
//! | field | bytes |
//! |---|---|
//! | last increase | service time, unsigned, ms since 1970; 0: never |
//! | last decrease | the same |
//! | decreases | unsigned: on the day of the last decrease |
//! | most read, write units on demand | signed each; -1: not limited, 0: never said |

use holdfast_state::record::{FieldReader, FieldWriter, RecordError};

/// When provisioned throughput was changed. Times are of the service clock, in ms since 1970; 0: never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ThroughputChanges {
    /// The last increase.
    pub increased_ms: u64,
    /// The last decrease.
    pub decreased_ms: u64,
    /// Decreases on the day (UTC) of the last one.
    pub decreases: u64,
}

/// Most read and write units of requests that are paid for by request: -1 where a limit was taken away, 0 where none was ever
/// said. They are kept and shown, and limit nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OnDemandLimits {
    /// `MaxReadRequestUnits`
    pub read: i64,
    /// `MaxWriteRequestUnits`
    pub write: i64,
}

const DAY_MS: u64 = 86_400_000;

impl ThroughputChanges {
    /// How many decreases there were on the day of a time.
    #[must_use]
    pub fn decreases_today(&self, now_ms: u64) -> u64 {
        if self.decreased_ms / DAY_MS == now_ms / DAY_MS { self.decreases } else { 0 }
    }

    /// Notes a change of units, read and write, before and after. One that raises the one and lowers the other is both.
    pub fn note(&mut self, before: (u64, u64), after: (u64, u64), now_ms: u64) {
        if after.0 < before.0 || after.1 < before.1 {
            self.decreases = self.decreases_today(now_ms) + 1;
            self.decreased_ms = now_ms;
        }
        if after.0 > before.0 || after.1 > before.1 {
            self.increased_ms = now_ms;
        }
    }
}

pub(super) fn write_changes(writer: &mut FieldWriter<'_>, changes: ThroughputChanges) {
    let ThroughputChanges { increased_ms, decreased_ms, decreases } = changes;
    writer.unsigned(increased_ms).unsigned(decreased_ms).unsigned(decreases);
}

pub(super) fn read_changes(reader: &mut FieldReader<'_>) -> Result<ThroughputChanges, RecordError> {
    let (increased_ms, decreased_ms, decreases) =
        (reader.unsigned()?, reader.unsigned()?, reader.unsigned()?);
    Ok(ThroughputChanges { increased_ms, decreased_ms, decreases })
}

pub(super) fn write_limits(writer: &mut FieldWriter<'_>, limits: OnDemandLimits) {
    writer.signed(limits.read).signed(limits.write);
}

pub(super) fn read_limits(reader: &mut FieldReader<'_>) -> Result<OnDemandLimits, RecordError> {
    Ok(OnDemandLimits { read: reader.signed()?, write: reader.signed()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_counted_by_the_day() {
        let mut changes = ThroughputChanges::default();
        changes.note((5, 5), (6, 5), 1);
        assert_eq!(changes, ThroughputChanges { increased_ms: 1, decreased_ms: 0, decreases: 0 });
        changes.note((6, 5), (6, 4), 2);
        changes.note((6, 4), (7, 3), 3);
        assert_eq!(changes, ThroughputChanges { increased_ms: 3, decreased_ms: 3, decreases: 2 });
        assert_eq!((changes.decreases_today(4), changes.decreases_today(DAY_MS)), (2, 0));
        changes.note((7, 3), (1, 1), DAY_MS);
        assert_eq!((changes.decreases, changes.decreased_ms), (1, DAY_MS));
    }
}
