//! Names that were resolved lately, per thread.
//!
//! An entry counts only under the [`Structure`] that it was found under: that token changes, never to come back, as soon as any name or
//! space does. So nothing is carried into a transaction or snapshot that is not proved to be what a look-up there would
//! find.

use super::CatalogEntry;
use crate::table::Stored;
use holdfast_store::Structure;
use std::cell::RefCell;
use std::collections::HashMap;

/// Names kept per thread; beyond it all are forgotten.
const NAMES_MAX: usize = 1_024;

/// What was resolved under one structure. A new structure forgets everything.
#[derive(Default)]
struct Resolved {
    structure: Option<Structure>,
    entries: HashMap<Vec<u8>, Stored<CatalogEntry>>,
}

thread_local! {
    static RESOLVED: RefCell<Resolved> = RefCell::default();
}

/// The entry of a key, if it was found before under this structure.
pub(super) fn get(structure: Structure, key: &[u8]) -> Option<Stored<CatalogEntry>> {
    RESOLVED.with_borrow(|resolved| {
        if resolved.structure != Some(structure) {
            return None;
        }
        resolved.entries.get(key).cloned()
    })
}

/// Keeps what was found under a structure.
pub(super) fn keep(structure: Structure, key: Vec<u8>, entry: &Stored<CatalogEntry>) {
    RESOLVED.with_borrow_mut(|resolved| {
        if resolved.structure != Some(structure) || resolved.entries.len() >= NAMES_MAX {
            resolved.structure = Some(structure);
            resolved.entries.clear();
        }
        resolved.entries.insert(key, entry.clone());
    });
}
