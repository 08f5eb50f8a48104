//! The full disk, on a small file system of its own: writes are refused with a reason and a remedy, reads go on, nothing
//! answered is lost by a kill or a stop, and writes resume by themselves once there is room.

mod load;

use load::{Client, Model, Refused, Server, Volume};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const VOLUME_MIB: u64 = 96;
/// A file that is in the way, and can be removed.
const BALLAST_BYTES: usize = 6 << 20;
const KEYS: u64 = 24;
/// Far more than the disk holds.
const WRITES_MAX: u64 = 2_000;
/// Room that was made must be noticed by then.
const RESUME_LIMIT: Duration = Duration::from_secs(30);

/// A store on a small disk, and what it must show.
struct Bench {
    volume: Volume,
    arguments: Vec<&'static str>,
    model: Model,
    number: u64,
    ballasts: Vec<PathBuf>,
}

impl Bench {
    fn new(arguments: &[&'static str], ballasts: usize) -> Option<Self> {
        let volume = Volume::new(VOLUME_MIB)?;
        let ballasts: Vec<PathBuf> =
            (0..ballasts).map(|number| volume.path().join(format!("ballast-{number}"))).collect();
        for path in &ballasts {
            let mut file = File::create(path).expect("a file");
            file.write_all(&vec![b'b'; BALLAST_BYTES]).and_then(|()| file.sync_all()).expect("writes");
        }
        let arguments =
            [&["--memtable-bytes", "1000000", "--history-bytes", "10000000000"], arguments].concat();
        Some(Self { volume, arguments, model: Model::new("full", 300_000), number: 0, ballasts })
    }

    fn data(&self) -> PathBuf {
        self.volume.path().join("data")
    }

    fn start(&self) -> Server {
        Server::start(&self.data(), &self.arguments)
    }

    /// A start on the full disk: it serves, or says what is the matter and serves once there is room.
    fn start_full(&mut self, what: &str) -> Server {
        match Server::try_start(&self.data(), &self.arguments) {
            Ok(server) => server,
            Err(Refused { code, messages }) => {
                load::say(&format!("{what}: {messages}"));
                assert_eq!(code, Some(1), "{what}: {messages}");
                let dir = self.data().display().to_string();
                assert!(messages.contains(&dir) && messages.contains("hint: "), "{what}: {messages}");
                self.make_room();
                self.start()
            }
        }
    }

    fn make_room(&mut self) {
        let ballast = self.ballasts.pop().expect("a ballast is left");
        std::fs::remove_file(ballast).expect("removes");
    }

    fn write(&mut self, client: &mut Client) -> (u16, String) {
        self.number += 1;
        let key = format!("f{}", self.number * 7 % KEYS);
        let wanted = (!self.number.is_multiple_of(13)).then_some(self.number);
        self.model.write(client, &key, wanted)
    }

    /// Writes until a put is refused; the refusal's text.
    fn fill(&mut self, client: &mut Client) -> String {
        for _ in 0..WRITES_MAX {
            let (status, body) = self.write(client);
            if status != 200 {
                assert!(status >= 500, "{status}: {body}");
                for part in [self.data().display().to_string().as_str(), " free", "holdfast trim"] {
                    assert!(body.contains(part), "no {part} in {body}");
                }
                return body;
            }
        }
        panic!("the disk took everything");
    }

    /// Writes until a write succeeds again.
    fn resume(&mut self, client: &mut Client) {
        until_done(|| self.write(client));
    }

    fn check(&mut self, server: &Server, what: &str) {
        assert_eq!(server.metric("holdfast_writing_ended"), 0, "{what}");
        self.model.check_with_history(server, what);
    }
}

/// Tries until it succeeds: merges may be at work with the room that was left.
fn until_done(mut write: impl FnMut() -> (u16, String)) {
    let began = Instant::now();
    loop {
        let (status, body) = write();
        if status == 200 {
            return;
        }
        assert!(status >= 500 && began.elapsed() < RESUME_LIMIT, "{status}: {body}");
    }
}

/// Takes all room there is.
fn swallow(path: &Path) {
    let mut file = File::create(path).expect("a file");
    let piece = vec![b's'; 64 << 10];
    while file.write_all(&piece).is_ok() {}
    // What did not fit was not needed; a failed sync says nothing about others.
    drop(file.sync_all());
}

#[test]
fn promise_a_full_disk_loses_nothing_and_writes_resume() {
    let Some(mut bench) = Bench::new(&["--reserve", "0"], 5) else { return };
    let server = bench.start();
    let mut client = server.client();
    bench.model.create_table(&mut client);
    load::say(&bench.fill(&mut client));
    bench.check(&server, "reads on the full disk");
    bench.make_room();
    bench.resume(&mut client);
    bench.fill(&mut client);
    server.kill();

    let server = bench.start_full("after a kill");
    bench.check(&server, "after a kill on the full disk");
    bench.fill(&mut server.client());
    let (status, messages) = server.stop();
    load::say(&format!("a stop on the full disk: {status}: {messages}"));

    let server = bench.start_full("after a stop");
    bench.check(&server, "after a stop on the full disk");
    bench.fill(&mut server.client());
    swallow(&bench.volume.path().join("swallow"));
    bench.check(&server, "with no byte free");
    server.kill();

    let server = bench.start_full("with no byte free");
    std::fs::remove_file(bench.volume.path().join("swallow")).expect("removes");
    while !bench.ballasts.is_empty() {
        bench.make_room();
    }
    bench.resume(&mut server.client());
    bench.check(&server, "with room again");
    let (status, messages) = server.stop();
    assert_eq!(status.code(), Some(0), "{messages}");
    bench.volume.unmount();
}

#[test]
fn promise_the_reserve_keeps_a_way_to_free_room() {
    let Some(mut bench) = Bench::new(&[], 2) else { return };
    let server = bench.start();
    let mut client = server.client();
    bench.model.create_table(&mut client);
    let refusal = bench.fill(&mut client);
    assert!(refusal.contains("less than the reserve"), "{refusal}");
    until_done(|| bench.model.write(&mut client, "f1", None));
    bench.check(&server, "reads below the reserve");
    bench.make_room();
    bench.resume(&mut client);
    bench.fill(&mut client);
    // Another program takes what was kept free.
    let swallowed = bench.volume.path().join("swallow");
    swallow(&swallowed);
    bench.fill(&mut client);
    bench.check(&server, "reads with no byte free");
    std::fs::remove_file(&swallowed).expect("removes");
    let (status, messages) = server.stop();
    assert_eq!(status.code(), Some(0), "{messages}");

    let data = bench.data();
    let output = Command::new(env!("CARGO_BIN_EXE_holdfast"))
        .args(["trim", "--history", "0s", "--data-dir"])
        .arg(&data)
        .output()
        .expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let server = bench.start();
    let mut client = server.client();
    bench.model.check(&mut client, "after trimming");
    bench.resume(&mut client);
    bench.model.check(&mut client, "with room from trimming");
    let (status, messages) = server.stop();
    assert_eq!(status.code(), Some(0), "{messages}");
    bench.volume.unmount();
}
