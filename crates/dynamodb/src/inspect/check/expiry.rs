//! Whether the rows of expiry are those that the items call for.

use super::{Check, Counted, InspectError, Page};
use crate::expiry;
use crate::item::view::Item;
use holdfast_state::families::SpaceKind;
use holdfast_state::{Space, StateError};
use holdfast_store::Value;

const KIND: SpaceKind = SpaceKind::DYNAMODB_EXPIRY;

impl Check<'_, '_> {
    /// Looks whether an item has its row. An error is a failed read.
    pub(super) fn expiry_of(&mut self, page: &Page, key: &[u8], item: Item<'_>) -> Result<(), InspectError> {
        // Until all rows are made, none is missing.
        let Some(settings) = self.expiry.filter(|settings| settings.built) else { return Ok(()) };
        let Some(row) = expiry::row(key, item, settings.attribute)? else { return Ok(()) };
        let space = match Space::open(&*page.state.read, settings.space, KIND) {
            Ok(space) => space,
            // Time to live was disabled meanwhile.
            Err(StateError::NoSuchSpace { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if space.get(&*page.state.read, &row)?.is_none() {
            self.find(None, Some(key), "there is no row of expiry for the item".to_owned());
        }
        Ok(())
    }

    /// Looks at every row.
    pub(super) fn expiry_rows(&mut self) -> Counted {
        let settings = self.expiry?;
        self.walk(None, (settings.space, KIND), |check, page, row, value| {
            check.checked.rows += 1;
            check.expiry_row(page, row, value)
        })
    }

    /// Looks at a row: whether its item calls for it. An error is a failed read.
    fn expiry_row(&mut self, page: &Page, row: &[u8], value: &Value) -> Result<(), InspectError> {
        let Some(settings) = self.expiry else { return Ok(()) };
        let Ok(key) = expiry::item_key(row) else {
            let hex: String = row.iter().map(|byte| format!("{byte:02x}")).collect();
            self.find(None, None, format!("the key of the row of expiry {hex} cannot be taken apart"));
            return Ok(());
        };
        let read = &*page.state.read;
        let table = Space::open(read, self.table, SpaceKind::DYNAMODB_TABLE)?;
        let what = match table.get(read, &key)? {
            None => "there is a row of expiry for an item that is not there",
            Some(found) => {
                // An item that is damaged was found as one of the table.
                let Ok(item) = Item::new(&found.payload) else { return Ok(()) };
                match expiry::row(&key, item, settings.attribute) {
                    Ok(Some(expected)) if expected == row && value.payload.is_empty() => return Ok(()),
                    Ok(Some(expected)) if expected == row => "the row of expiry has a value",
                    Ok(_) => "there is a row of expiry that the item does not call for",
                    Err(_) => return Ok(()),
                }
            }
        };
        self.find(None, Some(&key), what.to_owned());
        Ok(())
    }
}
