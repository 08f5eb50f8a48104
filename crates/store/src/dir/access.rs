//! Whether this process may use a data directory, found out before anything is opened or made.
//!
//! Only what is sure is refused: where the system cannot say, the start goes on and fails, if it must, at the file itself.

use super::layout::{BACKUPS, BLOBS, CHECKPOINT, FORMAT, INDEX, LOCK, LOG, WITNESS};
use super::{Refusal, RefusalKind};
use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What a server needs of a directory: list, enter, create and remove in it.
const USE_DIRECTORY: Access = Access::READ_OK.union(Access::WRITE_OK).union(Access::EXEC_OK);
/// What a server needs of a file that it writes in place.
const WRITE: Access = Access::READ_OK.union(Access::WRITE_OK);

/// Checks that a server can run on `dir`, or make it if it does not exist. Looks only; on the real file system.
///
/// # Errors
/// `NotADirectory`, `Missing` (the parent), `NotWritable` or `WrongOwner`, each with a command that helps.
pub fn check(dir: &Path) -> Result<(), Refusal> {
    match std::fs::metadata(dir) {
        Ok(metadata) if metadata.is_dir() => {
            check_path(dir, dir, USE_DIRECTORY)?;
            check_contents(dir)
        }
        Ok(_) => Err(not_a_directory(dir)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => check_parent(dir),
        Err(e) => Err(Refusal::from_io(dir, &e)),
    }
}

fn not_a_directory(path: &Path) -> Refusal {
    Refusal::new(
        RefusalKind::NotADirectory,
        path,
        "this is not a directory",
        "Choose another `--data-dir`, or move this file away.",
    )
}

/// The directory does not exist: can it be made?
fn check_parent(dir: &Path) -> Result<(), Refusal> {
    if std::fs::symlink_metadata(dir).is_ok() {
        return Err(Refusal::new(
            RefusalKind::Missing,
            dir,
            "this symbolic link leads to nothing",
            "Look whether the disk or volume that it leads to is mounted.",
        ));
    }
    let parent = match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    match std::fs::metadata(parent) {
        Ok(metadata) if metadata.is_dir() => check_path(parent, parent, Access::WRITE_OK | Access::EXEC_OK),
        Ok(_) => Err(not_a_directory(parent)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Err(Refusal::new(
            RefusalKind::Missing,
            parent,
            format!("this directory does not exist, so {} cannot be made in it", dir.display()),
            format!(
                "Look whether the disk or volume is mounted there, or make it: `mkdir -p {}`.",
                parent.display()
            ),
        )),
        Err(e) => Err(Refusal::from_io(parent, &e)),
    }
}

/// The files of a store, if there are any.
fn check_contents(dir: &Path) -> Result<(), Refusal> {
    for (name, needed) in
        [(FORMAT, Access::READ_OK), (LOCK, WRITE), (WITNESS, WRITE), (CHECKPOINT, Access::READ_OK)]
    {
        check_path(dir, &dir.join(name), needed)?;
    }
    for name in [LOG, INDEX, BLOBS, BACKUPS] {
        let sub = dir.join(name);
        check_path(dir, &sub, USE_DIRECTORY)?;
        if name == LOG || name == INDEX {
            // A directory that is missing, or is a file, is for the look at the layout to judge.
            let Ok(entries) = std::fs::read_dir(&sub) else { continue };
            for entry in entries.flatten() {
                check_path(dir, &entry.path(), Access::READ_OK)?;
            }
        }
    }
    Ok(())
}

/// Refuses if the system says for sure that this process may not do what is `needed`.
fn check_path(dir: &Path, path: &Path, needed: Access) -> Result<(), Refusal> {
    let errno = match accessat(CWD, path, needed, AtFlags::EACCESS) {
        Err(errno) if [Errno::ACCESS, Errno::PERM, Errno::ROFS].contains(&errno) => errno,
        _ => return Ok(()),
    };
    if errno == Errno::ROFS {
        return Err(Refusal::from_io(path, &errno.into()));
    }
    let owner = std::fs::metadata(path).ok().map(|metadata| metadata.uid());
    Err(denied(dir, path, owner, rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw()))
}

/// The refusal for a file that this user may not use.
fn denied(dir: &Path, path: &Path, owner: Option<u32>, user: u32, group: u32) -> Refusal {
    match owner {
        Some(owner) if owner != user => Refusal::new(
            RefusalKind::WrongOwner,
            path,
            format!(
                "it belongs to user {owner}, and user {user}, as which this process runs, may not use it"
            ),
            format!("`chown -R {user}:{group} {}` as root, or run holdfast as user {owner}.", dir.display()),
        ),
        _ => Refusal::new(
            RefusalKind::NotWritable,
            path,
            format!("user {user}, as which this process runs, may not use it"),
            format!("`chmod -R u+rwX {}`, or choose another `--data-dir`.", dir.display()),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    fn kind(dir: &Path) -> RefusalKind {
        let refusal = check(dir).unwrap_err();
        assert!(!refusal.hint().is_empty());
        refusal.kind
    }

    #[test]
    fn usable_directories_pass() {
        let home = tempfile::tempdir().unwrap();
        check(home.path()).unwrap();
        check(&home.path().join("new")).unwrap();
        fs::create_dir(home.path().join("log")).unwrap();
        fs::write(home.path().join("log/1"), b"").unwrap();
        fs::write(home.path().join("LOCK"), b"").unwrap();
        check(home.path()).unwrap();
        check(Path::new("surely-not-there-yet")).unwrap();
    }

    #[test]
    fn files_links_and_missing_parents_are_refused() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        fs::write(&file, b"").unwrap();
        assert_eq!(kind(&file), RefusalKind::NotADirectory);
        assert_eq!(kind(&file.join("below")), RefusalKind::NotADirectory);
        let refusal = check(&home.path().join("a/b")).unwrap_err();
        assert_eq!((refusal.kind, refusal.file), (RefusalKind::Missing, home.path().join("a")));
        assert!(refusal.remedy.contains("`mkdir -p "));
        let link = home.path().join("link");
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        assert_eq!(kind(&link), RefusalKind::Missing);
    }

    #[test]
    fn owner_and_mode_are_told_apart() {
        let (dir, path) = (Path::new("/d"), Path::new("/d/log"));
        let wrong = denied(dir, path, Some(0), 1000, 100);
        assert_eq!(wrong.kind, RefusalKind::WrongOwner);
        assert_eq!(
            wrong.to_string(),
            "/d/log: it belongs to user 0, and user 1000, as which this process runs, may not use it"
        );
        assert_eq!(wrong.hint(), "`chown -R 1000:100 /d` as root, or run holdfast as user 0.");
        assert_eq!(denied(dir, path, Some(1000), 1000, 100).kind, RefusalKind::NotWritable);
        assert_eq!(denied(dir, path, None, 1000, 100).kind, RefusalKind::NotWritable);
    }

    /// Runs `test` on a thread that is not root, or on this one if the process is not root anyway.
    fn as_ordinary_user(test: impl FnOnce() + Send + 'static) {
        let run = move || {
            #[cfg(target_os = "linux")]
            if rustix::process::geteuid().is_root() {
                let nobody = rustix::process::Uid::from_raw(65534);
                // Changes this thread alone.
                if rustix::thread::set_thread_res_uid(nobody, nobody, nobody).is_err() {
                    eprintln!("skipped: root may not change its user here");
                    return;
                }
            }
            test();
        };
        std::thread::spawn(run).join().unwrap();
    }

    #[test]
    fn another_users_files_are_refused() {
        if cfg!(not(target_os = "linux")) || !rustix::process::geteuid().is_root() {
            eprintln!("skipped: only root can make files of two users");
            return;
        }
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("data");
        fs::create_dir(&dir).unwrap();
        fs::set_permissions(home.path(), Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(&dir, Permissions::from_mode(0o777)).unwrap();
        let closed = dir.join(WITNESS);
        fs::write(&closed, b"").unwrap();
        fs::set_permissions(&closed, Permissions::from_mode(0o600)).unwrap();
        as_ordinary_user(move || {
            let refusal = check(&dir).unwrap_err();
            assert_eq!((refusal.kind, &refusal.file), (RefusalKind::WrongOwner, &closed));
            assert!(refusal.hint().starts_with("`chown -R 65534:"), "{}", refusal.hint());
        });
        let new = home.path().join("new");
        as_ordinary_user(move || assert_eq!(kind(&new), RefusalKind::WrongOwner));
    }

    #[test]
    fn read_only_modes_are_refused() {
        let outer = tempfile::tempdir().unwrap();
        fs::set_permissions(outer.path(), Permissions::from_mode(0o777)).unwrap();
        let dir = outer.path().join("mine");
        as_ordinary_user(move || {
            fs::create_dir(&dir).unwrap();
            fs::set_permissions(&dir, Permissions::from_mode(0o500)).unwrap();
            assert_eq!(kind(&dir), RefusalKind::NotWritable);
            fs::set_permissions(&dir, Permissions::from_mode(0o700)).unwrap();
            check(&dir).unwrap();
        });
    }
}
