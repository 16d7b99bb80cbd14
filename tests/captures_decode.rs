//! Counts the datagrams of captures that others published, whole or in
//! fragments, bare or in tunnels, and compares with what tshark counted, and reads all of the lab's captures. Says
//! so and ends where they are not there.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use replyscope::decode::{DecodeError, Decoded, Decoder, Limits};
use replyscope::ingest::{self, Event};
use replyscope::model::capture::{Frame, LinkType};
use replyscope::model::packet::{Content, Packet};
use serde_json::Value;

/// What one capture holds, by our reading.
#[derive(Debug)]
struct Count {
    decoder: Decoder,
    frames: u64,
    datagrams: u64,
    icmp_errors_quoting_udp: u64,
    /// Datagrams and errors that came through a tunnel in UDP.
    packets_in_udp: u64,
    /// Of these, the errors.
    icmp_errors_in_udp: u64,
    /// Datagrams of which fragments are missing.
    lost: u64,
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
            icmp_errors_quoting_udp: 0,
            packets_in_udp: 0,
            icmp_errors_in_udp: 0,
            lost: 0,
            cut: 0,
            damaged: 0,
            unsupported: 0,
            link_types: BTreeMap::new(),
        }
    }

    fn add(&mut self, frame: &Frame<'_>) {
        self.frames += 1;
        *self.link_types.entry(frame.link_type).or_default() += 1;
        while let Some(packet) = self.decoder.take_lost(Some(frame.at)) {
            self.add_packet(&packet);
        }
        match self.decoder.decode(frame) {
            Ok(Decoded::Packet(packet)) => self.add_packet(&packet),
            Ok(Decoded::Carrier(_)) => self.datagrams += 1,
            Ok(Decoded::Other) | Err(DecodeError::Unread(_)) => {}
            Err(DecodeError::Cut { .. }) => self.cut += 1,
            Err(DecodeError::Damaged { .. }) => self.damaged += 1,
            Err(DecodeError::UnsupportedLinkType(_)) => self.unsupported += 1,
        }
    }

    fn add_packet(&mut self, packet: &Packet) {
        let in_udp = u64::from(packet.tunnel.is_some_and(|tunnel| tunnel.kind.is_in_udp()));
        match packet.content {
            // Around those that concern TCP there is one datagram alone.
            Content::Segment(_) => {
                self.datagrams += in_udp;
                return;
            }
            Content::IcmpError(ref error) if error.quotes_segment() => {
                self.datagrams += in_udp;
                return;
            }
            _ => self.packets_in_udp += in_udp,
        }
        match packet.content {
            Content::Datagram(_) => self.datagrams += 1,
            Content::IcmpError(_) => {
                self.icmp_errors_quoting_udp += 1;
                self.icmp_errors_in_udp += in_udp;
            }
            Content::FragmentsLost(_) | Content::Discarded(_) | Content::Dropped(_) => {
                self.lost += 1;
            }
            Content::Neighbour(_) | Content::Segment(_) => {}
        }
    }

    fn end(&mut self) {
        while let Some(packet) = self.decoder.take_lost(None) {
            self.add_packet(&packet);
        }
    }
}

/// `None` where the file holds no frames that can be read.
fn count_capture(path: &Path) -> Option<Count> {
    let mut count = Count::new();
    let limits = ingest::Limits { expanded_bytes: 256 << 20 };
    ingest::read(&mut File::open(path).ok()?, &limits, &mut |event| match event {
        Event::Frame(frame) => count.add(&frame),
        Event::CaptureEnds => count.end(),
        _ => {}
    })
    .ok()?;
    (count.frames > 0).then_some(count)
}

/// What to compare a capture with: tshark's reading, which puts fragments
/// together and looks into tunnels as we do.
#[derive(Debug)]
struct Truth {
    frames_with_udp: u64,
    frames_with_udp_inside_udp: u64,
    frames: Option<u64>,
    malformed_frames: u64,
    unreachable_quoting_udp: u64,
}

impl Truth {
    fn find(file: &Value) -> Option<Self> {
        let (udp, icmp) = (&file["udp"], &file["icmp"]);
        Some(Self {
            frames_with_udp: udp["frames_with_udp"].as_u64()?,
            frames_with_udp_inside_udp: udp["frames_with_udp_inside_udp"].as_u64()?,
            frames: file["packets"]["tshark"].as_u64(),
            malformed_frames: file["malformed_frames_tshark"].as_u64()?,
            unreachable_quoting_udp: icmp["unreachable_v4_quoting_udp"].as_u64()?
                + icmp["unreachable_v6_quoting_udp"].as_u64()?,
        })
    }

    /// Of a malformed frame both may believe more or less. Of an error inside a
    /// tunnel's datagram we count the error, tshark the datagram. We count time
    /// exceeded and the like too, so our errors may be more.
    fn fits(&self, count: &Count) -> bool {
        let datagrams = count.datagrams + count.icmp_errors_in_udp;
        datagrams.abs_diff(self.frames_with_udp) <= self.malformed_frames
            && (count.packets_in_udp - count.icmp_errors_in_udp)
                .abs_diff(self.frames_with_udp_inside_udp)
                <= self.malformed_frames
            && count.icmp_errors_quoting_udp >= self.unreachable_quoting_udp
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
    let (mut tunnels, mut lost) = (0, 0);
    for (name, file) in truth["files"].as_object().unwrap() {
        let count = count_capture(&captures.join(name));
        let (Some(count), Some(truth)) = (count, Truth::find(file)) else {
            left_out.push(name);
            continue;
        };
        // Where a reader saw only a part of the capture the counts mean other things.
        if truth.frames != Some(count.frames) || count.unsupported > 0 {
            left_out.push(name);
            continue;
        }
        compared += 1;
        tunnels += count.packets_in_udp;
        lost += count.lost;
        if truth.fits(&count) {
            same += 1;
        } else {
            wrong.push(format!("{name}: {truth:?}, we {count:?}"));
        }
    }
    println!("{tunnels} packets came through tunnels in UDP, {lost} datagrams lost fragments");
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
        let Some(count) = count_capture(&path) else { continue };
        let unread = count.cut + count.damaged + count.unsupported;
        assert_eq!(unread, 0, "{} {count:?}", path.display());
    }
    println!("{captures} captures of the lab read");
}
