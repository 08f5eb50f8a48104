//! An item with edits, written anew. Runs of what is not touched are copied at once, without being looked into; after the
//! last edit of a document that is the rest of it.
//!
//! Edits come in the order of their paths, of which none contains another. So those below one place follow each other, and
//! a place is visited once.

use super::super::codec::{Encoded, push_length};
use super::super::view::{Item, List, Members, RawValue, Value};
use super::super::{NESTING_MAX, VERSION, ValueError, size, tag};
use super::{Edit, Stored, UpdateError, UpdateFault};
use crate::expression::ast::Step;
use crate::item::Damaged;

/// The item after the edits.
pub(super) fn item(item: Item<'_>, before: Stored<'_>, edits: &[Edit<'_>]) -> Result<Encoded, UpdateError> {
    let more: usize = edits.iter().map(|edit| edit.room()).sum();
    let mut writer = Writer { out: Vec::with_capacity(before.bytes.len() + more), size: before.size };
    writer.out.push(VERSION);
    writer.members(item.attributes(), edits, 0)?;
    Ok(Encoded { bytes: writer.out, size: writer.size })
}

impl Edit<'_> {
    /// A guess of the bytes that it adds.
    fn room(&self) -> usize {
        let name = match self.path.steps.last() {
            Some(Step::Member(name)) => name.len(),
            Some(Step::Element(_)) => 0,
            None => self.path.attribute.len(),
        };
        self.new.as_ref().map_or(0, |new| new.stored.len() + name + 8)
    }

    /// The name at a depth of its path, 0 for the attribute.
    fn name(&self, depth: usize) -> Result<&str, UpdateError> {
        match depth.checked_sub(1).map(|step| self.path.steps.get(step)) {
            None => Ok(&self.path.attribute),
            Some(Some(Step::Member(name))) => Ok(name),
            Some(_) => Err(UpdateFault::InvalidPath.into()),
        }
    }

    /// The index at a depth of its path.
    fn index(&self, depth: usize) -> Result<usize, UpdateError> {
        match depth.checked_sub(1).map(|step| self.path.steps.get(step)) {
            Some(Some(Step::Element(index))) => Ok(usize::try_from(*index).unwrap_or(usize::MAX)),
            _ => Err(UpdateFault::InvalidPath.into()),
        }
    }
}

/// A length that is written before it is known.
struct Reserved {
    at: usize,
    width: usize,
}

struct Writer {
    out: Vec<u8>,
    /// Of the item before, changed by what has been written so far.
    size: u64,
}

impl Writer {
    /// A count, and names and values: of an item at depth 0, of a map below. A depth is the position in paths of what is
    /// written, one less than the level of its value.
    fn members(
        &mut self,
        mut members: Members<'_>,
        edits: &[Edit<'_>],
        depth: usize,
    ) -> Result<(), UpdateError> {
        let overhead = if depth == 0 { 0 } else { size::ELEMENT };
        let reserved = self.reserve(members.left());
        let mut count = members.left();
        let mut run = members.unread();
        let mut edits = edits;
        while let [first, ..] = edits {
            let name = first.name(depth)?;
            let mut below = 1;
            while edits.get(below).is_some_and(|edit| edit.name(depth).is_ok_and(|other| other == name)) {
                below += 1;
            }
            let (here, rest) = edits.split_at(below);
            edits = rest;
            // Up to where the name is or belongs.
            let old = loop {
                let mut ahead = members;
                match ahead.next().transpose()? {
                    Some((found, _)) if found < name => members = ahead,
                    Some((found, value)) if found == name => {
                        self.copy(run, members.unread());
                        members = ahead;
                        break Some(value);
                    }
                    _ => {
                        self.copy(run, members.unread());
                        break None;
                    }
                }
            };
            run = members.unread();
            let accounted = size::of(name.len()) + overhead;
            match self.place(here, old, depth, accounted, |writer| writer.text(name.as_bytes()))? {
                Outcome::Same => {}
                Outcome::More => count += 1,
                Outcome::Less => count -= 1,
            }
        }
        self.out.extend_from_slice(run);
        self.fill(&reserved, count);
        Ok(())
    }

    /// A count and the elements of a list. What is set behind its end is appended in the order of the indices.
    fn elements(&mut self, list: List<'_>, edits: &[Edit<'_>], depth: usize) -> Result<(), UpdateError> {
        let mut elements = list.cursor();
        let reserved = self.reserve(list.len());
        let mut count = list.len();
        let mut position = 0;
        let mut run = elements.unread();
        let mut edits = edits;
        while let [first, ..] = edits {
            let index = first.index(depth)?;
            let mut below = 1;
            while edits.get(below).is_some_and(|edit| edit.index(depth).is_ok_and(|other| other == index)) {
                below += 1;
            }
            let (here, rest) = edits.split_at(below);
            edits = rest;
            while position < index.min(list.len()) {
                elements.next().transpose()?;
                position += 1;
            }
            self.copy(run, elements.unread());
            let old = if index < list.len() { elements.next().transpose()? } else { None };
            position += usize::from(old.is_some());
            run = elements.unread();
            match self.place(here, old, depth, size::ELEMENT, |_| {})? {
                Outcome::Same => {}
                Outcome::More => count += 1,
                Outcome::Less => count -= 1,
            }
        }
        self.out.extend_from_slice(run);
        self.fill(&reserved, count);
        Ok(())
    }

