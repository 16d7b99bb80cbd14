//! Room that is kept for deleting: SQLite writes before it forgets, also on a full disk.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;

use super::connections::is_file;
use super::{Error, Store, private};

/// A large report's rows are some hundred pages of 4 KiB in the database's log.
const RESERVE_BYTES: usize = 1 << 20;

/// Where the reserve is: beside the database, whose disk it keeps room on.
pub(super) fn place(data_directory: &Path, database: Option<&SqliteConnectOptions>) -> PathBuf {
    let path = database.map(SqliteConnectOptions::get_filename).filter(|path| is_file(path));
    match path {
        // As SQLite calls its own files beside it.
        Some(path) => {
            let mut name = path.as_os_str().to_owned();
            name.push("-reserve");
            name.into()
        }
        None => data_directory.join("reserve"),
    }
}

impl Store {
    /// Takes the reserve, and makes room in the database's log, so that rows can be
    /// deleted. [`Store::keep_reserve`] puts it back.
    pub(super) async fn spend_reserve(&self) {
        let path = &self.inner.reserve;
        if let Err(error) = tokio::fs::remove_file(path).await {
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
        let path = self.inner.reserve.clone();
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
    let written = private::open_file(path).and_then(|mut file| {
        file.write_all(&vec![0; RESERVE_BYTES])?;
        file.sync_data()
    });
    if written.is_err() {
        // Half a reserve takes room that others need. Why it could not be written counts.
        let _ = fs::remove_file(path);
    }
    written
}

/// Whether the disk has no room. SQLite calls only ENOSPC of a write so; a quota that is
/// used up (EDQUOT) is a failed write to it, or on NFS a failed sync, and shared memory
/// that cannot grow is a fault of its own ("Result and Error Codes" in its pages).
pub(super) fn is_full(error: &Error) -> bool {
    /// `SQLITE_FULL`, `_IOERR_WRITE`, `_IOERR_FSYNC`, `_IOERR_SHMSIZE`.
    const CODES: [&str; 4] = ["13", "778", "1034", "4874"];
    let Error::Database(error) = error else { return false };
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| CODES.contains(&code.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_is_on_the_disk_of_the_database() {
        let cases = [
            (None, "data/reserve"),
            (Some("sqlite://else/reports.sqlite"), "else/reports.sqlite-reserve"),
            (Some("sqlite::memory:"), "data/reserve"),
        ];
        for (url, expected) in cases {
            let options = url.map(|url| url.parse::<SqliteConnectOptions>().unwrap());
            assert_eq!(place(Path::new("data"), options.as_ref()), Path::new(expected), "{url:?}");
        }
    }
}
