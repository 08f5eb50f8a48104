//! Promise 1 through a power cut: the file system is cut off from its disk under load, and nothing answered is lost.
//!
//! `EXT4_IOC_SHUTDOWN` lets an `fdatasync` under way return success though nothing was written, so the server is
//! stopped first, and answers from then on do not count. A file written beside it without a sync must lose data in every
//! cut: else the cut proves nothing. `HOLDFAST_TEST_CUTS` sets the number of rounds.

mod load;

use load::server::Starting;
use load::{Load, Model, Server, Volume};
use rustix::process::Signal;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// At most so many writes of a round are answered before the cut.
const WRITES_PER_ROUND_MAX: u64 = 3_000;
/// A start is cut off after at most this time.
const START_US_MAX: u64 = 60_000;
const VOLUME_MIB: u64 = 192;
const ARGUMENTS: [&str; 6] =
    ["--memtable-bytes", "200000", "--history-bytes", "10000000000", "--reserve", "0"];

/// A file that grows without ever being synced.
struct Control {
    end: Arc<AtomicBool>,
    writer: std::thread::JoinHandle<u64>,
}

impl Control {
    fn start(path: &Path) -> Self {
        let mut file = File::create(path).expect("a file");
        let end = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&end);
        let writer = std::thread::spawn(move || {
            let mut written = 0;
            while written == 0 || !ended.load(Ordering::SeqCst) {
                file.write_all(&[b'c'; 4096]).expect("writes");
                written += 4096;
                std::thread::park_timeout(Duration::from_millis(1));
            }
            written
        });
        Self { end, writer }
    }

    /// Bytes written.
    fn finish(self) -> u64 {
        self.end.store(true, Ordering::SeqCst);
        self.writer.join().expect("the control")
    }
}

/// Stops a process and waits until none of its threads can run: each is stopped, or in the kernel, from where it
/// returns only to be stopped.
fn freeze(server: &Server) {
    server.signal(Signal::STOP);
    let tasks = format!("/proc/{}/task", server.id());
    let began = Instant::now();
    loop {
        let states: Vec<char> = std::fs::read_dir(&tasks)
            .expect("tasks")
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("stat")).ok())
            .filter_map(|stat| stat.rsplit(')').next()?.trim_start().chars().next())
            .collect();
        if states.contains(&'T') && states.iter().all(|state| "TD".contains(*state)) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "still running: {states:?}");
        std::thread::yield_now();
    }
}

#[test]
fn promise_answered_writes_survive_power_cuts() {
    let rounds = load::number("HOLDFAST_TEST_CUTS", 2);
    let Some(mut volume) = Volume::new(VOLUME_MIB) else { return };
    let mut random = load::random();
    let data = volume.path().join("data");
    let model = Arc::new(Mutex::new(Model::indexed("cuts", 900)));
    let mut server = Server::start(&data, &ARGUMENTS);
    model.lock().expect("lock").create_table(&mut server.client());
    let mut control_lost = 0;
    for round in 1..=rounds {
        // A new file each time: what an earlier one held may come back.
        let control_file = volume.path().join(format!("control-{round}"));
        let control = Control::start(&control_file);
        let load = Load::start(&server, &model, round);
        load.wait(random.below(WRITES_PER_ROUND_MAX));
        load.discount();
        freeze(&server);
        let written = control.finish();
        volume.cut();
        server.kill();
        load.join();
        volume.unmount();
        volume.mount();
        let kept = std::fs::metadata(&control_file).map_or(0, |file| file.len());
        assert!(kept < written, "round {round}: the control lost nothing, so this was no power cut");
        control_lost += written - kept;
        drop(std::fs::remove_file(&control_file));
        if random.chance(300) {
            // A second cut, while the store recovers.
            let starting = Starting::new(&data, &ARGUMENTS);
            starting.run_for(Duration::from_micros(random.below(START_US_MAX)));
            volume.cut();
            drop(starting);
            volume.unmount();
            volume.mount();
        }
        server = Server::start(&data, &ARGUMENTS);
        model.lock().expect("lock").check_with_history(&server, &format!("cut {round}"));
    }
    let answered = model.lock().expect("lock").answered;
    load::say(&format!(
        "{rounds} cuts, {answered} writes answered, none lost; the control lost {control_lost} bytes"
    ));
    server.kill();
    volume.unmount();
}
