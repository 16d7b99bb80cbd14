//! What each fuzz target does with its bytes.
//!
//! Beyond "no panic, no hang, no unbounded memory" a target asserts what must
//! hold for any input. `tests/crashes.rs` of the main crate includes this file
//! and runs it on the inputs that failed once.

#![forbid(unsafe_code)]

mod frames;
mod report;

use std::fmt::Write as _;
use std::io::{self, Read};
use std::time::Duration;

use frames::Frames;

use replyscope::analysis::{Analysis, Limits, ReportHeader, kubernetes_object, read_device_list};
use replyscope::decode::{Decoded, Decoder, Limits as DecodeLimits};
use replyscope::ingest::tcpdump_text::{Origin, Run, StampStyle};
use replyscope::ingest::{self, Event, transcript as session};
use replyscope::model::capture::{CapturePoint, Direction, Frame, LinkType, PointKind};
use replyscope::model::input::{Fault, InputError, Place};
use replyscope::model::report::Report;
use replyscope::model::time::Timestamp;
use replyscope::topology as facts;

/// What compressed inputs may expand to: enough to reach all code, little
/// enough that a bomb costs milliseconds.
const EXPANDED_BYTES: u64 = 4 << 20;

/// Any bytes as an input file: read at once and in small pieces, as an upload
/// may arrive, it holds the same. Compressed files are left out of that: a
/// decoder that comes upon damage drops what the same step had produced.
///
/// # Panics
///
/// Where it does not.
pub fn container(bytes: &[u8]) {
    let whole = events(&mut { bytes });
    if !is_compressed(bytes) {
        let pieces = events(&mut Pieces { bytes, size_bytes: 7 });
        assert_eq!(whole, pieces, "small pieces read differently");
    }
}

fn is_compressed(bytes: &[u8]) -> bool {
    const MAGICS: [&[u8]; 7] =
        [&[0x1f, 0x8b], &[0x28, 0xb5], &[0xfd, 0x37], b"BZh", &[0x04, 0x22], &[0x02, 0x21], b"PK"];
    MAGICS.iter().any(|magic| bytes.starts_with(magic))
        || bytes.get(1..4) == Some(&[0x2a, 0x4d, 0x18])
}

/// Frames of one capture, of any link type. Six bytes before each choose its link
/// type, length on the wire and direction, and say how long it is.
///
/// # Panics
///
/// Where a packet claims a frame that was not there yet.
pub fn decode(bytes: &[u8]) {
    const KNOWN: [u16; 32] = [
        1, 113, 276, 101, 0, 108, 228, 229, 9, 50, 204, 104, 107, 239, 258, 51, 127, 147, 105, 119,
        163, 178, 192, 109, 117, 197, 219, 226, 281, 282, 284, 285,
    ];
    let limits = DecodeLimits {
        fragmented_datagrams: 4,
        fragment_bytes: 16 << 10,
        fragment_lifetime: Duration::from_secs(3),
    };
    let mut decoder = Decoder::new(limits);
    let (mut rest, mut number, mut at) = (bytes, 0, Timestamp::EPOCH);
    while let Some((&[kind, value, excess, direction, length @ ..], after)) =
        rest.split_first_chunk::<6>()
    {
        let length = usize::from(u16::from_le_bytes(length)).min(after.len());
        let (frame, after) = after.split_at(length);
        let link_type = KNOWN.get(usize::from(kind)).copied().unwrap_or(u16::from(value));
        number += 1;
        at = at + Duration::from_millis(u64::from(value) * 8);
        let outcome = decoder.decode(&Frame {
            number,
            at,
            interface: 0,
            link_type: LinkType::from(link_type),
            direction: [None, Some(Direction::In), Some(Direction::Out)]
                .get(usize::from(direction))
                .copied()
                .flatten(),
            original_length: u32::try_from(length)
                .unwrap_or(u32::MAX)
                .saturating_add(u32::from(excess)),
            bytes: frame,
        });
        match outcome {
            Ok(Decoded::Packet(packet)) => assert!((1..=number).contains(&packet.frame)),
            // Everything else that a decoder answers is fine too.
            Ok(_) => {}
            Err(error) => assert!(!error.to_string().is_empty()),
        }
        while let Some(packet) = decoder.take_lost(Some(at)) {
            assert!((1..=number).contains(&packet.frame));
        }
        rest = after;
    }
    while decoder.take_lost(None).is_some() {}
}

