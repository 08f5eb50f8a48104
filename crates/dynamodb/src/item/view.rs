//! Reading stored items in place.
//!
//! Nothing here allocates or copies. Bytes are checked as far as they are read; whatever they are, reading ends with a
//! value or with [`Damaged`].

use super::{Damaged, NESTING_MAX, VERSION, tag};
use crate::number::Number;

/// A stored item.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    members: Members<'a>,
}

impl<'a> Item<'a> {
    /// Opens stored bytes.
    ///
    /// # Errors
    /// If the version is unknown or the bytes end too early.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Damaged> {
        match bytes {
            [VERSION, rest @ ..] => Ok(Self { members: Members::open(rest)? }),
            [_, ..] => Err(Damaged("unknown version")),
            [] => Err(Damaged("no bytes")),
        }
    }

    /// Number of attributes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.left
    }

    /// Whether there are no attributes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.left == 0
    }

    /// All attributes in the order of their names.
    #[must_use]
    pub fn attributes(&self) -> Members<'a> {
        self.members
    }

    /// The attribute of a name. Reads only as far as needed.
    ///
    /// # Errors
    /// If the bytes before it are damaged.
    pub fn get(&self, name: &str) -> Result<Option<RawValue<'a>>, Damaged> {
        self.members.get(name)
    }
}

/// Names and values of an item or a map, in the order of the names.
#[derive(Debug, Clone, Copy)]
pub struct Members<'a> {
    reader: Reader<'a>,
    left: usize,
    /// The name before, which must be less than the next one.
    previous: Option<&'a str>,
}

impl<'a> Members<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, Damaged> {
        let mut reader = Reader { rest: bytes };
        let left = reader.count()?;
        if left == 0 {
            reader.finish()?;
        }
        Ok(Self { reader, left, previous: None })
    }

    /// How many have not been read.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// The bytes of those that have not been read.
    pub(super) fn unread(&self) -> &'a [u8] {
        self.reader.rest
    }

    /// The value of a name, going on from the one before: names have to be asked for in their order.
    ///
    /// # Errors
    /// If the bytes before it are damaged.
    pub(crate) fn seek(&mut self, name: &str) -> Result<Option<RawValue<'a>>, Damaged> {
        loop {
            let mut ahead = *self;
            match ahead.next().transpose()? {
                Some((found, value)) if found <= name => {
                    *self = ahead;
                    if found == name {
                        return Ok(Some(value));
                    }
                }
                _ => return Ok(None),
            }
        }
    }

    fn get(mut self, name: &str) -> Result<Option<RawValue<'a>>, Damaged> {
        while self.left > 0 {
            let (found, value) = self.member()?;
            match found.cmp(name) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => return Ok(Some(value)),
                std::cmp::Ordering::Greater => break,
            }
        }
        Ok(None)
    }

    fn member(&mut self) -> Result<(&'a str, RawValue<'a>), Damaged> {
        let name = text(self.reader.bytes()?)?;
        if self.previous.is_some_and(|previous| previous >= name) || name.is_empty() {
            return Err(Damaged("names are not in order"));
        }
        let value = self.reader.value()?;
        self.previous = Some(name);
        self.left -= 1;
        if self.left == 0 {
            self.reader.finish()?;
        }
        Ok((name, value))
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = Result<(&'a str, RawValue<'a>), Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let member = self.member();
        if member.is_err() {
            self.left = 0;
        }
        Some(member)
    }
}

/// The bytes of one stored value, not yet read. Two values are equal exactly if these bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawValue<'a>(&'a [u8]);

