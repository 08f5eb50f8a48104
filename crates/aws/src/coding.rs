//! Content codings: bodies that are sent packed, both ways. DynamoDB knows gzip in requests, gzip and deflate in answers.
//!
//! Source of the rules: public tests that run against DynamoDB as well as against another server, and for checksums the SDKs, which
//! check `x-amz-crc32` over the bytes as they are sent.

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::{GzEncoder, ZlibEncoder};
use std::io::{self, BufRead, Read, Write};

/// Smallest answer that is packed, in bytes. Source: tests of DynamoDB, see above.
pub const PACKED_BYTES_MIN: usize = 4_096;
/// Bytes that are unpacked at a time.
const PIECE_BYTES: usize = 64 << 10;

/// A coding of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// gzip
    Gzip,
    /// zlib's format, which HTTP calls deflate.
    Deflate,
}

impl Coding {
    /// As `Content-Encoding` says it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
        }
    }

    /// The coding that a client prefers, from its `Accept-Encoding`; `None` if it takes neither, or says nothing of the
    /// kind. `identity` is not looked at.
    #[must_use]
    pub fn accepted(header: &str) -> Option<Self> {
        let mut named: Vec<(Self, f32)> = Vec::new();
        let mut any = 0.0;
        for entry in header.split(',') {
            let mut parts = entry.split(';');
            let name = parts.next().unwrap_or("").trim();
            let quality = parts.find_map(quality).unwrap_or(1.0);
            if name == "*" {
                any = quality;
            } else if let Some(coding) = [Self::Gzip, Self::Deflate]
                .into_iter()
                .find(|coding| name.eq_ignore_ascii_case(coding.name()))
            {
                named.push((coding, quality));
            }
        }
        // Of equal ones the first counts; what is named, before what `*` stands for.
        let mut best: Option<(Self, f32)> = None;
        for (coding, quality) in &named {
            if *quality > best.map_or(0.0, |(_, quality)| quality) {
                best = Some((*coding, *quality));
            }
        }
        let other = [Self::Gzip, Self::Deflate]
            .into_iter()
            .find(|coding| named.iter().all(|(named, _)| named != coding));
        match other {
            Some(other) if any > best.map_or(0.0, |(_, quality)| quality) => Some(other),
            _ => best.map(|(coding, _)| coding),
        }
    }

    /// Packs an answer: quickly rather than small.
    ///
    /// # Errors
    /// Never: memory is written to.
    pub fn pack(self, body: &[u8]) -> io::Result<Vec<u8>> {
        let out = Vec::with_capacity(body.len() / 4);
        match self {
            Self::Gzip => {
                let mut encoder = GzEncoder::new(out, Compression::fast());
                encoder.write_all(body)?;
                encoder.finish()
            }
            Self::Deflate => {
                let mut encoder = ZlibEncoder::new(out, Compression::fast());
                encoder.write_all(body)?;
                encoder.finish()
            }
        }
    }
}

/// The `q` of an entry, from 0 to 1. What is no number counts as 1.
fn quality(parameter: &str) -> Option<f32> {
    let (name, value) = parameter.split_once('=')?;
    if name.trim() != "q" {
        return None;
    }
    let quality: f32 = value.trim().parse().unwrap_or(1.0);
    Some(if quality.is_nan() { 1.0 } else { quality.clamp(0.0, 1.0) })
}

/// Why a body is not unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnpackError<E> {
    /// It is not gzip, or breaks off.
    #[error("the body is not gzip")]
    Broken,
    /// It may not grow any further.
    #[error("the body grows too large")]
    Refused(E),
}

