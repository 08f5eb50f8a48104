//! Versioned records: what is stored as the value of a key.
//!
//! A stored record is one version byte followed by its fields. A change of the fields raises [`Record::VERSION`];
//! `decode` keeps reading every older version and turns it into the present form, so old rows migrate when they are next
//! written. A version above [`Record::VERSION`] was written by a newer build and is refused.
//!
//! | field | bytes |
//! |---|---|
//! | unsigned number | LEB128: 7 bits a byte, low bits first, top bit set on all but the last; shortest form only |
//! | signed number | zigzag (0, −1, 1, −2 … become 0, 1, 2, 3 …), then as unsigned |
//! | bool | `00` or `01` |
//! | bytes, string | length as unsigned, then the bytes |
//! | option | bool, then the value if it is there |
//! | list | count as unsigned, then the elements |

/// Longest LEB128 form of a `u64` in bytes.
const VARINT_BYTES_MAX: usize = 10;

/// Why bytes are not a record of the expected type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The record was written by a newer build.
    #[error(
        "record version {found} is newer than {known}, the newest that this build can read; use a newer build"
    )]
    Newer {
        /// The version byte found.
        found: u8,
        /// The newest version that this build reads.
        known: u8,
    },
    /// The version byte is one that no build wrote.
    #[error("record version {0} does not exist")]
    NoSuchVersion(u8),
    /// The record ends inside a field.
    #[error("the record ends inside a {0}")]
    Short(&'static str),
    /// Bytes are left after the last field.
    #[error("{0} bytes are left after the last field of the record")]
    Trailing(usize),
    /// A field has bytes that the encoding never writes.
    #[error("a {0} of the record has impossible bytes")]
    Impossible(&'static str),
}

/// A type that is stored as the value of a key.
pub trait Record: Sized {
    /// The version that `encode` writes: 1 at first, + 1 with each change of the encoding. Never 0.
    const VERSION: u8;

    /// Appends the fields, without the version byte.
    fn encode(&self, out: &mut Vec<u8>);

    /// Reads the fields of a record of `version`, which is between 1 and [`Record::VERSION`]; an older one is migrated.
    ///
    /// # Errors
    /// If the bytes are not what that version's `encode` appended.
    fn decode(version: u8, bytes: &[u8]) -> Result<Self, RecordError>;

    /// The whole stored record: version byte and fields.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![Self::VERSION];
        self.encode(&mut out);
        out
    }

    /// Reads a whole stored record.
    ///
    /// # Errors
    /// If it is of a newer version, or malformed.
    fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        let (version, fields) = split_version(bytes, Self::VERSION)?;
        Self::decode(version, fields)
    }
}

/// Splits a stored record into its version, checked to be between 1 and `known`, and its fields. For codecs that read
/// fields in place instead of implementing [`Record`].
///
/// # Errors
/// If the record is empty or its version is 0 or above `known`.
pub fn split_version(bytes: &[u8], known: u8) -> Result<(u8, &[u8]), RecordError> {
    let (version, fields) = bytes.split_first().ok_or(RecordError::Short("version byte"))?;
    match *version {
        0 => Err(RecordError::NoSuchVersion(0)),
        found if found > known => Err(RecordError::Newer { found, known }),
        found => Ok((found, fields)),
    }
}

/// Appends fields to a record.
#[derive(Debug)]
pub struct FieldWriter<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> FieldWriter<'a> {
    /// Appends to `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// Appends an unsigned number.
    pub fn unsigned(&mut self, mut number: u64) -> &mut Self {
        loop {
            let low = number.to_le_bytes()[0] & 0x7F;
            number >>= 7;
            if number == 0 {
                self.out.push(low);
                return self;
            }
            self.out.push(low | 0x80);
        }
    }

    /// Appends a signed number.
    pub fn signed(&mut self, number: i64) -> &mut Self {
        self.unsigned(((number << 1) ^ (number >> 63)).cast_unsigned())
    }

    /// Appends a truth value.
    pub fn bool(&mut self, value: bool) -> &mut Self {
        self.out.push(u8::from(value));
        self
    }

    /// Appends a byte string.
    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.unsigned(value.len() as u64);
        self.out.extend_from_slice(value);
        self
    }

    /// Appends a string.
    pub fn str(&mut self, value: &str) -> &mut Self {
        self.bytes(value.as_bytes())
    }

    /// Appends an optional value; `write` appends the value itself.
    pub fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) -> &mut Self {
        self.bool(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
        self
    }

    /// Appends a list; `write` appends each element.
    pub fn list<T>(
        &mut self,
        elements: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
        mut write: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        let elements = elements.into_iter();
        self.unsigned(elements.len() as u64);
        for element in elements {
            write(self, element);
        }
        self
    }

    /// Appends a record inside this one, with its own version byte and length, so that it can change on its own.
    pub fn record(&mut self, record: &impl Record) -> &mut Self {
        self.bytes(&record.to_bytes())
    }
}

