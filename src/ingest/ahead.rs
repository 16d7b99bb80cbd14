//! Reads ahead: one core reads the source and takes its compression off, another
//! uses what was read, in the same order. The caller says how a second core is had.

use std::io::{self, ErrorKind, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use super::Event;
use super::window::Window;
use crate::model::input::InputErrorKind;

/// Bytes read into one block.
const BLOCK_BYTES: usize = 256 * 1024;
/// Room before them, for the frame that begins in the block before.
pub const HEADROOM_BYTES: usize = 64 * 1024;
/// Blocks on their way: enough to even out, few enough for the cache that the
/// cores share.
const BLOCKS: usize = 4;
/// A source that gives less at once comes too slowly to be worth a thread.
const WORTH_BYTES: usize = 64 * 1024;

/// Reads the records of one capture format.
pub type Reader = fn(&mut Window<'_>, &mut dyn FnMut(Event<'_>)) -> Result<(), InputErrorKind>;

/// Runs the first task on another core while the second runs here. False where
/// that cannot be; then neither has run.
pub type Together = fn(&mut (dyn FnMut() + Send), &mut dyn FnMut()) -> bool;

/// What one read gave.
pub struct Block {
    /// Headroom, then the bytes.
    pub buffer: Vec<u8>,
    /// Where the bytes end.
    pub end: usize,
}

/// The blocks of a source, as another thread reads them.
pub struct Blocks {
    filled: Receiver<io::Result<Block>>,
    emptied: Sender<Vec<u8>>,
}

impl Blocks {
    /// The next block; `None` at the end of the source.
    ///
    /// # Errors
    ///
    /// Where the source fails; it has no further block then.
    pub fn next(&mut self) -> io::Result<Option<Block>> {
        self.filled.recv().ok().transpose()
    }

    /// Takes a block's memory back.
    pub fn give_back(&mut self, mut buffer: Vec<u8>) {
        // One very long frame does not keep its memory.
        buffer.resize(HEADROOM_BYTES + BLOCK_BYTES, 0);
        buffer.shrink_to_fit();
        // Nobody wants it any more once all is read.
        let _ = self.emptied.send(buffer);
    }
}

