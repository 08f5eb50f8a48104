use super::*;
use crate::io::{is_dead, is_no_room};
use proptest::prelude::*;

fn path(name: &str) -> PathBuf {
    Path::new("/data").join(name)
}

fn disk(seed: u64) -> SimulatedDisk {
    let disk = SimulatedDisk::new(seed);
    disk.put_dir(Path::new("/data"));
    disk
}

fn read(disk: &SimulatedDisk, name: &str) -> Option<Vec<u8>> {
    disk.image().get(&path(name)).cloned()
}

#[test]
fn it_behaves_like_a_disk() {
    let disk = disk(1);
    let file = disk.create(&path("a")).unwrap();
    assert_eq!(disk.create(&path("a")).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    file.write_at(b"hello world", 0).unwrap();
    disk.rename(&path("a"), &path("b")).unwrap();
    assert_eq!(disk.len(&path("a")).unwrap(), None);
    assert_eq!(disk.len(&path("b")).unwrap(), Some(11));
    let mut buffer = [9; 20];
    assert_eq!(disk.open_read(&path("b")).unwrap().read_at(&mut buffer, 6).unwrap(), 5);
    assert_eq!(&buffer[..6], b"world\x09");
    disk.create_dir(&path("d")).unwrap();
    disk.create_dir(&path("d")).unwrap();
    let names: Vec<_> = disk.list(Path::new("/data")).unwrap().into_iter().map(|e| e.name).collect();
    assert_eq!(names, ["b", "d"]);
    assert_eq!(disk.open(&path("d")).unwrap_err().kind(), io::ErrorKind::IsADirectory);
    assert_eq!(disk.open(&path("b/x")).unwrap_err().kind(), io::ErrorKind::NotADirectory);
    assert_eq!(disk.open(&path("x")).unwrap_err().kind(), io::ErrorKind::NotFound);
    let error = disk.rename(&path("b"), &path("d/b")).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::CrossesDevices);
    assert!(disk.open_read(&path("b")).unwrap().write_at(b"x", 0).is_err());
    disk.remove(&path("b")).unwrap();
    file.write_at(b"still open", 0).unwrap();
    assert_eq!(disk.files(), []);
    assert_eq!(disk.list(Path::new("data")).unwrap().len(), 1, "relative paths start at the root");
}

#[test]
fn synced_files_with_synced_names_survive() {
    for seed in 0..50 {
        let disk = disk(seed);
        let file = disk.create(&path("a")).unwrap();
        file.write_at(&[7; 3000], 0).unwrap();
        file.sync().unwrap();
        disk.sync_dir(Path::new("/data")).unwrap();
        assert!(disk.is_synced(&path("a")));
        disk.crash();
        assert_eq!(read(&disk, "a"), Some(vec![7; 3000]));
    }
}

#[test]
fn an_unsynced_name_may_be_lost_whatever_was_synced_in_the_file() {
    let survived = (0..50)
        .filter(|seed| {
            let disk = disk(*seed);
            let file = disk.create(&path("a")).unwrap();
            file.sync().unwrap();
            disk.crash();
            read(&disk, "a").is_some()
        })
        .count();
    assert!((5..45).contains(&survived), "{survived}");
}

#[test]
fn a_removed_file_may_come_back_until_its_directory_is_synced() {
    let back = (0..50)
        .filter(|seed| {
            let disk = disk(*seed);
            disk.put(&path("a"), b"x");
            disk.remove(&path("a")).unwrap();
            assert_eq!(disk.files(), []);
            disk.crash();
            read(&disk, "a").as_deref() == Some(b"x")
        })
        .count();
    assert!((5..45).contains(&back), "{back}");
    let disk = disk(1);
    disk.put(&path("a"), b"x");
    disk.remove(&path("a")).unwrap();
    disk.sync_dir(Path::new("/data")).unwrap();
    disk.crash();
    assert_eq!(read(&disk, "a"), None);
}

