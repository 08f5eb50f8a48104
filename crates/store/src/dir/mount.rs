//! What kind of mount holds the data directory, in one line for banner, `status` and console.
//!
//! Linux only: `/proc/self/mountinfo`, and the type that `statfs` tells where that cannot be read. Elsewhere the kind is
//! unknown and nothing is claimed.

use std::fmt;
use std::path::{Path, PathBuf};

/// How far a mount can be trusted to keep what was synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MountKind {
    /// A file system on a local block device (or one that behaves like it).
    Disk,
    /// Memory: tmpfs or ramfs.
    Memory,
    /// Layers over an image: a container's own file system.
    Overlay,
    /// Another machine's disk: NFS, SMB and the like.
    Network,
    /// A directory that a host shares with a virtual machine or container, or a file system run by a program (FUSE).
    Shared,
    /// Not known.
    Unknown,
}

/// The mount that holds a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// What it can be trusted with.
    pub kind: MountKind,
    /// Name of the file system type, such as `ext4`; empty if unknown.
    pub filesystem: String,
    /// Where it is mounted, if known.
    pub point: Option<PathBuf>,
    /// Whether it is mounted read-only.
    pub read_only: bool,
}

impl Mount {
    /// Finds the mount that holds `path`; for a path that does not exist, the nearest directory above it. Never fails: what
    /// cannot be found out is unknown.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let real = absolute.ancestors().find_map(|above| above.canonicalize().ok()).unwrap_or(absolute);
        std::fs::read("/proc/self/mountinfo")
            .ok()
            .and_then(|text| from_mountinfo(&String::from_utf8_lossy(&text), &real))
            .unwrap_or_else(|| from_statfs(&real))
    }

    fn unknown() -> Self {
        Self { kind: MountKind::Unknown, filesystem: String::new(), point: None, read_only: false }
    }

    /// What a user should know before trusting the mount with data; `None` for a disk and where nothing is known.
    #[must_use]
    pub fn warning(&self) -> Option<&'static str> {
        match self.kind {
            MountKind::Memory => Some(
                "this is memory, not a disk: everything is lost when it is unmounted or the machine stops",
            ),
            MountKind::Overlay => Some(
                "this is the container's own layer: everything is deleted together with the container; \
                 mount a volume at the data directory",
            ),
            MountKind::Network => Some(
                "this is a network file system: whether a sync reaches a disk is up to the server, and locks may \
                 not keep a second server out",
            ),
            MountKind::Shared => Some(
                "this directory is shared by a host or run by a program: whether a sync reaches a disk is up to it",
            ),
            MountKind::Disk | MountKind::Unknown => None,
        }
    }
}

/// `ext4 mounted at /var/lib`, or `unknown file system`.
impl fmt::Display for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.filesystem.is_empty() {
            return f.write_str("unknown file system");
        }
        f.write_str(&self.filesystem)?;
        if let Some(point) = &self.point {
            write!(f, " mounted at {}", point.display())?;
        }
        if self.read_only {
            f.write_str(", read-only")?;
        }
        Ok(())
    }
}

/// What kind a file system type is, by the name that the kernel gives it.
fn kind_of(filesystem: &str) -> MountKind {
    match filesystem {
        "ext2" | "ext3" | "ext4" | "xfs" | "btrfs" | "f2fs" | "bcachefs" | "zfs" | "jfs" | "reiserfs"
        | "nilfs2" | "ntfs" | "ntfs3" | "vfat" | "exfat" | "hfsplus" | "fuseblk" | "ubifs" | "erofs"
        | "squashfs" => MountKind::Disk,
        "tmpfs" | "ramfs" | "rootfs" | "devtmpfs" => MountKind::Memory,
        "overlay" | "overlayfs" | "aufs" | "fuse.fuse-overlayfs" => MountKind::Overlay,
        "nfs" | "nfs4" | "cifs" | "smb3" | "smbfs" | "afs" | "ceph" | "lustre" | "gpfs" | "beegfs"
        | "ocfs2" | "gfs2" | "fuse.sshfs" | "fuse.glusterfs" | "fuse.ceph" | "fuse.s3fs" | "fuse.rclone"
        | "fuse.gcsfuse" | "fuse.mount-s3" | "fuse.blobfuse" | "fuse.juicefs" => MountKind::Network,
        // Virtual machines' and Docker Desktop's ways to show a directory of the host.
        "virtiofs" | "9p" | "vboxsf" | "prl_fs" | "vmhgfs" | "fakeowner" | "drvfs" | "fuse" => {
            MountKind::Shared
        }
        other if other.starts_with("fuse.") => MountKind::Shared,
        _ => MountKind::Unknown,
    }
}

/// Finds the mount of an absolute, resolved path in the text of `/proc/self/mountinfo` (see `proc_pid_mountinfo(5)`).
fn from_mountinfo(text: &str, path: &Path) -> Option<Mount> {
    let mut best: Option<(usize, Mount)> = None;
    for line in text.lines() {
        let Some((left, right)) = line.split_once(" - ") else { continue };
        let mut left = left.split(' ').skip(4);
        let (Some(point), Some(options)) = (left.next(), left.next()) else { continue };
        let mut right = right.split(' ');
        let Some(filesystem) = right.next() else { continue };
        let super_options = right.nth(1).unwrap_or("");
        let point = PathBuf::from(unescape(point));
        if !path.starts_with(&point) {
            continue;
        }
        let depth = point.components().count();
        // A later mount at the same point covers an earlier one.
        if best.as_ref().is_none_or(|(deepest, _)| depth >= *deepest) {
            let read_only = [options, super_options].iter().any(|o| o.split(',').any(|o| o == "ro"));
            let filesystem = filesystem.to_owned();
            let kind = kind_of(&filesystem);
            best = Some((depth, Mount { kind, filesystem, point: Some(point), read_only }));
        }
    }
    best.map(|(_, mount)| mount)
}

