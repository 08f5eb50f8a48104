//! The damage matrix on the real binary: each file of a data directory in turn is deleted, halved, or has a byte flipped.
//!
//! Afterwards everything that was acknowledged is served, or the start is refused with a message that names the file,
//! and no other file is changed by a byte. Rot inside a table may show later, as a read that fails and names the file:
//! never as a wrong value, and never as a store that takes no more writes.

mod load;

use load::{Files, Model, Server, files::used};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

const KEYS: u64 = 24;
const WRITES: u64 = 150;
/// So small that the load leaves tables of several flushes and merges.
const ARGUMENTS: [&str; 2] = ["--memtable-bytes", "120000"];

/// What happens to one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    Deleted,
    /// Half of the file is gone.
    Halved,
    /// Half of what is in use is gone: a log segment is mostly zeros.
    HalvedInUse,
    /// One bit of the byte at this position.
    Flipped(usize),
}

impl Damage {
    /// Everything that happens to a file with this content.
    fn all(bytes: &[u8]) -> Vec<Self> {
        let used = used(bytes);
        let mut all = vec![Self::Deleted, Self::Halved, Self::HalvedInUse];
        // In the first sector: its beginning (magic), a byte behind it, its end; then the middle, and what was written last.
        let places =
            [0, 100, 511, used / 4, used / 2, used * 3 / 4, used.saturating_sub(600), used.saturating_sub(1)];
        let mut places: Vec<usize> = places.into_iter().filter(|at| *at < bytes.len()).collect();
        places.sort_unstable();
        places.dedup();
        all.extend(places.into_iter().map(Self::Flipped));
        all
    }

    /// The file's content afterwards.
    fn apply(self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Deleted => None,
            Self::Halved => Some(bytes[..bytes.len() / 2].to_vec()),
            Self::HalvedInUse => Some(bytes[..used(bytes) / 2].to_vec()),
            Self::Flipped(at) => {
                let mut bytes = bytes.to_vec();
                bytes[at] ^= 0x10;
                Some(bytes)
            }
        }
    }
}

/// How a start went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Served,
    /// Served, but some reads fail.
    Unreadable,
    Refused,
}

/// A place for one field. No power is cut here, so memory does where there is some: it is quicker.
fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a directory")
}

/// A directory with a history, and what it must show.
struct Base {
    files: Files,
    model: Model,
}

impl Base {
    /// Writes, and ends in one of two ways.
    fn new(clean: bool) -> Self {
        let dir = directory();
        let data = dir.path().join("data");
        let server = Server::start(&data, &ARGUMENTS);
        let mut model = Model::new("damage", 3_000);
        let mut client = server.client();
        model.create_table(&mut client);
        for number in 0..WRITES {
            let key = format!("k{}", number * 5 % KEYS);
            let wanted = (!number.is_multiple_of(11)).then_some(number);
            let (status, body) = model.write(&mut client, &key, wanted);
            assert_eq!(status, 200, "{body}");
        }
        if clean {
            let (status, messages) = server.stop();
            assert_eq!(status.code(), Some(0), "{messages}");
        } else {
            server.kill();
        }
        let files = Files::read(&data);
        let tables = files.0.keys().filter(|name| name.starts_with("index")).count();
        let segments = files.0.keys().filter(|name| name.starts_with("log")).count();
        assert!(tables > 3 && segments > 0, "{tables} tables, {segments} segments");
        Self { files, model }
    }

    /// One field of the matrix.
    fn case(&self, name: &Path, damage: Damage) -> Outcome {
        let dir = directory();
        let data = dir.path().join("data");
        let mut damaged = self.files.clone();
        let bytes = damaged.0[name].clone().expect("a file");
        match damage.apply(&bytes) {
            Some(bytes) => drop(damaged.0.insert(name.to_owned(), Some(Arc::new(bytes)))),
            None => damaged.remove(name),
        }
        damaged.write(&data);
        let what = format!("{} {damage:?}", name.display());
        let mut model = self.model.clone();
        let first = start(&data, name, Some(&damaged), &mut model, &what);
        if first != Outcome::Refused {
            // What the first start did must not have made it worse.
            let second = start(&data, name, None, &mut model, &format!("{what}, started again"));
            assert!(second <= first, "{what}: {first:?}, then {second:?}");
        }
        first
    }
}

/// Starts on a damaged directory, and checks that it is refused as it must be (with nothing changed since `before`), or
/// served as it must be.
fn start(data: &Path, name: &Path, before: Option<&Files>, model: &mut Model, what: &str) -> Outcome {
    let file = name.file_name().and_then(|file| file.to_str()).expect("a name");
    let lost_segment = name.starts_with("log") && !data.join(name).exists();
    let server = match Server::try_start(data, &ARGUMENTS) {
        Ok(server) => server,
        Err(refused) => {
            let changed = before.map(|files| files.changes(data));
            assert_eq!(changed, Some(Vec::new()), "{what}: a refusal changes nothing: {refused:?}");
            assert_eq!(refused.code, Some(1), "{what}: {refused:?}");
            // Who lost the newest segment cannot know that there was one: the end of the log is named.
            let named = if lost_segment { "/log/" } else { file };
            assert!(refused.messages.contains(named), "{what}: the file is named: {refused:?}");
            assert!(refused.messages.contains("hint: "), "{what}: a remedy is named: {refused:?}");
            return Outcome::Refused;
        }
    };
    let mut client = server.client();
    let mut failed = model.check_readable(&mut client, what);
    // Not poisoned: what does not touch the damaged block can be written.
    let (status, body) = model.write(&mut client, "fresh", Some(1));
    if status != 200 {
        failed.push((status, body));
    }
    if failed.is_empty() {
        model.check(&mut client, what);
    }
    for (status, body) in &failed {
        assert!(name.starts_with("index"), "{what}: {body}");
        assert!(*status >= 500 && body.contains(file), "{what}: {status} {body}");
    }
    let (status, messages) = server.stop();
    assert_eq!(status.code(), Some(0), "{what}: {messages}");
    if failed.is_empty() { Outcome::Served } else { Outcome::Unreadable }
}

/// Every field of one base's matrix, on two threads; a summary.
fn matrix(clean: bool) -> String {
    let base = Base::new(clean);
    let files = base.files.0.iter().filter_map(|(name, bytes)| Some((name, bytes.as_ref()?)));
    let cases: Vec<_> = files
        .flat_map(|(name, bytes)| Damage::all(bytes).into_iter().map(move |damage| (name, damage)))
        .collect();
    let outcomes = Mutex::new(BTreeMap::<_, u64>::new());
    std::thread::scope(|scope| {
        for part in 0..2 {
            let (base, cases, outcomes) = (&base, &cases, &outcomes);
            scope.spawn(move || {
                for (name, damage) in cases.iter().skip(part).step_by(2) {
                    let outcome = base.case(name, *damage);
                    *outcomes.lock().expect("lock").entry(outcome).or_default() += 1;
                }
            });
        }
    });
    let outcomes = outcomes.into_inner().expect("lock");
    for outcome in [Outcome::Served, Outcome::Unreadable, Outcome::Refused] {
        assert!(outcomes.contains_key(&outcome), "no field was {outcome:?}");
    }
    format!("{} fields: {outcomes:?}", cases.len())
}

#[test]
fn promise_damage_after_a_kill_is_refused_or_harmless() {
    load::say(&matrix(false));
}

#[test]
fn promise_damage_after_a_clean_stop_is_refused_or_harmless() {
    load::say(&matrix(true));
}
