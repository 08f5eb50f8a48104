//! Paths that cannot stand beside each other in a projection or an update.

use super::ExpressionKind;
use super::ast::{Path, Step};
use crate::errors::expression as errors;
use holdfast_aws::Error;

/// Refuses paths of which one contains another, or takes for a list what another takes for a map.
pub(super) fn check(kind: ExpressionKind, paths: &[Path]) -> Result<(), Error> {
    for (position, two) in paths.iter().enumerate() {
        for one in &paths[..position] {
            match compare(one, two) {
                Relation::Apart => {}
                Relation::Overlap => return Err(errors::paths_overlap(kind, one.listed(), two.listed())),
                Relation::Conflict => return Err(errors::paths_conflict(kind, one.listed(), two.listed())),
            }
        }
    }
    Ok(())
}

enum Relation {
    Apart,
    Overlap,
    Conflict,
}

fn compare(one: &Path, two: &Path) -> Relation {
    if one.attribute != two.attribute {
        return Relation::Apart;
    }
    match one.steps.iter().zip(&two.steps).find(|(one, two)| one != two) {
        None => Relation::Overlap,
        Some((Step::Member(_), Step::Element(_)) | (Step::Element(_), Step::Member(_))) => Relation::Conflict,
        Some(_) => Relation::Apart,
    }
}
