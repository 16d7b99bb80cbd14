//! Archives: several captures and texts in one file, each read like an input
//! of its own.

mod content;
mod entries;
mod surroundings;
pub mod tar;
mod zip;

use self::entries::Entries;
use super::Sink;
use super::bounded::Budget;
use super::detect::ArchiveFormat;
use super::window::Window;
use crate::model::input::InputErrorKind;

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

/// Moves to a ZIP archive behind other bytes, as programs are that unpack themselves,
/// and says how many bytes stand before it. `None` where there is none: the window has
/// been read on all the same.
pub fn find_zip_behind(window: &mut Window<'_>) -> Option<u64> {
    zip::find_beginning(window)
}

/// Whether reading goes on.
pub enum Flow {
    Continue,
    /// The archive may cost no more: the entries say why.
    Stop,
}

#[cfg(test)]
mod tests;
