//! The witness of a store: a small file that names the last intent of this host. A store that does not have that
//! intent, or is not the file that the witness names, is older than what was sent through it.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{OptionalExtension, params};

use serde::{Deserialize, Serialize};

use super::tables::Tx;

/// All witnesses have this length, so that one is overwritten in place and never found empty.
const LENGTH: usize = 512;
/// How long another process may take to write it.
const PATIENCE: Duration = Duration::from_secs(2);
#[cfg(target_os = "linux")]
const ATTRIBUTE: &str = "user.atlas_postbooking.last_intent";

/// Which file this is: device, inode and birth time, as far as the system has them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct FileId {
    device: u64,
    pub inode: i64,
    /// Nanoseconds; 0 where the file system has no birth times.
    pub birth: i64,
}

impl FileId {
    /// None if there is no such file.
    pub fn of(path: &Path) -> Option<FileId> {
        let found = std::fs::metadata(path).ok()?;
        let birth = found.created().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        let birth = birth.and_then(|at| i64::try_from(at.as_nanos()).ok()).unwrap_or(0);
        #[cfg(unix)]
        let (device, inode) = {
            use std::os::unix::fs::MetadataExt;
            (found.dev(), found.ino() as i64)
        };
        #[cfg(not(unix))]
        let (device, inode) = (0, 0);
        Some(FileId { device, inode, birth })
    }
}

/// What a witness says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Witness {
    /// The store's.
    pub store: String,
    inode: i64,
    birth: i64,
    /// The last intent; empty before the first one.
    pub case: String,
    pub number: i64,
    /// Of a server: the system identifier of its cluster, and the timeline that it was last seen on.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    system: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    timeline: i64,
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// What is remembered of a store on a server. No case: no intent yet. Timeline 0: not known.
#[cfg(feature = "postgres")]
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ServerWitness {
    pub store: String,
    pub case: String,
    pub number: i64,
    pub system: String,
    pub timeline: i64,
}

#[cfg(feature = "postgres")]
impl ServerWitness {
    /// The later of both.
    pub fn with(mut self, other: &ServerWitness) -> ServerWitness {
        self.store.clone_from(&other.store);
        if other.number > self.number {
            (self.case, self.number) = (other.case.clone(), other.number);
        }
        if other.timeline > 0 && (self.system != other.system || other.timeline > self.timeline) {
            (self.system, self.timeline) = (other.system.clone(), other.timeline);
        }
        self
    }
}

#[cfg(feature = "postgres")]
impl Witness {
    pub fn of_server(self) -> ServerWitness {
        let Witness { store, case, number, system, timeline, .. } = self;
        ServerWitness { store, case, number, system, timeline }
    }
}

/// What is missing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Loss {
    pub what: String,
    pub case: String,
    pub number: i64,
}

/// A witness file, locked: no other process reads or writes it meanwhile.
pub(super) struct Locked {
    path: PathBuf,
    #[cfg(unix)]
    file: nix::fcntl::Flock<File>,
    #[cfg(not(unix))]
    file: File,
}

