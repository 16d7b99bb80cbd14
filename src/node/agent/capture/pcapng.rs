//! Writes pcapng while packets come (draft-ietf-opsawg-pcapng): one section,
//! one description for each interface, packets, and statistics.

use super::block::{RingPacket, Tag};
use super::program::LinkLayer;
use crate::model::time::Timestamp;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const INTERFACE_STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;

/// `LINKTYPE_ETHERNET`, `LINKTYPE_RAW` of tcpdump.org/linktypes.html.
const ETHERNET: u16 = 1;
const RAW_IP: u16 = 101;

/// Appends a section header that names the node and the program.
pub fn write_section(out: &mut Vec<u8>, node: &str, program: &str) {
    write_block(out, SECTION_HEADER, |out| {
        put_u32(out, 0x1a2b_3c4d);
        out.extend_from_slice(&1_u16.to_le_bytes());
        out.extend_from_slice(&0_u16.to_le_bytes());
        // The section's length is not known in advance.
        out.extend_from_slice(&u64::MAX.to_le_bytes());
        write_option(out, 2, node.as_bytes()); // shb_hardware
        write_option(out, 3, b"Linux"); // shb_os
        write_option(out, 4, program.as_bytes()); // shb_userappl
        write_option(out, 0, &[]);
    });
}

/// Appends the description of one interface; interfaces count from 0 in this order.
pub fn write_interface(out: &mut Vec<u8>, name: &str, link: LinkLayer, snap_length_bytes: u32) {
    write_block(out, INTERFACE_DESCRIPTION, |out| {
        let link_type = match link {
            LinkLayer::Ethernet => ETHERNET,
            LinkLayer::Network => RAW_IP,
        };
        out.extend_from_slice(&link_type.to_le_bytes());
        out.extend_from_slice(&0_u16.to_le_bytes());
        put_u32(out, snap_length_bytes);
        write_option(out, 2, name.as_bytes()); // if_name
        write_option(out, 9, &[9]); // if_tsresol: nanoseconds
        write_option(out, 0, &[]);
    });
}

/// Appends one packet, with the VLAN tag that the kernel took off put back.
pub fn write_packet(out: &mut Vec<u8>, interface: u32, link: LinkLayer, packet: &RingPacket<'_>) {
    let tag = packet.tag.filter(|_| link == LinkLayer::Ethernet && packet.bytes.len() >= 12);
    let tag_bytes = if tag.is_some() { 4 } else { 0 };
    write_block(out, ENHANCED_PACKET, |out| {
        put_u32(out, interface);
        put_time(out, packet.at);
        let captured = u32::try_from(packet.bytes.len()).unwrap_or(u32::MAX);
        put_u32(out, captured.saturating_add(tag_bytes));
        put_u32(out, packet.original_length.saturating_add(tag_bytes));
        match (tag, packet.bytes.split_at_checked(12)) {
            (Some(Tag { ether_type, control }), Some((addresses, rest))) => {
                out.extend_from_slice(addresses);
                out.extend_from_slice(&ether_type.to_be_bytes());
                out.extend_from_slice(&control.to_be_bytes());
                out.extend_from_slice(rest);
            }
            _ => out.extend_from_slice(packet.bytes),
        }
        pad(out);
        // epb_flags: bits 0 and 1 in or out, 2 to 4 unicast, multicast, broadcast or
        // to another host.
        let (direction, kind): (u32, u32) = match packet.packet_type {
            0 => (1, 1),
            1 => (1, 3),
            2 => (1, 2),
            3 => (1, 4),
            4 => (2, 0),
            _ => (0, 0),
        };
        let flags = direction | (kind << 2);
        write_option(out, 2, &flags.to_le_bytes());
        write_option(out, 0, &[]);
    });
}

/// What the statistics of an interface say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Packets that passed the filter, the dropped ones included.
    pub received: u64,
    /// Of those, how many the kernel had no room for.
    pub dropped: u64,
}

/// Since when and until when a capture listened at an interface.
#[derive(Debug, Clone, Copy)]
pub struct Listening {
    pub started_at: Timestamp,
    /// Nothing where it is not known.
    pub until: Option<Timestamp>,
}

