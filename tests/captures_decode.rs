//! Counts the datagrams of captures that others published and compares with
//! what independent tools counted, and reads all of the lab's captures. Says
//! so and ends where they are not there.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{Block, PcapBlockOwned, PcapError, create_reader};
use replyscope::decode::{DecodeError, Decoded, decode};
use replyscope::model::capture::{Frame, LinkType};
use replyscope::model::packet::{Application, Content};
use replyscope::model::protocol::Protocol;
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
    /// tcpdump counts every fragment, we count datagrams.
    has_fragments: bool,
    /// Quotes and datagrams inside are counted by others, and not yet by us.
    has_tunnels: bool,
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
                Content::Datagram(datagram) => {
                    self.datagrams += 1;
                    self.has_tunnels |= is_tunnel(&datagram.application);
                }
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

fn is_tunnel(application: &Application) -> bool {
    use Protocol::{Geneve, GtpU, Teredo, Vxlan};
    matches!(application, Application::Plain(Geneve | GtpU | Teredo | Vxlan))
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

/// What to compare a capture with, by tcpdump and by an independent decoder.
struct Truth {
    tcpdump_udp: u64,
    frames_with_udp: u64,
    frames: Option<u64>,
    unreachable_quoting_udp: u64,
}

impl Truth {
    fn find(file: &Value) -> Option<Self> {
        let (udp, icmp) = (&file["udp"], &file["icmp"]);
        Some(Self {
            tcpdump_udp: udp["tcpdump_filter_udp"].as_u64()?,
            frames_with_udp: udp["frames_with_udp"].as_u64()?,
            frames: file["packets"]["tcpdump"].as_u64(),
            unreachable_quoting_udp: icmp["unreachable_v4_quoting_udp"].as_u64()?
                + icmp["unreachable_v6_quoting_udp"].as_u64()?,
        })
    }
}

#[test]
fn datagrams_are_counted_as_tcpdump_counts_them() {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures");
    let Ok(truth) = fs::read_to_string(captures.join("truth.json")) else {
        println!("skipped datagrams_are_counted_as_tcpdump_counts_them: no {}", captures.display());
        return;
    };
    let truth: Value = serde_json::from_str(&truth).unwrap();
    let (mut same, mut compared, mut left_out) = (0, 0, Vec::new());
    let mut wrong = Vec::new();
    for (name, file) in truth["files"].as_object().unwrap() {
        let count = read_capture(&captures.join(name)).and_then(|bytes| count_capture(&bytes));
        let (Some(count), Some(truth)) = (count, Truth::find(file)) else {
            left_out.push(name);
            continue;
        };
        // Where the two truths differ there are fragments, tunnels, or headers
        // that tcpdump's filter does not look behind. Then, and where a
        // reader saw only a part of the capture, the counts mean other things.
        let is_read_alike = truth.frames == Some(count.frames) && count.unsupported == 0;
        if truth.tcpdump_udp != truth.frames_with_udp || count.has_fragments || !is_read_alike {
            left_out.push(name);
            continue;
        }
        compared += 1;
        // We count time exceeded and the like too, so ours may be more.
        let has_all_errors =
            count.has_tunnels || count.icmp_errors_quoting_udp >= truth.unreachable_quoting_udp;
        if count.datagrams == truth.tcpdump_udp && has_all_errors {
            same += 1;
        } else {
            wrong.push(format!("{name}: tcpdump has {}, we {count:?}", truth.tcpdump_udp));
        }
    }
    println!(
        "{same} of {compared} captures counted as tcpdump counts, {} not comparable",
        left_out.len()
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_frame_of_the_lab_is_read() {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/lab/scenarios");
    let Ok(entries) = fs::read_dir(&scenarios) else {
        println!("skipped every_frame_of_the_lab_is_read: no {}", scenarios.display());
        return;
    };
    let mut captures = 0;
    for path in entries.flat_map(|entry| fs::read_dir(entry.unwrap().path()).unwrap()) {
        let path = path.unwrap().path();
        if !path.extension().is_some_and(|extension| extension == "pcap" || extension == "pcapng") {
            continue;
        }
        captures += 1;
        let count = read_capture(&path).and_then(|bytes| count_capture(&bytes)).unwrap();
        let unread = count.cut + count.damaged + count.unsupported;
        assert_eq!(unread, 0, "{} {count:?}", path.display());
    }
    println!("{captures} captures of the lab read");
}