/// Lines of one run of tcpdump, as the reader of sessions hands them over. The
/// last byte chooses what is known of the command.
///
/// # Panics
///
/// Where packets are not numbered as they were printed.
pub fn tcpdump_text(bytes: &[u8]) {
    const STYLES: [StampStyle; 6] = [
        StampStyle::Default,
        StampStyle::Absent,
        StampStyle::Epoch,
        StampStyle::Delta,
        StampStyle::Dated,
        StampStyle::SinceFirst,
    ];
    let flags = bytes.last().copied().unwrap_or_default();
    let origin = Origin {
        interface: (flags & 1 != 0).then(|| "eth0".to_owned()),
        link_type: (flags & 2 != 0).then_some(LinkType::Ethernet),
        line: 1,
        style: STYLES[usize::from(flags >> 5) % STYLES.len()],
        is_verbose: flags & 8 != 0,
        has_characters: flags & 16 != 0,
        ..Origin::default()
    };
    let text = String::from_utf8_lossy(bytes);
    let mut frames = Frames::default();
    let mut run = Run::new(origin);
    for (line, number) in text.lines().zip(1..) {
        run.push(number, line, &mut |event| frames.take(&event));
    }
    run.finish(&mut |event| frames.take(&event));
    frames.end();
}

/// A pasted terminal session.
///
/// # Panics
///
/// Where packets are not numbered as they were printed, and where a fault names
/// a line that the text does not have.
pub fn transcript(bytes: &[u8]) {
    let mut frames = Frames::default();
    let lines = lines_of(bytes);
    let _ = session::read_text(&mut { bytes }, &mut |event| {
        match &event {
            Event::Inventory(text) => {
                let facts = facts::parse(text.command, text.node, text.text, text.line);
                check_places(&facts.faults, text.line, lines);
            }
            Event::Fault(fault) => check_places(std::slice::from_ref(fault), 1, lines),
            _ => {}
        }
        frames.take(&event);
    });
    frames.end();
}

/// Text that states facts about addresses, with and without its command, which
/// the last byte chooses.
///
/// # Panics
///
/// Where a role is not the one that was weighed, where the same text states
/// something else the second time, and where a fault names a line that the text
/// does not have.
pub fn topology(bytes: &[u8]) {
    let (selector, text) = bytes.split_last().map_or((0, bytes), |(last, rest)| (*last, rest));
    let text = String::from_utf8_lossy(text);
    let chosen = usize::from(selector) % COMMANDS.len();
    for (command, node) in [("", None), (COMMANDS[chosen], Some("node1"))] {
        let read = facts::parse(command, node, &text, FIRST_LINE);
        let last = FIRST_LINE + lines_of(text.as_bytes()).saturating_sub(1);
        check_places(&read.faults, FIRST_LINE, last);
        assert!(read == facts::parse(command, node, &text, FIRST_LINE), "it is read differently");
        for entry in &read.tracked {
            assert!((FIRST_LINE..=last).contains(&entry.line), "entry in line {}", entry.line);
        }
        let topology = facts::resolve(read);
        for (address, belief) in topology.beliefs() {
            assert_eq!(topology.role_of(address), belief.role);
        }
    }
    for device in read_device_list(&text) {
        assert!(!device.addresses.is_empty(), "a device without an address is listed");
    }
    if let Ok(value) = serde_json::from_str(&text) {
        for kind in ["Pod", "Node", "Service", "Endpoints", "EndpointSlice", "IPPool"] {
            let _ = kubernetes_object(kind, &value);
        }
    }
}

