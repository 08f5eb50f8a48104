//! Tokens of transactions: within ten minutes of service time the same request with the same token takes effect once.
//!
//! A token is written in the commit of the transaction that it names, so one is there exactly if the other is, whatever
//! happens in between. The tokens of a data set have a space of their own, made with the first: rows by token, rows by time for
//! those that can be forgotten, and a row that says before which time there are none, so that the search for them does not
//! begin among those that are gone. Now and then a new token takes away expired ones, some at a time, so that they do not pile
//! up and nobody else has to.

use super::fingerprint::{FINGERPRINT_BYTES, Fingerprint};
use crate::data_set::DataSet;
use holdfast_state::catalog;
use holdfast_state::error::Damage;
use holdfast_state::families::Family;
use holdfast_state::key::{Key, KeyError, KeyReader, KeyWriter};
use holdfast_state::record::{FieldReader, FieldWriter, Record, RecordError};
use holdfast_state::table::Table;
use holdfast_state::{Space, StateError};
use holdfast_store::{Read, Transaction};
use xxhash_rust::xxh3::xxh3_64;

/// How long a token is good for, in milliseconds. Source: DynamoDB API Reference, `TransactWriteItems`.
pub(crate) const WINDOW_MS: u64 = 10 * 60 * 1_000;
/// One token in so many looks for expired ones.
const FORGETS_ONE_IN: u64 = 8;
/// It takes away at most so many: several times as many as came meanwhile.
const FORGOTTEN_AT_ONCE: usize = 32;
/// Name and label of the tokens of a data set in the catalog.
const NAME: &str = "transactions";
const LABEL: &str = "tokens of transactions";

const TOKENS: Table<TokenKey, Used> = Table::new(Family::DYNAMODB_TOKEN);
const TIMES: Table<TimeKey, Mark> = Table::new(Family::DYNAMODB_TOKEN_TIME);
const START: Table<Only, Start> = Table::new(Family::DYNAMODB_TOKENS_START);

/// A token, as key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct TokenKey(String);

/// A token behind the time at which it was used.
#[derive(Debug, Clone, PartialEq, Eq)]
struct TimeKey {
    at_ms: u64,
    token: String,
}

/// The key of what is there once.
struct Only;

/// By which request a token was used.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Used {
    /// Service time.
    at_ms: u64,
    request: Fingerprint,
}

/// A row that only has to be there.
#[derive(Debug, PartialEq, Eq)]
struct Mark;

/// Before which service time there is no token.
#[derive(Debug, PartialEq, Eq)]
struct Start {
    from_ms: u64,
}

impl Key for TokenKey {
    fn write(&self, key: &mut KeyWriter) {
        key.str(&self.0);
    }

    fn read(key: &mut KeyReader<'_>) -> Result<Self, KeyError> {
        Ok(Self(key.str()?))
    }
}

impl Key for TimeKey {
    fn write(&self, key: &mut KeyWriter) {
        key.u64(self.at_ms).str(&self.token);
    }

    fn read(key: &mut KeyReader<'_>) -> Result<Self, KeyError> {
        Ok(Self { at_ms: key.u64()?, token: key.str()? })
    }
}

impl Key for Only {
    fn write(&self, _: &mut KeyWriter) {}

    fn read(_: &mut KeyReader<'_>) -> Result<Self, KeyError> {
        Ok(Self)
    }
}

impl Record for Used {
    const VERSION: u8 = 1;

    fn encode(&self, out: &mut Vec<u8>) {
        FieldWriter::new(out).unsigned(self.at_ms).bytes(&self.request.0);
    }

    fn decode(_version: u8, bytes: &[u8]) -> Result<Self, RecordError> {
        let mut fields = FieldReader::new(bytes);
        let at_ms = fields.unsigned()?;
        let request: [u8; FINGERPRINT_BYTES] =
            fields.bytes()?.try_into().map_err(|_| RecordError::Impossible("fingerprint"))?;
        fields.finish()?;
        Ok(Self { at_ms, request: Fingerprint(request) })
    }
}

