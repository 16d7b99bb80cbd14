//! One exchange as many programs print it: all give the frames of its capture.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/header.rs"]
mod header;

use std::fs;
use std::path::{Path, PathBuf};

use header::header;
use replyscope::analysis::{Analysis, Limits};
use replyscope::ingest::{self, Event};
use replyscope::model::capture::LinkType;
use replyscope::model::finding::{Cause, Verdict};
use replyscope::model::report::Report;

/// What one input holds.
#[derive(Debug, Default)]
struct Seen {
    captures: usize,
    interfaces: Vec<String>,
    /// IP packets by their numbers.
    packets: Vec<(u64, Vec<u8>)>,
    /// Packets that the text tells without their bytes.
    told: usize,
    at: Vec<i64>,
    faults: Vec<String>,
}

fn read(name: &str) -> Seen {
    let bytes = fs::read(path(name)).unwrap();
    let mut seen = Seen::default();
    ingest::read(&mut &bytes[..], &ingest::Limits { expanded_bytes: 1 << 20 }, &mut |event| {
        match event {
            Event::CaptureBegins(_) => seen.captures += 1,
            Event::Interface(header) => seen.interfaces.extend(header.name),
            Event::Frame(frame) => {
                let start = if frame.link_type == LinkType::Ethernet { 14 } else { 0 };
                seen.packets.push((frame.number, frame.bytes[start..].to_vec()));
                seen.at.push(frame.at.as_nanoseconds());
            }
            Event::Packet(_) | Event::OtherPacket { .. } => seen.told += 1,
            Event::Fault(fault) => seen.faults.push(fault.to_string()),
            _ => {}
        }
    })
    .unwrap();
    seen
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/printed").join(name)
}

fn report(name: &str) -> Report {
    let mut analysis = Analysis::new(Limits::default());
    let bytes = fs::read(path(name)).unwrap();
    analysis.read_capture(name, None, &mut &bytes[..]).unwrap();
    analysis.finish(header()).unwrap()
}

const DUMPS: [&str; 17] = [
    "tcpdump-x.txt",
    "tcpdump-xx.txt",
    "tcpdump-X-verbose.txt",
    "tcpdump-XX.txt",
    "tshark-x.txt",
    "tshark-only-x.txt",
    "tshark-V-x.txt",
    "tshark-P-V-x.txt",
    "od.txt",
    "xxd.txt",
    "hexdump-C.txt",
    "fortigate-2.txt",
    "fortigate-3.txt",
    "fortigate-5.txt",
    "fortigate-6.txt",
    "fortigate-6-dated.txt",
    "netscreen.txt",
];

#[test]
fn every_dump_gives_the_frames_of_the_capture() {
    let capture = read("exchange.pcap");
    assert_eq!(capture.packets.len(), 12);
    for name in DUMPS {
        let seen = read(name);
        // The fields of all frames would be a long file.
        let count = if name.contains("-V-") { 10 } else { 12 };
        assert_eq!(seen.packets, capture.packets[..count], "{name}");
        assert_eq!((seen.captures, seen.told), (1, 0), "{name}");
        assert_eq!(seen.faults, Vec::<String>::new(), "{name}");
        let gaps = |at: &[i64]| at.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>();
        if name == "netscreen.txt" {
            assert_eq!(seen.at.last().unwrap() - seen.at[0], 16_000_000_000, "{name}");
        } else if !["tshark-only-x.txt", "od.txt", "xxd.txt", "hexdump-C.txt"].contains(&name) {
            assert_eq!(gaps(&seen.at), gaps(&capture.at[..count]), "{name}");
        }
    }
}

#[test]
fn interfaces_are_named() {
    for (name, interfaces) in [
        ("netscreen.txt", vec!["ethernet0/0"]),
        ("fortigate-3.txt", vec!["any"]),
        ("fortigate-6.txt", vec!["any", "port1"]),
    ] {
        assert_eq!(read(name).interfaces, interfaces, "{name}");
    }
}

#[test]
fn the_fault_is_found_in_every_form() {
    for name in DUMPS.into_iter().chain(["exchange.pcap", "fortigate-1.txt", "fortigate-4.txt"]) {
        let report = report(name);
        for device in ["192.0.2.7", "2001:db8::7"] {
            let device = report.devices.iter().find(|found| found.device.to_string() == device);
            let device = device.unwrap_or_else(|| panic!("{name}: {:#?}", report.devices));
            assert_eq!(device.verdict, Verdict::Broken, "{name}: {}", device.headline);
            let causes: Vec<_> = device.findings.iter().map(|finding| finding.cause).collect();
            assert!(causes.contains(&Cause::FollowUpToRequestAddress), "{name}: {causes:?}");
        }
    }
}
