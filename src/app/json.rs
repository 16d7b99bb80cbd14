//! A report as JSON on standard output, rendered on two cores where it is long.

mod indented;

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, Builder};

use serde::Serialize;

use crate::model::report::{Device, Report};

/// Devices that are rendered at once: some 100 KB.
const PIECE_DEVICES: usize = 128;
/// Pieces that wait to be written, at most.
const PIECES_WAITING: usize = 8;

/// How an empty list of devices ends a report's JSON.
const EMPTY_END: &[u8] = b"[]\n}";
/// What stands around the devices of a piece.
const PIECE_START: &[u8] = b"{\n  \"devices\": [\n";
const PIECE_END: &[u8] = b"\n  ]\n}";

/// Writes what [`serde_json::to_writer_pretty`] writes.
///
/// # Errors
///
/// Where `output` fails.
pub fn write(report: &Report, output: &mut impl Write) -> io::Result<()> {
    let frame = Report { devices_omitted: report.devices_omitted, ..report.frame() };
    let mut start = Vec::new();
    indented::write(&frame, &mut start)?;
    let pieces: Vec<&[Device]> = report.devices.chunks(PIECE_DEVICES).collect();
    let (Some(start), [_, _, ..]) = (start.strip_suffix(EMPTY_END), pieces.as_slice()) else {
        indented::write(report, &mut *output)?;
        return Ok(());
    };
    output.write_all(start)?;
    thread::scope(|scope| {
        let (send, rendered) = sync_channel(PIECES_WAITING);
        let others = pieces.iter().skip(1).step_by(2);
        // Until nobody wants them.
        let aside = move || {
            let mut room_bytes = 0;
            let mut others = others.map(|piece| send.send(render(piece, &mut room_bytes)));
            others.all(|sent| sent.is_ok());
        };
        let is_aside = Builder::new().name("render".to_owned()).spawn_scoped(scope, aside).is_ok();
        write_all(&pieces, is_aside.then_some(&rendered), output)
    })
}

/// Writes the pieces in their order; `rendered` gives every second one.
fn write_all(
    pieces: &[&[Device]],
    rendered: Option<&Receiver<serde_json::Result<Vec<u8>>>>,
    output: &mut impl Write,
) -> io::Result<()> {
    let mut room_bytes = 0;
    for (index, piece) in pieces.iter().enumerate() {
        let other = rendered.filter(|_| index % 2 == 1).and_then(|rendered| rendered.recv().ok());
        let json = other.unwrap_or_else(|| render(piece, &mut room_bytes))?;
        let devices = json
            .strip_prefix(PIECE_START)
            .and_then(|json| json.strip_suffix(PIECE_END))
            .ok_or_else(|| io::Error::other("devices have another JSON form than expected"))?;
        output.write_all(if index == 0 { b"[\n" } else { b",\n" })?;
        output.write_all(devices)?;
    }
    output.write_all(PIECE_END)
}

/// Devices of a report, where they stand in its JSON.
#[derive(Serialize)]
struct Piece<'a> {
    devices: &'a [Device],
}

/// `room_bytes` is what the largest piece took so far: the next one rarely takes more.
fn render(devices: &[Device], room_bytes: &mut usize) -> serde_json::Result<Vec<u8>> {
    let mut json = Vec::with_capacity(*room_bytes);
    indented::write(&Piece { devices }, &mut json)?;
    *room_bytes = json.len().max(*room_bytes);
    Ok(json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Analysis, Limits, ReportHeader};
    use crate::clock;

    /// A report on so many devices.
    fn large(devices: usize) -> Report {
        let lines = "\
            10:00:00.000000 IP 192.0.2.7.50000 > 198.51.100.10.161: UDP, length 40\n\
            10:00:00.100000 IP 198.51.100.10.161 > 192.0.2.7.50000: UDP, length 44\n";
        let mut analysis = Analysis::new(Limits::default());
        analysis.read_capture("host", None, &mut lines.as_bytes()).unwrap();
        let header = ReportHeader { id: clock::new_id(), title: None, created_at: clock::now() };
        let mut report = analysis.finish(header).unwrap();
        let device = report.devices[0].clone();
        report.devices = (0..devices)
            .map(|number| Device { headline: format!("Number {number}"), ..device.clone() })
            .collect();
        report
    }

    #[test]
    fn the_pieces_are_one_document() {
        let lengths = [0, 1, 128, 129, 256, 900];
        let mut reports: Vec<Report> = lengths.map(large).into();
        reports.push(Report { devices_omitted: 9, ..large(1_000) });
        for report in reports {
            let mut written = Vec::new();
            write(&report, &mut written).unwrap();
            let whole = serde_json::to_vec_pretty(&report).unwrap();
            assert!(written == whole, "of {} devices", report.devices.len());
        }
    }

    #[test]
    fn a_reader_that_leaves_ends_it() {
        let mut room = vec![0; 100_000];
        assert!(write(&large(2_000), &mut room.as_mut_slice()).is_err());
    }

    #[test]
    fn one_core_writes_the_same() {
        let report = large(1_000);
        let pieces: Vec<&[Device]> = report.devices.chunks(PIECE_DEVICES).collect();
        let mut alone = Vec::new();
        write_all(&pieces, None, &mut alone).unwrap();
        let whole = serde_json::to_vec_pretty(&report).unwrap();
        assert!(whole.ends_with(&alone));
    }
}
