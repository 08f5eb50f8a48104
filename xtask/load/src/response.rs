//! Reading answers: how many bytes of a buffer make one HTTP/1.1 answer, and its status.

/// Longest head of an answer that is accepted, in bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// A complete answer at the start of a buffer.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Where the body begins.
    pub body_at: usize,
    /// Where the body and the answer end.
    pub end: usize,
}

/// Why bytes are not an answer that the generator understands.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Malformed {
    /// The status line is not one of HTTP/1.1.
    StatusLine,
    /// No Content-Length: neither chunked bodies nor bodies ended by closing are read.
    NoLength,
    /// The head is longer than 16 KiB.
    HeadTooLong,
}

/// Looks for one answer at the start of `bytes`; `None` while it is not complete.
pub fn parse(bytes: &[u8]) -> Result<Option<Answer>, Malformed> {
    let Some(head_end) = find(bytes, b"\r\n\r\n") else {
        return if bytes.len() > HEAD_BYTES_MAX { Err(Malformed::HeadTooLong) } else { Ok(None) };
    };
    let head = &bytes[..head_end];
    let status = status(head).ok_or(Malformed::StatusLine)?;
    let length = content_length(head).ok_or(Malformed::NoLength)?;
    let body_at = head_end + 4;
    let end = body_at.checked_add(length).ok_or(Malformed::NoLength)?;
    Ok((bytes.len() >= end).then_some(Answer { status, body_at, end }))
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn status(head: &[u8]) -> Option<u16> {
    let digits = head.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn content_length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let (name, value) = line.split_at_checked(NAME.len())?;
        if !name.eq_ignore_ascii_case(NAME) {
            return None;
        }
        std::str::from_utf8(value).ok()?.trim().parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: x\r\nCONTENT-length: 2\r\n\r\n{}";

    #[test]
    fn complete_only_with_the_last_byte() {
        for cut in 0..WHOLE.len() {
            assert_eq!(parse(&WHOLE[..cut]), Ok(None), "{cut}");
        }
        let answer = parse(WHOLE).unwrap().unwrap();
        assert_eq!((answer.status, &WHOLE[answer.body_at..answer.end]), (200, b"{}".as_slice()));
    }

    #[test]
    fn what_follows_is_not_part_of_it() {
        let two = [WHOLE, WHOLE].concat();
        assert_eq!(parse(&two).unwrap().unwrap().end, WHOLE.len());
    }

    #[test]
    fn names_what_it_does_not_read() {
        assert_eq!(parse(b"HTTP/1.0 200 OK\r\n\r\n"), Err(Malformed::StatusLine));
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"), Err(Malformed::NoLength));
        assert_eq!(parse(&[b'x'; HEAD_BYTES_MAX + 1]), Err(Malformed::HeadTooLong));
    }
}
