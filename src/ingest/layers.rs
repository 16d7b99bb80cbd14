//! Layers around content: a compressed file, an archive, a compressed entry.

use std::io::{BufRead, Read};

use super::ahead;
use super::archive;
use super::bounded::{Budget, Expanded, find_limit};
use super::detect::{self, ArchiveFormat, Compression, Kind};
use super::label::label;
use super::utf16::Utf16;
use super::window::Window;
use super::{Event, Sink, erf, joined, transcript};
use crate::model::input::{Fault, InputErrorKind, Place};

/// The layers that lie around some content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layers {
    /// A compression around all else may be one of the transfer, and none of the file.
    may_be_coded: bool,
    archive: Option<ArchiveFormat>,
    /// Around the content itself: not around the archive.
    compression: Option<Compression>,
}

impl Layers {
    /// A file as it is.
    pub const FILE: Self = Self { may_be_coded: false, archive: None, compression: None };
    /// A file as it is sent in a content coding (RFC 9110, section 8.4): the coding is of
    /// the transfer, and what it holds may be a compressed file.
    pub const CODED: Self = Self { may_be_coded: true, ..Self::FILE };

    const fn entry_of(archive: ArchiveFormat) -> Self {
        Self { archive: Some(archive), ..Self::FILE }
    }

    /// What is said of a byte's place, which is not the place in the file.
    const fn place_note(self) -> Option<&'static str> {
        match self {
            Self { compression: Some(_), .. } => Some(" (bytes are counted after decompression)"),
            Self { archive: Some(_), .. } => Some(" (bytes are counted within the entry)"),
            Self { compression: None, archive: None, .. } => None,
        }
    }
}

/// Reads what the window holds, through all layers that are allowed: one
/// compression, one archive, and one compression of each of its entries.
pub fn unpack(
    window: &mut Window<'_>,
    layers: Layers,
    budget: &Budget,
    sink: &mut Sink<'_>,
) -> Result<(), InputErrorKind> {
    match detect(window) {
        Kind::Compressed(compression) if layers.may_be_coded || layers.compression.is_none() => {
            let mut expanded =
                Expanded::new(compression, window, budget).map_err(InputErrorKind::Read)?;
            let layers = if layers.may_be_coded {
                Layers { may_be_coded: false, ..layers }
            } else {
                Layers { compression: Some(compression), ..layers }
            };
            read_layer(&mut expanded, layers, budget, sink)?;
            if let Some(message) = expanded.find_rest() {
                sink(Event::Fault(Fault { place: Place::Whole, message }));
            }
            Ok(())
        }
        Kind::Compressed(_) => Err(InputErrorKind::NotACapture(
            "compressed data inside compressed data; unpack it once first",
        )),
        Kind::Archive(format) if layers.archive.is_none() => {
            archive::read(format, window, budget, &mut with_places(layers, sink))
        }
        Kind::Other(name) if layers.archive.is_none() && detect::may_hold_archive(name) => {
            read_archive_behind(window, name, budget, &mut with_places(layers, sink))
        }
        Kind::BehindText { text_bytes } => unpack_behind(text_bytes, window, layers, budget, sink),
        Kind::Archive(_) => {
            Err(InputErrorKind::NotACapture("an archive inside an archive; unpack it once first"))
        }
        kind if layers == Layers::FILE => read_content(kind, layers, window, budget, sink),
        kind => read_content(kind, layers, window, budget, &mut with_places(layers, sink)),
    }
}

/// Reads what stands behind lines of text.
fn unpack_behind(
    text_bytes: usize,
    window: &mut Window<'_>,
    layers: Layers,
    budget: &Budget,
    sink: &mut Sink<'_>,
) -> Result<(), InputErrorKind> {
    let says = label(&window.unused()[..text_bytes.min(window.unused().len())]);
    window.consume(text_bytes);
    let what = match detect(window) {
        Kind::Archive(_) => format!("text stands before the archive: '{says}'"),
        _ => format!(
            "text stands before the capture: '{says}'; write the capture without 2>&1, and without -t"
        ),
    };
    let message = format!("{what}{}", layers.place_note().unwrap_or_default());
    let fault = Fault { place: Place::Byte(0), message };
    unpack(window, layers, budget, &mut with_fault(fault, sink))
}

/// Reads an archive behind other bytes, which look like `name`.
fn read_archive_behind(
    window: &mut Window<'_>,
    name: &'static str,
    budget: &Budget,
    sink: &mut Sink<'_>,
) -> Result<(), InputErrorKind> {
    let Some(before_bytes) = archive::find_zip_behind(window) else {
        return Err(InputErrorKind::NotACapture(name));
    };
    let message = format!("{before_bytes} bytes stand before the ZIP archive and were not read");
    let fault = Fault { place: Place::Byte(0), message };
    match archive::read(ArchiveFormat::Zip, window, budget, &mut with_fault(fault, sink)) {
        // What was taken for an archive is none.
        Err(InputErrorKind::Damaged { .. }) => Err(InputErrorKind::NotACapture(name)),
        outcome => outcome,
    }
}

