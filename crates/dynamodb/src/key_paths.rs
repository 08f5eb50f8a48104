//! Paths that lead into key attributes. These are scalars, so that nothing is there, and DynamoDB refuses such a path wherever
//! an expression has it.

use crate::errors::expression;
use crate::expression::Path;
use crate::key::{KeyLists, KeySchema};
use crate::table::IndexView;
use holdfast_aws::Error;

/// Refuses paths into a key attribute of a table or of one of its indexes.
///
/// # Errors
/// For the first key attribute, in the order of the definitions, that a path leads into. Source of the order: recorded earlier
/// (see [`errors::reads`](crate::errors::reads)).
pub(crate) fn check<'p>(
    paths: impl IntoIterator<Item = &'p Path>,
    table: &KeySchema<'_>,
    indexes: &[IndexView<'_>],
) -> Result<(), Error> {
    let nested: Vec<&Path> = paths.into_iter().filter(|path| !path.steps.is_empty()).collect();
    if nested.is_empty() {
        return Ok(());
    }
    let first = |keys: &KeyLists<'_>| {
        let names = keys.all().iter().map(|attribute| attribute.name);
        let leads_in = |name: &&str| nested.iter().any(|path| *path.attribute == **name);
        names.into_iter().find(leads_in).map(str::to_owned)
    };
    if let Some(name) = first(&KeyLists::from(*table)) {
        return Err(expression::path_into_key("Key", &name));
    }
    match indexes.iter().find_map(|index| first(&index.keys)) {
        Some(name) => Err(expression::path_into_key("IndexKey", &name)),
        None => Ok(()),
    }
}