    /// Makes the edits of one place and those below it. `name` writes what stands before its value, if there is one, and
    /// `accounted` is the size of that.
    fn place(
        &mut self,
        edits: &[Edit<'_>],
        old: Option<RawValue<'_>>,
        depth: usize,
        accounted: u64,
        name: impl FnOnce(&mut Self),
    ) -> Result<Outcome, UpdateError> {
        let level = depth + 1;
        match (edits, old) {
            ([edit], old) if edit.path.elements() == level => {
                if let Some(old) = old {
                    let old = accounted + size::of_value(old.read()?, level)?;
                    self.size = self.size.checked_sub(old).ok_or(Damaged("it is larger than its size"))?;
                }
                if let Some(new) = &edit.new {
                    // No value is too deep for an attribute of an item.
                    if level > 1 {
                        check_level(RawValue::new(&new.stored), level)?;
                    }
                    self.size += accounted + new.size;
                    name(self);
                    self.out.extend_from_slice(&new.stored);
                }
                Ok(match (old, &edit.new) {
                    (Some(_), Some(_)) | (None, None) => Outcome::Same,
                    (None, Some(_)) => Outcome::More,
                    (Some(_), None) => Outcome::Less,
                })
            }
            (_, Some(old)) => {
                name(self);
                self.document(old, edits, depth + 1)?;
                Ok(Outcome::Same)
            }
            (_, None) => Err(UpdateFault::InvalidPath.into()),
        }
    }

    /// A map or a list with edits below it.
    fn document(&mut self, old: RawValue<'_>, edits: &[Edit<'_>], depth: usize) -> Result<(), UpdateError> {
        match old.read()? {
            Value::M(map) => {
                self.out.push(tag::MAP);
                let length = self.reserve(old.as_bytes().len());
                self.members(map.members(), edits, depth)?;
                self.close(&length);
            }
            Value::L(list) => {
                self.out.push(tag::LIST);
                let length = self.reserve(old.as_bytes().len());
                self.elements(list, edits, depth)?;
                self.close(&length);
            }
            _ => return Err(UpdateFault::InvalidPath.into()),
        }
        Ok(())
    }

    /// Copies a run up to what is left of it.
    fn copy(&mut self, run: &[u8], left: &[u8]) {
        self.out.extend_from_slice(&run[..run.len() - left.len()]);
    }

    fn text(&mut self, bytes: &[u8]) {
        push_length(&mut self.out, bytes.len());
        self.out.extend_from_slice(bytes);
    }

    /// Leaves room for a length that is likely as wide as `guess`.
    fn reserve(&mut self, guess: usize) -> Reserved {
        let at = self.out.len();
        push_length(&mut self.out, guess);
        Reserved { at, width: self.out.len() - at }
    }

    fn fill(&mut self, reserved: &Reserved, length: usize) {
        let end = self.out.len();
        push_length(&mut self.out, length);
        if self.out.len() - end == reserved.width {
            self.out.copy_within(end.., reserved.at);
            self.out.truncate(end);
        } else {
            let length: Vec<u8> = self.out.drain(end..).collect();
            self.out.splice(reserved.at..reserved.at + reserved.width, length);
        }
    }

    /// Fills in the length of what was written since.
    fn close(&mut self, reserved: &Reserved) {
        let length = self.out.len() - reserved.at - reserved.width;
        self.fill(reserved, length);
    }
}

/// What became of the number of members or elements.
enum Outcome {
    Same,
    More,
    Less,
}

/// Refuses a value that is too deep for its level.
fn check_level(value: RawValue<'_>, level: usize) -> Result<(), UpdateError> {
    if level > NESTING_MAX {
        return Err(UpdateFault::Value(ValueError::TooDeep).into());
    }
    match value.read()? {
        Value::M(map) => map.members().try_for_each(|member| check_level(member?.1, level + 1)),
        Value::L(list) => list.elements().try_for_each(|element| check_level(element?, level + 1)),
        _ => Ok(()),
    }
}
