//! A file that takes each write at once: what came so far outlives the process.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

/// So many bytes at a time go to the device while more come in. Left to the
/// end, a large capture would keep its sender waiting for as long as the device
/// takes for all of it. At most three times as many are on their way.
pub const SYNC_STEP_BYTES: u64 = 32 << 20;

/// A file, written from its beginning to its end through the system's cache.
#[derive(Debug)]
pub struct Through {
    file: File,
    /// Where the next bytes go.
    offset: u64,
    /// Bytes written since the device was last asked to keep them.
    unsynced_bytes: u64,
    syncer: Option<Syncer>,
}

impl Through {
    pub const fn new(file: File) -> Self {
        Self { file, offset: 0, unsynced_bytes: 0, syncer: None }
    }

    /// Where the next bytes go.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Notes that so many bytes more stand in the file, on the device already.
    pub const fn skip(&mut self, bytes: u64) {
        self.offset = self.offset.saturating_add(bytes);
    }

    /// Adds bytes.
    ///
    /// # Errors
    ///
    /// Where they cannot be written, such as on a full disk.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.offset)?;
        let written = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.offset = self.offset.saturating_add(written);
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
    pub fn finish(mut self) -> io::Result<()> {
        // The system tells a failed write once, to whoever syncs first.
        let synced = self.syncer.take().map_or(Ok(()), Syncer::finish);
        synced.and_then(|()| self.file.sync_data())
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

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
        let mut through = Through { file, offset: 0, unsynced_bytes: SYNC_STEP_BYTES, syncer };
        through.write(b"a").unwrap();
        assert!(through.finish().is_err());
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn what_is_larger_than_a_step_is_synced_aside() {
        let path = std::env::temp_dir().join("replyscope-blobs-through");
        let mut through = Through::new(File::create(&path).unwrap());
        let chunk = vec![7_u8; 5 << 20];
        for _ in 0..14 {
            through.write(&chunk).unwrap();
        }
        assert!(through.syncer.is_some());
        through.finish().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), 14 * (5 << 20));
        fs::remove_file(path).unwrap();
    }
}
