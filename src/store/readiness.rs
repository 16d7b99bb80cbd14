//! Whether the store can take what is sent.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use super::{Error, Store, private};

/// What is written to see whether there is room: more than a file system keeps beside
/// the name of a file, and little enough for a probe every few seconds.
const PROBE_BYTES: usize = 64 << 10;

/// Not the name of any analysis.
const PROBE_NAME: &str = ".probe";

impl Store {
    /// Whether the database answers, and captures can be written so that they last.
    ///
    /// # Errors
    ///
    /// Where one of them fails. [`Error::Blob`]: the disk is full, or may not be written.
    pub async fn check_ready(&self) -> Result<(), Error> {
        sqlx::query("SELECT 1 FROM analyses LIMIT 1").execute(self.pool()).await?;
        // One at a time: where the file system hangs, probes must not take the threads
        // that uploads need. Nobody closes it.
        let permit = Arc::clone(&self.inner.probe).acquire_owned().await.ok();
        let path = self.inner.captures_directory.join(PROBE_NAME);
        let written = tokio::task::spawn_blocking({
            let path = path.clone();
            move || {
                let _permit = permit;
                write_probe(&path)
            }
        });
        let written = written.await.unwrap_or_else(|error| Err(io::Error::other(error)));
        written.map_err(|source| Error::Blob { path, source })
    }
}

fn write_probe(path: &Path) -> io::Result<()> {
    let written = private::open_file(path).and_then(|mut file| {
        file.write_all(&vec![0; PROBE_BYTES])?;
        // A full disk may be noticed only here.
        file.sync_data()
    });
    let removed = fs::remove_file(path);
    written.and(removed)
}
