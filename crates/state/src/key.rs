//! Order-preserving composite keys.
//!
//! A key is its family's tag byte followed by its parts. Comparing two encoded keys of one family byte by byte gives
//! the order of the parts, first part first. Every part ends where its own bytes say so, so a key that was cut after
//! some parts is a prefix of exactly the keys that start with those parts.
//!
//! | part | bytes |
//! |---|---|
//! | `u8`, `u16`, `u32`, `u64` | big-endian |
//! | `i64` | big-endian with the sign bit flipped |
//! | `bool` | `00` or `01` |
//! | string, bytes | each `00` becomes `00 FF`; ends with `00 01` |
//! | raw | as given; only as the last part |
//!
//! The terminator `00 01` is less than an escaped zero `00 FF` and than any other byte, so a string sorts before every
//! longer string that it starts. Other bytes after `00` are not an encoding and are refused when read.

use crate::families::Family;

/// Marks the end of a string after a zero byte.
const END: u8 = 0x01;
/// Stands for a zero byte of the string after a zero byte.
const ESCAPED_ZERO: u8 = 0xFF;
/// Flips the order of the sign bit of an `i64`.
const SIGN: u64 = 1 << 63;

/// Why bytes are not a key of the expected form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The key ends inside a part.
    #[error("the key ends inside a {0}")]
    Short(&'static str),
    /// Bytes are left after the last part.
    #[error("{0} bytes are left after the last part of the key")]
    Trailing(usize),
    /// A byte has a value that the encoding never writes there.
    #[error("byte {byte:#04x} is not possible in a {part}")]
    Impossible {
        /// The kind of part.
        part: &'static str,
        /// The byte found.
        byte: u8,
    },
    /// A string is not UTF-8.
    #[error("a string of the key is not UTF-8")]
    NotUtf8,
    /// The key belongs to another family.
    #[error("the key starts with tag {found:#04x}, family {family} has {expected:#04x}")]
    OtherFamily {
        /// Name of the expected family.
        family: &'static str,
        /// Tag of the expected family.
        expected: u8,
        /// First byte of the key.
        found: u8,
    },
}

/// A type that is stored as a key, or as a part of one.
pub trait Key: Sized {
    /// Appends the parts.
    fn write(&self, key: &mut KeyWriter);
    /// Reads the parts back.
    ///
    /// # Errors
    /// If the bytes are not what `write` appends.
    fn read(key: &mut KeyReader<'_>) -> Result<Self, KeyError>;

    /// The whole encoded key in a family.
    fn encode(&self, family: Family) -> Vec<u8> {
        let mut key = KeyWriter::new(family);
        self.write(&mut key);
        key.finish()
    }

    /// Reads a whole encoded key of a family.
    ///
    /// # Errors
    /// If the key is of another family, malformed, or has bytes left over.
    fn decode(family: Family, bytes: &[u8]) -> Result<Self, KeyError> {
        let mut reader = KeyReader::new(family, bytes)?;
        let key = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(key)
    }
}

/// Builds a key part by part.
#[derive(Debug, Clone)]
pub struct KeyWriter {
    bytes: Vec<u8>,
}

impl KeyWriter {
    /// Starts a key of a family.
    #[must_use]
    pub fn new(family: Family) -> Self {
        Self::with_capacity(family, 64)
    }

    /// Starts a key of a family with room for `capacity` bytes.
    #[must_use]
    pub fn with_capacity(family: Family, capacity: usize) -> Self {
        let mut bytes = Vec::with_capacity(capacity.max(1));
        bytes.push(family.tag);
        Self { bytes }
    }

    /// Appends a byte.
    pub fn u8(&mut self, part: u8) -> &mut Self {
        self.bytes.push(part);
        self
    }

    /// Appends a 16-bit number.
    pub fn u16(&mut self, part: u16) -> &mut Self {
        self.bytes.extend_from_slice(&part.to_be_bytes());
        self
    }

    /// Appends a 32-bit number.
    pub fn u32(&mut self, part: u32) -> &mut Self {
        self.bytes.extend_from_slice(&part.to_be_bytes());
        self
    }

    /// Appends a 64-bit number.
    pub fn u64(&mut self, part: u64) -> &mut Self {
        self.bytes.extend_from_slice(&part.to_be_bytes());
        self
    }

