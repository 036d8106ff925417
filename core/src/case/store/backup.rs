//! `case.backup`: a copy of the store that knows that it is one.

use std::fs::File;
use std::path::Path;

use rusqlite::Connection;

use super::check::{beside, private};
use super::file::Sqlite;
use super::{Stored, store_error};
use crate::error::{Error, ErrorCode};

impl Sqlite {
    /// Writes a copy. It has its name only when it is whole and marked.
    pub(super) fn backup_to(&self, path: &Path) -> Stored<()> {
        let exists = || Error::at(ErrorCode::BadRequest, "case.backup", "/path", "is there already");
        if path.exists() {
            return Err(exists());
        }
        let partial = beside(path, "-partial");
        let done = self.copy(&partial).and_then(|()| {
            // Not by renaming: that would replace a file which appeared meanwhile.
            std::fs::hard_link(&partial, path).map_err(|e| match e.kind() {
                std::io::ErrorKind::AlreadyExists => exists(),
                _ => cannot_write(&e.to_string()),
            })
        });
        let _ = std::fs::remove_file(&partial);
        done?;
        let directory = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if let Ok(directory) = File::open(directory) {
            let _ = directory.sync_all();
        }
        Ok(())
    }

    fn copy(&self, partial: &Path) -> Stored<()> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        // SQLite writes into a file that is there and empty.
        drop(options.open(partial).map_err(|e| cannot_write(&e.to_string()))?);
        private(partial)?;
        let name = partial.to_str().ok_or_else(|| cannot_write("its name is not UTF-8"))?;
        self.with(|connection| connection.execute("VACUUM INTO ?1", [name]).map(|_| ()))?;
        let marked = (|| {
            let copy = Connection::open(partial)?;
            copy.execute_batch("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; UPDATE store SET copy = 1")
        })();
        marked.map_err(|e| cannot_write(&e.to_string()))?;
        File::open(partial).and_then(|file| file.sync_all()).map_err(|e| cannot_write(&e.to_string()))
    }
}

fn cannot_write(why: &str) -> Error {
    store_error(ErrorCode::StoreIo, format!("the copy cannot be written: {why}"))
}
