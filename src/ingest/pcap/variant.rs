//! How long the headers of records are, where the file header does not say it.
//!
//! Nokia's firewalls put four bytes between the header of a record and its frame,
//! Red Hat Linux 6.1 eight; `SuSE` Linux 6.3 did so in the modified format, which has
//! eight more of its own. Wireshark tries to read records in each of these ways.
//! Here the first frame decides, and only where it does not tell, the next header:
//! so a frame seldom waits for the next one.

use super::file_header::FileHeader;
use super::{FRAME_MAX_BYTES, PLAIN_RECORD_HEADER_BYTES, nokia};
use crate::ingest::window::Window;
use crate::model::capture::LinkType;

const MODIFIED_RECORD_HEADER_BYTES: usize = 24;

/// The length of every record's header.
pub fn find_record_header_bytes(header: &FileHeader, window: &mut Window<'_>) -> usize {
    let usual = header.record_header_bytes;
    let is_in_doubt =
        header.link_type == LinkType::Ethernet && header.nanoseconds_per_fraction == 1_000;
    if !is_in_doubt || !window.ensure(usual) {
        return usual;
    }
    let record = header.find_record(window.unused());
    let record = record.filter(|record| record.captured_length <= FRAME_MAX_BYTES);
    let Some(record) = record else { return usual };
    let length = usize::try_from(record.captured_length).unwrap_or(usize::MAX);
    // No more is waited for than the first record needs anyway.
    let wanted = length.min(nokia::LOOK_BYTES);
    if !window.ensure(usual + wanted) {
        return usual;
    }
    let frame = &window.unused()[usual..usual + wanted];
    if nokia::begins_plainly(frame) || !header.is_plausible(&record, None) {
        return usual;
    }
    let is_plain = usual == PLAIN_RECORD_HEADER_BYTES;
    if is_plain && nokia::is_shifted(frame, record.original_length) {
        return nokia::RECORD_HEADER_BYTES;
    }
    let others: &[usize] = if is_plain {
        &[nokia::RECORD_HEADER_BYTES, MODIFIED_RECORD_HEADER_BYTES]
    } else {
        &[MODIFIED_RECORD_HEADER_BYTES + 4]
    };
    let is_it = |way: &usize| {
        let end = way + length;
        if !window.ensure(end + usual) {
            return window.unused().len() == end;
        }
        let next = header.find_record(&window.unused()[end..]);
        next.is_some_and(|next| header.is_plausible(&next, Some(record.at)))
    };
    let found = [usual].into_iter().chain(others.iter().copied()).find(is_it);
    found.unwrap_or(usual)
}

#[cfg(test)]
mod tests {
    use crate::ingest::byte_order::ByteOrder;
    use crate::ingest::samples::{OneByte, Seen, pcap_file, pcap_record, read_all, read_from};

    const PLAIN: u32 = 0xa1b2_c3d4;
    const MODIFIED: u32 = 0xa1b2_cd34;

    /// An Ethernet frame that begins so, filled up to its least length.
    fn frame(is_v6: bool, is_arp: bool) -> Vec<u8> {
        let addresses = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
        let rest: &[u8] = match (is_arp, is_v6) {
            (true, _) => &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1],
            (false, false) => &[8, 0, 0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17],
            // The spanning tree protocol: a length, no type.
            (false, true) => &[0, 38, 0x42, 0x42, 3, 0, 0, 0, 0, 0],
        };
        let mut frame = [&addresses[..], rest].concat();
        frame.resize(60, 0);
        frame
    }

    #[test]
    fn the_next_header_tells_what_the_first_frame_does_not() {
        // magic, bytes between a record's header and its frame, frames in the file
        let cases = [
            (PLAIN, 0, 1),
            (PLAIN, 0, 3),
            (PLAIN, 4, 1),
            (PLAIN, 4, 3),
            (PLAIN, 8, 3),
            (MODIFIED, 8, 1),
            (MODIFIED, 8, 3),
            (MODIFIED, 12, 3),
        ];
        for order in [ByteOrder::Little, ByteOrder::Big] {
            for (magic, between, count) in cases {
                for frame in [frame(false, false), frame(true, false), frame(false, true)] {
                    let mut file = pcap_file(order, magic, 1);
                    for seconds in 0..count {
                        let mut record = pcap_record(order, 1_700_000_000 + seconds, 5, &frame, 60);
                        record.splice(16..16, vec![3; between]);
                        file.extend(record);
                    }
                    let (events, outcome) = read_all(&file);
                    assert_eq!(outcome, Ok(()));
                    let frames: Vec<_> = events
                        .iter()
                        .filter_map(|event| match event {
                            Seen::Frame { bytes, .. } => Some(bytes.as_slice()),
                            _ => None,
                        })
                        .collect();
                    let expected = vec![&frame[..]; usize::try_from(count).unwrap()];
                    assert_eq!(frames, expected, "{magic:x} {between} {count}");
                    assert_eq!(read_from(&mut OneByte(&file), 1 << 20).0, events);
                }
            }
        }
    }
}
