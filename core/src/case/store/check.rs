//! Is this file one that cases can be trusted to? Checked before SQLite touches it, so that a file that is not
//! ours, or not whole, stays as it is.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::{Stored, store_error};

/// "APBC": this file is a case store.
pub(crate) const APPLICATION: i32 = 0x4150_4243;
/// The newest layout that this version reads.
pub(crate) const LAYOUT: i32 = 1;

const HEADER: usize = 100;

/// Makes the file if there is none (mode 0600), and refuses what cannot be a store of ours.
pub(crate) fn check(path: &Path) -> Stored<()> {
    local(path)?;
    let mut file = match open(path, false) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => match open(path, true) {
            Ok(file) => {
                sync_directory(path);
                file
            }
            Err(e) if e.kind() == ErrorKind::AlreadyExists => open(path, false).map_err(|e| cannot_open(path, &e))?,
            Err(e) => return Err(cannot_open(path, &e)),
        },
        Err(e) => return Err(cannot_open(path, &e)),
    };
    let length = file.metadata().map_err(|e| cannot_open(path, &e))?;
    if !length.is_file() {
        return Err(store_error("store_unavailable", "the store's path is not a file"));
    }
    private(&file, &length)?;
    header(&mut file, length.len(), path)
}

/// What is in the store is nobody else's to read.
fn private(file: &File, metadata: &std::fs::Metadata) -> Stored<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mut permissions = metadata.permissions();
        if permissions.mode() & 0o077 != 0 {
            permissions.set_mode(0o600);
            file.set_permissions(permissions).map_err(|_| {
                store_error("store_unavailable", "others may read the store's file, and its mode cannot be changed")
            })?;
        }
    }
    let _ = (file, metadata);
    Ok(())
}

fn open(path: &Path, new: bool) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    if new {
        options.create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
    }
    options.open(path)
}

fn header(file: &mut File, length: u64, path: &Path) -> Stored<()> {
    let torn = || store_error("store_corrupt", "the store's file is damaged or not a store; it was left as it is");
    // A log beside the file may hold what the file does not yet.
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let has_log = std::fs::metadata(PathBuf::from(log)).is_ok_and(|m| m.len() > 0);
    if length == 0 {
        return if has_log { Err(torn()) } else { Ok(()) };
    }
    let mut head = [0u8; HEADER];
    file.seek(SeekFrom::Start(0)).and_then(|_| file.read_exact(&mut head)).map_err(|_| torn())?;
    let number =
        |at: usize| head.get(at..at + 4).and_then(|b| b.try_into().ok()).map(i32::from_be_bytes).unwrap_or_default();
    if !head.starts_with(b"SQLite format 3\0") {
        return Err(torn());
    }
    let page = match head.get(16..18).and_then(|b| <[u8; 2]>::try_from(b).ok()).map(u16::from_be_bytes) {
        Some(1) => 65_536u64,
        Some(size) => u64::from(size),
        None => 0,
    };
    let pages = number(28) as u32;
    if !has_log && (page < 512 || !length.is_multiple_of(page) || length < page * u64::from(pages)) {
        return Err(torn());
    }
    match (number(68), number(60)) {
        // Made by SQLite but not yet by us: another process is making it just now, or its log has the rest.
        (0, 0) => Ok(()),
        (APPLICATION, version) => layout(version),
        _ => Err(store_error("store_corrupt", "the store's file belongs to another program; it was left as it is")),
    }
}

/// Refuses a layout that is newer than this library.
pub(crate) fn layout(version: i32) -> Stored<()> {
    if version > LAYOUT {
        let message = format!("the store has layout {version}, this version of the library reads up to {LAYOUT}");
        return Err(store_error("store_newer", message));
    }
    Ok(())
}

pub(crate) fn cannot_open(path: &Path, error: &std::io::Error) -> crate::outcome::Error {
    let _ = path;
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            store_error("store_readonly", "the store's file or directory cannot be written")
        }
        ErrorKind::StorageFull => store_error("store_full", "the disk of the store is full"),
        ErrorKind::NotFound => store_error("store_unavailable", "the store's directory does not exist"),
        _ => store_error("store_unavailable", format!("the store cannot be opened: {error}")),
    }
}

/// A new file is there after a crash only if its directory was synced.
fn sync_directory(path: &Path) {
    let directory = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Ok(directory) = File::open(directory) {
        let _ = directory.sync_all();
    }
}

/// Locks on network file systems are not to be trusted with money.
fn local(path: &Path) -> Stored<()> {
    #[cfg(target_os = "linux")]
    {
        // Magic numbers of linux/magic.h, and of the file systems that are not in it.
        const NETWORK: [(i64, &str); 9] = [
            (0x6969, "NFS"),
            (0x517B, "SMB"),
            (0xFE53_4D42, "SMB2"),
            (0xFF53_4D42, "CIFS"),
            (0x0102_1997, "9p"),
            (0x5346_414F, "AFS"),
            (0x00C3_6400, "Ceph"),
            (0x7461_636F, "OCFS2"),
            (0x4755_4C42, "Lustre or another cluster file system"),
        ];
        let directory = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if let Ok(stat) = nix::sys::statfs::statfs(directory) {
            let kind = stat.filesystem_type().0 & 0xFFFF_FFFF;
            if let Some((_, name)) = NETWORK.iter().find(|(magic, _)| *magic == kind) {
                let message = format!("the store is on a network file system ({name}), whose locks cannot be trusted");
                return Err(store_error("store_network", message));
            }
        }
    }
    let _ = path;
    Ok(())
}
