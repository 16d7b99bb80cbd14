//! ZIP archives, read from front to back (APPNOTE.TXT of PKWARE, section 4).
//!
//! The zip crate's reader of streams is not used: it refuses entries whose
//! length follows behind them, and these are what macOS and every program that
//! writes to a pipe makes.

mod beginning;
mod descriptor;
mod header;

use std::io::{self, BufRead, ErrorKind, Read};

pub use self::beginning::find_beginning;
use self::descriptor::Streamed;
use self::header::{Header, Length, Method};
use super::Flow;
use super::content::Content;
use super::entries::{Entries, is_by_product};
use crate::ingest::bounded::{Budget, Expanded};
use crate::ingest::label::label;
use crate::ingest::window::Window;

/// Reads all entries; an error says why the archive ends early.
pub fn read(window: &mut Window<'_>, entries: &mut Entries<'_>) -> Result<(), String> {
    while let Some(header) = Header::read(window)? {
        let flow = match header.length {
            Length::Stated { compressed_bytes, is_repeated } => {
                let flow = read_stated(window, &header, compressed_bytes, entries)?;
                if is_repeated {
                    // Where it is missing, a header follows all the same.
                    let _ = descriptor::skip(window, compressed_bytes);
                }
                flow
            }
            // A directory has no content, and some writers give it no descriptor either.
            Length::InDescriptor if header.is_directory() => {
                let _ = descriptor::skip(window, 0);
                Flow::Continue
            }
            Length::InDescriptor => read_streamed(window, &header, entries)?,
        };
        if let Flow::Stop = flow {
            return Ok(());
        }
    }
    // The directory at the end says again what the entries said.
    window.skip(u64::MAX);
    Ok(())
}

fn read_stated(
    window: &mut Window<'_>,
    header: &Header,
    compressed_bytes: u64,
    entries: &mut Entries<'_>,
) -> Result<Flow, String> {
    let mut content = Content::new(window, compressed_bytes);
    let flow = match header.find_obstacle() {
        _ if is_by_product(&header.name) || compressed_bytes == 0 => Flow::Continue,
        Some(obstacle) => entries.pass_over(&header.name, &obstacle),
        None => read_content(header, &mut content, entries),
    };
    if let Flow::Stop = flow {
        return Ok(Flow::Stop);
    }
    if content.skip_rest(0) {
        Ok(Flow::Continue)
    } else {
        Err(format!(
            "entry '{}' is cut: {compressed_bytes} bytes were expected",
            label(&header.name)
        ))
    }
}

/// Reads an entry whose length stands behind it.
fn read_streamed(
    window: &mut Window<'_>,
    header: &Header,
    entries: &mut Entries<'_>,
) -> Result<Flow, String> {
    let obstacle = header.find_obstacle();
    if matches!(header.method, Method::Deflated) && obstacle.is_none() {
        // Deflate knows where it ends.
        let begin = window.offset();
        let whole_rest = Content::new(window, u64::MAX);
        let mut expanded = Expanded::deflate(whole_rest, entries.budget());
        let flow = if is_by_product(&header.name) {
            Flow::Continue
        } else {
            entries.read(&header.name, &mut expanded)
        };
        if let Flow::Stop = flow {
            return Ok(Flow::Stop);
        }
        let end = io::copy(&mut expanded, &mut io::sink());
        drop(expanded);
        if let Err(error) = end {
            return Err(format!("entry '{}': {error}", label(&header.name)));
        }
        let compressed_bytes = window.offset() - begin;
        return descriptor::skip(window, compressed_bytes)
            .map(|()| Flow::Continue)
            .map_err(|found| format!("entry '{}': {found}", label(&header.name)));
    }
    let mut content = Streamed::new(window);
    let flow = match obstacle {
        _ if is_by_product(&header.name) => Flow::Continue,
        Some(obstacle) => entries.pass_over(&header.name, &obstacle),
        None => read_content(header, &mut content, entries),
    };
    if let Flow::Stop = flow {
        return Ok(Flow::Stop);
    }
    if content.skip_rest() {
        Ok(Flow::Continue)
    } else {
        Err(format!("entry '{}' has no end", label(&header.name)))
    }
}

fn read_content(header: &Header, content: &mut dyn BufRead, entries: &mut Entries<'_>) -> Flow {
    let budget = entries.budget();
    match expand(header, content, budget) {
        Ok(expanded) => {
            let mut checked =
                Checked { inner: expanded, sum: flate2::Crc::new(), expected: header.checksum };
            entries.read(&header.name, &mut checked)
        }
        Err(error) => entries.pass_over(&header.name, &error.to_string()),
    }
}

fn expand<'c>(
    header: &Header,
    content: &'c mut dyn BufRead,
    budget: &'c Budget,
) -> io::Result<Box<dyn Read + 'c>> {
    Ok(match header.method {
        Method::Deflated => Box::new(Expanded::deflate(content, budget)),
        Method::Compressed(compression) => Box::new(Expanded::new(compression, content, budget)?),
        Method::Stored | Method::Other(_) => Box::new(content),
    })
}

/// Content that ends in a failure where its checksum is wrong.
struct Checked<R> {
    inner: R,
    sum: flate2::Crc,
    expected: Option<u32>,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.sum.update(&into[..count]);
        let is_end = count == 0 && !into.is_empty();
        if is_end && self.expected.is_some_and(|expected| expected != self.sum.sum()) {
            let message = "the ZIP entry is damaged (its checksum is wrong)";
            return Err(io::Error::new(ErrorKind::InvalidData, message));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
