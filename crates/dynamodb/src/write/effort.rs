//! How long deciding may hold the executor, where what was planned is of an item that has changed meanwhile.
//!
//! An expression of 4 KB has a few hundred paths and values, and each may take a millisecond in an item of 400 KB, or as a
//! value of that size: `contains` looks through either. On the submitting thread that holds up nobody. On the executor it would hold up everybody; so a request that would take that long there is
//! given back, and is planned anew when it comes again.

use super::WriteFault;
use crate::errors;
use holdfast_store::Value;

/// Paths times the bytes that each is looked for in, and the bytes of values: some 50 ms.
const EFFORT_MAX: u64 = 16 << 20;

/// What a request may still do on the executor.
#[derive(Debug)]
pub(crate) struct Effort {
    left: u64,
}

impl Default for Effort {
    fn default() -> Self {
        Self { left: EFFORT_MAX }
    }
}

impl Effort {
    /// Looks for so many paths in an item, and through values of so many bytes.
    ///
    /// # Errors
    /// If that is too much.
    pub(super) fn spend(
        &mut self,
        paths: usize,
        item: Option<&Value>,
        values: u64,
    ) -> Result<(), WriteFault> {
        let bytes = item.map_or(0, |item| item.payload.len() as u64);
        match self.left.checked_sub(bytes.saturating_mul(paths as u64).saturating_add(values)) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(WriteFault::Failed(errors::writes::changed_meanwhile())),
        }
    }
}