impl Locked {
    /// None if it cannot be read and written.
    pub fn open(path: &Path) -> Option<Locked> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let file = options.open(path).ok()?;
        #[cfg(unix)]
        let file = lock(file)?;
        Some(Locked { path: path.to_owned(), file })
    }

    /// None if there is none yet.
    pub fn read(&mut self) -> std::io::Result<Option<Witness>> {
        let mut text = String::new();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_to_string(&mut text)?;
        let text = text.trim_end_matches([' ', '\n']);
        match text {
            "" => Ok(None),
            // One that cannot be read names a store that is not this one.
            text => Ok(Some(serde_json::from_str(text).unwrap_or_default())),
        }
    }

    fn write(&mut self, witness: &Witness) -> std::io::Result<()> {
        let mut text = serde_json::to_vec(witness)?;
        text.resize(LENGTH.max(text.len() + 1) - 1, b' ');
        text.push(b'\n');
        self.file.seek(SeekFrom::Start(0))?;
        let is_new = self.file.metadata()?.len() == 0;
        self.file.write_all(&text)?;
        // Only its existence must survive a power failure: an older intent is in the store as well.
        if is_new { self.file.sync_all() } else { Ok(()) }
    }

    /// Names what is remembered of a store that is no file.
    #[cfg(feature = "postgres")]
    pub fn write_of_server(&mut self, known: ServerWitness) -> std::io::Result<()> {
        let ServerWitness { store, case, number, system, timeline } = known;
        self.write(&Witness { store, case, number, system, timeline, ..Witness::default() })
    }

    /// Names this store, this file and this intent, if it is later than the one that is named.
    pub fn name(
        &mut self,
        tx: &Tx<'_>,
        store: &Path,
        intent: Option<(&str, i64)>,
        anew: bool,
    ) -> rusqlite::Result<std::io::Result<()>> {
        let serial: String = tx.query_row("SELECT serial FROM store", [], |row| row.get(0))?;
        let id = FileId::of(store).unwrap_or_default();
        let earlier = self.read().ok().flatten().filter(|_| !anew).unwrap_or_default();
        let (case, number) = match intent {
            Some((case, number)) if number > earlier.number => (case.to_owned(), number),
            _ => (earlier.case, earlier.number),
        };
        let witness = Witness { store: serial, inode: id.inode, birth: id.birth, case, number, ..Witness::default() };
        if let Err(error) = self.write(&witness) {
            return Ok(Err(error));
        }
        if number > last_number(store).unwrap_or(0) {
            set_last_number(store, number);
        }
        if intent.is_none() {
            tx.execute("UPDATE store SET inode = ?1, birth = ?2", params![id.inode, id.birth])?;
            let path = self.path.to_string_lossy();
            tx.execute("INSERT OR IGNORE INTO witnesses (path) VALUES (?1)", [path])?;
        }
        Ok(Ok(()))
    }

    /// What the witness shows to be missing in the store; None if nothing is. The second value is whether there is a
    /// witness, or one is missing.
    pub fn compare(&mut self, tx: &Tx<'_>, store: &Path) -> rusqlite::Result<(Option<Loss>, bool)> {
        let id = FileId::of(store).unwrap_or_default();
        let (serial, inode, birth): (String, i64, i64) =
            tx.query_row("SELECT serial, inode, birth FROM store", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        let loss = |what: String| (Some(Loss { what, case: String::new(), number: 0 }), true);
        let Some(witness) = self.read().ok().flatten() else {
            let path = self.path.to_string_lossy();
            let had: bool = tx.query_row("SELECT EXISTS (SELECT 1 FROM witnesses)", [], |row| row.get(0))?;
            let had_this: bool =
                tx.query_row("SELECT EXISTS (SELECT 1 FROM witnesses WHERE path = ?1)", [path], |row| row.get(0))?;
            let is_same_file = (inode, birth) == (id.inode, id.birth);
            // Another place for the witness of the same file is a change of the configuration.
            return Ok(match had && (had_this || !is_same_file) {
                true => loss("its witness is missing".to_owned()),
                false => (None, false),
            });
        };
        if witness.store != serial && super::tables::imported(tx)?.contains(&witness.store) {
            // Of a store that was moved into this one, with the case that it names.
            let there = witness.case.is_empty() || has_intent(tx, &witness.case, witness.number)?;
            return Ok(if there { (None, false) } else { loss("it does not have the last intent".to_owned()) });
        }
        if witness.store != serial {
            return Ok(loss("its witness is of another store".to_owned()));
        }
        if (witness.inode, witness.birth) != (id.inode, id.birth) {
            let (was, is) = (witness.inode, id.inode);
            return Ok(loss(format!("it is not the file that its witness names (inode {is}, was {was})")));
        }
        // Files that are overwritten in place, with the witness, keep the attribute.
        let highest: i64 = tx.query_row("SELECT highest FROM store", [], |row| row.get(0))?;
        if let Some(last) = last_number(store).filter(|last| *last > highest) {
            return Ok(loss(format!("intent number {last} was stored in it, and the last number now is {highest}")));
        }
        if witness.case.is_empty() || has_intent(tx, &witness.case, witness.number)? {
            return Ok((None, true));
        }
        let what = "it does not have the last intent".to_owned();
        Ok((Some(Loss { what, case: witness.case, number: witness.number }), true))
    }
}

/// Whether the store has an intent, or what a purge left of it.
pub(super) fn has_intent(tx: &Tx<'_>, case: &str, number: i64) -> rusqlite::Result<bool> {
    let sql = "SELECT token FROM cases WHERE id = ?1 UNION ALL SELECT token FROM remnants WHERE id = ?1";
    let token: Option<i64> = tx.query_row(sql, [case], |row| row.get(0)).optional()?;
    Ok(token.is_some_and(|token| token >= number))
}

#[cfg(unix)]
fn lock(file: File) -> Option<nix::fcntl::Flock<File>> {
    use nix::fcntl::{Flock, FlockArg};
    let begun = Instant::now();
    let mut file = file;
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(locked) => return Some(locked),
            Err((back, _)) if begun.elapsed() < PATIENCE => file = back,
            Err(_) => return None,
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The number of the last intent, in an attribute of the store's file. By the path: closing a descriptor of the file
/// would end SQLite's locks.
#[cfg(target_os = "linux")]
pub(super) fn last_number(store: &Path) -> Option<i64> {
    let mut value = [0u8; 32];
    let length = rustix::fs::getxattr(store, ATTRIBUTE, &mut value[..]).ok()?;
    std::str::from_utf8(value.get(..length)?).ok()?.parse().ok()
}

#[cfg(target_os = "linux")]
fn set_last_number(store: &Path, number: i64) {
    // Not every file system has attributes: without one, only the witness tells.
    let _ = rustix::fs::setxattr(store, ATTRIBUTE, number.to_string().as_bytes(), rustix::fs::XattrFlags::empty());
}

#[cfg(not(target_os = "linux"))]
pub(super) fn last_number(_: &Path) -> Option<i64> {
    None
}

#[cfg(not(target_os = "linux"))]
fn set_last_number(_: &Path, _: i64) {}

/// The name of this machine, for those who look for what was lost.
pub(super) fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "this host".to_owned(),
        name => name.to_owned(),
    }
}

/// Whether there is no witness that could be used: also where its directory is gone, or something else has its name.
pub(super) fn is_missing(path: &Path) -> bool {
    match std::fs::metadata(path) {
        Ok(found) => !found.is_file(),
        Err(error) => error.kind() != ErrorKind::PermissionDenied,
    }
}

/// Whether the file is the one that a witness was last compared with. A new one was compared with none.
pub(super) fn is_known(tx: &Tx<'_>, store: &Path) -> rusqlite::Result<bool> {
    let sql = "SELECT inode, birth FROM store";
    let (inode, birth): (i64, i64) = tx.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let id = FileId::of(store).unwrap_or_default();
    Ok(inode == 0 || (inode, birth) == (id.inode, id.birth))
}
