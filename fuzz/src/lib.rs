//! What each fuzz target does with its bytes.
//!
//! Beyond "no panic, no hang, no unbounded memory" a target asserts what must
//! hold for any input. `tests/crashes.rs` of the main crate includes this file
//! and runs it on the inputs that failed once.

#![forbid(unsafe_code)]

use std::fmt::Write as _;
use std::io::{self, Read};
use std::time::Duration;

use replyscope::analysis::{Analysis, Limits, ReportHeader};
use replyscope::decode::{Decoded, Decoder, Limits as DecodeLimits};
use replyscope::ingest::tcpdump_text::{Origin, Run, StampStyle};
use replyscope::ingest::{self, Event, transcript as session};
use replyscope::model::capture::{
    CaptureFormat, CapturePoint, Direction, Frame, LinkType, PointKind,
};
use replyscope::model::report::Report;
use replyscope::model::time::Timestamp;
use replyscope::report::html::{self, Setting};
use replyscope::report::text::{Style, render_text};
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
    const COMPRESSED: [&[u8]; 6] =
        [&[0x1f, 0x8b], &[0x28, 0xb5], &[0xfd, 0x37], b"BZh", &[0x04, 0x22], b"PK"];
    let whole = events(&mut { bytes });
    if COMPRESSED.iter().any(|magic| bytes.starts_with(magic))
        || bytes.get(1..4) == Some(&[0x2a, 0x4d, 0x18])
    {
        return;
    }
    let pieces = events(&mut Pieces { bytes, size_bytes: 7 });
    assert_eq!(whole, pieces, "small pieces read differently");
}

/// Frames of one capture, of any link type. Six bytes before each choose its link
/// type, length on the wire and direction, and say how long it is.
///
/// # Panics
///
/// Where a packet claims a frame that was not there yet.
pub fn decode(bytes: &[u8]) {
    const KNOWN: [u16; 18] =
        [1, 113, 276, 101, 0, 108, 228, 229, 9, 50, 204, 104, 107, 239, 258, 51, 127, 147];
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
/// Where frame numbers do not count up.
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
}

/// A pasted terminal session.
///
/// # Panics
///
/// Where frame numbers do not count up.
pub fn transcript(bytes: &[u8]) {
    let mut frames = Frames::default();
    let _ = session::read_text(&mut { bytes }, &mut |event| {
        if let Event::Inventory(text) = &event {
            let _ = facts::parse(text.command, text.node, text.text, text.line);
        }
        frames.take(&event);
    });
}

/// Text that states facts about addresses, with and without its command. The
/// last byte chooses the command.
///
/// # Panics
///
/// Where a role is not the one that was weighed.
pub fn topology(bytes: &[u8]) {
    const COMMANDS: [&str; 12] = [
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
    ];
    let text = String::from_utf8_lossy(bytes);
    let chosen = usize::from(bytes.last().copied().unwrap_or_default()) % COMMANDS.len();
    for (command, node) in [("", None), (COMMANDS[chosen], Some("node1"))] {
        let read = facts::parse(command, node, &text, 1);
        let topology = facts::resolve(read);
        for (address, belief) in topology.beliefs() {
            assert_eq!(topology.role_of(address), belief.role);
        }
    }
}

/// Any bytes all the way to a report and its three forms. The last byte says
/// whether they are one capture, one at two points, or two files.
///
/// # Panics
///
/// Where a report does not read back as it was written, cannot be rendered, or
/// lets what a capture holds reach the terminal or the page as it is.
pub fn analysis(bytes: &[u8]) {
    let mut analysis = Analysis::new(Limits {
        expanded_bytes: EXPANDED_BYTES,
        exchanges_per_device: 5,
        exchanges_per_point: 1_000,
        well_exchanges_listed: 10,
        other_exchanges_listed: 10,
    });
    let point = |kind| Some(CapturePoint { kind, node: Some("node1".into()), interface: None });
    match bytes.last().map(|last| last % 4) {
        Some(1) => {
            let _ = analysis.read_capture("host", point(PointKind::Host), &mut { bytes });
            let _ = analysis.read_capture("pod", point(PointKind::Pod), &mut { bytes });
        }
        Some(2) => {
            let _ = analysis.read_inventory("facts", &mut { bytes });
            let _ = analysis.read_capture("capture", None, &mut { bytes });
        }
        Some(3) => {
            let (first, second) = bytes.split_at(bytes.len() / 2);
            let _ = analysis.read_capture("first", None, &mut { first });
            let _ = analysis.read_capture("second", None, &mut { second });
        }
        _ => {
            let _ = analysis.read_capture("capture", None, &mut { bytes });
        }
    }
    let header = ReportHeader { id: uuid::Uuid::nil(), title: None, created_at: Timestamp::EPOCH };
    let Ok(report) = analysis.finish(header) else { return };
    check_report(&report);
}

fn check_report(report: &Report) {
    let json = serde_json::to_vec(report).unwrap_or_default();
    match serde_json::from_slice::<Report>(&json) {
        Ok(again) => assert!(*report == again, "the report's JSON reads back differently"),
        Err(error) => assert!(json.is_empty(), "the report's JSON does not read back: {error}"),
    }
    assert!(!json.is_empty(), "the report has no JSON");
    let text = render_text(report, Style::Plain);
    let control = text.chars().find(|&letter| letter.is_control() && letter != '\n');
    assert!(control.is_none(), "the text holds {control:?}");
    let page = html::render_report(report, Setting::File);
    assert!(page.is_ok(), "the page cannot be rendered");
    assert!(page.is_ok_and(|page| !page.contains("<script")), "markup reached the page");
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
    let _ = write!(log, "{outcome:?}");
    log
}

/// Frame numbers count up within a capture: Wireshark's would. What `dig` says of
/// an answer tells of the question, too: both have the number of its line. Flow
/// events are told by their sides, each in the order of its lines.
#[derive(Default)]
struct Frames {
    last: u64,
    are_lines: bool,
}

impl Frames {
    fn take(&mut self, event: &Event<'_>) {
        let number = match event {
            Event::CaptureBegins(header) => {
                let are_lines = matches!(
                    header.format,
                    CaptureFormat::Dig | CaptureFormat::Hubble | CaptureFormat::CiliumMonitor
                );
                *self = Self { last: 0, are_lines };
                return;
            }
            Event::Frame(frame) => frame.number,
            Event::Packet(packet) => packet.frame,
            Event::OtherPacket { frame, .. } => *frame,
            _ => return,
        };
        assert!(self.are_lines || number > self.last, "frame {number} after frame {}", self.last);
        self.last = number;
    }
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
