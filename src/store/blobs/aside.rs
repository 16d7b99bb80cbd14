//! A file that is written by another thread, past the system's cache.
//!
//! What goes through the cache is copied there, in pages that have to be had first, and
//! is written from there later: of a large capture that takes more of a processor than
//! to receive it, and nearly as much as to analyse it. A device reads blocks by itself
//! (open(2), "O_DIRECT"). Where a file system does not let it, they are written through.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

use bytes::Bytes;

use super::block::{ALIGN_BYTES, Block, Own, is_whole};
use super::through::Through;

/// Blocks that wait while one is written and one is filled.
const BLOCKS_WAITING: usize = 2;

/// A file, written from its beginning to its end. The last blocks are in memory until
/// [`Aside::finish`].
#[derive(Debug)]
pub struct Aside {
    filling: Own,
    side: Side,
}

#[derive(Debug)]
enum Side {
    /// Not a whole block came yet.
    Here(Target),
    There(Worker),
    /// Something went wrong, which was told.
    Gone,
}

#[derive(Debug)]
struct Worker {
    blocks: SyncSender<Block>,
    /// Blocks that were written, to be filled again.
    emptied: Receiver<Own>,
    thread: JoinHandle<io::Result<Target>>,
}

/// Where blocks go.
#[derive(Debug)]
struct Target {
    path: PathBuf,
    through: Through,
    /// The same file past the cache; `None`: not opened yet, or not to be had.
    direct: Option<File>,
}

impl Aside {
    /// Writes to `file`, which is empty and stands at `path`.
    pub fn new(file: File, path: &Path) -> Self {
        let target = Target { path: path.to_owned(), through: Through::new(file), direct: None };
        Self { filling: Own::new(), side: Side::Here(target) }
    }

    /// Adds bytes. Waits where the device is slower than the sender.
    ///
    /// # Errors
    ///
    /// Where they, or some before them, cannot be written, such as on a full disk.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = self.filling.fill(bytes);
        while self.filling.is_full() {
            let full = std::mem::replace(&mut self.filling, self.side.next_block());
            self.hand_over(Block::Own(full))?;
            rest = self.filling.fill(rest);
        }
        Ok(())
    }

    /// The same of bytes that others keep as well. A whole block is not copied.
    ///
    /// # Errors
    ///
    /// As [`Aside::write`].
    pub fn write_shared(&mut self, bytes: &Bytes) -> io::Result<()> {
        if self.filling.is_empty() && is_whole(bytes) {
            return self.hand_over(Block::Shared(bytes.clone()));
        }
        self.write(bytes)
    }

    /// Makes sure that the bytes outlive a power cut.
    ///
    /// # Errors
    ///
    /// Where the device refuses them.
    pub fn finish(self) -> io::Result<()> {
        let mut target = match self.side {
            Side::Here(target) => target,
            Side::There(worker) => worker.finish()?,
            Side::Gone => return Err(gone()),
        };
        target.through.write(self.filling.bytes())?;
        target.through.finish()
    }

    fn hand_over(&mut self, block: Block) -> io::Result<()> {
        self.side = match std::mem::replace(&mut self.side, Side::Gone) {
            Side::Here(target) => start(target),
            side => side,
        };
        match &mut self.side {
            Side::There(worker) => {
                if worker.blocks.send(block).is_ok() {
                    return Ok(());
                }
            }
            Side::Here(target) => return target.write(block.bytes()),
            Side::Gone => {}
        }
        // The thread ended before its end: it knows why.
        match std::mem::replace(&mut self.side, Side::Gone) {
            Side::There(worker) => Err(worker.finish().err().unwrap_or_else(gone)),
            Side::Here(_) | Side::Gone => Err(gone()),
        }
    }
}

impl Side {
    /// A block to fill.
    fn next_block(&self) -> Own {
        let emptied = match self {
            Self::There(worker) => worker.emptied.try_recv().ok(),
            Self::Here(_) | Self::Gone => None,
        };
        emptied.unwrap_or_else(Own::new)
    }
}

impl Worker {
    /// The file, once all that was handed over is written.
    fn finish(self) -> io::Result<Target> {
        drop(self.blocks);
        self.thread.join().unwrap_or_else(|_| Err(gone()))
    }
}

impl Target {
    fn write(&mut self, block: &[u8]) -> io::Result<()> {
        if self.through.offset() == 0 {
            self.direct = open_direct(&self.path).ok();
        }
        if let Some(direct) = &self.direct
            && block.len().is_multiple_of(ALIGN_BYTES)
        {
            match direct.write_all_at(block, self.through.offset()) {
                Ok(()) => {
                    self.through.skip(u64::try_from(block.len()).unwrap_or(u64::MAX));
                    return Ok(());
                }
                // Opened, but not written to in this way: it is not offered here after all.
                Err(error) if error.kind() == ErrorKind::InvalidInput => self.direct = None,
                Err(error) => return Err(error),
            }
        }
        self.through.write(block)
    }
}

