//! Captures as they were sent: `captures/{analysis}/{n}` in the data directory.
//!
//! Files are numbered. No name that a sender chose becomes part of a path.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

use uuid::Uuid;

use super::{Error, Store};

/// The captures of an analysis that is not saved yet. Dropped without
/// [`CaptureBlobs::keep`], they are removed.
#[derive(Debug)]
pub struct CaptureBlobs {
    directory: PathBuf,
    count: u32,
    is_kept: bool,
}

impl CaptureBlobs {
    /// Starts the file of the next capture.
    ///
    /// # Errors
    ///
    /// Where the folder or file cannot be created.
    pub fn create(&mut self) -> Result<BlobWriter, Error> {
        let path = self.directory.join(self.count.to_string());
        let created = fs::create_dir_all(&self.directory).and_then(|()| File::create_new(&path));
        match created {
            Ok(file) => {
                self.count += 1;
                Ok(BlobWriter { file, path })
            }
            Err(source) => Err(Error::Blob { path, source }),
        }
    }

    /// The report is saved: its captures stay until it is deleted.
    pub fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for CaptureBlobs {
    fn drop(&mut self) {
        if self.is_kept || self.count == 0 {
            return;
        }
        if let Err(error) = fs::remove_dir_all(&self.directory) {
            let path = self.directory.display();
            tracing::warn!(%error, %path, "cannot remove captures; the next start tries again");
        }
    }
}

/// One capture's file, open for writing.
#[derive(Debug)]
pub struct BlobWriter {
    file: File,
    path: PathBuf,
}

impl BlobWriter {
    /// Adds bytes.
    ///
    /// # Errors
    ///
    /// Where they cannot be written, such as on a full disk.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(|source| self.fault(source))
    }

    /// Makes sure that the bytes outlive a power cut.
    ///
    /// # Errors
    ///
    /// Where the device refuses them.
    pub fn finish(self) -> Result<(), Error> {
        self.file.sync_data().map_err(|source| self.fault(source))
    }

    fn fault(&self, source: io::Error) -> Error {
        Error::Blob { path: self.path.clone(), source }
    }
}

impl Store {
    /// A place for the captures of the analysis `id`; nothing is created yet.
    #[must_use]
    pub fn new_captures(&self, id: Uuid) -> CaptureBlobs {
        CaptureBlobs { directory: self.captures_of(id), count: 0, is_kept: false }
    }

    fn captures_of(&self, id: Uuid) -> PathBuf {
        self.inner.captures_directory.join(id.to_string())
    }

    pub(super) async fn remove_captures(&self, id: Uuid) -> Result<(), Error> {
        let path = self.captures_of(id);
        match tokio::fs::remove_dir_all(&path).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result.map_err(|source| Error::Blob { path, source }),
        }
    }

    /// Removes folders whose report was never saved, or was deleted when its
    /// captures could not be. Files that are not ours stay.
    pub(super) async fn remove_orphaned_captures(&self) -> Result<(), Error> {
        let directory = &self.inner.captures_directory;
        let fault = |source| Error::Directory { path: directory.clone(), source };
        let saved: Vec<Uuid> =
            sqlx::query_scalar("SELECT id FROM analyses").fetch_all(self.pool()).await?;
        let saved: HashSet<Uuid> = saved.into_iter().collect();
        let mut entries = tokio::fs::read_dir(directory).await.map_err(fault)?;
        while let Some(entry) = entries.next_entry().await.map_err(fault)? {
            let id = entry.file_name().to_str().and_then(|name| Uuid::try_parse(name).ok());
            if let Some(id) = id.filter(|id| !saved.contains(id)) {
                tracing::info!(%id, "removing captures of an analysis that was never saved");
                self.remove_captures(id).await?;
            }
        }
        Ok(())
    }
}