/// Runs `reader` on what `window` holds and its source gives, on a core of its
/// own where the source gives much at once.
///
/// # Errors
///
/// What `reader` says.
pub fn read(
    window: &mut Window<'_>,
    sink: &mut (dyn FnMut(Event<'_>) + Send),
    together: Together,
    reader: Reader,
) -> Result<(), InputErrorKind> {
    if window.unused().len() < WORTH_BYTES {
        return reader(window, sink);
    }
    let start = window.unused().to_vec();
    let offset = window.offset();
    let Some(source) = window.find_source() else { return reader(window, sink) };
    let (send, filled) = sync_channel(BLOCKS);
    let (emptied, blanks) = channel();
    let mut ended = None;
    let mut taking = Some((Blocks { filled, emptied }, start));
    let mut giving = Some(send);
    together(
        &mut || {
            let Some((mut blocks, start)) = taking.take() else { return };
            let mut window = Window::ahead(&mut blocks, start, offset);
            let outcome = reader(&mut window, sink);
            ended = Some((outcome, window.end_offset(), window.take_failure()));
        },
        &mut || {
            if let Some(send) = giving.take() {
                fill(source, &send, &blanks);
            }
        },
    );
    match ended {
        Some((outcome, end_offset, failure)) => {
            window.end(end_offset, failure);
            outcome
        }
        None => reader(window, sink),
    }
}

/// Hands over all that the source gives, until nobody wants it.
fn fill(source: &mut dyn Read, send: &SyncSender<io::Result<Block>>, blanks: &Receiver<Vec<u8>>) {
    let mut spare = vec![blank(), blank()];
    let mut blocks = spare.len();
    loop {
        spare.extend(blanks.try_iter());
        if spare.is_empty() && blocks < BLOCKS {
            spare.push(blank());
            blocks += 1;
        }
        let Some(buffer) = spare.pop().or_else(|| blanks.recv().ok()) else { return };
        let mut block = Block { buffer, end: HEADROOM_BYTES };
        let ended = fill_block(source, &mut block, || {
            spare.extend(blanks.try_iter());
            // The other side has the rest, and it keeps one while it uses it.
            blocks - spare.len() <= 2
        });
        let is_empty = block.end == HEADROOM_BYTES;
        if !is_empty && send.send(Ok(block)).is_err() {
            return;
        }
        match ended {
            None => {}
            Some(Ok(())) => return,
            Some(Err(failure)) => {
                let _ = send.send(Err(failure));
                return;
            }
        }
    }
}

/// Fills a block, or as much of it as is there when the other side has nothing
/// left to do. Says so where the source ends or fails.
fn fill_block(
    source: &mut dyn Read,
    block: &mut Block,
    mut is_awaited: impl FnMut() -> bool,
) -> Option<io::Result<()>> {
    while block.end < block.buffer.len() {
        match source.read(&mut block.buffer[block.end..]) {
            Ok(0) => return Some(Ok(())),
            Ok(count) => {
                block.end = (block.end + count).min(block.buffer.len());
                if is_awaited() {
                    return None;
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Some(Err(error)),
        }
    }
    None
}

fn blank() -> Vec<u8> {
    vec![0; HEADROOM_BYTES + BLOCK_BYTES]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::pcap;

    /// Gives its bytes in steps, then ends or fails.
    struct Stepping {
        left: Vec<u8>,
        step: usize,
        fails: bool,
    }

    impl Read for Stepping {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            if self.left.is_empty() && self.fails {
                return Err(io::Error::other("the line went dead"));
            }
            let count = self.step.min(self.left.len()).min(into.len());
            into[..count].copy_from_slice(&self.left[..count]);
            self.left.drain(..count);
            Ok(count)
        }
    }

    /// A capture of frames of all sizes, of which some are larger than a block.
    fn capture() -> Vec<u8> {
        let mut bytes = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
        bytes.extend([0; 8]);
        bytes.extend([0, 0, 4, 0, 1, 0, 0, 0]);
        let lengths = (0..3_000).map(|n| n % 700).chain([400_000, 5, 65_535, 1_000_000, 70_000, 9]);
        for (number, length) in (0_u32..).zip(lengths) {
            for field in [number, 0, length, length] {
                bytes.extend(field.to_le_bytes());
            }
            bytes.extend((0..length).map(|at| (at ^ number).to_le_bytes()[0]));
        }
        bytes
    }

    /// All that was told, the window's end and its failure.
    fn events(source: &mut Stepping, is_ahead: bool) -> (Vec<String>, u64, Option<String>) {
        let mut told = Vec::new();
        let mut window = Window::new(source);
        window.ensure(WORTH_BYTES);
        let mut sink = |event: Event<'_>| told.push(format!("{event:?}"));
        let outcome = if is_ahead {
            read(&mut window, &mut sink, on_two_threads, pcap::read)
        } else {
            pcap::read(&mut window, &mut sink)
        };
        outcome.unwrap();
        let end = window.end_offset();
        (told, end, window.take_failure().map(|failure| failure.to_string()))
    }

    fn on_two_threads(aside: &mut (dyn FnMut() + Send), here: &mut dyn FnMut()) -> bool {
        std::thread::scope(|scope| {
            scope.spawn(aside);
            here();
        });
        true
    }

    #[test]
    fn without_a_second_core_all_is_read_here() {
        let source = || Stepping { left: capture(), step: usize::MAX, fails: false };
        let direct = events(&mut source(), false);
        let mut told = Vec::new();
        let mut source = source();
        let mut window = Window::new(&mut source);
        window.ensure(WORTH_BYTES);
        let mut sink = |event: Event<'_>| told.push(format!("{event:?}"));
        read(&mut window, &mut sink, |_, _| false, pcap::read).unwrap();
        assert!(told == direct.0);
    }

    #[test]
    fn what_is_read_ahead_is_what_is_there() {
        let whole = capture();
        let mut damaged = whole.clone();
        damaged[800_000..900_000].fill(0xff);
        let cut = whole[..whole.len() - 3].to_vec();
        for left in [whole, damaged, cut] {
            for fails in [false, true] {
                let source = |step| Stepping { left: left.clone(), step, fails };
                let direct = events(&mut source(usize::MAX), false);
                assert!(direct.0.len() > 1_000);
                for step in [5_000, 65_536, usize::MAX] {
                    let ahead = events(&mut source(step), true);
                    assert!(direct.0 == ahead.0, "step {step}");
                    assert_eq!(direct.2, ahead.2, "step {step}");
                }
            }
        }
    }
}