/// Moves the file to a thread of its own, if there can be one.
fn start(target: Target) -> Side {
    let (blocks, waiting) = sync_channel(BLOCKS_WAITING);
    let (give_back, emptied) = channel();
    // What a thread that does not start was given is lost with it: it is sent
    // over only once the thread runs.
    let (hand, take) = channel::<Target>();
    let body = move || {
        let mut target = take.recv().map_err(|_| gone())?;
        write_all(&mut target, &waiting, &give_back)?;
        Ok(target)
    };
    match Builder::new().name("store".to_owned()).spawn(body) {
        Ok(thread) => match hand.send(target) {
            Ok(()) => Side::There(Worker { blocks, emptied, thread }),
            Err(unsent) => Side::Here(unsent.0),
        },
        Err(_) => Side::Here(target),
    }
}

fn write_all(
    target: &mut Target,
    blocks: &Receiver<Block>,
    give_back: &Sender<Own>,
) -> io::Result<()> {
    while let Ok(block) = blocks.recv() {
        target.write(block.bytes())?;
        if let Block::Own(mut own) = block {
            own.clear();
            // Nobody wants it back any more once all came.
            let _ = give_back.send(own);
        }
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn open_direct(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    File::options().write(true).custom_flags(libc::O_DIRECT).open(path)
}

#[cfg(not(target_os = "linux"))]
fn open_direct(_path: &Path) -> io::Result<File> {
    Err(io::Error::from(ErrorKind::Unsupported))
}

fn gone() -> io::Error {
    io::Error::other("the thread that writes the file is gone")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::block::WHOLE_BYTES;
    use super::*;

    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("replyscope-aside-{name}-{}", std::process::id()))
    }

    /// Bytes that a device can read where they are.
    fn aligned(bytes: &[u8]) -> Bytes {
        let mut own = Own::new();
        assert!(own.fill(bytes).is_empty());
        let start = own.bytes().as_ptr().addr();
        let shared = Bytes::from_owner(Kept(own));
        assert_eq!(shared.as_ptr().addr(), start);
        shared
    }

    struct Kept(Own);

    impl AsRef<[u8]> for Kept {
        fn as_ref(&self) -> &[u8] {
            self.0.bytes()
        }
    }

    #[test]
    fn a_file_holds_what_came_whatever_its_length() {
        let bytes: Vec<u8> = (0..=250).cycle().take(5 * WHOLE_BYTES / 2).collect();
        for length in [0, 1, WHOLE_BYTES - 1, WHOLE_BYTES, WHOLE_BYTES + 1, bytes.len()] {
            for step in [1_000, 300_000, WHOLE_BYTES, bytes.len()] {
                let path = path("whole");
                let mut aside = Aside::new(File::create(&path).unwrap(), &path);
                for chunk in bytes[..length].chunks(step) {
                    let chunk = if step == WHOLE_BYTES {
                        aligned(chunk)
                    } else {
                        Bytes::copy_from_slice(chunk)
                    };
                    aside.write_shared(&chunk).unwrap();
                }
                assert_eq!(matches!(aside.side, Side::There(_)), length >= WHOLE_BYTES);
                aside.finish().unwrap();
                assert!(fs::read(&path).unwrap() == bytes[..length], "{length} by {step}");
                fs::remove_file(path).unwrap();
            }
        }
    }

    #[test]
    fn shared_blocks_and_others_stay_in_order() {
        let bytes: Vec<u8> = (0..=250).cycle().take(4 * WHOLE_BYTES).collect();
        let path = path("order");
        let mut aside = Aside::new(File::create(&path).unwrap(), &path);
        aside.write_shared(&aligned(&bytes[..WHOLE_BYTES])).unwrap();
        let odd = WHOLE_BYTES + 9;
        aside.write_shared(&Bytes::copy_from_slice(&bytes[WHOLE_BYTES..odd])).unwrap();
        aside.write_shared(&aligned(&bytes[odd..][..WHOLE_BYTES])).unwrap();
        aside.write_shared(&Bytes::copy_from_slice(&bytes[odd + WHOLE_BYTES..])).unwrap();
        aside.finish().unwrap();
        assert!(fs::read(&path).unwrap() == bytes);
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_file_that_cannot_be_written_says_so() {
        let path = path("refused");
        fs::write(&path, "").unwrap();
        // Opened for reading, and gone before it is opened once more.
        let mut aside = Aside::new(File::open(&path).unwrap(), &path);
        fs::remove_file(&path).unwrap();
        let block = vec![0; WHOLE_BYTES];
        let told = (0..100).find_map(|_| aside.write(&block).err());
        assert_eq!(told.and_then(|error| error.raw_os_error()), Some(libc::EBADF));
        assert!(aside.write(&block).is_err() && aside.finish().is_err());
    }
}