/// Tells a fault within the first capture, to which it belongs.
fn with_fault(fault: Fault, sink: &mut Sink<'_>) -> impl FnMut(Event<'_>) + Send {
    let mut fault = Some(fault);
    move |event| {
        let begins = matches!(event, Event::CaptureBegins(_));
        sink(event);
        if begins && let Some(fault) = fault.take() {
            sink(Event::Fault(fault));
        }
    }
}

/// Reads an entry of an archive like a file of its own.
pub fn read_entry(
    archive: ArchiveFormat,
    content: &mut dyn Read,
    budget: &Budget,
    sink: &mut Sink<'_>,
) -> Result<(), InputErrorKind> {
    read_layer(content, Layers::entry_of(archive), budget, sink)
}

/// Reads content that may fail: it is damaged, cut, or expands too far.
fn read_layer(
    content: &mut dyn Read,
    layers: Layers,
    budget: &Budget,
    sink: &mut Sink<'_>,
) -> Result<(), InputErrorKind> {
    let mut window = Window::new(content);
    let mut has_content = false;
    let outcome = unpack(&mut window, layers, budget, &mut |event| {
        has_content |= matches!(
            event,
            Event::Frame(_)
                | Event::Packet(_)
                | Event::NamedPacket(_)
                | Event::OtherPacket { .. }
                | Event::Inventory(_)
                | Event::ServerLog(_)
        );
        sink(event);
    });
    let offset_bytes = window.end_offset();
    match (window.take_failure(), outcome) {
        (Some(failure), outcome) if !has_content => match (find_limit(&failure), outcome) {
            (_, Err(error @ InputErrorKind::NotACapture(_))) => Err(error),
            (Some(limit), _) => {
                Err(InputErrorKind::ExpandsTooFar { limit_bytes: limit.limit_bytes })
            }
            (None, Err(_)) => {
                Err(InputErrorKind::Damaged { message: failure.to_string(), offset_bytes })
            }
            (None, Ok(())) => Ok(()),
        },
        (_, outcome) => outcome,
    }
}

/// Faults inside a layer are found where no byte of the file is.
fn with_places(layers: Layers, sink: &mut Sink<'_>) -> impl FnMut(Event<'_>) + Send {
    move |mut event| {
        if let Event::Fault(fault) = &mut event
            && let (Place::Byte(_), Some(note)) = (fault.place, layers.place_note())
        {
            fault.message.push_str(note);
        }
        sink(event);
    }
}

/// What the window holds, by its first bytes.
pub fn detect(window: &mut Window<'_>) -> Kind {
    window.ensure(detect::MAGIC_BYTES);
    // A live capture may be slow to send more than its first bytes.
    // No more than those, however much one read brought: the kind must not depend on it.
    let magic = window.unused();
    if let Some(kind) = detect::find_binary_format(&magic[..magic.len().min(detect::MAGIC_BYTES)]) {
        return kind;
    }
    window.ensure(detect::HEAD_BYTES);
    let head = window.unused();
    detect::detect(&head[..head.len().min(detect::HEAD_BYTES)])
}

fn read_content(
    kind: Kind,
    layers: Layers,
    window: &mut Window<'_>,
    budget: &Budget,
    sink: &mut Sink<'_>,
) -> Result<(), InputErrorKind> {
    match kind {
        Kind::Pcap | Kind::Pcapng | Kind::Snoop => {
            return read_records(window, layers, budget, sink);
        }
        Kind::Erf => {
            erf::read(window, sink);
            return Ok(());
        }
        // Unpacked by the caller.
        Kind::Compressed(_) | Kind::Archive(_) | Kind::BehindText { .. } => return Ok(()),
        Kind::Other(name) => return Err(InputErrorKind::NotACapture(name)),
        Kind::Text { mark_bytes } => {
            window.consume(mark_bytes);
            read_text(window, sink)?;
        }
        Kind::Utf16 { order, mark_bytes } => {
            window.consume(mark_bytes);
            read_text(&mut Utf16::new(window, order), sink)?;
        }
    }
    // To the text reader a failed input looks like one that ends.
    if let Some(failure) = window.failure() {
        let message = format!("{failure}; the text ends here");
        sink(Event::Fault(Fault { place: Place::Byte(window.end_offset()), message }));
    }
    Ok(())
}

/// Reads captures, ahead where nothing else wants the window after it.
fn read_records(
    window: &mut Window<'_>,
    layers: Layers,
    budget: &Budget,
    sink: &mut Sink<'_>,
) -> Result<(), InputErrorKind> {
    // An archive's limit must not depend on how far ahead an entry was read.
    match budget.together.filter(|_| layers.archive.is_none()) {
        Some(together) => ahead::read(window, sink, together, joined::read),
        None => joined::read(window, sink),
    }
}

fn read_text(
    input: &mut dyn BufRead,
    sink: &mut dyn FnMut(Event<'_>),
) -> Result<(), InputErrorKind> {
    if input.fill_buf().map_err(InputErrorKind::Read)?.is_empty() {
        return Err(InputErrorKind::Empty);
    }
    transcript::read_text(input, sink)
}