impl Record for Mark {
    const VERSION: u8 = 1;

    fn encode(&self, _: &mut Vec<u8>) {}

    fn decode(_version: u8, bytes: &[u8]) -> Result<Self, RecordError> {
        FieldReader::new(bytes).finish().map(|()| Self)
    }
}

impl Record for Start {
    const VERSION: u8 = 1;

    fn encode(&self, out: &mut Vec<u8>) {
        FieldWriter::new(out).unsigned(self.from_ms);
    }

    fn decode(_version: u8, bytes: &[u8]) -> Result<Self, RecordError> {
        let mut fields = FieldReader::new(bytes);
        let from_ms = fields.unsigned()?;
        fields.finish()?;
        Ok(Self { from_ms })
    }
}

/// The tokens of a data set, if it has ever used any: who sees the same tables sees the same tokens.
pub(crate) fn space(read: &(impl Read + ?Sized), data_set: &DataSet) -> Result<Option<Space>, StateError> {
    Ok(catalog::resolve(read, &data_set.tokens(), NAME)?.map(|(space, _)| space))
}

/// A token of a request.
#[derive(Debug)]
pub(crate) struct Token {
    data_set: DataSet,
    key: TokenKey,
    request: Fingerprint,
    now_ms: u64,
}

/// What a token was used for before, within the time that it is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Earlier {
    /// For nothing.
    Nothing,
    /// For the same request, which has taken effect.
    Same,
    /// For another request, which has taken effect.
    Other,
}

impl Token {
    /// A token of a data set for a request at a service time.
    pub(crate) fn new(data_set: &DataSet, token: String, request: Fingerprint, now_ms: u64) -> Self {
        Self { data_set: data_set.clone(), key: TokenKey(token), request, now_ms }
    }

    /// What it was used for before.
    ///
    /// # Errors
    /// If a read fails or a record is unreadable.
    pub(crate) fn earlier(&self, read: &(impl Read + ?Sized)) -> Result<Earlier, StateError> {
        let Some(space) = space(read, &self.data_set)? else { return Ok(Earlier::Nothing) };
        let used = TOKENS.get(read, space, &self.key)?.map(|stored| stored.record);
        Ok(match used {
            Some(used) if !self.is_expired(used.at_ms) => {
                if used.request == self.request {
                    Earlier::Same
                } else {
                    Earlier::Other
                }
            }
            _ => Earlier::Nothing,
        })
    }

    /// A clock that was moved back makes no token older.
    fn is_expired(&self, at_ms: u64) -> bool {
        self.now_ms.saturating_sub(at_ms) >= WINDOW_MS
    }

    /// Reads ahead what [`Token::earlier`] and [`Token::keep`] will read. Failures show when they do.
    pub(crate) fn prefetch(&self, newest: &(impl Read + ?Sized)) {
        let _ = self.earlier(newest);
        if let Ok(Some(space)) = space(newest, &self.data_set) {
            let _ = START.get(newest, space, &Only);
        }
    }

    /// Notes that the request takes effect, and forgets some tokens that are expired.
    ///
    /// # Errors
    /// If the store fails or a record is unreadable.
    pub(crate) fn keep(&self, tx: &mut Transaction<'_>) -> Result<(), StateError> {
        let space = match space(tx, &self.data_set)? {
            Some(space) => space,
            None => catalog::create(tx, &self.data_set.tokens(), NAME, LABEL, &[])?,
        };
        let expired = TOKENS.get(tx, space, &self.key)?;
        if let Some(expired) = expired {
            TIMES.delete(tx, space, &self.time_key(expired.record.at_ms))?;
        }
        TOKENS.put(tx, space, &self.key, &Used { at_ms: self.now_ms, request: self.request })?;
        TIMES.put(tx, space, &self.time_key(self.now_ms), &Mark)?;
        self.forget_expired(tx, space)
    }

    fn time_key(&self, at_ms: u64) -> TimeKey {
        TimeKey { at_ms, token: self.key.0.clone() }
    }