    /// Appends a signed 64-bit number.
    pub fn i64(&mut self, part: i64) -> &mut Self {
        self.u64(part.cast_unsigned() ^ SIGN)
    }

    /// Appends a truth value; false sorts first.
    pub fn bool(&mut self, part: bool) -> &mut Self {
        self.u8(u8::from(part))
    }

    /// Appends a string; strings sort by their UTF-8 bytes.
    pub fn str(&mut self, part: &str) -> &mut Self {
        self.bytes(part.as_bytes())
    }

    /// Appends a byte string of any length.
    pub fn bytes(&mut self, part: &[u8]) -> &mut Self {
        let mut rest = part;
        while let Some(zero) = rest.iter().position(|byte| *byte == 0) {
            self.bytes.extend_from_slice(&rest[..=zero]);
            self.bytes.push(ESCAPED_ZERO);
            rest = &rest[zero + 1..];
        }
        self.bytes.extend_from_slice(rest);
        self.bytes.extend_from_slice(&[0, END]);
        self
    }

    /// Appends bytes as they are. They must keep order by themselves and nothing may follow them, unless their length
    /// is fixed.
    pub fn raw(&mut self, part: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(part);
        self
    }

    /// Appends a typed key or part.
    pub fn part(&mut self, part: &impl Key) -> &mut Self {
        part.write(self);
        self
    }

    /// The encoded key.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// The encoded parts so far as a prefix: the range of all keys that start with them.
    #[must_use]
    pub fn prefix(self) -> Prefix {
        Prefix { bytes: self.bytes }
    }
}

/// Reads a key part by part. Never panics, whatever the bytes are.
#[derive(Debug, Clone)]
pub struct KeyReader<'a> {
    rest: &'a [u8],
}

impl<'a> KeyReader<'a> {
    /// Starts after the tag of a family.
    ///
    /// # Errors
    /// If the key is empty or of another family.
    pub fn new(family: Family, bytes: &'a [u8]) -> Result<Self, KeyError> {
        let (tag, rest) = bytes.split_first().ok_or(KeyError::Short("family tag"))?;
        if *tag != family.tag {
            return Err(KeyError::OtherFamily { family: family.name, expected: family.tag, found: *tag });
        }
        Ok(Self { rest })
    }

    fn array<const N: usize>(&mut self, part: &'static str) -> Result<[u8; N], KeyError> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(KeyError::Short(part))?;
        self.rest = rest;
        Ok(*head)
    }

    /// Reads a byte.
    ///
    /// # Errors
    /// If the key ends before.
    pub fn u8(&mut self) -> Result<u8, KeyError> {
        let [byte] = self.array("u8")?;
        Ok(byte)
    }

    /// Reads a 16-bit number.
    ///
    /// # Errors
    /// If the key ends before.
    pub fn u16(&mut self) -> Result<u16, KeyError> {
        self.array("u16").map(u16::from_be_bytes)
    }

    /// Reads a 32-bit number.
    ///
    /// # Errors
    /// If the key ends before.
    pub fn u32(&mut self) -> Result<u32, KeyError> {
        self.array("u32").map(u32::from_be_bytes)
    }

    /// Reads a 64-bit number.
    ///
    /// # Errors
    /// If the key ends before.
    pub fn u64(&mut self) -> Result<u64, KeyError> {
        self.array("u64").map(u64::from_be_bytes)
    }

    /// Reads a signed 64-bit number.
    ///
    /// # Errors
    /// If the key ends before.
    pub fn i64(&mut self) -> Result<i64, KeyError> {
        let bits = self.array("i64").map(u64::from_be_bytes)?;
        Ok((bits ^ SIGN).cast_signed())
    }

    /// Reads a truth value.
    ///
    /// # Errors
    /// If the key ends before, or the byte is neither 0 nor 1.
    pub fn bool(&mut self) -> Result<bool, KeyError> {
        match self.array("bool")? {
            [0] => Ok(false),
            [1] => Ok(true),
            [byte] => Err(KeyError::Impossible { part: "bool", byte }),
        }
    }