/// Appends the statistics of one interface, as they are `at` that time.
pub fn write_statistics(
    out: &mut Vec<u8>,
    interface: u32,
    at: Timestamp,
    listening: Listening,
    counts: Counts,
) {
    write_block(out, INTERFACE_STATISTICS, |out| {
        put_u32(out, interface);
        put_time(out, at);
        let times = [(2, Some(listening.started_at)), (3, listening.until)];
        for (code, time) in times {
            let Some(time) = time else { continue };
            let mut value = Vec::with_capacity(8);
            put_time(&mut value, time);
            write_option(out, code, &value); // isb_starttime, isb_endtime
        }
        let delivered = counts.received.saturating_sub(counts.dropped);
        for (code, count) in [(6, counts.received), (7, counts.dropped), (8, delivered)] {
            write_option(out, code, &count.to_le_bytes()); // isb_filteraccept, osdrop, usrdeliv
        }
        write_option(out, 0, &[]);
    });
}

/// Appends a block; its length stands at both of its ends.
fn write_block(out: &mut Vec<u8>, kind: u32, write_body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    put_u32(out, kind);
    put_u32(out, 0);
    write_body(out);
    let length = u32::try_from(out.len() - start + 4).unwrap_or(u32::MAX);
    put_u32(out, length);
    if let Some(place) = out.get_mut(start + 4..start + 8) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

fn write_option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    // Names and numbers: no value comes near the limit of 16 bits.
    let value = value.get(..value.len().min(1_024)).unwrap_or_default();
    out.extend_from_slice(&code.to_le_bytes());
    out.extend_from_slice(&u16::try_from(value.len()).unwrap_or_default().to_le_bytes());
    out.extend_from_slice(value);
    pad(out);
}

/// Blocks begin at multiples of four, and so do options.
fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(4), 0);
}

fn put_u32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// High half first, as pcapng has it, in whatever byte order.
fn put_time(out: &mut Vec<u8>, at: Timestamp) {
    let ticks = at.as_nanoseconds().cast_unsigned();
    let low = u32::try_from(ticks & 0xffff_ffff).unwrap_or_default();
    let high = u32::try_from(ticks >> 32).unwrap_or_default();
    put_u32(out, high);
    put_u32(out, low);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_that_the_kernel_took_off_is_put_back() {
        let frame: Vec<u8> = (0..20).collect();
        let tag = Some(Tag { ether_type: 0x88a8, control: 0x2007 });
        let with_tag = [&frame[..12], &[0x88, 0xa8, 0x20, 0x07], &frame[12..]].concat();
        let cases = [
            (LinkLayer::Ethernet, None, &frame[..], frame.clone()),
            (LinkLayer::Ethernet, tag, &frame[..], with_tag),
            (LinkLayer::Ethernet, tag, &frame[..8], frame[..8].to_vec()),
            (LinkLayer::Network, tag, &frame[..], frame.clone()),
        ];
        for (link, tag, bytes, expected) in cases {
            let packet = RingPacket {
                at: Timestamp::from_nanoseconds(0x1_0000_0002),
                original_length: 90,
                tag,
                packet_type: 4,
                bytes,
            };
            let mut out = Vec::new();
            write_packet(&mut out, 3, link, &packet);
            let word = |at: usize| u32::from_le_bytes(out[at..at + 4].try_into().unwrap());
            let length = u32::try_from(out.len()).unwrap();
            let captured = u32::try_from(expected.len()).unwrap();
            let added = captured - u32::try_from(bytes.len()).unwrap();
            let head: Vec<u32> = (0..28).step_by(4).map(word).collect();
            assert_eq!(head, [6, length, 3, 1, 2, captured, 90 + added], "{link:?}");
            assert_eq!(out[28..28 + expected.len()], expected, "{link:?}");
            assert_eq!(word(out.len() - 4), length);
            // Outgoing: the flags are the only option.
            assert_eq!(word(out.len() - 12), 2);
        }
    }
}