/// Undoes `\040` and the like.
fn unescape(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let octal = bytes.get(at + 1..at + 4).filter(|_| bytes[at] == b'\\');
        let code = octal.and_then(|o| u8::from_str_radix(std::str::from_utf8(o).ok()?, 8).ok());
        out.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 4 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Magic numbers of file systems as `statfs(2)` lists them.
#[cfg(target_os = "linux")]
const MAGIC: [(u32, &str); 15] = [
    (0x0000_ef53, "ext4"),
    (0x5846_5342, "xfs"),
    (0x9123_683e, "btrfs"),
    (0xf2f5_2010, "f2fs"),
    (0x2fc1_2fc1, "zfs"),
    (0xca45_1a4e, "bcachefs"),
    (0x0102_1994, "tmpfs"),
    (0x8584_58f6, "ramfs"),
    (0x794c_7630, "overlay"),
    (0x0000_6969, "nfs"),
    (0xff53_4d42, "cifs"),
    (0xfe53_4d42, "smb3"),
    (0x00c3_6400, "ceph"),
    (0x0102_1997, "9p"),
    (0x6573_5546, "fuse"),
];

#[cfg(target_os = "linux")]
fn from_statfs(path: &Path) -> Mount {
    let Ok(stat) = rustix::fs::statfs(path) else { return Mount::unknown() };
    // The type is signed or not and 32 or 64 bits wide, depending on the machine; its low 32 bits count.
    let low_bits = i128::from(stat.f_type) & 0xffff_ffff;
    let found = MAGIC.iter().find(|(magic, _)| i128::from(*magic) == low_bits);
    found.map_or_else(Mount::unknown, |(_, name)| Mount {
        kind: kind_of(name),
        filesystem: (*name).to_owned(),
        ..Mount::unknown()
    })
}

#[cfg(not(target_os = "linux"))]
fn from_statfs(_: &Path) -> Mount {
    Mount::unknown()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - overlay overlay rw,lowerdir=/a:/b
30 27 0:30 / /tmp rw shared:5 - tmpfs tmpfs rw,size=1g
31 27 8:1 / /data rw,noatime shared:1 master:2 - ext4 /dev/sda1 rw
32 31 0:40 / /data/my\\040nfs ro,relatime - nfs4 server:/x rw
33 27 8:2 / /tmp rw - xfs /dev/sdb1 ro
34 27 0:41 / /host rw - virtiofs tag rw
35 27 0:42 / /mail rw - fuse.gcsfuse bucket rw
36 27 0:43 / /odd rw - fuse.something x rw
garbage
";

    fn mount(path: &str) -> Mount {
        from_mountinfo(TEXT, Path::new(path)).unwrap()
    }

    #[test]
    fn the_deepest_and_last_mount_counts() {
        assert_eq!(mount("/var/lib/x").kind, MountKind::Overlay);
        assert_eq!(mount("/data").to_string(), "ext4 mounted at /data");
        assert_eq!(mount("/data/deep").kind, MountKind::Disk);
        assert_eq!(mount("/database").kind, MountKind::Overlay);
        let network = mount("/data/my nfs/x");
        assert_eq!((network.kind, network.read_only), (MountKind::Network, true));
        assert_eq!(mount("/tmp/x").to_string(), "xfs mounted at /tmp, read-only");
        assert_eq!(mount("/host").kind, MountKind::Shared);
        assert_eq!(mount("/mail/x").kind, MountKind::Network);
        assert_eq!(mount("/odd").kind, MountKind::Shared);
        assert_eq!(mount("/proc/1").kind, MountKind::Unknown);
        assert_eq!(from_mountinfo("", Path::new("/")), None);
    }

    #[test]
    fn only_disks_come_without_a_warning() {
        assert!(mount("/data").warning().is_none());
        assert!(mount("/").warning().unwrap().contains("mount a volume"));
        assert!(Mount::unknown().warning().is_none());
        assert_eq!(Mount::unknown().to_string(), "unknown file system");
        let memory = Mount { kind: kind_of("tmpfs"), ..Mount::unknown() };
        assert!(memory.warning().unwrap().contains("not a disk"));
    }

    #[test]
    fn escapes_are_undone() {
        assert_eq!(unescape("/a\\040b\\134c\\"), "/a b\\c\\");
        assert_eq!(unescape("\\9zz"), "\\9zz");
    }

    #[test]
    fn this_machine_can_be_asked() {
        let dir = tempfile::tempdir().unwrap();
        let here = Mount::of(dir.path());
        assert_eq!(Mount::of(&dir.path().join("not/there")), here);
        if cfg!(target_os = "linux") {
            assert!(!here.filesystem.is_empty());
            assert_eq!(Mount::of(Path::new("/proc")).kind, MountKind::Unknown);
            let told = from_statfs(dir.path());
            assert!(told.kind == here.kind || told.kind == MountKind::Unknown);
        }
    }
}