/// Reads fields of a record. Never panics and never allocates more than the record is long, whatever the bytes are.
#[derive(Debug, Clone)]
pub struct FieldReader<'a> {
    rest: &'a [u8],
}

impl<'a> FieldReader<'a> {
    /// Reads from `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn byte(&mut self, field: &'static str) -> Result<u8, RecordError> {
        let (byte, rest) = self.rest.split_first().ok_or(RecordError::Short(field))?;
        self.rest = rest;
        Ok(*byte)
    }

    /// Reads an unsigned number.
    ///
    /// # Errors
    /// If the record ends before, or the number is not in its shortest form or above `u64::MAX`.
    pub fn unsigned(&mut self) -> Result<u64, RecordError> {
        const FIELD: &str = "number";
        let mut number = 0u64;
        for position in 0..VARINT_BYTES_MAX {
            let byte = self.byte(FIELD)?;
            let bits = u64::from(byte & 0x7F);
            let shift = 7 * position;
            if (bits << shift) >> shift != bits {
                return Err(RecordError::Impossible(FIELD));
            }
            number |= bits << shift;
            if byte < 0x80 {
                let shortest = byte != 0 || position == 0;
                return if shortest { Ok(number) } else { Err(RecordError::Impossible(FIELD)) };
            }
        }
        Err(RecordError::Impossible(FIELD))
    }

    /// Reads an unsigned number that fits a smaller type.
    ///
    /// # Errors
    /// As [`FieldReader::unsigned`], or if it does not fit.
    pub fn unsigned_as<T: TryFrom<u64>>(&mut self) -> Result<T, RecordError> {
        T::try_from(self.unsigned()?).map_err(|_| RecordError::Impossible("number"))
    }

    /// Reads a signed number.
    ///
    /// # Errors
    /// As [`FieldReader::unsigned`].
    pub fn signed(&mut self) -> Result<i64, RecordError> {
        let zigzag = self.unsigned()?;
        Ok((zigzag >> 1).cast_signed() ^ -((zigzag & 1).cast_signed()))
    }

    /// Reads a truth value.
    ///
    /// # Errors
    /// If the record ends before, or the byte is neither 0 nor 1.
    pub fn bool(&mut self) -> Result<bool, RecordError> {
        match self.byte("bool")? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(RecordError::Impossible("bool")),
        }
    }

    /// Reads a byte string, borrowed from the record.
    ///
    /// # Errors
    /// If the record ends before.
    pub fn bytes(&mut self) -> Result<&'a [u8], RecordError> {
        const FIELD: &str = "string";
        let len: usize = self.unsigned_as().map_err(|error| match error {
            RecordError::Short(_) => RecordError::Short(FIELD),
            _ => RecordError::Impossible(FIELD),
        })?;
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or(RecordError::Short(FIELD))?;
        self.rest = rest;
        Ok(bytes)
    }

    /// Reads a string, borrowed from the record.
    ///
    /// # Errors
    /// If the record ends before, or it is not UTF-8.
    pub fn str(&mut self) -> Result<&'a str, RecordError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| RecordError::Impossible("string"))
    }

    /// Reads an optional value; `read` reads the value itself.
    ///
    /// # Errors
    /// As [`FieldReader::bool`], or of `read`.
    pub fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, RecordError>,
    ) -> Result<Option<T>, RecordError> {
        if self.bool()? { read(self).map(Some) } else { Ok(None) }
    }

    /// Reads a list; `read` reads each element, which must take at least one byte.
    ///
    /// # Errors
    /// As [`FieldReader::unsigned`], if the count is above the bytes left, or of `read`.
    pub fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, RecordError>,
    ) -> Result<Vec<T>, RecordError> {
        let count: usize = self.unsigned_as()?;
        if count > self.rest.len() {
            return Err(RecordError::Short("list"));
        }
        // Grows as elements are read: a count that lies must not cost memory before its elements turn out missing.
        let mut elements = Vec::new();
        for _ in 0..count {
            elements.push(read(self)?);
        }
        Ok(elements)
    }

    /// Reads a record inside this one.
    ///
    /// # Errors
    /// As [`FieldReader::bytes`] and [`Record::from_bytes`].
    pub fn record<R: Record>(&mut self) -> Result<R, RecordError> {
        R::from_bytes(self.bytes()?)
    }

    /// Ends the record.
    ///
    /// # Errors
    /// If bytes are left.
    pub fn finish(self) -> Result<(), RecordError> {
        if self.rest.is_empty() { Ok(()) } else { Err(RecordError::Trailing(self.rest.len())) }
    }
}

#[cfg(test)]
mod tests;
