//! Varints, and a reader and writer for the store's own records.

/// Appends an LEB128 varint.
pub(crate) fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads an LEB128 varint; returns it and how many bytes it took.
pub(crate) fn read_varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        let part = u64::from(byte & 0x7f);
        let shift = 7 * index;
        if index == 9 && part > 1 {
            return None;
        }
        value |= part << shift;
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

/// Appends bytes with their length before them.
pub(crate) fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    push_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Reads a record field by field. Every error says that the record is damaged, and where.
pub(crate) struct FieldReader<'a> {
    what: &'static str,
    rest: &'a [u8],
}

impl<'a> FieldReader<'a> {
    /// Starts on a record named `what`, whose first byte must be `version`.
    pub(crate) fn new(what: &'static str, version: u8, bytes: &'a [u8]) -> Result<Self, String> {
        match bytes.split_first() {
            Some((found, rest)) if *found == version => Ok(Self { what, rest }),
            Some((found, _)) => {
                Err(format!("a {what} record of version {found}; this build knows {version}"))
            }
            None => Err(format!("an empty {what} record")),
        }
    }

    fn short(&self) -> String {
        format!("a {} record ends too early", self.what)
    }

    pub(crate) fn varint(&mut self) -> Result<u64, String> {
        let (value, used) = read_varint(self.rest).ok_or_else(|| self.short())?;
        self.rest = &self.rest[used..];
        Ok(value)
    }

    pub(crate) fn signed(&mut self) -> Result<i64, String> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], String> {
        let len = usize::try_from(self.varint()?).map_err(|_| self.short())?;
        let (head, tail) = self.rest.split_at_checked(len).ok_or_else(|| self.short())?;
        self.rest = tail;
        Ok(head)
    }

    pub(crate) fn text(&mut self) -> Result<Box<str>, String> {
        let what = self.what;
        std::str::from_utf8(self.bytes()?)
            .map(Into::into)
            .map_err(|_| format!("a {what} record has a text that is not UTF-8"))
    }

    pub(crate) fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// Ends reading: nothing may be left over.
    pub(crate) fn done(self) -> Result<(), String> {
        if self.rest.is_empty() { Ok(()) } else { Err(format!("a {} record is too long", self.what)) }
    }
}

/// Appends a signed number in zigzag form.
pub(crate) fn push_signed(out: &mut Vec<u8>, value: i64) {
    push_varint(out, ((value << 1) ^ (value >> 63)) as u64);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_round_trip(value in any::<u64>(), signed in any::<i64>()) {
            let mut out = vec![1];
            push_varint(&mut out, value);
            push_signed(&mut out, signed);
            let mut fields = FieldReader::new("test", 1, &out).expect("version");
            prop_assert_eq!(fields.varint(), Ok(value));
            prop_assert_eq!(fields.signed(), Ok(signed));
            prop_assert!(fields.is_done());
        }
    }
}
