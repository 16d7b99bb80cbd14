//! Room that is kept for deleting: SQLite writes before it forgets, also on a full disk.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use super::{Error, Store};

/// A large report's rows are some hundred pages of 4 KiB in the database's log.
const RESERVE_BYTES: usize = 1 << 20;

/// In the data directory, beside the database.
const RESERVE_NAME: &str = "reserve";

impl Store {
    /// Takes the reserve, and makes room in the database's log, so that rows can be
    /// deleted. [`Store::keep_reserve`] puts it back.
    pub(super) async fn spend_reserve(&self) {
        let path = self.inner.captures_directory.with_file_name(RESERVE_NAME);
        if let Err(error) = tokio::fs::remove_file(&path).await {
            tracing::warn!(%error, path = %path.display(), "there is no reserve to make room with");
        }
        // What the log of writes holds is put into the database, and its room is given
        // back (SQLite, "Write-Ahead Logging", section 6).
        let checkpoint = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)");
        if let Err(error) = checkpoint.execute(self.pool()).await {
            tracing::warn!(%error, "the database's log keeps its room");
        }
    }

    /// Keeps a reserve, where there is room for one.
    pub(super) async fn keep_reserve(&self) {
        let path = self.inner.captures_directory.with_file_name(RESERVE_NAME);
        let written = tokio::task::spawn_blocking(move || write_reserve(&path));
        let written = written.await.unwrap_or_else(|error| Err(io::Error::other(error)));
        if let Err(error) = written {
            tracing::warn!(%error, "no room is kept for deleting on a full disk");
        }
    }
}

fn write_reserve(path: &Path) -> io::Result<()> {
    let length = fs::metadata(path).map_or(0, |metadata| metadata.len());
    if usize::try_from(length).is_ok_and(|length| length == RESERVE_BYTES) {
        return Ok(());
    }
    let written = File::create(path).and_then(|mut file| {
        file.write_all(&vec![0; RESERVE_BYTES])?;
        file.sync_data()
    });
    if written.is_err() {
        // Half a reserve takes room that others need. Why it could not be written counts.
        let _ = fs::remove_file(path);
    }
    written
}

/// Whether the disk has no room: SQLITE_FULL.
pub(super) fn is_full(error: &Error) -> bool {
    const FULL: &str = "13";
    let Error::Database(error) = error else { return false };
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code == FULL)
}
