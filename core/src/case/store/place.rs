//! Where the store's file lies: on a file system whose locks and shared memory can be trusted, and under one name, so
//! that everybody who opens it finds the same log beside it.

use std::path::Path;

use super::{Stored, store_error};
use crate::error::{Error, ErrorCode};

/// Refuses a place where the file would be damaged, or where another process would not see our locks.
#[cfg(target_os = "linux")]
pub(super) fn check(path: &Path) -> Stored<()> {
    use super::{has_no_descriptor, out_of_descriptors};
    let mounts = match std::fs::read("/proc/self/mountinfo") {
        Err(error) if has_no_descriptor(&error) => return Err(out_of_descriptors(&error)),
        mounts => String::from_utf8_lossy(&mounts.unwrap_or_default()).into_owned(),
    };
    let directory = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // The file itself, if it is there: its name may be a link to elsewhere.
    for place in [path, directory] {
        let Ok(stat) = nix::sys::statfs::statfs(place) else { continue };
        let real = std::fs::canonicalize(place).unwrap_or_else(|_| place.to_owned());
        // Of another type in each libc; the kernel's numbers have 32 bits.
        if let Some(name) = untrusted(stat.filesystem_type().0 as u32, mount_of(&mounts, &real).map(|mount| mount.kind))
        {
            let message = format!("the store is on {name}, whose locks cannot be trusted");
            return Err(store_error(ErrorCode::StoreNetwork, message));
        }
    }
    one_name(path, &mounts)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn check(path: &Path) -> Stored<()> {
    one_name(path, "")
}

/// SQLite finds the log by the name of the file. Under another name, there would be another log.
fn one_name(path: &Path, mounts: &str) -> Stored<()> {
    let Ok(real) = std::fs::canonicalize(path) else { return Ok(()) };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if std::fs::metadata(&real).is_ok_and(|found| found.is_file() && found.nlink() > 1) {
            return Err(second_name("the store's file has a second name (a hard link)", "remove the other name"));
        }
    }
    if real.is_file() && mount_of(mounts, &real).is_some_and(|mount| mount.point == real.to_string_lossy()) {
        return Err(second_name("the store's file is mounted by itself", "mount its directory"));
    }
    Ok(())
}

fn second_name(what: &str, advice: &str) -> Error {
    let message = format!("{what}: who opens it by the other name does not see its log; {advice}");
    store_error(ErrorCode::StoreUnavailable, message)
}

/// A line of `/proc/self/mountinfo` (proc_pid_mountinfo(5)).
#[derive(Debug, PartialEq)]
struct Mount<'m> {
    point: String,
    /// The type of the file system, with its subtype: `ext4`, `fuse.sshfs`.
    kind: &'m str,
}

/// The mount that a path, without links, is on: the longest of its prefixes, the last one of several.
fn mount_of<'m>(mounts: &'m str, path: &Path) -> Option<Mount<'m>> {
    mounts
        .lines()
        .filter_map(|line| {
            let (own, kind) = line.split_once(" - ")?;
            Some(Mount { point: unescaped(own.split(' ').nth(4)?), kind: kind.split(' ').next()? })
        })
        .filter(|mount| path.starts_with(&mount.point))
        .max_by_key(|mount| mount.point.len())
}

/// Spaces and the like stand as three octal digits.
fn unescaped(text: &str) -> String {
    ["\\040 ", "\\011\t", "\\012\n", "\\134\\"].iter().fold(text.to_owned(), |text, pair| {
        let (code, plain) = pair.split_at(4);
        text.replace(code, plain)
    })
}

