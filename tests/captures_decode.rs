//! Counts the datagrams of captures that others published and compares with
//! what independent tools counted, and reads all of the lab's captures. Says
//! so and ends where they are not there.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{Block, PcapBlockOwned, PcapError, create_reader};
use replyscope::decode::{DecodeError, Decoded, Decoder, Limits};
use replyscope::model::capture::{Frame, LinkType};
use replyscope::model::packet::{Content, Packet, TunnelKind};
use replyscope::model::time::Timestamp;
use serde_json::Value;

/// What one capture holds, by our reading.
#[derive(Debug)]
struct Count {
    decoder: Decoder,
    frames: u64,
    datagrams: u64,
    /// Of these, the ones that came through a tunnel in UDP, or another.
    datagrams_in_udp: u64,
    datagrams_in_tunnels: u64,
    /// Datagrams of which fragments are missing.
    lost: u64,
    icmp_errors_quoting_udp: u64,
    cut: u64,
    damaged: u64,
    unsupported: u64,
    link_types: BTreeMap<LinkType, u64>,
}

impl Count {
    fn new() -> Self {
        Self {
            decoder: Decoder::new(Limits::default()),
            frames: 0,
            datagrams: 0,
            datagrams_in_udp: 0,
            datagrams_in_tunnels: 0,
            lost: 0,
            icmp_errors_quoting_udp: 0,
            cut: 0,
            damaged: 0,
            unsupported: 0,
            link_types: BTreeMap::new(),
        }
    }

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
        match self.decoder.decode(&frame) {
            Ok(Decoded::Packet(packet)) => self.add_packet(&packet),
            Ok(Decoded::Other) => {}
            Err(DecodeError::Cut { .. }) => self.cut += 1,
            Err(DecodeError::Damaged { .. }) => self.damaged += 1,
            Err(DecodeError::UnsupportedLinkType(_)) => self.unsupported += 1,
        }
    }

    fn add_packet(&mut self, packet: &Packet) {
        match packet.content {
            Content::Datagram(_) => {
                self.datagrams += 1;
                match packet.tunnel {
                    Some(tunnel) if is_in_udp(tunnel.kind) => self.datagrams_in_udp += 1,
                    Some(_) => self.datagrams_in_tunnels += 1,
                    None => {}
                }
            }
            Content::IcmpError(_) => self.icmp_errors_quoting_udp += 1,
            Content::FragmentsLost(_) => self.lost += 1,
        }
    }

    fn end(mut self) -> Self {
        while let Some(packet) = self.decoder.take_lost(None) {
            self.add_packet(&packet);
        }
        self
    }
}

const fn is_in_udp(kind: TunnelKind) -> bool {
    use TunnelKind::{Geneve, GreInUdp, GtpU, MplsInUdp, Teredo, Vxlan};
    matches!(kind, Geneve | GreInUdp | GtpU | MplsInUdp | Teredo | Vxlan)
}

fn count_capture(bytes: &[u8]) -> Option<Count> {
    let mut reader = create_reader(4 << 20, bytes).ok()?;
    let mut count = Count::new();
    let mut link_types = Vec::new();
    loop {
        match reader.next() {
            Ok((offset, block)) => {
                count_block(&block, &mut link_types, &mut count)?;
                reader.consume(offset);
            }
            Err(PcapError::Incomplete(_)) => reader.refill().ok()?,
            Err(_) => return Some(count.end()),
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

/// What to compare a capture with: tshark's reading, which puts fragments
/// together and looks into tunnels as we do.
struct Truth {
    frames_with_udp: u64,
    frames_with_udp_inside_udp: u64,
    frames: Option<u64>,
    unreachable_quoting_udp: u64,
}

impl Truth {
    fn find(file: &Value) -> Option<Self> {
        let (udp, icmp) = (&file["udp"], &file["icmp"]);
        Some(Self {
            frames_with_udp: udp["frames_with_udp"].as_u64()?,
            frames_with_udp_inside_udp: udp["frames_with_udp_inside_udp"].as_u64()?,
            frames: file["packets"]["tshark"].as_u64(),
            unreachable_quoting_udp: icmp["unreachable_v4_quoting_udp"].as_u64()?
                + icmp["unreachable_v6_quoting_udp"].as_u64()?,
        })
    }
}

#[test]
fn datagrams_are_counted_as_tshark_counts_them() {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures");
    let Ok(truth) = fs::read_to_string(captures.join("truth.json")) else {
        println!("skipped datagrams_are_counted_as_tshark_counts_them: no {}", captures.display());
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
        // Where a reader saw only a part of the capture the counts mean other things.
        if truth.frames != Some(count.frames) {
            left_out.push(name);
            continue;
        }
        compared += 1;
        // We count time exceeded and the like too, so ours may be more.
        let has_all_errors = count.icmp_errors_quoting_udp >= truth.unreachable_quoting_udp;
        if count.datagrams == truth.frames_with_udp
            && count.datagrams_in_udp == truth.frames_with_udp_inside_udp
            && has_all_errors
        {
            same += 1;
        } else {
            wrong.push(format!("{name}: tshark has {} datagrams, {} in UDP, {} errors; we {} {} {} lost {} cut {} dmg {} uns {} {:?}", truth.frames_with_udp, truth.frames_with_udp_inside_udp, truth.unreachable_quoting_udp, count.datagrams, count.datagrams_in_udp, count.icmp_errors_quoting_udp, count.lost, count.cut, count.damaged, count.unsupported, count.link_types));
        }
    }
    println!(
        "{same} of {compared} captures counted as tshark counts, {} not comparable",
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
