//! Nokia's pcap files, known by their first frame.
//!
//! Their records have four bytes more before the frame, and the file header is
//! that of every other.

/// A record's header with the four bytes of unknown use.
pub const RECORD_HEADER_BYTES: usize = 20;

/// Bytes of the first frame that decide: the four, Ethernet's header and the part
/// of an IP header that has its length.
pub const LOOK_BYTES: usize = 4 + 14 + 6;

const ETHERNET_BYTES: u32 = 14;

/// Ethernet types that may lead to what this program reads. The tags of some
/// switches stand before the type as well, but make the frame longer.
const KNOWN: [u16; 10] =
    [0x0800, 0x0806, 0x86dd, 0x8100, 0x88a8, 0x9100, 0x8847, 0x8848, 0x8863, 0x8864];

/// Whether a frame begins with the header that Ethernet has, and with a type that is known.
pub fn begins_plainly(frame: &[u8]) -> bool {
    find_word(frame, 12).is_some_and(|ether_type| KNOWN.contains(&ether_type))
}

/// Whether IP begins four bytes later in `frame` than it should, and ends where a
/// frame of `original_length` bytes ends that begins there.
pub fn is_shifted(frame: &[u8], original_length: u32) -> bool {
    if begins_plainly(frame) {
        return false;
    }
    let version = frame.get(18).map(|byte| byte >> 4);
    let ip_bytes = match (find_word(frame, 16), version) {
        (Some(0x0800), Some(4)) => find_word(frame, 20).map(u32::from),
        (Some(0x86dd), Some(6)) => find_word(frame, 22).map(|length| u32::from(length) + 40),
        _ => None,
    };
    ip_bytes.is_some_and(|ip_bytes| ip_bytes + ETHERNET_BYTES == original_length)
}

fn find_word(bytes: &[u8], at: usize) -> Option<u16> {
    let pair = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_be_bytes(*pair))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::byte_order::ByteOrder;
    use crate::ingest::samples::{OneByte, Seen, pcap_file, pcap_record, read_all, read_from};

    /// An Ethernet frame of an IP packet with a payload of eight bytes.
    fn frame(is_v6: bool) -> Vec<u8> {
        let addresses = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
        let (ether_type, ip): ([u8; 2], &[u8]) = if is_v6 {
            ([0x86, 0xdd], &[0x60, 0, 0, 0, 0, 8, 17, 64])
        } else {
            ([8, 0], &[0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0, 0])
        };
        let mut frame = [&addresses[..], &ether_type, ip].concat();
        frame.resize(14 + if is_v6 { 48 } else { 28 }, 7);
        frame
    }

    fn frames(file: &[u8]) -> Vec<Vec<u8>> {
        let bytes = |events: Vec<Seen>| -> Vec<Vec<u8>> {
            let frames = events.into_iter().filter_map(|event| match event {
                Seen::Frame { bytes, .. } => Some(bytes),
                _ => None,
            });
            frames.collect()
        };
        let (events, _) = read_all(file);
        let (bytewise, _) = read_from(&mut OneByte(file), 1 << 20);
        assert_eq!(events, bytewise);
        bytes(events)
    }

    #[test]
    fn four_bytes_before_each_frame_are_left_out() {
        for order in [ByteOrder::Little, ByteOrder::Big] {
            for is_v6 in [false, true] {
                let frame = frame(is_v6);
                let length = u32::try_from(frame.len()).unwrap();
                let mut file = pcap_file(order, 0xa1b2_c3d4, 1);
                for unknown in [[0, 0, 0, 9], [1, 2, 3, 4]] {
                    let mut record = pcap_record(order, 1, 0, &frame, length);
                    record.splice(16..16, unknown);
                    file.extend(record);
                }
                assert_eq!(frames(&file), [frame.clone(), frame], "{order:?} {is_v6}");
            }
        }
    }

    #[test]
    fn frames_with_tags_and_of_other_types_stay_whole() {
        for is_v6 in [false, true] {
            let plain = frame(is_v6);
            // A VLAN's tag, a switch's tag of four bytes, a length, other types.
            let tags: [&[u8]; 4] = [&[0x81, 0, 0, 7], &[0xc0, 1, 0, 0], &[0, 46, 0xaa, 0xaa], &[]];
            for tag in tags {
                let mut tagged = plain.clone();
                tagged.splice(12..12, tag.iter().copied());
                let length = u32::try_from(tagged.len()).unwrap();
                let mut file = pcap_file(ByteOrder::Little, 0xa1b2_c3d4, 1);
                file.extend(pcap_record(ByteOrder::Little, 1, 0, &tagged, length).repeat(2));
                assert_eq!(frames(&file), [tagged.clone(), tagged], "{tag:02x?}");
            }
            assert!(!is_shifted(&plain[..20], 42));
            assert!(!is_shifted(&[], 42));
        }
    }
}
