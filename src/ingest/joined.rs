//! Captures that stand one behind the other in one file: `cat a.pcap b.pcap`,
//! `tcpdump -w - >> file`, and programs that append.
//!
//! Each is a capture of its own. Whether one goes on with another is told by their
//! packets, as with captures in several files.

use super::byte_order::ByteOrder;
use super::detect::{Kind, MAGIC_BYTES, find_binary_format};
use super::window::Window;
use super::{Event, pcap, pcapng, snoop};
use crate::model::input::{Fault, InputErrorKind, Place};

/// Captures that one file may hold.
const CAPTURES_MAX: u32 = 256;

/// The longest beginning that has to be seen: a pcap file's header.
const BEGINNING_BYTES: usize = 24;

/// Reads a capture and all that follow it.
///
/// # Errors
///
/// Where the first cannot be read. What is wrong with others is a fault.
pub fn read(
    window: &mut Window<'_>,
    sink: &mut dyn FnMut(Event<'_>),
) -> Result<(), InputErrorKind> {
    let mut format = find_format(window);
    read_one(format, window, sink)?;
    for _ in 1..CAPTURES_MAX {
        if !begins_capture(window) {
            return Ok(());
        }
        let offset = window.offset();
        let before = std::mem::replace(&mut format, find_format(window));
        // What stands there belongs to the capture before, and is damaged.
        if format == Some(Kind::Pcapng) && before == format {
            return Ok(());
        }
        if let Err(error) = read_one(format, window, sink) {
            let message = format!("another capture begins here, but {error}");
            sink(Event::Fault(Fault { place: Place::Byte(offset), message }));
            return Ok(());
        }
    }
    if begins_capture(window) {
        let message = format!(
            "the file holds more than {CAPTURES_MAX} captures, one behind the other; those from here on were not read"
        );
        sink(Event::Fault(Fault { place: Place::Byte(window.offset()), message }));
    }
    Ok(())
}

fn find_format(window: &mut Window<'_>) -> Option<Kind> {
    window.ensure(MAGIC_BYTES);
    let magic = window.unused();
    find_binary_format(&magic[..magic.len().min(MAGIC_BYTES)])
}

fn read_one(
    format: Option<Kind>,
    window: &mut Window<'_>,
    sink: &mut dyn FnMut(Event<'_>),
) -> Result<(), InputErrorKind> {
    match format {
        Some(Kind::Pcap) => pcap::read(window, sink),
        Some(Kind::Pcapng) => pcapng::read(window, sink),
        Some(Kind::Snoop) => snoop::read(window, sink),
        _ => Ok(()), // not reached: the caller has seen the magic number
    }
}

/// Whether a capture's file header stands where the window stands. Asked where a
/// record or block of another capture is expected.
#[inline]
pub fn begins_capture(window: &mut Window<'_>) -> bool {
    window.ensure(1);
    may_begin_capture(window.unused()) && window.ensure(MAGIC_BYTES) && is_beginning(window)
}

/// Whether a file header's first byte stands first. Most records end the question here.
#[inline]
pub const fn may_begin_capture(bytes: &[u8]) -> bool {
    matches!(bytes, [0xa1 | 0xd4 | 0x4d | 0x34 | 0x1c | 0xab | 0xac | 0x0a | b's', ..])
}

fn is_beginning(window: &mut Window<'_>) -> bool {
    let kind = find_binary_format(&window.unused()[..MAGIC_BYTES]);
    if !matches!(kind, Some(Kind::Pcap | Kind::Pcapng | Kind::Snoop)) {
        return false;
    }
    window.ensure(BEGINNING_BYTES);
    let head = window.unused();
    match kind {
        // The magic number alone could be a time.
        Some(Kind::Pcap) => match head {
            [0xa1 | 0x1c, _, _, _, 0, 2, 0, 0..=4, ..] => head.len() >= BEGINNING_BYTES,
            [0xd4 | 0x4d | 0x34 | 0xab | 0xac, _, _, _, 2, 0, 0..=4, 0, ..] => {
                head.len() >= BEGINNING_BYTES
            }
            _ => false,
        },
        Some(Kind::Pcapng) => {
            matches!(head.get(8..12), Some([0x1a, 0x2b, 0x3c, 0x4d] | [0x4d, 0x3c, 0x2b, 0x1a]))
        }
        Some(Kind::Snoop) => ByteOrder::Big.find_u32(head, 8) == Some(2),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::samples::{
        OneByte, Seen, interface, packet, pcap_file, pcap_record, read_all, read_from,
        section_header,
    };
    use crate::ingest::snoop::tests::snoop;

    fn pcap(order: ByteOrder, magic: u32, frames: u32) -> Vec<u8> {
        let mut file = pcap_file(order, magic, 101);
        for seconds in 0..frames {
            file.extend(pcap_record(order, 1_700_000_000 + seconds, 5, &[0x45; 60], 60));
        }
        file
    }

    fn pcapng(order: ByteOrder) -> Vec<u8> {
        let described = interface(order, 101, 0, &[]);
        [section_header(order), described, packet(order, 0, 7, &[0x60; 60], &[])].concat()
    }

    /// Frames of each capture, by their numbers.
    fn outline(events: &[Seen]) -> Vec<Vec<u64>> {
        let mut captures = Vec::new();
        for event in events {
            match event {
                Seen::Begins(_) => captures.push(Vec::new()),
                Seen::Frame { number, .. } => captures.last_mut().unwrap().push(*number),
                _ => {}
            }
        }
        captures
    }

    #[test]
    fn captures_in_a_row_are_all_read() {
        type Case = (&'static str, Vec<Vec<u8>>, Vec<u64>);
        let (little, big) = (ByteOrder::Little, ByteOrder::Big);
        let plain = pcap(little, 0xa1b2_c3d4, 2);
        let cases: [Case; 8] = [
            ("alone", vec![plain.clone()], vec![2]),
            ("twice", vec![plain.clone(), plain.clone()], vec![2, 2]),
            (
                "every kind of pcap",
                vec![
                    pcap(big, 0xa1b2_c3d4, 1),
                    pcap(little, 0xa1b2_3c4d, 3),
                    pcap(big, 0xa1b2_3c4d, 1),
                    plain.clone(),
                ],
                vec![1, 3, 1, 2],
            ),
            ("an empty one last", vec![plain.clone(), pcap(big, 0xa1b2_c3d4, 0)], vec![2, 0]),
            ("pcapng behind pcap", vec![plain.clone(), pcapng(little)], vec![2, 1]),
            ("pcap behind pcapng", vec![pcapng(big), plain.clone(), pcapng(big)], vec![1, 2, 1]),
            ("snoop twice", vec![snoop(), snoop()], vec![40, 40]),
            ("snoop and pcap", vec![snoop(), plain.clone(), snoop()], vec![40, 2, 40]),
        ];
        for (name, files, frames) in cases {
            let file = files.concat();
            let (events, outcome) = read_all(&file);
            assert_eq!(outcome, Ok(()), "{name}");
            let expected: Vec<Vec<u64>> = frames.iter().map(|last| (1..=*last).collect()).collect();
            assert_eq!(outline(&events), expected, "{name}");
            assert_eq!(events.iter().filter_map(Seen::fault).count(), 0, "{name}");
            assert_eq!(events.iter().filter(|event| **event == Seen::Ends).count(), frames.len());
            assert_eq!(read_from(&mut OneByte(&file), 1 << 20).0, events, "{name}");
        }
    }

    #[test]
    fn a_time_that_looks_like_a_magic_number_is_no_capture() {
        let mut file = pcap(ByteOrder::Little, 0xa1b2_c3d4, 1);
        file.extend(pcap_record(ByteOrder::Little, 0xa1b2_c3d4, 7, &[0x45; 60], 60));
        assert_eq!(outline(&read_all(&file).0), [[1, 2]]);
    }

    #[test]
    fn captures_of_one_file_are_limited_in_number() {
        let file = pcap_file(ByteOrder::Little, 0xa1b2_c3d4, 1).repeat(300);
        let (events, outcome) = read_all(&file);
        assert_eq!(outcome, Ok(()));
        assert_eq!(outline(&events).len(), 256);
        let faults: Vec<_> = events.iter().filter_map(Seen::fault).collect();
        assert_eq!(
            faults,
            [
                "byte 6144: the file holds more than 256 captures, one behind the other; those from here on were not read"
            ]
        );
    }
}