/// The words for a file system whose locks are those of another machine or of no one, by the number that statfs(2)
/// gives and the type of the mount.
fn untrusted(magic: u32, kind: Option<&str>) -> Option<&'static str> {
    // Numbers of linux/magic.h, and of the file systems that are not in it.
    Some(match magic {
        0x6969 => "a network file system (NFS)",
        0x517B => "a network file system (SMB)",
        0xFE53_4D42 => "a network file system (SMB2)",
        0xFF53_4D42 => "a network file system (CIFS)",
        0x5346_414F => "a network file system (AFS)",
        0x7375_7245 => "a network file system (Coda)",
        0x00C3_6400 => "a network file system (Ceph)",
        0x7461_636F => "a cluster file system (OCFS2)",
        0x0116_1970 => "a cluster file system (GFS2)",
        0x4755_4C42 => "a network file system (Lustre or another cluster file system)",
        0x0BD0_0BD0 => "a network file system (Lustre)",
        0x4750_4653 => "a cluster file system (GPFS)",
        0x0102_1997 => "a directory of another machine (9p)",
        0x786F_4256 => "a directory of the host (VirtualBox)",
        0xBACB_ACBC => "a directory of the host (VMware)",
        // FUSE, of which virtiofs is a kind.
        0x6573_5546 => match kind {
            // Local, and the kernel itself keeps the locks: a block device, and what containers without root live on.
            Some("fuseblk" | "fuse.fuse-overlayfs") => return None,
            Some("virtiofs") => "a directory of the host (virtiofs)",
            _ => "a file system of another process (FUSE)",
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
30 22 0:40 / /mnt/far rw,nosuid - fuse.sshfs me@far:/ rw,user_id=0
31 22 0:41 / /mnt/far/near rw - tmpfs tmpfs rw
40 22 254:0 /host/cases.db /data/cases.db rw - ext4 /dev/vda rw
41 22 0:42 / /with\\040space rw shared:2 master:1 - virtiofs share rw
42 22 0:43 / /twice rw - ext4 /dev/vdb rw
43 42 0:44 / /twice rw - 9p share rw
";

    #[test]
    fn a_path_is_on_the_mount_with_its_longest_prefix() {
        for (path, point, kind) in [
            ("/tmp/cases.db", "/", "ext4"),
            ("/mnt/far/cases.db", "/mnt/far", "fuse.sshfs"),
            ("/mnt/farther/cases.db", "/", "ext4"),
            ("/mnt/far/near/cases.db", "/mnt/far/near", "tmpfs"),
            ("/data/cases.db", "/data/cases.db", "ext4"),
            ("/data/cases.db-wal", "/", "ext4"),
            ("/with space/cases.db", "/with space", "virtiofs"),
            ("/twice/cases.db", "/twice", "9p"),
        ] {
            assert_eq!(mount_of(MOUNTS, Path::new(path)), Some(Mount { point: point.to_owned(), kind }), "{path}");
        }
        for broken in ["", "\n", "1 2 3 4 5", "22 1 254:0 / /tmp", "22 - ext4"] {
            assert_eq!(mount_of(broken, Path::new("/tmp/cases.db")), None, "{broken}");
        }
    }

    #[test]
    fn file_systems_whose_locks_are_elsewhere_are_refused_and_local_ones_are_not() {
        let local = [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x794C_7630, 0x2FC1_2FC1, 0xF2F5_2010, 0xCA45_1A4E];
        for magic in local {
            assert_eq!(untrusted(magic, Some("ext4")), None, "{magic:x}");
        }
        for (magic, kind, word) in [
            (0x6969, "nfs4", "NFS"),
            (0xFE53_4D42, "cifs", "SMB2"),
            (0x0102_1997, "9p", "9p"),
            (0x6573_5546, "virtiofs", "virtiofs"),
            (0x6573_5546, "fuse.sshfs", "FUSE"),
            (0x6573_5546, "fuse", "FUSE"),
            (0x786F_4256, "vboxsf", "VirtualBox"),
        ] {
            assert!(untrusted(magic, Some(kind)).is_some_and(|name| name.contains(word)), "{kind}");
        }
        assert!(untrusted(0x6573_5546, None).is_some());
        for kind in ["fuseblk", "fuse.fuse-overlayfs"] {
            assert_eq!(untrusted(0x6573_5546, Some(kind)), None);
        }
    }
}
