//! Counts the datagrams of captures that others published, and compares with
//! what independent tools counted. Says so and ends where they are not there.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{Block, PcapBlockOwned, PcapError, create_reader};
use replyscope::decode::{DecodeError, Decoded, decode};
use replyscope::model::capture::{Frame, LinkType};
use replyscope::model::packet::Content;
use replyscope::model::time::Timestamp;
use serde_json::Value;

/// What one capture holds, by our reading.
#[derive(Debug, Default)]
struct Count {
    frames: u64,
    datagrams: u64,
    icmp_errors_quoting_udp: u64,
    cut: u64,
    damaged: u64,
    unsupported: u64,
    /// IP fragments and packets over tunnels are counted otherwise by tcpdump.
    has_fragments: bool,
    link_types: BTreeMap<LinkType, u64>,
}

impl Count {
    fn add(&mut self, link_type: LinkType, original_length: u32, bytes: &[u8]) {
        self.frames += 1;
        *self.link_types.entry(link_type).or_default() += 1;
        let frame = Frame {
            number: self.frames,
            at: Timestamp::from_seconds(0),
            interface: 0,
            link_type,
            direction: None,
            original_length,
            bytes,
        };
        match decode(&frame) {
            Ok(Decoded::Packet(packet)) => match packet.content {
                Content::Datagram(_) => self.datagrams += 1,
                Content::IcmpError(_) => self.icmp_errors_quoting_udp += 1,
            },
            Ok(Decoded::Other) => {}
            Err(DecodeError::Cut { .. }) => self.cut += 1,
            Err(DecodeError::Damaged { .. }) => self.damaged += 1,
            Err(DecodeError::UnsupportedLinkType(_)) => self.unsupported += 1,
        }
        self.has_fragments |= may_be_fragment(link_type, bytes);
    }
}

/// Whether an untagged Ethernet or bare IPv4 packet has a fragment offset.
fn may_be_fragment(link_type: LinkType, bytes: &[u8]) -> bool {
    let ip = match link_type {
        LinkType::Ethernet if bytes.get(12..14) == Some(&[8, 0]) => bytes.get(14..),
        LinkType::LinuxSll if bytes.get(14..16) == Some(&[8, 0]) => bytes.get(16..),
        LinkType::RawIp | LinkType::Ipv4 => Some(bytes),
        _ => None,
    };
    let Some([first, _, _, _, _, _, flags, offset, _, 17, ..]) = ip else { return false };
    first >> 4 == 4 && (flags & 0x1f != 0 || *offset != 0)
}

fn count_capture(bytes: &[u8]) -> Option<Count> {
    let mut reader = create_reader(4 << 20, bytes).ok()?;
    let mut count = Count::default();
    let mut link_types = Vec::new();
    loop {
        match reader.next() {
            Ok((offset, block)) => {
                count_block(&block, &mut link_types, &mut count)?;
                reader.consume(offset);
            }
            Err(PcapError::Incomplete(_)) => reader.refill().ok()?,
            Err(_) => return Some(count),
        }
    }
}

fn count_block(
    block: &PcapBlockOwned<'_>,
    link_types: &mut Vec<LinkType>,
    count: &mut Count,
) -> Option<()> {
    match block {
        PcapBlockOwned::LegacyHeader(header) => link_types.push(link_type(header.network.0)?),
        PcapBlockOwned::Legacy(packet) => {
            count.add(*link_types.first()?, packet.origlen, packet.data);
        }
        PcapBlockOwned::NG(Block::SectionHeader(_)) => link_types.clear(),
        PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => {
            link_types.push(link_type(interface.linktype.0)?);
        }
        PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
            let interface = usize::try_from(packet.if_id).ok()?;
            count.add(*link_types.get(interface)?, packet.origlen, packet.packet_data());
        }
        PcapBlockOwned::NG(Block::SimplePacket(packet)) => {
            count.add(*link_types.first()?, packet.origlen, packet.packet_data());
        }
        PcapBlockOwned::NG(_) => {}
    }
    Some(())
}

/// The upper half of the field holds the frame check sequence's length.
fn link_type(value: i32) -> Option<LinkType> {
    u16::try_from(value & 0xffff).ok().map(LinkType::from)
}

fn read_capture(path: &Path) -> Option<Vec<u8>> {
    let bytes = fs::read(path).ok()?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(bytes.as_slice())
            .take(256 << 20)
            .read_to_end(&mut plain)
            .ok()?;
        return Some(plain);
    }
    Some(bytes)
}

#[test]
fn datagrams_are_counted_as_tcpdump_counts_them() {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures");
    let Ok(truth) = fs::read_to_string(captures.join("truth.json")) else {
        println!(
            "skipped: datagrams_are_counted_as_tcpdump_counts_them ({} is not there)",
            captures.display()
        );
        return;
    };
    let truth: Value = serde_json::from_str(&truth).unwrap();
    let (mut same, mut compared, mut errors_same, mut errors_compared) = (0, 0, 0, 0);
    let mut left_out = 0;
    for (name, file) in truth["files"].as_object().unwrap() {
        let count = read_capture(&captures.join(name)).and_then(|bytes| count_capture(&bytes));
        let (Some(count), Some(expected)) = (count, file["udp"]["tcpdump_filter_udp"].as_u64())
        else {
            left_out += 1;
            continue;
        };
        // Tunnels are not taken off yet, fragments are one datagram, and
        // tcpdump reads link types that we do not. A capture of which either
        // reader saw a part only cannot be compared.
        let is_tunnelled = file["udp"]["frames_with_udp"].as_u64() != Some(expected);
        let is_read_alike = file["packets"]["tcpdump"].as_u64() == Some(count.frames);
        if is_tunnelled || count.has_fragments || count.unsupported > 0 || !is_read_alike {
            left_out += 1;
            continue;
        }
        compared += 1;
        same += u32::from(count.datagrams == expected);
        if count.datagrams != expected {
            println!("{name}: tcpdump {expected}, we {count:?}");
        }
        let quotes =
            |version: &str| file["icmp"][format!("unreachable_{version}_quoting_udp")].as_u64();
        if let (Some(v4), Some(v6)) = (quotes("v4"), quotes("v6")) {
            errors_compared += 1;
            // We also count time exceeded and the like, so ours may be more.
            let is_reached = count.icmp_errors_quoting_udp >= v4 + v6;
            errors_same += u32::from(is_reached);
            if !is_reached {
                println!("{name}: {v4} + {v6} unreachable quote UDP, we {count:?}");
            }
        }
    }
    println!(
        "datagrams: {same} of {compared} captures as tcpdump counts; {left_out} not comparable"
    );
    println!("ICMP errors: {errors_same} of {errors_compared} captures hold all that are known");
    assert_eq!(same, compared);
    assert_eq!(errors_same, errors_compared);
}