/// Commands that a text below them is read by. Seeds end in an index of this table.
const COMMANDS: [&str; 17] = [
    "",
    "ip addr",
    "ip -j addr",
    "ip addr show eth0",
    "ip route",
    "ip -6 route show table all",
    "kubectl get pod -A -o wide",
    "kubectl get nodes -o wide",
    "kubectl -n kube-system get svc -o json",
    "kubectl exec -n a b -- ip addr",
    "conntrack -L",
    "ip addr | grep inet",
    "cat /etc/hosts",
    "getent ahosts ns1",
    "sysctl -a",
    "lsmod | grep nf_",
    "kubectl get svc -A -o yaml",
];

/// Where a text stands in its input: places of faults count from there.
const FIRST_LINE: u64 = 1_000;

fn lines_of(text: &[u8]) -> u64 {
    text.split_inclusive(|byte| *byte == b'\n').count() as u64
}

fn check_places(faults: &[Fault], first: u64, last: u64) {
    for fault in faults {
        if let Place::Line(line) = fault.place {
            assert!((first..=last).contains(&line), "no such line: {fault}");
        }
    }
}

/// Any bytes all the way to a report and its three forms. The last byte says
/// whether they are one capture, one at two points, one beside its own facts, or
/// two files, and whether the capture was watched on.
///
/// # Panics
///
/// Where a report is another one the second time, says what `report` holds
/// against it, or cites a line that the input does not have.
pub fn analysis(bytes: &[u8]) {
    let Ok(report) = analyse(bytes, usize::MAX) else { return };
    // Damaged compressed files may be read to another point: see `container`.
    let size_bytes = if is_compressed(bytes) { usize::MAX } else { 61 };
    let again = analyse(bytes, size_bytes);
    assert!(again.is_ok_and(|again| again == report), "the same input gives another report");
    let lines = if is_compressed(bytes) { u64::MAX } else { lines_of(bytes) };
    report::check(&report, lines);
}

fn analyse(bytes: &[u8], size_bytes: usize) -> Result<Report, InputError> {
    let mut analysis = Analysis::new(Limits {
        expanded_bytes: EXPANDED_BYTES,
        exchanges_per_device: 5,
        exchanges_per_point: 1_000,
        well_exchanges_listed: 10,
        other_exchanges_listed: 10,
    });
    let point = |kind| Some(CapturePoint { kind, node: Some("node1".into()), interface: None });
    let mut read = |name: &str, point, bytes| {
        let _ = analysis.read_capture(name, point, &mut Pieces { bytes, size_bytes });
    };
    match bytes.last().map(|last| last % 5) {
        Some(1) => {
            read("host", point(PointKind::Host), bytes);
            read("pod", point(PointKind::Pod), bytes);
        }
        Some(2) => {
            read("capture", None, bytes);
            let _ = analysis.read_inventory("facts", &mut Pieces { bytes, size_bytes });
        }
        Some(3) => {
            let (first, second) = bytes.split_at(bytes.len() / 2);
            read("first", None, first);
            read("second", None, second);
        }
        Some(4) => {
            read("capture", None, bytes);
            // 2038: behind all that the seeds hold.
            analysis.observe_until(Timestamp::EPOCH + Duration::from_secs(1 << 31));
        }
        _ => read("capture", None, bytes),
    }
    analysis.finish(ReportHeader {
        id: uuid::Uuid::nil(),
        title: None,
        created_at: Timestamp::EPOCH,
    })
}

/// All that `input` holds, as text that can be compared.
fn events(input: &mut dyn Read) -> String {
    let mut frames = Frames::default();
    let mut log = String::new();
    let outcome =
        ingest::read(input, &ingest::Limits { expanded_bytes: EXPANDED_BYTES }, &mut |event| {
            frames.take(&event);
            let _ = match &event {
                Event::Frame(frame) => writeln!(log, "{} {:?}", frame.number, frame.at),
                Event::Inventory(text) => writeln!(log, "{} {}", text.line, text.text.len()),
                other => writeln!(log, "{other:?}"),
            };
        });
    frames.end();
    let _ = write!(log, "{outcome:?}");
    log
}

/// Bytes that arrive a few at a time.
struct Pieces<'a> {
    bytes: &'a [u8],
    size_bytes: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = into.len().min(self.size_bytes);
        self.bytes.read(&mut into[..length])
    }
}
