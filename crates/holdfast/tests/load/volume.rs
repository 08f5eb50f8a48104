//! A small ext4 file system in a file, mounted for one test.

use super::say;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Cuts the file system off from its disk, without writing its journal: `EXT4_IOC_SHUTDOWN` with `NOLOGFLUSH`. Rust's
/// way to an ioctl needs unsafe code, which this workspace forbids.
const SHUTDOWN: &str = "import fcntl, os, struct, sys\n\
    fd = os.open(sys.argv[1], os.O_RDONLY)\n\
    fcntl.ioctl(fd, 0x8004587d, struct.pack('I', 2))\n";

/// A file system that is mounted; unmounted when it is dropped, also by a panic.
pub struct Volume {
    /// Keeps image and mount point; dropped after the unmount.
    place: tempfile::TempDir,
    mounted: bool,
}

impl Volume {
    /// Makes and mounts one of so many MiB. `None`, with a message, where that is not possible (no root, no loop devices, no
    /// tools).
    pub fn new(mebibytes: u64) -> Option<Self> {
        let place = tempfile::tempdir().expect("a directory");
        let image = std::fs::File::create(place.path().join("image")).expect("a file");
        image.set_len(mebibytes << 20).expect("a length");
        drop(image);
        std::fs::create_dir(place.path().join("mount")).expect("a directory");
        let mut volume = Self { place, mounted: false };
        let image = volume.place.path().join("image");
        let made = run(Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0"]).arg(image))
            .and_then(|_| volume.try_mount());
        match made {
            Ok(()) => Some(volume),
            Err(reason) => {
                say(&format!(
                    "skipped: a file system of one's own needs root, mkfs.ext4 and loop devices: {reason}"
                ));
                None
            }
        }
    }

    /// Where it is mounted.
    pub fn path(&self) -> PathBuf {
        self.place.path().join("mount")
    }

    fn try_mount(&mut self) -> Result<(), String> {
        let image = self.place.path().join("image");
        run(Command::new("mount").args(["-o", "loop"]).arg(image).arg(self.path()))?;
        self.mounted = true;
        Ok(())
    }

    /// Mounts it again; a journal that was not finished is replayed.
    pub fn mount(&mut self) {
        self.try_mount().expect("mounts");
    }

    /// Unmounts it. Nothing may be open on it.
    pub fn unmount(&mut self) {
        run(Command::new("umount").arg(self.path())).expect("unmounts");
        self.mounted = false;
    }

    /// From now on nothing reaches the disk, as if the power were gone.
    pub fn cut(&self) {
        run(Command::new("python3").args(["-c", SHUTDOWN]).arg(self.path())).expect("cuts");
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        if self.mounted {
            // Lazily: a process of the test may still have files open here, and ends right after.
            drop(run(Command::new("umount").arg("-l").arg(self.path())));
        }
    }
}

fn run(command: &mut Command) -> Result<Output, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        Ok(output)
    } else {
        Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}
