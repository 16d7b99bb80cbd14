//! How much the store holds.

use std::path::Path;
use std::sync::PoisonError;
use std::time::Duration;
use std::{fs, io};

use tokio::time::Instant;

use super::{Error, Store};

/// How long a count is good enough: it looks at every file.
const COUNT_TIME: Duration = Duration::from_secs(10);

/// How long one who asks waits for a count.
const PATIENCE: Duration = Duration::from_secs(5);

/// Bytes that the store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    pub captures_bytes: u64,
    pub database_bytes: u64,
}

/// A count and when it was made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted {
    usage: Usage,
    at: Instant,
}

impl Store {
    /// Bytes that the store holds, or held some seconds ago; on a slow disk those of the
    /// count before, and `None` until there is one.
    ///
    /// # Errors
    ///
    /// Where the folder of captures cannot be read, or the database does not answer.
    pub async fn usage(&self) -> Result<Option<Usage>, Error> {
        if let Some(usage) = self.find_counted(COUNT_TIME) {
            return Ok(Some(usage));
        }
        // A task of its own: who asked may give up, and whoever asks next finds its count.
        let store = self.clone();
        let counting = tokio::spawn(async move { store.count().await });
        match tokio::time::timeout(PATIENCE, counting).await {
            Ok(Ok(counted)) => counted.map(Some),
            Ok(Err(_)) | Err(_) => Ok(self.find_counted(Duration::MAX)),
        }
    }

    /// What was counted within that time.
    fn find_counted(&self, time: Duration) -> Option<Usage> {
        let counted = *self.inner.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.filter(|counted| counted.at.elapsed() < time).map(|counted| counted.usage)
    }

    async fn count(&self) -> Result<Usage, Error> {
        // Held while it counts: what another one counted meanwhile will do.
        let _turn = self.inner.counting.lock().await;
        if let Some(usage) = self.find_counted(COUNT_TIME) {
            return Ok(usage);
        }
        let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(self.pool()).await?;
        let page_bytes: i64 = sqlx::query_scalar("PRAGMA page_size").fetch_one(self.pool()).await?;
        let path = self.inner.captures_directory.clone();
        let captures = tokio::task::spawn_blocking({
            let path = path.clone();
            move || count_captures(&path)
        });
        let captures = captures.await.unwrap_or_else(|error| Err(io::Error::other(error)));
        let usage = Usage {
            captures_bytes: captures.map_err(|source| Error::Blob { path, source })?,
            database_bytes: u64::try_from(pages.saturating_mul(page_bytes)).unwrap_or(0),
        };
        let counted = Some(Counted { usage, at: Instant::now() });
        *self.inner.counted.lock().unwrap_or_else(PoisonError::into_inner) = counted;
        Ok(usage)
    }
}

/// Bytes of the files in the folders below `directory`.
fn count_captures(directory: &Path) -> io::Result<u64> {
    let mut bytes = 0_u64;
    for folder in fs::read_dir(directory)? {
        // One that is deleted meanwhile holds nothing.
        let Ok(files) = fs::read_dir(folder?.path()) else { continue };
        for file in files.flatten() {
            let length = file.metadata().map_or(0, |metadata| metadata.len());
            bytes = bytes.saturating_add(length);
        }
    }
    Ok(bytes)
}
