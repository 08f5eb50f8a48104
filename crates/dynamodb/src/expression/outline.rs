//! What paths show of an item: of several that lead into one attribute, all together.
//!
//! A map shows only members that were chosen, a list only such elements, moved together in their order. What a path does not
//! find is not there, nor is anything above it of which nothing else is shown. Source: DynamoDB Developer Guide,
//! "Using projection expressions"; recorded AWS answers for lists; the local emulator for the rest.

use super::ast::{Path, Projection, Step};
use std::sync::Arc;

/// The attributes, and the parts of them, that paths show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline {
    attributes: Chosen<Arc<str>>,
}

/// What is shown of a map or an item by the names, or of a list by the indices: sorted, each once.
pub(crate) type Chosen<K> = Vec<(K, Part)>;

/// What is shown of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// Parts of it. Only one of the two is not empty, unless paths take it for a map and for a list.
    Within {
        /// If it is a map.
        members: Chosen<Arc<str>>,
        /// If it is a list.
        elements: Chosen<u32>,
    },
}

impl Outline {
    /// What the paths show together. Of paths of which one contains another the one that shows more counts.
    pub fn of<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Self {
        let mut outline = Self::default();
        for path in paths {
            let mut part = choose(&mut outline.attributes, Arc::clone(&path.attribute));
            for step in &path.steps {
                let Part::Within { members, elements } = part else { break };
                part = match step {
                    Step::Member(name) => choose(members, Arc::clone(name)),
                    Step::Element(index) => choose(elements, *index),
                };
            }
            *part = Part::Whole;
        }
        outline
    }

    /// Attributes as they are.
    pub fn of_attributes<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut attributes = Chosen::new();
        for name in names {
            *choose(&mut attributes, Arc::from(name)) = Part::Whole;
        }
        Self { attributes }
    }

    /// What is shown of each attribute, sorted by the names.
    pub(crate) fn attributes(&self) -> &[(Arc<str>, Part)] {
        &self.attributes
    }

    /// Names of the attributes of which something is shown, sorted, each once.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(|(name, _)| &**name)
    }
}

impl From<&Projection> for Outline {
    fn from(projection: &Projection) -> Self {
        Self::of(&projection.paths)
    }
}

/// The part of a key; a new one shows nothing.
fn choose<K: Ord>(chosen: &mut Chosen<K>, key: K) -> &mut Part {
    let at = match chosen.binary_search_by(|(other, _)| other.cmp(&key)) {
        Ok(at) => at,
        Err(at) => {
            chosen.insert(at, (key, Part::Within { members: Vec::new(), elements: Vec::new() }));
            at
        }
    };
    &mut chosen[at].1
}

#[cfg(test)]
mod tests;