/// Unpacks a request's body. Several gzip streams one after the other are one body; what follows them and is none is left
/// out, as DynamoDB does. `may_grow` is asked before the body grows to a number of bytes.
///
/// # Errors
/// If it is not gzip, or `may_grow` refuses.
pub fn unpack<E>(
    packed: &[u8],
    mut may_grow: impl FnMut(usize) -> Result<(), E>,
) -> Result<Vec<u8>, UnpackError<E>> {
    let mut rest = packed;
    let mut out = Vec::new();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let mut decoder = GzDecoder::new(rest);
        loop {
            let read = decoder.read(&mut piece).map_err(|_| UnpackError::Broken)?;
            if read == 0 {
                break;
            }
            may_grow(out.len() + read).map_err(UnpackError::Refused)?;
            out.extend_from_slice(&piece[..read]);
        }
        rest = decoder.into_inner();
        let next = rest.fill_buf().map_err(|_| UnpackError::Broken)?;
        if !next.starts_with(&[0x1f, 0x8b]) {
            return Ok(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::convert::Infallible;

    fn any_size(_: usize) -> Result<(), Infallible> {
        Ok(())
    }

    /// Source: the public tests named above, each of whose values DynamoDB answers as it stands here.
    #[test]
    fn preferences_are_those_of_dynamodb() {
        let gzip = [
            "gzip, deflate",
            "GZIP, identity",
            "dog, gzip ,, cat",
            "gzip;q=0.8, deflate;q=0.5",
            "*",
            "*, deflate;q=0.5",
            "*, identity",
            "*;q=0.5,identity",
            "gzip;q=0.5,identity;q=0.8",
            "deflate;q=0.5, gzip;q=31",
            "gzip;q=31,deflate;q=51",
            "deflate;q=0.5, gzip;q=1;q=0.2",
            "deflate;q=0.5,gzip;q=0.x",
            "deflate;q=-0.5,gzip;q=0.2",
            "gzip;q=0, gzip;q=1, gzip;q=0",
            "br,identity;q=0.5,gzip;q=0.0001",
        ];
        let deflate = [
            "br, identity, deflate, gzip",
            "br, gzip;q=0, deflate; q = 0.5 , identity;q=0",
            "*, deflate",
            "*, gzip;q=0.5",
            "deflate;q=0.5, gzip;q=0.2",
            "deflate;q=0.5,gzip;q=0.",
        ];
        let neither = [
            "",
            "identity",
            "br",
            "zstd",
            "compress",
            "x-gzip",
            "gzip ;q=0",
            "identity;q=0",
            "*;q=0",
            "br;q=0.8,identity;q=0.5,*;q=0",
            "\"gzip\"",
            "gzip br",
            "gzip:q=1",
            "gzip;nq=1;q=0 ",
        ];
        for (headers, expected) in
            [(&gzip[..], Some(Coding::Gzip)), (&deflate, Some(Coding::Deflate)), (&neither, None)]
        {
            for header in headers {
                assert_eq!(Coding::accepted(header), expected, "{header:?}");
            }
        }
    }

    #[test]
    fn what_is_no_gzip_or_grows_too_large_is_refused() {
        let packed = Coding::Gzip.pack(&vec![b' '; 1 << 20]).expect("packs");
        for broken in [&b""[..], b"{}", &packed[..packed.len() - 1], &packed[1..]] {
            assert_eq!(unpack(broken, any_size), Err(UnpackError::Broken));
        }
        let mut largest = 0;
        let refused = unpack(&packed, |size| {
            largest = size;
            if size > 300_000 { Err("large") } else { Ok(()) }
        });
        assert_eq!(refused, Err(UnpackError::Refused("large")));
        assert!(largest <= 300_000 + PIECE_BYTES, "it stops at once");
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..4), junk in "[a-z]{0,5}") {
            let mut packed: Vec<u8> =
                bodies.iter().flat_map(|body| Coding::Gzip.pack(body).expect("packs")).collect();
            packed.extend_from_slice(junk.as_bytes());
            prop_assert_eq!(unpack(&packed, any_size), Ok(bodies.concat()));
            let mut inflated = Vec::new();
            let deflated = Coding::Deflate.pack(&bodies[0]).expect("packs");
            flate2::read::ZlibDecoder::new(&deflated[..]).read_to_end(&mut inflated).expect("inflates");
            prop_assert_eq!(&inflated, &bodies[0]);
        }

        #[test]
        fn any_body_and_header_is_an_answer(body in proptest::collection::vec(any::<u8>(), 0..100), header in "[a-z*;=,.0-9 -]{0,30}") {
            let _ = unpack(&body, any_size);
            let _ = unpack(&[&[0x1f, 0x8b, 8, 0][..], &body].concat(), any_size);
            let _ = Coding::accepted(&header);
        }
    }
}
