//! Paths that cannot stand beside each other in a projection or an update.

use super::ExpressionKind;
use super::ast::{Path, Step};
use crate::errors::expression as errors;
use holdfast_aws::Error;

/// Looks for paths of which one contains another, or takes for a list what another takes for a map. Gives the position
/// of the left one of the rightmost such pair, and its refusal. Paths with faults of their own are none.
///
/// AWS compares each path with those to its right, from the right to the left: source of the order are answers of AWS of
/// 2016 and the local emulator. Of three paths and more AWS at times names one that is apart from the first, the last of a
/// hash table; we name the one that is not.
pub(super) fn check(kind: ExpressionKind, paths: &[Option<Path>]) -> Option<(usize, Error)> {
    if all_apart(paths) {
        return None;
    }
    for (position, one) in paths.iter().enumerate().rev() {
        let Some(one) = one else { continue };
        for two in paths[position + 1..].iter().rev().flatten() {
            let error = match compare(one, two) {
                Relation::Apart => continue,
                Relation::Overlap => errors::paths_overlap(kind, one.listed(), two.listed()),
                Relation::Conflict => errors::paths_conflict(kind, one.listed(), two.listed()),
            };
            return Some((position, error));
        }
    }
    None
}

/// Whether no two of them overlap or conflict. In order, neighbours tell: what lies between a path and one that contains it
/// is contained in it too, and lists come after maps.
fn all_apart(paths: &[Option<Path>]) -> bool {
    let mut sorted: Vec<&Path> = paths.iter().flatten().collect();
    sorted.sort_unstable();
    sorted.windows(2).all(|pair| matches!(compare(pair[0], pair[1]), Relation::Apart))
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Neighbours in order tell what all pairs do.
        #[test]
        fn neighbours_tell(
            paths in prop::collection::vec(("[ab]", prop::collection::vec(prop_oneof![
                "[xy]".prop_map(|name| Step::Member(name.into())),
                (0u32..3).prop_map(Step::Element),
            ], 0..4)), 0..8),
        ) {
            let paths: Vec<_> = paths
                .into_iter()
                .map(|(attribute, steps)| Some(Path { attribute: attribute.into(), steps }))
                .collect();
            let apart = |(position, one): (usize, &Option<Path>)| {
                let mut rest = paths[position + 1..].iter().flatten();
                rest.all(|two| matches!(compare(one.as_ref().unwrap(), two), Relation::Apart))
            };
            prop_assert_eq!(all_apart(&paths), paths.iter().enumerate().all(apart));
        }
    }
}