impl<'a> RawValue<'a> {
    /// The bytes of one value, as [`super::codec::encode_value`] writes them; they are checked when they are read.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The stored bytes.
    #[must_use]
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The bytes of a number, if it is one.
    #[must_use]
    pub fn as_number(self) -> Option<&'a [u8]> {
        match self.0 {
            [tag::NUMBER..=tag::NUMBER_LAST, number @ ..] => Some(number),
            _ => None,
        }
    }

    /// Opens the value.
    ///
    /// # Errors
    /// If the bytes are not a value. Members of sets, lists and maps are checked when they are read.
    pub fn read(self) -> Result<Value<'a>, Damaged> {
        let (first, rest) = self.0.split_first().ok_or(Damaged("a value without bytes"))?;
        let body = |rest: &'a [u8]| {
            let mut reader = Reader { rest };
            let body = reader.bytes()?;
            reader.finish()?;
            Ok(body)
        };
        Ok(match *first {
            tag::NULL => Value::Null,
            tag::FALSE => Value::Bool(false),
            tag::TRUE => Value::Bool(true),
            tag::LONG_STRING => {
                let bytes = body(rest)?;
                if bytes.len() < 0x80 {
                    return Err(Damaged("a short string in the long form"));
                }
                Value::S(text(bytes)?)
            }
            tag::BINARY => Value::B(body(rest)?),
            tag::MAP => Value::M(Map(Members::open(body(rest)?)?)),
            tag::LIST => Value::L(List(Counted::open(body(rest)?)?)),
            tag::STRING_SET => Value::SS(StringSet(Counted::open(body(rest)?)?)),
            tag::NUMBER_SET => Value::NS(NumberSet(Counted::open(body(rest)?)?)),
            tag::BINARY_SET => Value::BS(BinarySet(Counted::open(body(rest)?)?)),
            tag::NUMBER..=tag::NUMBER_LAST => Value::N(StoredNumber(rest)),
            tag::SHORT_STRING.. => Value::S(text(rest)?),
            _ => return Err(Damaged("an unknown tag")),
        })
    }
}

/// A stored value.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    /// String.
    S(&'a str),
    /// Number.
    N(StoredNumber<'a>),
    /// Binary.
    B(&'a [u8]),
    /// Boolean.
    Bool(bool),
    /// Null.
    Null,
    /// Map.
    M(Map<'a>),
    /// List.
    L(List<'a>),
    /// Set of strings.
    SS(StringSet<'a>),
    /// Set of numbers.
    NS(NumberSet<'a>),
    /// Set of binaries.
    BS(BinarySet<'a>),
}

impl Value<'_> {
    /// The name of its type, as requests and messages have it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::S(_) => "S",
            Self::N(_) => "N",
            Self::B(_) => "B",
            Self::Bool(_) => "BOOL",
            Self::Null => "NULL",
            Self::M(_) => "M",
            Self::L(_) => "L",
            Self::SS(_) => "SS",
            Self::NS(_) => "NS",
            Self::BS(_) => "BS",
        }
    }
}

/// The bytes of a number; they compare as numbers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredNumber<'a>(&'a [u8]);

impl<'a> StoredNumber<'a> {
    /// The stored bytes, as in sort keys.
    #[must_use]
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The number.
    ///
    /// # Errors
    /// If the bytes are not a number.
    pub fn read(self) -> Result<Number, Damaged> {
        Number::from_bytes(self.0).map_err(|_| Damaged("not a number"))
    }
}

/// A stored map.
#[derive(Debug, Clone, Copy)]
pub struct Map<'a>(Members<'a>);

impl<'a> Map<'a> {
    /// Names and values in the order of the names.
    #[must_use]
    pub fn members(&self) -> Members<'a> {
        self.0
    }

    /// The value of a name.
    ///
    /// # Errors
    /// If the bytes before it are damaged.
    pub fn get(&self, name: &str) -> Result<Option<RawValue<'a>>, Damaged> {
        self.0.get(name)
    }

    /// Number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.left
    }

    /// Whether there are no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.left == 0
    }
}

/// A count and that many elements.
#[derive(Debug, Clone, Copy)]
struct Counted<'a> {
    reader: Reader<'a>,
    left: usize,
}

impl<'a> Counted<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, Damaged> {
        let mut reader = Reader { rest: bytes };
        let left = reader.count()?;
        if left == 0 {
            reader.finish()?;
        }
        Ok(Self { reader, left })
    }

    fn next<T>(
        &mut self,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, Damaged>,
    ) -> Option<Result<T, Damaged>> {
        self.left = self.left.checked_sub(1)?;
        let element = read(&mut self.reader).and_then(|element| {
            if self.left == 0 {
                self.reader.finish()?;
            }
            Ok(element)
        });
        if element.is_err() {
            self.left = 0;
        }
        Some(element)
    }
}

