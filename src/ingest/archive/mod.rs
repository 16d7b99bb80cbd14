//! Archives: several captures and texts in one file, each read like an input
//! of its own.

mod content;
mod entries;
mod surroundings;
pub mod tar;
mod zip;

use self::entries::Entries;
use super::bounded::Budget;
use super::detect::ArchiveFormat;
use super::window::Window;
use super::{Event, Sink};
use crate::model::input::{Fault, InputErrorKind, Place};

/// Reads all entries of an archive in the order in which they are stored.
///
/// # Errors
///
/// Where no entry of it can be analysed. Entries that cannot be, beside others
/// that can, are faults.
pub fn read(
    format: ArchiveFormat,
    window: &mut Window<'_>,
    budget: &Budget,
    sink: &mut Sink<'_>,
) -> Result<(), InputErrorKind> {
    let mut entries = Entries::new(format, budget, sink);
    let end = match format {
        ArchiveFormat::Tar => tar::read(window, &mut entries),
        ArchiveFormat::Zip => zip::read(window, &mut entries),
    };
    entries.finish(end, window.offset())
}

/// Reads a ZIP archive behind other bytes, as programs are that unpack themselves.
/// `None` where there is none: the window has been read on all the same.
///
/// # Errors
///
/// As [`read`].
pub fn read_behind(
    window: &mut Window<'_>,
    budget: &Budget,
    sink: &mut Sink<'_>,
) -> Option<Result<(), InputErrorKind>> {
    let before = zip::find_beginning(window)?;
    let message = format!("{before} bytes stand before the ZIP archive and were not read");
    sink(Event::Fault(Fault { place: Place::Byte(0), message }));
    let outcome = read(ArchiveFormat::Zip, window, budget, sink);
    // What was taken for an archive may be none.
    let is_archive = !matches!(outcome, Err(InputErrorKind::Damaged { .. }));
    is_archive.then_some(outcome)
}

/// Whether reading goes on.
pub enum Flow {
    Continue,
    /// The archive may cost no more: the entries say why.
    Stop,
}

#[cfg(test)]
mod tests;
