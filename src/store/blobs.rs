//! Captures as they were sent: `captures/{analysis}/{n}` in the data directory.
//!
//! Files are numbered. No name that a sender chose becomes part of a path. Until
//! the report of an upload is saved, its folder is called `{analysis}.partial`:
//! only what has that mark may be removed as left over, since a database that
//! does not know a folder may be the wrong one.

mod aside;
mod block;
mod through;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use uuid::Uuid;

use self::aside::Aside;
pub use self::block::{ALIGN_BYTES, WHOLE_BYTES};
use self::through::Through;
use super::private::create_folder;
use super::{Error, Store};

/// What the name of a folder ends in whose report is not saved.
pub(super) const MARK: &str = ".partial";

/// The captures of an analysis that is not saved yet. Dropped without
/// [`CaptureBlobs::keep`], they are removed.
#[derive(Debug)]
pub struct CaptureBlobs {
    /// Where they are written.
    directory: PathBuf,
    /// Where they are once they are kept.
    kept: PathBuf,
    count: u32,
    is_kept: bool,
}

impl CaptureBlobs {
    /// Starts the file of the next capture.
    ///
    /// # Errors
    ///
    /// Where the folder or file cannot be created, or there are captures under this id.
    pub fn create(&mut self) -> Result<BlobWriter, Error> {
        if self.count == 0 && self.kept.exists() {
            let source = io::Error::from(io::ErrorKind::AlreadyExists);
            return Err(Error::Blob { path: self.kept.clone(), source });
        }
        let path = self.directory.join(self.count.to_string());
        let created = create_folder(&self.directory).and_then(|()| File::create_new(&path));
        match created {
            Ok(file) => {
                self.count += 1;
                // Without its report an upload is worth nothing after a crash.
                let way = if self.outlives_crash() {
                    Way::Through(Through::new(file))
                } else {
                    Way::Aside(Aside::new(file, &path))
                };
                Ok(BlobWriter { way, path })
            }
            Err(source) => Err(Error::Blob { path, source }),
        }
    }

    /// Opens the file of the capture that was created as number `count`, from 0 on.
    ///
    /// # Errors
    ///
    /// Where it cannot be opened.
    pub fn open(&self, count: usize) -> Result<File, Error> {
        let path = self.directory.join(count.to_string());
        File::open(&path).map_err(|source| Error::Blob { path, source })
    }

    /// The report is saved: its captures stay until it is deleted.
    pub fn keep(mut self) {
        self.is_kept = true;
        if self.count == 0 || self.outlives_crash() {
            return;
        }
        if let Err(error) = fs::rename(&self.directory, &self.kept) {
            let path = self.directory.display();
            tracing::warn!(%error, %path, "cannot rename captures; the next start tries again");
        }
    }
}

impl CaptureBlobs {
    /// Whether what is written counts before it is kept.
    fn outlives_crash(&self) -> bool {
        self.directory == self.kept
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
    way: Way,
    path: PathBuf,
}

#[derive(Debug)]
enum Way {
    Through(Through),
    Aside(Aside),
}

impl BlobWriter {
    /// Adds bytes.
    ///
    /// # Errors
    ///
    /// Where they, or some before them, cannot be written, such as on a full disk.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let written = match &mut self.way {
            Way::Through(file) => file.write(bytes),
            Way::Aside(file) => file.write(bytes),
        };
        written.map_err(|source| self.fault(source))
    }

    /// The same of bytes that others keep as well. From the first on that are aligned and
    /// enough at once, as [`ALIGN_BYTES`] and [`WHOLE_BYTES`] say, another thread writes them.
    ///
    /// # Errors
    ///
    /// As [`BlobWriter::write`].
    pub fn write_shared(&mut self, bytes: &Bytes) -> Result<(), Error> {
        let written = match &mut self.way {
            Way::Through(file) => file.write(bytes),
            Way::Aside(file) => file.write_shared(bytes),
        };
        written.map_err(|source| self.fault(source))
    }

    /// Makes sure that the bytes outlive a power cut.
    ///
    /// # Errors
    ///
    /// Where the device refuses them.
    pub fn finish(self) -> Result<(), Error> {
        let finished = match self.way {
            Way::Through(file) => file.finish(),
            Way::Aside(file) => file.finish(),
        };
        finished.map_err(|source| Error::Blob { path: self.path, source })
    }

    fn fault(&self, source: io::Error) -> Error {
        Error::Blob { path: self.path.clone(), source }
    }
}

impl Store {
    /// A place for the captures of the upload `id`; nothing is created yet. A crash
    /// before they are kept leaves what the next start removes.
    #[must_use]
    pub fn new_captures(&self, id: Uuid) -> CaptureBlobs {
        let (directory, kept) = (self.partial_captures_of(id), self.captures_of(id));
        CaptureBlobs { directory, kept, count: 0, is_kept: false }
    }

    /// A place for the captures of the node query `id`, which the store knows: they
    /// outlive a crash, and are analysed at the next start.
    #[must_use]
    pub fn new_query_captures(&self, id: Uuid) -> CaptureBlobs {
        let directory = self.captures_of(id);
        CaptureBlobs { kept: directory.clone(), directory, count: 0, is_kept: false }
    }

    /// Removes the captures of an analysis that has no report. `false`: there were none.
    ///
    /// # Errors
    ///
    /// Where they cannot be removed.
    pub async fn remove_captures(&self, id: Uuid) -> Result<bool, Error> {
        remove_folder(&self.captures_of(id)).await
    }

    pub(super) fn captures_of(&self, id: Uuid) -> PathBuf {
        self.inner.captures_directory.join(id.to_string())
    }

    pub(super) fn partial_captures_of(&self, id: Uuid) -> PathBuf {
        self.inner.captures_directory.join(format!("{id}{MARK}"))
    }
}

/// Removes a folder of captures. `false`: there was none.
pub(super) async fn remove_folder(path: &Path) -> Result<bool, Error> {
    match tokio::fs::remove_dir_all(path).await {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(Error::Blob { path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captures_are_whole_until_they_are_dropped() {
        let directory =
            std::env::temp_dir().join(format!("replyscope-blobs-{}", std::process::id()));
        let chunk = vec![7_u8; 700_000];
        for kept in [directory.with_extension("kept"), directory.clone()] {
            let mut captures =
                CaptureBlobs { directory: directory.clone(), kept, count: 0, is_kept: false };
            let mut writer = captures.create().unwrap();
            for _ in 0..5 {
                writer.write(&chunk).unwrap();
            }
            // What is not much at once is written at once.
            assert_eq!(captures.open(0).unwrap().metadata().unwrap().len(), 5 * 700_000);
            writer.finish().unwrap();
            assert_eq!(captures.open(0).unwrap().metadata().unwrap().len(), 5 * 700_000);
            drop(captures);
            assert!(!directory.exists());
        }
    }
}
