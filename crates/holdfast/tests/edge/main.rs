//! The edge of the real binary, spoken to byte by byte.
//!
//! # Layout
//! - [`server`]: the binary as a process, and a client that sees every byte
//! - [`wire`]: requests that are refused before they are calls, and how every answer looks
//! - [`framing`]: how bodies arrive: chunked, asked for, broken off, pipelined
//! - [`packed`]: gzip both ways
//! - [`signatures`]: `--sigv4 required`
//! - [`cors`]: pages of other sites
//! - `h2`: HTTP/2 with prior knowledge
//! - [`hostile`]: what would do harm, with a witness who is answered meanwhile
//! - [`pages`]: long reads beside short ones

mod cors;
mod framing;
mod h2;
mod hostile;
mod packed;
mod pages;
mod server;
mod signatures;
mod wire;