    /// Reads a string.
    ///
    /// # Errors
    /// If it is not terminated, wrongly escaped or not UTF-8.
    pub fn str(&mut self) -> Result<String, KeyError> {
        String::from_utf8(self.bytes()?).map_err(|_| KeyError::NotUtf8)
    }

    /// Reads a byte string.
    ///
    /// # Errors
    /// If it is not terminated or wrongly escaped.
    pub fn bytes(&mut self) -> Result<Vec<u8>, KeyError> {
        const PART: &str = "string";
        let mut found = Vec::new();
        loop {
            let zero = self.rest.iter().position(|byte| *byte == 0).ok_or(KeyError::Short(PART))?;
            let mark = *self.rest.get(zero + 1).ok_or(KeyError::Short(PART))?;
            found.extend_from_slice(&self.rest[..zero]);
            self.rest = &self.rest[zero + 2..];
            match mark {
                END => return Ok(found),
                ESCAPED_ZERO => found.push(0),
                byte => return Err(KeyError::Impossible { part: PART, byte }),
            }
        }
    }

    /// Passes over a byte string without copying it.
    ///
    /// # Errors
    /// As [`KeyReader::bytes`].
    pub fn skip_bytes(&mut self) -> Result<(), KeyError> {
        const PART: &str = "string";
        loop {
            let zero = self.rest.iter().position(|byte| *byte == 0).ok_or(KeyError::Short(PART))?;
            let mark = *self.rest.get(zero + 1).ok_or(KeyError::Short(PART))?;
            self.rest = &self.rest[zero + 2..];
            match mark {
                END => return Ok(()),
                ESCAPED_ZERO => {}
                byte => return Err(KeyError::Impossible { part: PART, byte }),
            }
        }
    }

    /// Everything that is left, as it is.
    pub fn raw(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// Ends the key.
    ///
    /// # Errors
    /// If bytes are left.
    pub fn finish(self) -> Result<(), KeyError> {
        if self.rest.is_empty() { Ok(()) } else { Err(KeyError::Trailing(self.rest.len())) }
    }
}

macro_rules! key_part {
    ($($type:ty => $method:ident),*) => { $(
        impl Key for $type {
            fn write(&self, key: &mut KeyWriter) {
                key.$method(*self);
            }
            fn read(key: &mut KeyReader<'_>) -> Result<Self, KeyError> {
                key.$method()
            }
        }
    )* };
}
key_part!(u8 => u8, u16 => u16, u32 => u32, u64 => u64, i64 => i64, bool => bool);

impl Key for String {
    fn write(&self, key: &mut KeyWriter) {
        key.str(self);
    }
    fn read(key: &mut KeyReader<'_>) -> Result<Self, KeyError> {
        key.str()
    }
}

impl Key for Vec<u8> {
    fn write(&self, key: &mut KeyWriter) {
        key.bytes(self);
    }
    fn read(key: &mut KeyReader<'_>) -> Result<Self, KeyError> {
        key.bytes()
    }
}

impl<A: Key, B: Key> Key for (A, B) {
    fn write(&self, key: &mut KeyWriter) {
        key.part(&self.0).part(&self.1);
    }
    fn read(key: &mut KeyReader<'_>) -> Result<Self, KeyError> {
        Ok((A::read(key)?, B::read(key)?))
    }
}

impl<A: Key, B: Key, C: Key> Key for (A, B, C) {
    fn write(&self, key: &mut KeyWriter) {
        key.part(&self.0).part(&self.1).part(&self.2);
    }
    fn read(key: &mut KeyReader<'_>) -> Result<Self, KeyError> {
        Ok((A::read(key)?, B::read(key)?, C::read(key)?))
    }
}

/// All keys that start with the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    bytes: Vec<u8>,
}

impl Prefix {
    /// The common bytes, which are also the inclusive lower bound.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The exclusive upper bound, or `None` if there is no key above (the prefix consists of `FF` only).
    #[must_use]
    pub fn end(&self) -> Option<Vec<u8>> {
        successor(&self.bytes)
    }
}

/// The least key that is greater than every key with this prefix, or `None` if there is none.
#[must_use]
pub fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xFF)?;
    let mut next = prefix[..=last].to_vec();
    next[last] += 1;
    Some(next)
}

#[cfg(test)]
mod tests;
