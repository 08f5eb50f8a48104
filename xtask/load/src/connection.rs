//! One keep-alive connection with at most one request under way.

use crate::response::{Answer, parse};
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Size of the buffer for answers at first; it grows for longer ones, up to `ANSWER_BYTES_MAX`.
const BUFFER_BYTES: usize = 8 * 1024;
/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What was sent, so that the answer can be judged and timed.
#[derive(Clone, Copy)]
pub struct Sent {
    /// When sending began.
    pub at: Instant,
    /// What the answer must hold.
    pub expects: Expects,
}

/// What an answer must hold beside the status 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expects {
    /// Nothing.
    Success,
    /// An item.
    Item,
    /// Nothing that was left undone.
    Batch,
    /// All items of a group.
    Group,
    /// A page of a walk over the table.
    Page,
}

/// An answer that arrived whole.
pub struct Finished<'a> {
    /// What it answers.
    pub sent: Sent,
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: &'a [u8],
}

/// A connection registered with a poll under its token.
pub struct Connection {
    stream: TcpStream,
    token: Token,
    outgoing: Vec<u8>,
    written: usize,
    incoming: Vec<u8>,
    filled: usize,
    under_way: Option<Sent>,
}

impl Connection {
    /// Connects, waiting at most 10 s, and registers for reading.
    pub fn open(address: SocketAddr, registry: &Registry, token: Token) -> io::Result<Connection> {
        let stream = std::net::TcpStream::connect_timeout(&address, Duration::from_secs(10))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        registry.register(&mut stream, token, Interest::READABLE)?;
        Ok(Connection {
            stream,
            token,
            outgoing: Vec::new(),
            written: 0,
            incoming: vec![0; BUFFER_BYTES],
            filled: 0,
            under_way: None,
        })
    }

    /// Whether an answer is awaited.
    pub fn is_waiting(&self) -> bool {
        self.under_way.is_some()
    }

    /// Sends a request. None may be under way.
    pub fn send(&mut self, request: &[u8], sent: Sent, registry: &Registry) -> io::Result<()> {
        debug_assert!(self.under_way.is_none(), "one request at a time");
        self.under_way = Some(sent);
        self.filled = 0;
        match self.stream.write(request) {
            Ok(length) if length == request.len() => return Ok(()),
            Ok(length) => self.keep_rest(&request[length..]),
            Err(error) if is_not_ready(&error) => self.keep_rest(request),
            Err(error) => return Err(error),
        }
        // Rare: a request is far smaller than a socket's buffer, so writing is waited for only when needed.
        registry.reregister(&mut self.stream, self.token, Interest::READABLE | Interest::WRITABLE)
    }

    fn keep_rest(&mut self, rest: &[u8]) {
        self.outgoing.clear();
        self.outgoing.extend_from_slice(rest);
        self.written = 0;
    }

    /// Goes on after readiness was reported; an answer once it is whole.
    ///
    /// Readiness is edge-triggered, yet the socket is not read until it is empty: after a whole answer nothing more
    /// can arrive before the next request, and what arrives then is a new edge. That saves a system call a request.
    pub fn advance(&mut self) -> io::Result<Option<Finished<'_>>> {
        self.write_rest()?;
        let answer = loop {
            if self.filled == self.incoming.len() {
                self.grow()?;
            }
            match self.stream.read(&mut self.incoming[self.filled..]) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(length) => self.filled += length,
                Err(error) if is_not_ready(&error) => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            if let Some(answer) = self.whole_answer()? {
                break answer;
            }
        };
        let Some(sent) = self.under_way.take() else { return Ok(None) };
        Ok(Some(Finished { sent, status: answer.status, body: &self.incoming[answer.body_at..answer.end] }))
    }

    fn whole_answer(&self) -> io::Result<Option<Answer>> {
        let unexpected = |what: String| io::Error::new(ErrorKind::InvalidData, what);
        if self.under_way.is_none() {
            return Err(unexpected("bytes without a request".into()));
        }
        match parse(&self.incoming[..self.filled]) {
            Ok(Some(answer)) if answer.end < self.filled => Err(unexpected("bytes after the answer".into())),
            Ok(found) => Ok(found),
            Err(malformed) => Err(unexpected(format!("not an answer: {malformed:?}"))),
        }
    }

    fn write_rest(&mut self) -> io::Result<()> {
        while self.written < self.outgoing.len() {
            match self.stream.write(&self.outgoing[self.written..]) {
                Ok(length) => self.written += length,
                Err(error) if is_not_ready(&error) => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn grow(&mut self) -> io::Result<()> {
        if self.incoming.len() >= ANSWER_BYTES_MAX {
            return Err(io::Error::new(ErrorKind::InvalidData, "answer too long"));
        }
        self.incoming.resize(self.incoming.len() * 2, 0);
        Ok(())
    }
}

fn is_not_ready(error: &io::Error) -> bool {
    error.kind() == ErrorKind::WouldBlock
}

#[cfg(test)]
mod tests {
    use super::*;
    use mio::{Events, Poll};
    use std::net::TcpListener;

    /// Feeds an answer in pieces, then closes.
    fn exchange(pieces: &[&[u8]]) -> io::Result<(u16, Vec<u8>)> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let mut poll = Poll::new()?;
        let mut connection = Connection::open(listener.local_addr()?, poll.registry(), Token(0))?;
        let (mut peer, _) = listener.accept()?;
        connection.send(b"question", Sent { at: Instant::now(), expects: Expects::Item }, poll.registry())?;
        assert!(connection.is_waiting());
        let mut question = [0; 8];
        peer.read_exact(&mut question)?;
        assert_eq!(&question, b"question");
        let mut events = Events::with_capacity(4);
        for piece in pieces {
            peer.write_all(piece)?;
            poll.poll(&mut events, Some(Duration::from_secs(10)))?;
            if let Some(finished) = connection.advance()? {
                return Ok((finished.status, finished.body.to_vec()));
            }
        }
        drop(peer);
        loop {
            poll.poll(&mut events, Some(Duration::from_secs(10)))?;
            if let Some(finished) = connection.advance()? {
                return Ok((finished.status, finished.body.to_vec()));
            }
        }
    }

    #[test]
    fn an_answer_in_pieces() {
        let found = exchange(&[b"HTTP/1.1 200 OK\r\nContent-Le", b"ngth: 4\r\n\r\nab", b"cd"]).unwrap();
        assert_eq!(found, (200, b"abcd".to_vec()));
    }

    #[test]
    fn an_answer_longer_than_the_buffer() {
        let body = vec![b'x'; 3 * BUFFER_BYTES];
        let answer =
            [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), &body].concat();
        assert_eq!(exchange(&[&answer]).unwrap(), (200, body));
    }

    #[test]
    fn closing_and_extra_bytes_are_errors() {
        let closed = exchange(&[b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab"]).unwrap_err();
        assert_eq!(closed.kind(), ErrorKind::UnexpectedEof);
        let extra = exchange(&[b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab"]).unwrap_err();
        assert_eq!(extra.kind(), ErrorKind::InvalidData);
    }
}
