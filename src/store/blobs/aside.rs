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
use std::sync::mpsc::{SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

use bytes::Bytes;

use super::block::{ALIGN_BYTES, is_whole};
use super::through::Through;

/// Pieces that wait while one is written.
const PIECES_WAITING: usize = 2;

/// A file, written from its beginning to its end. From the first whole block on the last
/// pieces are on their way until [`Aside::finish`].
#[derive(Debug)]
pub struct Aside {
    side: Side,
}

#[derive(Debug)]
enum Side {
    /// No whole block came yet.
    Here(Target),
    There(Worker),
    /// Something went wrong, which was told.
    Gone,
}

#[derive(Debug)]
struct Worker {
    pieces: SyncSender<Bytes>,
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
        Self { side: Side::Here(target) }
    }

    /// Adds bytes. Waits where the device is slower than the sender.
    ///
    /// # Errors
    ///
    /// Where they, or some before them, cannot be written, such as on a full disk.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.side {
            Side::Here(target) => target.write(bytes),
            Side::There(_) | Side::Gone => self.hand_over(Bytes::copy_from_slice(bytes)),
        }
    }

    /// The same of bytes that others keep as well. They are not copied.
    ///
    /// # Errors
    ///
    /// As [`Aside::write`].
    pub fn write_shared(&mut self, bytes: &Bytes) -> io::Result<()> {
        if is_whole(bytes) {
            self.side = match std::mem::replace(&mut self.side, Side::Gone) {
                Side::Here(target) => start(target),
                side => side,
            };
        }
        match &mut self.side {
            Side::Here(target) => target.write(bytes),
            Side::There(_) | Side::Gone => self.hand_over(bytes.clone()),
        }
    }

    /// Makes sure that the bytes outlive a power cut.
    ///
    /// # Errors
    ///
    /// Where the device refuses them.
    pub fn finish(self) -> io::Result<()> {
        let target = match self.side {
            Side::Here(target) => target,
            Side::There(worker) => worker.finish()?,
            Side::Gone => return Err(gone()),
        };
        target.through.finish()
    }

    fn hand_over(&mut self, piece: Bytes) -> io::Result<()> {
        if let Side::There(worker) = &self.side
            && worker.pieces.send(piece).is_ok()
        {
            return Ok(());
        }
        // The thread ended before its end: it knows why.
        match std::mem::replace(&mut self.side, Side::Gone) {
            Side::There(worker) => Err(worker.finish().err().unwrap_or_else(gone)),
            Side::Here(_) | Side::Gone => Err(gone()),
        }
    }
}

impl Worker {
    /// The file, once all that was handed over is written.
    fn finish(self) -> io::Result<Target> {
        drop(self.pieces);
        self.thread.join().unwrap_or_else(|_| Err(gone()))
    }
}

impl Target {
    fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        let offset = self.through.offset();
        let is_aligned = offset.is_multiple_of(ALIGN_BYTES as u64);
        if let Some(direct) = self.direct.as_ref().filter(|_| is_aligned && is_whole(piece)) {
            match direct.write_all_at(piece, offset) {
                Ok(()) => {
                    self.through.skip(u64::try_from(piece.len()).unwrap_or(u64::MAX));
                    return Ok(());
                }
                // Opened, but not written to in this way: it is not offered here after all.
                Err(error) if error.kind() == ErrorKind::InvalidInput => self.direct = None,
                Err(error) => return Err(error),
            }
        }
        self.through.write(piece)
    }
}

/// Moves the file to a thread of its own, if there can be one.
fn start(target: Target) -> Side {
    let (pieces, waiting) = sync_channel::<Bytes>(PIECES_WAITING);
    // What a thread that does not start was given is lost with it: it is sent
    // over only once the thread runs.
    let (hand, take) = channel::<Target>();
    let body = move || {
        let mut target = take.recv().map_err(|_| gone())?;
        target.direct = open_direct(&target.path).ok();
        while let Ok(piece) = waiting.recv() {
            target.write(&piece)?;
        }
        Ok(target)
    };
    match Builder::new().name("store".to_owned()).spawn(body) {
        Ok(thread) => match hand.send(target) {
            Ok(()) => Side::There(Worker { pieces, thread }),
            Err(unsent) => Side::Here(unsent.0),
        },
        Err(_) => Side::Here(target),
    }
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
    use super::super::block::tests::aligned;
    use super::*;

    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("replyscope-aside-{name}-{}", std::process::id()))
    }

    #[test]
    fn a_file_holds_what_came_whatever_its_pieces() {
        let bytes: Vec<u8> = (0..=250).cycle().take(9 * WHOLE_BYTES / 2).collect();
        let odd = WHOLE_BYTES - 9;
        let cases: [(&str, &[usize], bool); 6] = [
            ("nothing", &[], false),
            ("little", &[7, 9], false),
            ("one block", &[WHOLE_BYTES], true),
            ("blocks and a rest", &[WHOLE_BYTES, WHOLE_BYTES, 5], true),
            ("a pause in a block", &[WHOLE_BYTES, 9, odd, WHOLE_BYTES, 1], true),
            ("a block at an odd place", &[9, WHOLE_BYTES, odd, WHOLE_BYTES], true),
        ];
        for (name, pieces, is_aside) in cases {
            let path = path("whole");
            let mut aside = Aside::new(File::create(&path).unwrap(), &path);
            let mut rest = bytes.as_slice();
            for (number, length) in pieces.iter().enumerate() {
                let (piece, behind) = rest.split_at(*length);
                rest = behind;
                match number {
                    4 => aside.write(piece).unwrap(),
                    _ => aside.write_shared(&aligned(piece)).unwrap(),
                }
            }
            assert_eq!(matches!(aside.side, Side::There(_)), is_aside, "{name}");
            aside.finish().unwrap();
            let written = &bytes[..bytes.len() - rest.len()];
            assert!(fs::read(&path).unwrap() == written, "{name}");
            fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn a_file_that_cannot_be_written_says_so() {
        let path = path("refused");
        fs::write(&path, "").unwrap();
        // Opened for reading, and gone before it is opened once more.
        let mut aside = Aside::new(File::open(&path).unwrap(), &path);
        fs::remove_file(&path).unwrap();
        let block = aligned(&vec![0; WHOLE_BYTES]);
        let told = (0..100).find_map(|_| aside.write_shared(&block).err());
        assert_eq!(told.and_then(|error| error.raw_os_error()), Some(libc::EBADF));
        assert!(aside.write(&block).is_err() && aside.finish().is_err());
    }
}