#[test]
fn a_kill_keeps_the_page_cache_but_a_later_crash_may_not() {
    let lost = (0..50)
        .filter(|seed| {
            let disk = disk(*seed);
            disk.put(&path("a"), &[1; 512]);
            disk.open(&path("a")).unwrap().write_at(&[2; 512], 0).unwrap();
            disk.kill();
            assert_eq!(read(&disk, "a"), Some(vec![2; 512]));
            let disk = disk.restart();
            assert_eq!(disk.len(&path("a")).unwrap(), Some(512));
            disk.crash();
            read(&disk, "a") != Some(vec![2; 512])
        })
        .count();
    assert!((5..45).contains(&lost), "{lost}");
}

#[test]
fn dead_lives_stay_dead() {
    let first = disk(1);
    let file = first.create(&path("a")).unwrap();
    first.kill();
    let second = first.restart();
    let mut buffer = [0; 1];
    assert!(is_dead(&file.read_at(&mut buffer, 0).unwrap_err()));
    assert!(is_dead(&file.write_at(b"x", 0).unwrap_err()));
    assert!(is_dead(&file.sync().unwrap_err()));
    assert!(is_dead(&first.create(&path("b")).unwrap_err()));
    assert!(first.is_dead() && !second.is_dead());
    let before = second.operations();
    assert!(first.list(Path::new("/data")).is_err());
    assert_eq!(second.operations(), before);
    second.create(&path("b")).unwrap();
    let third = second.restart();
    assert!(second.is_dead() && !third.is_dead(), "a restart ends a life that runs");
}

#[test]
fn faults_strike_at_their_operation() {
    let disk = disk(3);
    let file = disk.create(&path("a")).unwrap();
    disk.fail_after(2, Fault::Io);
    file.write_at(b"x", 0).unwrap();
    let error = file.write_at(b"y", 1).unwrap_err();
    assert_eq!(crate::io::os_error(&error), Some(rustix::io::Errno::IO.raw_os_error()));
    disk.fail_after_kind(1, Kind::Sync, Fault::NoRoom);
    file.write_at(b"z", 2).unwrap();
    assert_eq!(disk.faults_waiting(), 1);
    assert!(is_no_room(&file.sync().unwrap_err()));
    file.sync().unwrap();
    disk.fail_after_kind(1, Kind::Name, Fault::PowerCut);
    disk.fail_after(3, Fault::Kill);
    file.write_at(b"z", 2).unwrap();
    assert!(is_dead(&disk.rename(&path("a"), &path("b")).unwrap_err()));
    assert!(is_dead(&file.sync().unwrap_err()));
    let disk = disk.restart();
    assert!(is_dead(&disk.list(Path::new("/")).unwrap_err()), "faults also strike during recovery");
    let disk = disk.restart();
    disk.list(Path::new("/")).unwrap();
}

#[test]
fn a_write_without_room_is_done_in_part() {
    let mut lengths = BTreeSet::new();
    for seed in 0..100 {
        let disk = disk(seed);
        disk.put(&path("a"), b"");
        let file = disk.open(&path("a")).unwrap();
        disk.fail_after(1, Fault::NoRoom);
        assert!(is_no_room(&file.write_at(&[1; 10], 0).unwrap_err()));
        lengths.insert(file.len().unwrap());
    }
    assert!(lengths.len() > 8);
}

#[test]
fn room_is_used_up_and_given_back() {
    let disk = disk(1);
    disk.set_room(Room { free_bytes: 3 * 4096, total_bytes: 1 << 20 });
    let file = disk.create(&path("a")).unwrap();
    file.set_len(1 << 19).unwrap();
    file.write_at(&[1; 4096], 0).unwrap();
    assert_eq!(disk.room(Path::new("/data")).unwrap().free_bytes, 2 * 4096);
    assert!(is_no_room(&file.write_at(&[2; 3 * 4096], 4096).unwrap_err()));
    assert_eq!(disk.room(Path::new("/data")).unwrap().free_bytes, 0);
    file.write_at(&[3; 4096], 0).unwrap();
    assert!(is_no_room(&disk.create(&path("b")).unwrap_err()));
    disk.remove(&path("a")).unwrap();
    assert_eq!(disk.room(Path::new("/data")).unwrap().free_bytes, 3 * 4096);
    disk.set_room(Room { free_bytes: 1 << 18, total_bytes: 1 << 20 });
    assert_eq!(disk.room(Path::new("/data")).unwrap().free_bytes, 1 << 18);
}

