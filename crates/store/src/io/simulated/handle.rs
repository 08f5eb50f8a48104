//! An open file of the simulated disk.

use super::{DiskFile, Fault, Kind, PathBuf, SimulatedDisk, error, io};

#[derive(Debug)]
pub(super) struct SimulatedFile {
    pub(super) disk: SimulatedDisk,
    pub(super) node: u64,
    pub(super) path: PathBuf,
    pub(super) writable: bool,
}

impl SimulatedFile {
    fn at<T>(&self, action: &'static str, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|e| error::at(action, &self.path, e))
    }

    /// `EBADF` on a handle that was opened for reading.
    fn check_writable(&self) -> io::Result<()> {
        if self.writable {
            return Ok(());
        }
        Err(io::Error::from_raw_os_error(rustix::io::Errno::BADF.raw_os_error()))
    }
}

impl Drop for SimulatedFile {
    fn drop(&mut self) {
        let mut machine = self.disk.machine.lock();
        // A handle of an earlier life was forgotten with it.
        if machine.alive(self.disk.life).is_ok() {
            machine.release(self.node);
        }
    }
}

impl DiskFile for SimulatedFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let result = self.disk.look(|machine| Ok(machine.file(self.node)?.read(offset, buffer)));
        self.at("read", result)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let result = self.disk.operate(
            Kind::Write,
            |machine| {
                self.check_writable()?;
                machine.write(self.node, bytes, offset)
            },
            |machine, _| {
                let done = machine.random.index(bytes.len() + 1);
                if self.writable {
                    let _ = machine.write(self.node, &bytes[..done], offset);
                }
            },
        );
        self.at("write", result)
    }

    fn sync(&self) -> io::Result<()> {
        let result = self.disk.operate(
            Kind::Sync,
            |machine| {
                machine.file(self.node)?.sync();
                Ok(())
            },
            |machine, fault| {
                let Ok((file, random)) = machine.file_and_random(self.node) else { return };
                match fault {
                    Fault::Io | Fault::NoRoom => file.fail_sync(random),
                    Fault::Kill if random.chance(50) => file.sync(),
                    // A power cut decides by itself what arrived.
                    Fault::Kill | Fault::PowerCut => {}
                }
            },
        );
        self.at("sync", result)
    }

    fn len(&self) -> io::Result<u64> {
        self.at("inspect", self.disk.look(|machine| Ok(machine.file(self.node)?.len())))
    }

    /// Extending takes no room: the new part is a hole.
    fn set_len(&self, len: u64) -> io::Result<()> {
        let result = self.disk.operate(
            Kind::Write,
            |machine| {
                self.check_writable()?;
                machine.file(self.node)?.set_len(len);
                Ok(())
            },
            |machine, fault| {
                if self.writable
                    && fault != Fault::NoRoom
                    && machine.random.chance(50)
                    && let Ok(file) = machine.file(self.node)
                {
                    file.set_len(len);
                }
            },
        );
        self.at("resize", result)
    }
}
