//! What a read of one table says of the capacity that it consumed.

use crate::capacity::render::{self, Kind};
use crate::capacity::{Consistency, Consumed, ReturnCapacity, Units, of_read};

/// What a request wants to know, and how it reads.
#[derive(Debug)]
pub(crate) struct ReadCapacity {
    returned: ReturnCapacity,
    consistency: Consistency,
    /// As the request names it.
    table: String,
}

impl ReadCapacity {
    /// Takes `ReturnConsumedCapacity`, `ConsistentRead` and `TableName`.
    pub(crate) fn new(returned: Option<&str>, consistent: Option<bool>, table: &str) -> Self {
        let returned = ReturnCapacity::read(returned);
        let consistency = Consistency::of(consistent.unwrap_or(false));
        Self { returned, consistency, table: table.to_owned() }
    }

    /// What reading so many bytes costs.
    pub(crate) fn units(&self, bytes: u64) -> Units {
        of_read(bytes, self.consistency)
    }

    /// Appends the value of `ConsumedCapacity`, if it is wanted; answers whether it is.
    pub(crate) fn render(&self, consumed: &Consumed, out: &mut Vec<u8>) -> bool {
        let wanted = self.returned.is_wanted();
        if wanted {
            render::object(consumed, &self.table, self.returned, Kind::Unsaid, out);
        }
        wanted
    }
}