#[test]
fn files_can_be_damaged() {
    let image = Image::from([(path("log/1"), vec![0; 100]), (path("witness"), vec![1; 10])]);
    let disk = SimulatedDisk::from_image(1, &image);
    assert_eq!(disk.image(), image);
    assert!(disk.flip(&path("witness"), 3) && !disk.flip(&path("witness"), 10));
    assert_ne!(disk.image()[&path("witness")][3], 1);
    assert!(disk.halve(&path("log/1")) && disk.delete(&path("witness")) && !disk.delete(&path("x")));
    assert_eq!(disk.files(), [(path("log/1"), 50)]);
    disk.crash();
    assert_eq!(disk.files(), [(path("log/1"), 50)]);
}

/// One call that a random program makes.
#[derive(Debug, Clone)]
enum Call {
    Write(u8, u16, u8, u16),
    Sync(u8),
    SyncDir,
    Rename(u8, u8),
    Remove(u8),
    Crash,
    Kill,
    Fail(u8, Fault),
}

fn call() -> impl Strategy<Value = Call> {
    let fault = prop_oneof![Just(Fault::Io), Just(Fault::NoRoom), Just(Fault::PowerCut), Just(Fault::Kill)];
    prop_oneof![
        8 => (0..4_u8, 0..4096_u16, any::<u8>(), 1..2048_u16).prop_map(|(f, o, b, n)| Call::Write(f, o, b, n)),
        4 => (0..4_u8).prop_map(Call::Sync),
        3 => Just(Call::SyncDir),
        2 => (0..4_u8, 0..4_u8).prop_map(|(a, b)| Call::Rename(a, b)),
        2 => (0..4_u8).prop_map(Call::Remove),
        1 => Just(Call::Crash),
        1 => Just(Call::Kill),
        1 => (1..8_u8, fault).prop_map(|(n, f)| Call::Fail(n, f)),
    ]
}

/// Runs a program and returns everything it saw.
fn play(seed: u64, calls: &[Call]) -> (Vec<String>, Image, u64) {
    let mut disk = disk(seed);
    let name = |file: &u8| path(&file.to_string());
    let mut seen = Vec::new();
    for call in calls {
        let result = match call {
            Call::Write(file, offset, byte, len) => disk
                .open(&name(file))
                .or_else(|_| disk.create(&name(file)))
                .and_then(|f| f.write_at(&vec![*byte; usize::from(*len)], u64::from(*offset))),
            Call::Sync(file) => disk.open(&name(file)).and_then(|f| f.sync()),
            Call::SyncDir => disk.sync_dir(Path::new("/data")),
            Call::Rename(from, to) => disk.rename(&name(from), &name(to)),
            Call::Remove(file) => disk.remove(&name(file)),
            Call::Crash => {
                disk.crash();
                Ok(())
            }
            Call::Kill => {
                disk.kill();
                Ok(())
            }
            Call::Fail(n, fault) => {
                disk.fail_after(u64::from(*n), *fault);
                Ok(())
            }
        };
        seen.push(format!("{result:?}"));
        if disk.is_dead() {
            disk = disk.restart();
        }
    }
    disk.crash();
    (seen, disk.image(), disk.operations())
}

proptest! {
    #[test]
    fn the_same_seed_gives_the_same_outcome(calls in prop::collection::vec(call(), 1..60), seed: u64) {
        prop_assert_eq!(play(seed, &calls), play(seed, &calls));
    }
}
