//! One request at a time over a fresh connection: creating tables, waiting for the first answer, reading metrics.

use crate::item::Shape;
use crate::request::{Target, Template, render};
use crate::response::{Answer, Malformed, parse};
use anyhow::{Context as _, Result, bail};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long connecting, and each read and write, may take.
const STEP_LIMIT: Duration = Duration::from_secs(30);
/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Status and body of an answer.
pub type StatusAndBody = (u16, Vec<u8>);

/// Calls a DynamoDB operation with a JSON body.
pub fn operation(address: SocketAddr, operation: &str, body: &str) -> Result<StatusAndBody> {
    exchange(address, &render(&address.to_string(), &amz_date_now(), operation, body))
}

/// A GetItem of item number `index` of a table of [`Shape::Single`] that the generator has filled.
pub fn get_item(address: SocketAddr, table: &str, index: u64) -> Result<StatusAndBody> {
    let (host, table, amz_date) = (address.to_string(), table.into(), amz_date_now());
    let mut template = Template::get(&Target { host, table, amz_date, shape: Shape::Single });
    template.patch(index, 0);
    exchange(address, template.bytes())
}

/// A GET of `path`; a body without Content-Length is read until the connection closes.
pub fn get(address: SocketAddr, path: &str) -> Result<StatusAndBody> {
    exchange(
        address,
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes(),
    )
}

fn exchange(address: SocketAddr, request: &[u8]) -> Result<StatusAndBody> {
    let mut stream = TcpStream::connect_timeout(&address, STEP_LIMIT)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(STEP_LIMIT))?;
    stream.set_write_timeout(Some(STEP_LIMIT))?;
    stream.write_all(request)?;
    let mut received = Vec::new();
    let mut piece = [0; 16 * 1024];
    loop {
        let length = stream.read(&mut piece).context("waiting for an answer")?;
        received.extend_from_slice(&piece[..length]);
        match parse(&received) {
            Ok(Some(Answer { status, body_at, end })) => {
                return Ok((status, received[body_at..end].to_vec()));
            }
            Ok(None) if length == 0 => bail!("connection closed in the middle of an answer"),
            Err(Malformed::NoLength) if length == 0 => return until_close(&received),
            Ok(None) | Err(Malformed::NoLength) => {}
            Err(error) => bail!("not an answer: {error:?}"),
        }
        if received.len() > ANSWER_BYTES_MAX {
            bail!("answer longer than {ANSWER_BYTES_MAX} bytes");
        }
    }
}

/// An answer that was ended by closing. Where it was chunked, the chunk sizes stay in the text.
fn until_close(received: &[u8]) -> Result<StatusAndBody> {
    let head_end = received.windows(4).position(|window| window == b"\r\n\r\n").context("no end of head")?;
    let status = received.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
    let status = status.and_then(|digits| digits.parse().ok()).context("no status")?;
    Ok((status, received[head_end + 4..].to_vec()))
}

/// The time now in the form of the header X-Amz-Date.
pub fn amz_date_now() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (year, month, day) = civil(seconds / 86_400);
    let second = seconds % 86_400;
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// The calendar date of a day number since 1970-01-01.
pub fn civil(days: u64) -> (u64, u64, u64) {
    let is_leap =
        |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    let mut day = days;
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if day < length {
            break;
        }
        day -= length;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    (year, month, day + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(59), (1970, 3, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(20_781), (2026, 11, 24));
        assert_eq!(civil(20_818), (2026, 12, 31));
        assert_eq!(civil(20_819), (2027, 1, 1));
    }
}
