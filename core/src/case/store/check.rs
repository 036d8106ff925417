//! Is this file one that cases can be trusted to? Checked before SQLite touches it, so that a file that is not
//! ours, or not whole, stays as it is.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::{Stored, has_no_descriptor, out_of_descriptors, place, store_error};
use crate::error::{Error, ErrorCode};

/// "APBC": this file is a case store.
pub(crate) const APPLICATION: i32 = 0x4150_4243;
/// The newest layout that this version reads.
pub(crate) const LAYOUT: i32 = 2;
/// In place of the layout: the store was moved into another one. Earlier releases refuse it as a newer layout.
pub(crate) const MOVED: i32 = 1_000_000 + LAYOUT;
/// In place of the layout: another store is being moved into this one.
pub(crate) const ARRIVING: i32 = 2_000_000 + LAYOUT;

/// SQLite's header, and the head of the first table.
const HEAD: usize = 108;

/// The files that this process has looked at, by device and inode. They stay open: closing a descriptor would end every
/// record lock that another SQLite in this process has on the file.
static SEEN: Mutex<Vec<((u64, u64), File)>> = Mutex::new(Vec::new());

/// Makes the file if there is none (mode 0600), and refuses what cannot be a store of ours.
pub(crate) fn check(path: &Path) -> Stored<()> {
    place::check(path)?;
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    match std::fs::metadata(path) {
        Ok(found) if !found.is_file() => {
            return Err(store_error(ErrorCode::StoreUnavailable, "the store's path is not a file"));
        }
        Ok(found) if seen.iter().any(|(seen, _)| *seen == identity(&found)) => return Ok(()),
        Err(e) if e.kind() == ErrorKind::NotFound => make(path)?,
        _ => {}
    }
    let mut file = open(path, false).map_err(|e| cannot_open(path, &e))?;
    // In this order: who makes a store just now has written to the file before there is a log.
    let has = |end: &str| std::fs::metadata(beside(path, end)).is_ok_and(|m| m.len() > 0);
    let (has_log, has_journal) = (has("-wal"), has("-journal"));
    let found = file.metadata().map_err(|e| cannot_open(path, &e))?;
    header(&mut file, found.len(), has_log, has_journal)?;
    if cfg!(unix) {
        // A file that was removed or replaced is nobody's any more.
        seen.retain(|(_, file)| file.metadata().is_ok_and(|seen| is_linked(&seen)));
        seen.push((identity(&found), file));
    }
    Ok(())
}

/// The log or its index.
pub(crate) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(end);
    PathBuf::from(path)
}

fn is_linked(_found: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        _found.nlink() > 0
    }
    #[cfg(not(unix))]
    true
}

fn identity(_found: &Metadata) -> (u64, u64) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        (_found.dev(), _found.ino())
    }
    #[cfg(not(unix))]
    (0, 0)
}

fn make(path: &Path) -> Stored<()> {
    match open(path, true) {
        Ok(file) => {
            // The umask may have removed the owner's own rights.
            private(path)?;
            drop(file);
            sync_directory(path);
            Ok(())
        }
        // Another process was faster.
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(cannot_open(path, &e)),
    }
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

/// Only the owner may read the file, its log and its index.
pub(crate) fn private(path: &Path) -> Stored<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        const OWNER: u32 = 0o600;
        for file in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
            if std::fs::metadata(&file).is_ok_and(|m| m.permissions().mode() & 0o777 != OWNER) {
                std::fs::set_permissions(&file, std::fs::Permissions::from_mode(OWNER)).map_err(|_| {
                    store_error(
                        ErrorCode::StoreUnavailable,
                        "others may read the store's file, and its mode cannot be changed",
                    )
                })?;
            }
        }
    }
    let _ = path;
    Ok(())
}

/// What can be told without a lock: whether it is ours. Whether all of it is sound, SQLite says.
fn header(file: &mut File, length: u64, has_log: bool, has_journal: bool) -> Stored<()> {
    let torn =
        || store_error(ErrorCode::StoreCorrupt, "the store's file is damaged or not a store; it was left as it is");
    if length == 0 {
        // SQLite would throw the log away.
        return if has_log { Err(torn()) } else { Ok(()) };
    }
    let mut head = [0u8; HEAD];
    file.read_exact(&mut head).map_err(|_| torn())?;
    let number =
        |at: usize| head.get(at..at + 4).and_then(|b| b.try_into().ok()).map(i32::from_be_bytes).unwrap_or_default();
    let page = match head.get(16..18) {
        Some([0, 1]) => 65_536,
        Some([high, low]) => u64::from(u16::from_be_bytes([*high, *low])),
        _ => 0,
    };
    if !head.starts_with(b"SQLite format 3\0") || page < 512 {
        return Err(torn());
    }
    // A last page that is cut can only be completed from the log.
    let is_cut = length < page || (!has_log && !length.is_multiple_of(page));
    match (number(68), number(60)) {
        // Made by SQLite but not yet by us: another process is making it just now, or its log has the rest. Whoever died
        // meanwhile has left a journal, which there is at no other time, and SQLite takes back what was begun.
        (0, 0) if head.get(103..105) == Some(&[0, 0]) && (!is_cut || has_journal) => Ok(()),
        _ if is_cut => Err(torn()),
        (APPLICATION, version) => layout(version),
        _ => Err(foreign()),
    }
}

pub(crate) fn foreign() -> Error {
    store_error(ErrorCode::StoreCorrupt, "the store's file belongs to another program; it was left as it is")
}

/// Refuses a layout that is newer than this library, or none at all.
pub(crate) fn layout(version: i32) -> Stored<()> {
    match version {
        1..=LAYOUT | MOVED | ARRIVING => Ok(()),
        newer if newer > LAYOUT => {
            let message = format!("the store has layout {version}, this version of the library reads up to {LAYOUT}");
            Err(store_error(ErrorCode::StoreVersion, message))
        }
        _ => Err(store_error(ErrorCode::StoreCorrupt, "the store's file is damaged; it was left as it is")),
    }
}

fn cannot_open(path: &Path, error: &std::io::Error) -> Error {
    match error.kind() {
        _ if has_no_descriptor(error) => out_of_descriptors(error),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            store_error(ErrorCode::StoreReadonly, "the store's file or directory cannot be written")
        }
        ErrorKind::StorageFull => store_error(ErrorCode::StoreFull, "the disk of the store is full"),
        ErrorKind::NotFound => {
            let directory = path.parent().unwrap_or(path).display();
            store_error(ErrorCode::StoreUnavailable, format!("the store's directory does not exist: {directory}"))
        }
        _ => store_error(ErrorCode::StoreUnavailable, format!("the store cannot be opened: {error}")),
    }
}

/// A new file is there after a crash only if its directory was synced.
fn sync_directory(path: &Path) {
    let directory = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Ok(directory) = File::open(directory) {
        let _ = directory.sync_all();
    }
}
