use super::*;
use holdfast_store::{CommitInfo, Operation, Options, Snapshot, Store, Verdict};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Keeps a token, unless it was used before.
struct Use {
    token: Token,
    earlier: Option<Earlier>,
}

impl Operation for Use {
    fn info(&self) -> CommitInfo {
        CommitInfo { service: "test", operation: "Use", ..CommitInfo::default() }
    }

    fn prefetch(&self, newest: &Snapshot) {
        self.token.prefetch(newest);
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Verdict {
        let earlier = self.token.earlier(tx).unwrap();
        if earlier == Earlier::Nothing {
            self.token.keep(tx).unwrap();
        }
        self.earlier = Some(earlier);
        Verdict::Keep
    }
}

fn token(text: &str, request: u8, now_ms: u64) -> Token {
    Token::new(&DataSet::shared(), text.to_owned(), Fingerprint([request; FINGERPRINT_BYTES]), now_ms)
}

fn use_token(store: &Store, text: &str, request: u8, now_ms: u64) -> Earlier {
    let (done, outcome) = store.execute(Use { token: token(text, request, now_ms), earlier: None });
    outcome.unwrap();
    done.earlier.unwrap()
}

fn store() -> Store {
    Store::open(Options::in_memory()).unwrap()
}

/// Tokens by their times as both kinds of rows have them, and where the times begin.
fn rows(store: &Store) -> (BTreeMap<String, u64>, BTreeMap<String, u64>, Option<u64>) {
    let now = store.snapshot();
    let Some(space) = space(&now, &DataSet::shared()).unwrap() else { return Default::default() };
    let tokens = TOKENS.scan(&now, space, &TOKENS.all(), None, false);
    let tokens = tokens.map(Result::unwrap).map(|(key, used)| (key.0, used.record.at_ms)).collect();
    let times = TIMES.scan(&now, space, &TIMES.all(), None, false);
    let times: Vec<_> = times.map(Result::unwrap).map(|(key, _)| (key.token, key.at_ms)).collect();
    let by_token: BTreeMap<_, _> = times.iter().cloned().collect();
    assert_eq!(times.len(), by_token.len());
    (tokens, by_token, START.get(&now, space, &Only).unwrap().map(|start| start.record.from_ms))
}

#[test]
fn bytes_are_fixed() {
    let used = Used { at_ms: 300, request: Fingerprint([7; FINGERPRINT_BYTES]) };
    let bytes = used.to_bytes();
    assert_eq!(bytes, [&b"\x01\xAC\x02\x10"[..], &[7; 16]].concat());
    assert_eq!(Used::from_bytes(&bytes), Ok(used));
    assert_eq!(Used::from_bytes(b"\x01\x00\x01\x07"), Err(RecordError::Impossible("fingerprint")));
    assert_eq!((Mark.to_bytes(), Mark::from_bytes(b"\x01")), (vec![1], Ok(Mark)));
    assert_eq!(Start { from_ms: 300 }.to_bytes(), b"\x01\xAC\x02");
    assert_eq!(TokenKey("t".to_owned()).encode(Family::DYNAMODB_TOKEN), b"\x01t\x00\x01");
    let time = TimeKey { at_ms: 300, token: "t".to_owned() };
    assert_eq!(time.encode(Family::DYNAMODB_TOKEN_TIME), b"\x02\x00\x00\x00\x00\x00\x00\x01\x2Ct\x00\x01");
    assert_eq!(Only.encode(Family::DYNAMODB_TOKENS_START), b"\x03");
}

#[test]
fn a_token_is_good_for_ten_minutes() {
    let store = store();
    assert_eq!(use_token(&store, "a", 1, 1_000), Earlier::Nothing);
    assert_eq!(use_token(&store, "a", 1, 1_000), Earlier::Same);
    assert_eq!(use_token(&store, "a", 2, 1_000), Earlier::Other);
    assert_eq!(use_token(&store, "b", 1, 1_000), Earlier::Nothing);
    // A clock that was moved back changes nothing.
    assert_eq!(use_token(&store, "a", 1, 0), Earlier::Same);
    // The time is that of the first use.
    assert_eq!(use_token(&store, "a", 1, 1_000 + WINDOW_MS - 1), Earlier::Same);
    assert_eq!(use_token(&store, "a", 2, 1_000 + WINDOW_MS), Earlier::Nothing);
    assert_eq!(use_token(&store, "a", 2, 1_000 + WINDOW_MS), Earlier::Same);
    assert_eq!(use_token(&store, "a", 1, 1_000 + WINDOW_MS), Earlier::Other);
}

#[test]
fn accounts_have_tokens_of_their_own() {
    let store = store();
    assert_eq!(use_token(&store, "a", 1, 0), Earlier::Nothing);
    let other = Token { data_set: DataSet::new("1", ""), ..token("a", 1, 0) };
    assert_eq!(other.earlier(&store.snapshot()).unwrap(), Earlier::Nothing);
}

#[test]
fn a_repeat_changes_nothing() {
    let store = store();
    use_token(&store, "a", 1, 0);
    let version = store.snapshot().version();
    assert_eq!(use_token(&store, "a", 1, 5), Earlier::Same);
    assert_eq!(use_token(&store, "a", 2, 5), Earlier::Other);
    assert_eq!(store.snapshot().version(), version);
}

#[test]
fn expired_tokens_do_not_pile_up() {
    let store = store();
    for at in 0..2_000_u64 {
        // A hundred in the window at any time.
        use_token(&store, &format!("token {at}"), 1, at * WINDOW_MS / 100);
        let (tokens, times, start) = rows(&store);
        // Beside those, as many as come until one takes others away.
        assert!(tokens.len() <= 160, "{} tokens", tokens.len());
        assert!(times.values().all(|time| *time >= start.unwrap()));
        assert_eq!(tokens, times);
    }
    // All that were left over go with fewer new ones.
    for at in 0..90_u64 {
        use_token(&store, &format!("much later {at}"), 1, 1_000 * WINDOW_MS);
    }
    let (tokens, _, start) = rows(&store);
    assert_eq!((tokens.len(), start), (90, Some(1_000 * WINDOW_MS)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn tokens_are_as_a_simple_model_has_them(
        // Times are in tenths of the window, and go forth and back.
        uses in prop::collection::vec((0..40u32, 0..2u8, 0..40u64), 1..150),
    ) {
        let store = store();
        let mut model: BTreeMap<String, (u64, u8)> = BTreeMap::new();
        let mut latest_ms = 0;
        for (name, request, tenth) in uses {
            let (name, now_ms) = (format!("t{name}"), tenth * WINDOW_MS / 10);
            latest_ms = now_ms.max(latest_ms);
            let got = use_token(&store, &name, request, now_ms);
            let used = model.get(&name).filter(|(at_ms, _)| now_ms.saturating_sub(*at_ms) < WINDOW_MS);
            match used {
                // Once it was expired it may be forgotten, though the clock was moved back then.
                Some((at_ms, _)) if latest_ms - at_ms >= WINDOW_MS && got == Earlier::Nothing => {}
                Some((_, used)) => {
                    prop_assert_eq!(got, if *used == request { Earlier::Same } else { Earlier::Other });
                }
                None => prop_assert_eq!(got, Earlier::Nothing),
            }
            if got == Earlier::Nothing {
                model.insert(name, (now_ms, request));
            }
            let (tokens, times, start) = rows(&store);
            prop_assert!(times.values().all(|time| *time >= start.unwrap()));
            prop_assert!(tokens.iter().all(|(name, at_ms)| model[name].0 == *at_ms));
            prop_assert_eq!(tokens, times);
        }
    }
}

/// Does something to an account's tokens.
struct Spoil(fn(&mut Transaction<'_>, Space));

impl Operation for Spoil {
    fn info(&self) -> CommitInfo {
        CommitInfo { service: "test", operation: "Spoil", ..CommitInfo::default() }
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Verdict {
        let space = space(tx, &DataSet::shared()).unwrap().unwrap();
        (self.0)(tx, space);
        Verdict::Keep
    }
}

#[test]
fn the_deep_check_finds_what_does_not_fit() {
    use crate::inspect::tokens::{CheckedTokens, check};
    use std::time::Duration;
    let store = store();
    let newest = || store.snapshot();
    let look = |hold| check(&DataSet::shared(), &newest, hold, &mut || true).unwrap();
    assert_eq!(look(Duration::MAX), CheckedTokens::default());
    for at in 0..600 {
        use_token(&store, &format!("t{at}"), 1, 500 + at);
    }
    let whole = CheckedTokens { rows: 1_201, counters_compared: true, ..CheckedTokens::default() };
    assert_eq!(look(Duration::MAX), whole);
    assert_eq!(look(Duration::ZERO), CheckedTokens { counters_compared: false, ..whole });
    assert!(check(&DataSet::shared(), &newest, Duration::MAX, &mut || false).unwrap().stopped);
    let spoil = |body| store.execute(Spoil(body)).1.unwrap();
    spoil(|tx, space| {
        TIMES.delete(tx, space, &TimeKey { at_ms: 503, token: "t3".to_owned() }).unwrap();
        TOKENS.delete(tx, space, &TokenKey("t4".to_owned())).unwrap();
        TIMES.put(tx, space, &TimeKey { at_ms: 4, token: "t5".to_owned() }, &Mark).unwrap();
        START.put(tx, space, &Only, &Start { from_ms: 501 }).unwrap();
        space.put(tx, &[Family::DYNAMODB_TOKEN.tag, b'x'], &[1], 2).unwrap();
    });
    assert_eq!(
        look(Duration::MAX).findings,
        [
            "token t3 was used at 503, and is not among those of that time",
            "the row 0178 cannot be read: the key ends inside a string",
            "token t5 is among those of 4, and was not used then",
            "token t0 of 500 is before the start of all tokens",
            "token t4 is among those of 504, and was not used then",
        ]
    );
}