macro_rules! counted {
    ($(#[$doc:meta])* $name:ident, $method:ident, $element:ty, $read:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name<'a>(Counted<'a>);

        impl<'a> $name<'a> {
            /// All of them in order; ends after the first damaged one.
            pub fn $method(&self) -> impl Iterator<Item = Result<$element, Damaged>> + use<'a> {
                let mut counted = self.0;
                std::iter::from_fn(move || counted.next($read))
            }

            /// How many there are.
            #[must_use]
            pub fn len(&self) -> usize {
                self.0.left
            }

            /// Whether there are none; a set is never empty.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.0.left == 0
            }
        }
    };
}
counted!(
    /// A stored list.
    List, elements, RawValue<'a>, Reader::value
);
counted!(
    /// A stored set of strings, in the order of their bytes.
    StringSet, members, &'a str, |reader| text(reader.bytes()?)
);
counted!(
    /// A stored set of numbers, in their order.
    NumberSet, members, StoredNumber<'a>, Reader::number
);
counted!(
    /// A stored set of binaries, in the order of their bytes.
    BinarySet, members, &'a [u8], Reader::bytes
);

impl<'a> List<'a> {
    /// The elements, one after the other.
    pub(super) fn cursor(&self) -> Elements<'a> {
        Elements(self.0)
    }
}

/// Elements of a list in their order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Elements<'a>(Counted<'a>);

impl<'a> Elements<'a> {
    /// The bytes of those that have not been read.
    pub(super) fn unread(&self) -> &'a [u8] {
        self.0.reader.rest
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<RawValue<'a>, Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next(Reader::value)
    }
}

/// Refuses a level of nesting that no item has, so that damaged bytes cannot exhaust the stack.
pub(crate) fn check_level(level: usize) -> Result<(), Damaged> {
    if level > NESTING_MAX { Err(Damaged("nested too deep")) } else { Ok(()) }
}

fn text(bytes: &[u8]) -> Result<&str, Damaged> {
    str::from_utf8(bytes).map_err(|_| Damaged("a string is not UTF-8"))
}

/// A position in stored bytes.
#[derive(Debug, Clone, Copy)]
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Damaged> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Damaged("it ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn finish(&self) -> Result<(), Damaged> {
        if self.rest.is_empty() { Ok(()) } else { Err(Damaged("bytes are left over")) }
    }

    /// LEB128 in its shortest form, at most 32 bits.
    fn length(&mut self) -> Result<usize, Damaged> {
        let mut length = 0u32;
        for shift in (0..32).step_by(7) {
            let byte = self.take(1)?[0];
            let bits = u32::from(byte & 0x7F);
            if bits << shift >> shift != bits || (byte == 0 && shift > 0) {
                break;
            }
            length |= bits << shift;
            if byte & 0x80 == 0 {
                return usize::try_from(length).map_err(|_| Damaged("a length is too large"));
            }
        }
        Err(Damaged("a length is malformed"))
    }

    /// A count of elements, each of which takes a byte at least.
    fn count(&mut self) -> Result<usize, Damaged> {
        let count = self.length()?;
        if count > self.rest.len() { Err(Damaged("a count is too large")) } else { Ok(count) }
    }

    fn bytes(&mut self) -> Result<&'a [u8], Damaged> {
        let length = self.length()?;
        self.take(length)
    }

    /// A number in a set: its length in one byte.
    fn number(&mut self) -> Result<StoredNumber<'a>, Damaged> {
        let length = self.take(1)?[0];
        self.take(usize::from(length)).map(StoredNumber)
    }

    /// One value, unread.
    fn value(&mut self) -> Result<RawValue<'a>, Damaged> {
        let start = self.rest;
        let tag = self.take(1)?[0];
        match tag {
            tag::NULL..=tag::TRUE => {}
            tag::LONG_STRING..=tag::BINARY_SET => {
                self.bytes()?;
            }
            tag::NUMBER..=tag::NUMBER_LAST => {
                self.take(usize::from(tag - tag::NUMBER))?;
            }
            tag::SHORT_STRING.. => {
                self.take(usize::from(tag - tag::SHORT_STRING))?;
            }
            _ => return Err(Damaged("an unknown tag")),
        }
        Ok(RawValue(&start[..start.len() - self.rest.len()]))
    }
}
