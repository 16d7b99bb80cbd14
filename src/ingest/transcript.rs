//! Pasted text: a terminal session, an article around one, or bare tcpdump lines.

use std::io::BufRead;

use super::Event;
use crate::model::input::InputErrorKind;

/// Reads pasted text to its end.
///
/// # Errors
///
/// Where the text holds neither a tcpdump line nor a fact about addresses, or
/// where `input` fails.
pub fn read_text(
    _input: &mut dyn BufRead,
    _sink: &mut dyn FnMut(Event<'_>),
) -> Result<(), InputErrorKind> {
    Err(InputErrorKind::NoPackets { lines: 0 })
}
