//! Items as text, written attribute by attribute.

use std::fmt::{Display, Write as _};
use std::ops::Range;

/// An item's JSON, with its strings and numbers known by name.
pub struct Item {
    text: String,
    /// Where in `text` the values of strings and numbers stand, without what is around them.
    scalars: Vec<(&'static str, char, Range<usize>)>,
}

impl Item {
    pub fn new() -> Self {
        let mut text = String::with_capacity(2_048);
        text.push('{');
        Self { text, scalars: Vec::with_capacity(24) }
    }

    fn scalar(&mut self, name: &'static str, kind: char, value: impl Display) {
        self.name(name);
        let _ = write!(self.text, r#"{{"{kind}":""#);
        let start = self.text.len();
        let _ = write!(self.text, "{value}");
        self.scalars.push((name, kind, start..self.text.len()));
        self.text.push_str("\"}");
    }

    fn name(&mut self, name: &str) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        let _ = write!(self.text, r#""{name}":"#);
    }

    /// A string; it holds nothing that JSON escapes.
    pub fn s(&mut self, name: &'static str, value: impl Display) {
        self.scalar(name, 'S', value);
    }

    /// A number, in the form in which it is answered.
    pub fn n(&mut self, name: &'static str, value: impl Display) {
        self.scalar(name, 'N', value);
    }

    /// True or false.
    pub fn bool(&mut self, name: &str, value: bool) {
        self.raw(name, format_args!(r#"{{"BOOL":{value}}}"#));
    }

    /// Null.
    pub fn null(&mut self, name: &str) {
        self.raw(name, r#"{"NULL":true}"#);
    }

    /// A value as it stands in JSON.
    pub fn raw(&mut self, name: &str, value: impl Display) {
        self.name(name);
        let _ = write!(self.text, "{value}");
    }

    /// The item's JSON.
    pub fn finish(mut self) -> Finished {
        self.text.push('}');
        Finished(self)
    }
}

/// An item that is complete.
pub struct Finished(Item);

impl Finished {
    pub fn json(&self) -> &str {
        &self.0.text
    }

    /// A string or number by name, with its type.
    pub fn get(&self, name: &str) -> Option<(char, &str)> {
        let (_, kind, place) = self.0.scalars.iter().find(|(known, ..)| *known == name)?;
        Some((*kind, &self.0.text[place.clone()]))
    }

    /// The named attributes as JSON, for a key.
    pub fn key(&self, names: impl Iterator<Item = &'static str>) -> String {
        let mut key = Item::new();
        for name in names {
            let (kind, value) = self.get(name).expect("an item has its key");
            key.scalar(name, kind, value);
        }
        key.finish().0.text
    }
}

/// A list of values that are JSON already.
pub fn list<T: Display>(values: impl Iterator<Item = T>) -> String {
    let mut text = String::from(r#"{"L":["#);
    for (at, value) in values.enumerate() {
        if at > 0 {
            text.push(',');
        }
        let _ = write!(text, "{value}");
    }
    text.push_str("]}");
    text
}

/// A string as JSON.
pub fn string(value: impl Display) -> String {
    format!(r#"{{"S":"{value}"}}"#)
}
