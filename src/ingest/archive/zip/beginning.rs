//! Where an archive begins that has other bytes before it: a program that unpacks it,
//! or a script. Its directory would tell, but stands at its end.

use memchr::memmem;

use super::header::Header;
use crate::ingest::window::Window;

const SIGNATURE: &[u8] = b"PK\x03\x04";
/// Programs that unpack themselves are much shorter.
const LIMIT_BYTES: u64 = 64 * 1024 * 1024;

/// Moves to the header of the first entry, and says how many bytes stand before it.
/// `None` where there is none near enough.
pub fn find_beginning(window: &mut Window<'_>) -> Option<u64> {
    let begin = window.offset();
    while window.offset() - begin < LIMIT_BYTES && window.ensure(SIGNATURE.len()) {
        let Some(at) = memmem::find(window.unused(), SIGNATURE) else {
            // Its first bytes may be the last that are there.
            window.consume(window.unused().len() - (SIGNATURE.len() - 1));
            continue;
        };
        window.consume(at);
        if Header::is_next(window) {
            return Some(window.offset() - begin);
        }
        window.consume(1);
    }
    None
}
