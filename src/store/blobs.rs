//! Captures as they were sent: `captures/{analysis}/{n}` in the data directory.
//!
//! Files are numbered. No name that a sender chose becomes part of a path. Until
//! the report of an upload is saved, its folder is called `{analysis}.partial`:
//! only what has that mark may be removed as left over, since a database that
//! does not know a folder may be the wrong one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use uuid::Uuid;

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
                Ok(BlobWriter { file, path, unsynced_bytes: 0, syncer: None })
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
        if self.count == 0 || self.directory == self.kept {
            return;
        }
        if let Err(error) = fs::rename(&self.directory, &self.kept) {
            let path = self.directory.display();
            tracing::warn!(%error, %path, "cannot rename captures; the next start tries again");
        }
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
    /// Bytes written since the device was last asked to keep them.
    unsynced_bytes: u64,
    syncer: Option<Syncer>,
}

/// So many bytes at a time go to the device while more come in. Left to the
/// end, a large capture would keep its sender waiting for as long as the device
/// takes for all of it. At most three times as many are on their way.
const SYNC_STEP_BYTES: u64 = 32 << 20;

impl BlobWriter {
    /// Adds bytes.
    ///
    /// # Errors
    ///
    /// Where they cannot be written, such as on a full disk.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(|source| self.fault(source))?;
        let written = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.unsynced_bytes = self.unsynced_bytes.saturating_add(written);
        if self.unsynced_bytes >= SYNC_STEP_BYTES {
            self.unsynced_bytes = 0;
            if self.syncer.is_none() {
                // Without one, all is synced at the end.
                self.syncer = Syncer::start(&self.file).ok();
            }
            if let Some(syncer) = &self.syncer {
                // Waits where the device is slower than the sender. What became
                // of a syncer that is gone, `finish` says.
                let _ = syncer.wake.send(());
            }
        }
        Ok(())
    }

    /// Makes sure that the bytes outlive a power cut.
    ///
    /// # Errors
    ///
    /// Where the device refuses them.
    pub fn finish(mut self) -> Result<(), Error> {
        // The system tells a failed write once, to whoever syncs first.
        let synced = self.syncer.take().map_or(Ok(()), Syncer::finish);
        synced.and_then(|()| self.file.sync_data()).map_err(|source| self.fault(source))
    }

    fn fault(&self, source: io::Error) -> Error {
        Error::Blob { path: self.path.clone(), source }
    }
}

/// A thread that has the device keep what was written so far, each time it is woken.
#[derive(Debug)]
struct Syncer {
    wake: SyncSender<()>,
    thread: JoinHandle<io::Result<()>>,
}

impl Syncer {
    fn start(file: &File) -> io::Result<Self> {
        let file = file.try_clone()?;
        let (wake, woken) = sync_channel(1);
        let body = move || sync_when_woken(&file, &woken);
        let thread = Builder::new().name("sync".to_owned()).spawn(body)?;
        Ok(Self { wake, thread })
    }

    /// Waits for the syncing that runs, and says what went wrong in any.
    fn finish(self) -> io::Result<()> {
        drop(self.wake);
        let gone = || Err(io::Error::other("the thread that syncs the file is gone"));
        self.thread.join().unwrap_or_else(|_| gone())
    }
}

fn sync_when_woken(file: &File, woken: &Receiver<()>) -> io::Result<()> {
    while woken.recv().is_ok() {
        file.sync_data()?;
    }
    Ok(())
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
    fn a_capture_larger_than_a_step_is_whole() {
        let directory =
            std::env::temp_dir().join(format!("replyscope-blobs-{}", std::process::id()));
        let kept = directory.with_extension("kept");
        let mut captures = CaptureBlobs { directory, kept, count: 0, is_kept: false };
        let mut writer = captures.create().unwrap();
        let path = writer.path.clone();
        let chunk = vec![7_u8; 5 << 20];
        for _ in 0..14 {
            writer.write(&chunk).unwrap();
        }
        assert!(writer.syncer.is_some());
        writer.finish().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), 14 * (5 << 20));
        drop(captures);
        assert!(!path.exists());
    }

    #[test]
    fn a_device_that_refused_is_told_at_the_end() {
        let path = std::env::temp_dir().join("replyscope-blobs-refused");
        let file = File::create(&path).unwrap();
        let (wake, woken) = sync_channel(1);
        let thread = Builder::new()
            .spawn(move || {
                let _ = woken.recv();
                Err(io::Error::other("no space"))
            })
            .unwrap();
        let syncer = Some(Syncer { wake, thread });
        let mut writer =
            BlobWriter { file, path: path.clone(), unsynced_bytes: SYNC_STEP_BYTES, syncer };
        writer.write(b"a").unwrap();
        assert!(writer.finish().is_err());
        fs::remove_file(path).unwrap();
    }
}