    fn forget_expired(&self, tx: &mut Transaction<'_>, space: Space) -> Result<(), StateError> {
        let start = START.get(tx, space, &Only)?.map(|stored| stored.record.from_ms);
        // Where the clock was moved back, the new token is the first.
        let mut from_ms = start.unwrap_or(self.now_ms).min(self.now_ms);
        if self.is_expired(from_ms) && self.forgets_others() {
            let (expired, rest_from_ms) = self.expired(tx, space, from_ms)?;
            for time in expired {
                TIMES.delete(tx, space, &time)?;
                TOKENS.delete(tx, space, &TokenKey(time.token))?;
                from_ms = rest_from_ms;
            }
        }
        if start != Some(from_ms) {
            START.put(tx, space, &Only, &Start { from_ms })?;
        }
        Ok(())
    }

    /// Whether it is its turn to look for expired tokens: always the same for a token.
    fn forgets_others(&self) -> bool {
        xxh3_64(self.key.0.as_bytes()).is_multiple_of(FORGETS_ONE_IN)
    }

    /// The first tokens from a time on, as far as they are expired, and from when on the rest is.
    fn expired(
        &self,
        tx: &Transaction<'_>,
        space: Space,
        from_ms: u64,
    ) -> Result<(Vec<TimeKey>, u64), StateError> {
        // No token is empty, so this is before all of that time.
        let first = TimeKey { at_ms: from_ms, token: String::new() };
        let mut expired = Vec::new();
        for row in TIMES.scan(tx, space, &TIMES.all(), Some(&first), false).take(FORGOTTEN_AT_ONCE) {
            let (time, _) = row?;
            if !self.is_expired(time.at_ms) {
                return Ok((expired, time.at_ms));
            }
            expired.push(time);
        }
        let last_ms = expired.last().map_or(from_ms, |time| time.at_ms);
        Ok((expired, last_ms))
    }
}

/// A row of the tokens, for those who check them.
#[derive(Debug)]
pub(crate) enum Row {
    /// A token, with the service time at which it was used.
    Token { token: String, at_ms: u64 },
    /// A time, with a token that was used then.
    Time { token: String, at_ms: u64 },
    /// Where times begin.
    Start,
}

/// Reads a row of any kind.
///
/// # Errors
/// If its key or its value is none of such a row.
pub(crate) fn row(key: &[u8], payload: &[u8]) -> Result<Row, Damage> {
    if key.first() == Some(&Family::DYNAMODB_TOKEN_TIME.tag) {
        let TimeKey { at_ms, token } = TimeKey::decode(Family::DYNAMODB_TOKEN_TIME, key)?;
        let Mark = Mark::from_bytes(payload)?;
        return Ok(Row::Time { token, at_ms });
    }
    if key.first() == Some(&Family::DYNAMODB_TOKENS_START.tag) {
        let Only = Only::decode(Family::DYNAMODB_TOKENS_START, key)?;
        Start::from_bytes(payload)?;
        return Ok(Row::Start);
    }
    let TokenKey(token) = TokenKey::decode(Family::DYNAMODB_TOKEN, key)?;
    let Used { at_ms, .. } = Used::from_bytes(payload)?;
    Ok(Row::Token { token, at_ms })
}

/// Whether a token is among those of a time.
///
/// # Errors
/// If the read fails or the record is unreadable.
pub(crate) fn has_time(read: &impl Read, space: Space, token: &str, at_ms: u64) -> Result<bool, StateError> {
    let key = TimeKey { at_ms, token: token.to_owned() };
    Ok(TIMES.get(read, space, &key)?.is_some())
}

/// When a token was used, if it is there, and when times begin, if that is said.
///
/// # Errors
/// If a read fails or a record is unreadable.
pub(crate) fn times_of(
    read: &impl Read,
    space: Space,
    token: &str,
) -> Result<(Option<u64>, Option<u64>), StateError> {
    let used = TOKENS.get(read, space, &TokenKey(token.to_owned()))?;
    let start = START.get(read, space, &Only)?;
    Ok((used.map(|used| used.record.at_ms), start.map(|start| start.record.from_ms)))
}

#[cfg(test)]
mod tests;
