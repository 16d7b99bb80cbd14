//! Packet sequences and the exchanges that they must become.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

mod apart;
mod audience;
mod groups;
mod halves;
mod identity;
mod pods;
mod points;
mod questions;
mod room;
mod servers;
mod steps;
mod transfers;
mod uplinks;
mod views;

use super::{ClockOffset, Correlator, Place};
use crate::model::capture::{CaptureId, CapturePoint, PointKind};
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::exchange::{Course, Exchange, Origin, PointId};
use crate::model::finding::Confidence;
use crate::model::hop::HopMarks;
use crate::model::packet::{
    Application, Content, Datagram, FragmentsEnd, FragmentsLost, FragmentsSeen, IcmpError,
    IcmpKind, LinkAudience, Packet, Quote, TftpMessage, TftpRequest, Transaction, TransactionRole,
};
use crate::model::protocol::Protocol;
use crate::model::report::Quotes;
use crate::model::segment::QuotedKind;
use crate::model::time::Timestamp;
use crate::model::topology::Topology;

/// A packet in short: milliseconds, `source > destination`, what it says.
type Line = (i64, &'static str, Says);

#[derive(Clone, Copy)]
enum Says {
    Write(&'static str),
    OptionAck,
    Data(u16),
    Ack(u16),
    Error(u16),
    /// Text: only a length is known.
    Length(u32),
    Bytes(u64),
    /// Text of a protocol whose identity is not printed.
    Plain(Protocol),
    Ask {
        protocol: Protocol,
        identity: u64,
        question: u64,
    },
    Answer {
        protocol: Protocol,
        identity: u64,
    },
    /// A message that is neither a request nor an answer.
    Tells {
        protocol: Protocol,
        role: TransactionRole,
        identity: u64,
    },
    /// Port unreachable about the flow written as `a > b`.
    Unreachable(&'static str),
    /// The same, with the quote's source port not printed.
    UnreachableText(&'static str),
    /// The same, with the quote cut off.
    UnreachableCut,
}

const HOST: PointId = PointId { capture: CaptureId(0), interface: 0 };
const POD: PointId = PointId { capture: CaptureId(1), interface: 0 };

fn flow(text: &str) -> FlowKey {
    let (source, destination) = text.split_once(" > ").unwrap();
    FlowKey::udp(endpoint(source), endpoint(destination))
}

fn endpoint(text: &str) -> Endpoint {
    text.parse::<SocketAddr>().unwrap().into()
}

fn packet(number: usize, (at_ms, line, says): Line) -> Packet {
    let content = match says {
        Says::Unreachable(quoted) => icmp(line, Some(quote(quoted))),
        Says::UnreachableText(quoted) => {
            icmp(line, Some(Quote { source_port: None, ..quote(quoted) }))
        }
        Says::UnreachableCut => icmp(line, None),
        _ => Content::Datagram(datagram(flow(line), says)),
    };
    let frame = u64::try_from(number).unwrap() + 1;
    Packet::without_headers(frame, Timestamp::from_microseconds(at_ms * 1_000), 0, content)
}

fn icmp(line: &str, quote: Option<Quote>) -> Content {
    let (from, to) = line.split_once(" > ").unwrap();
    Content::IcmpError(IcmpError {
        kind: IcmpKind::PortUnreachable,
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        quote,
        fingerprint: None,
    })
}

fn quote(text: &str) -> Quote {
    let FlowKey { source, destination, .. } = flow(text);
    Quote {
        source: source.address,
        source_port: Some(source.port),
        destination: destination.address,
        destination_port: Some(destination.port),
        kind: QuotedKind::Datagram,
    }
}

fn datagram(flow: FlowKey, says: Says) -> Datagram {
    let shape = |message| Application::Unknown { tftp_shape: Some(message) };
    let (length, fingerprint, application) = match says {
        Says::Write(file) => {
            let request = TftpRequest { file: file.to_owned(), ..TftpRequest::default() };
            let message = TftpMessage::WriteRequest(Box::new(request));
            (64, None, Application::Tftp(message))
        }
        Says::OptionAck => (35, Some(1), shape(TftpMessage::OptionAck)),
        Says::Data(block) => {
            (516, Some(u64::from(block) + 100), shape(TftpMessage::Data { block, length: 512 }))
        }
        Says::Ack(block) => (4, Some(u64::from(block) + 200), shape(TftpMessage::Ack { block })),
        Says::Error(code) => {
            let message = "disk full".into();
            (15, Some(u64::from(code) + 300), shape(TftpMessage::Error { code, message }))
        }
        Says::Length(length) => (length, None, Application::Unknown { tftp_shape: None }),
        Says::Plain(protocol) => (48, None, Application::Plain(protocol)),
        Says::Bytes(value) => (20, Some(value), Application::Unknown { tftp_shape: None }),
        Says::Ask { protocol, identity, question } => {
            let role = TransactionRole::Request;
            (40, Some(identity), transaction(protocol, role, identity, Some(question)))
        }
        Says::Answer { protocol, identity } => {
            let role = TransactionRole::Reply;
            (90, Some(identity + 1_000), transaction(protocol, role, identity, None))
        }
        Says::Tells { protocol, role, identity } => {
            (4, Some(identity + 2_000), transaction(protocol, role, identity, None))
        }
        Says::Unreachable(_) | Says::UnreachableText(_) | Says::UnreachableCut => unreachable!(),
    };
    Datagram { flow, length, fingerprint, is_cut: false, application }
}

fn transaction(
    protocol: Protocol,
    role: TransactionRole,
    identity: u64,
    question: Option<u64>,
) -> Application {
    Application::Transaction(Transaction {
        protocol,
        role,
        identity,
        question,
        label: "message",
        reply_to: None,
    })
}

/// What [`super::Correlated`] holds, with its exchanges made whole.
struct Correlated {
    exchanges: Vec<Exchange>,
    clock_offsets: BTreeMap<CaptureId, ClockOffset>,
    unfollowed_packets: BTreeMap<PointId, u64>,
}

fn finish(correlator: Correlator, places: &BTreeMap<PointId, Place>) -> Correlated {
    let mut topology = Topology::default();
    let correlated = correlator.finish(places, &mut topology);
    Correlated {
        exchanges: correlated.entries(&topology).filter_map(|entry| entry.exchange()).collect(),
        clock_offsets: correlated.clock_offsets,
        unfollowed_packets: correlated.unfollowed_packets,
    }
}

fn correlate(captures: &[(PointId, &[Line])]) -> Correlated {
    let mut correlator = Correlator::new(1_000);
    let mut places = BTreeMap::new();
    for (point, lines) in captures {
        for (number, line) in lines.iter().enumerate() {
            correlator.push(*point, &packet(number, *line));
        }
        let kind = if *point == POD { PointKind::Pod } else { PointKind::Host };
        let point_place = CapturePoint { kind, ..CapturePoint::UNKNOWN };
        places.insert(
            *point,
            Place {
                point: point_place,
                capture_name: String::new(),
                lost_packets: 0,
                unread_packets: 0,
                is_log: false,
            },
        );
    }
    finish(correlator, &places)
}

fn only_exchange(lines: &[Line]) -> Exchange {
    let mut exchanges = correlate(&[(HOST, lines)]).exchanges;
    assert_eq!(exchanges.len(), 1, "{exchanges:#?}");
    exchanges.remove(0)
}

const FOUNDING_V4: [Line; 7] = [
    (0, "192.0.2.7:5000 > 198.51.100.21:69", Says::Write("a.cfg")),
    (1, "198.51.100.13:32991 > 192.0.2.7:5000", Says::Length(35)),
    (5, "192.0.2.7:5000 > 198.51.100.21:32991", Says::Length(516)),
    (6, "198.51.100.21 > 192.0.2.7", Says::UnreachableText("192.0.2.7:5000 > 198.51.100.21:32991")),
    (3_001, "198.51.100.13:32991 > 192.0.2.7:5000", Says::Length(35)),
    (3_005, "192.0.2.7:5000 > 198.51.100.21:32991", Says::Length(516)),
    (3_006, "198.51.100.21 > 192.0.2.7", Says::UnreachableCut),
];
const FOUNDING_V6: [Line; 7] = [
    (0, "[2001:db8::7]:5000 > [2001:db8:1::21]:69", Says::Write("a.cfg")),
    (1, "[2001:db8:1::13]:32991 > [2001:db8::7]:5000", Says::OptionAck),
    (5, "[2001:db8::7]:5000 > [2001:db8:1::21]:32991", Says::Data(1)),
    (
        6,
        "2001:db8:1::21 > 2001:db8::7",
        Says::Unreachable("[2001:db8::7]:5000 > [2001:db8:1::21]:32991"),
    ),
    (3_001, "[2001:db8:1::13]:32991 > [2001:db8::7]:5000", Says::OptionAck),
    (3_005, "[2001:db8::7]:5000 > [2001:db8:1::21]:32991", Says::Data(1)),
    (3_006, "2001:db8:1::21 > 2001:db8::7", Says::UnreachableCut),
];

#[test]
fn a_follow_up_to_the_asked_address_is_told_from_one_to_the_answerer() {
    for (lines, asked, answerer) in [
        (FOUNDING_V4, "198.51.100.21:69", "198.51.100.13:32991"),
        (FOUNDING_V6, "[2001:db8:1::21]:69", "[2001:db8:1::13]:32991"),
    ] {
        let exchange = only_exchange(&lines);
        let view = exchange.primary();
        assert_eq!(view.asked, Some(endpoint(asked)));
        assert_eq!(view.replies[0].source, endpoint(answerer));
        assert_eq!(view.replies[0].origin, Origin::OtherAddress(Confidence::Certain));
        assert_eq!((view.replies[0].tally.packets, view.replies[0].tally.repeats), (2, 1));
        assert_eq!(view.follow_ups[0].course, Course::ToAskedAddress);
        assert_eq!((view.follow_ups[0].tally.packets, view.follow_ups[0].tally.repeats), (2, 1));
        assert_eq!(view.icmp_errors.len(), 1, "{:#?}", view.icmp_errors);
        assert_eq!(view.icmp_errors[0].tally.packets, 2);
        assert_eq!(view.icmp_errors[0].quotes, Quotes::FollowUp);
        assert_eq!(view.progress, None);
        assert_eq!(view.steps.len(), 7);
    }
}

#[test]
fn a_transfer_that_follows_the_answerer_makes_progress() {
    let rows: [&[Line]; 2] = [
        &[
            (0, "192.0.2.7:5000 > 198.51.100.21:69", Says::Write("a.cfg")),
            (1, "198.51.100.13:32991 > 192.0.2.7:5000", Says::Length(35)),
            (2, "192.0.2.7:5000 > 198.51.100.13:32991", Says::Length(516)),
            (3, "198.51.100.13:32991 > 192.0.2.7:5000", Says::Length(4)),
            (4, "192.0.2.7:5000 > 198.51.100.13:32991", Says::Length(516)),
            (5, "198.51.100.13:32991 > 192.0.2.7:5000", Says::Length(4)),
        ],
        &[
            (0, "[2001:db8::7]:5000 > [2001:db8:1::21]:69", Says::Write("a.cfg")),
            (1, "[2001:db8:1::13]:32991 > [2001:db8::7]:5000", Says::OptionAck),
            (2, "[2001:db8::7]:5000 > [2001:db8:1::13]:32991", Says::Data(1)),
            (3, "[2001:db8:1::13]:32991 > [2001:db8::7]:5000", Says::Ack(1)),
            (4, "[2001:db8::7]:5000 > [2001:db8:1::13]:32991", Says::Data(2)),
            (5, "[2001:db8:1::13]:32991 > [2001:db8::7]:5000", Says::Ack(2)),
        ],
    ];
    for lines in rows {
        let exchange = only_exchange(lines);
        let view = exchange.primary();
        assert_eq!(view.follow_ups[0].course, Course::ToAnswerer);
        assert_eq!(view.progress.unwrap().number, 4);
        assert_eq!(view.repeats(), 0, "{view:#?}");
    }
}

#[test]
fn what_is_not_in_the_capture_is_not_made_up() {
    // In mid-transfer: whom the device asked is unknown.
    let running = only_exchange(&[
        (0, "192.0.2.7:5000 > 198.51.100.13:40000", Says::Data(3)),
        (1, "198.51.100.13:40000 > 192.0.2.7:5000", Says::Ack(3)),
        (2, "192.0.2.7:5000 > 198.51.100.13:40000", Says::Data(4)),
        (3, "198.51.100.13:40000 > 192.0.2.7:5000", Says::Ack(4)),
    ]);
    assert_eq!((running.protocol, running.primary().asked), (Protocol::Tftp, None));
    // One direction: the answer must have come, for the client knows its port.
    let deaf = only_exchange(&[
        (0, "192.0.2.7:5000 > 198.51.100.21:69", Says::Write("a.cfg")),
        (4, "192.0.2.7:5000 > 198.51.100.13:40000", Says::Data(1)),
        (5, "192.0.2.7:5000 > 198.51.100.13:40000", Says::Data(2)),
    ]);
    assert_eq!(deaf.primary().follow_ups[0].course, Course::AnswererUnseen);
}

#[test]
fn the_device_is_the_side_that_the_protocol_says() {
    let cases = [
        (Protocol::Snmp, "192.0.2.1:4000 > 198.51.100.5:161", "198.51.100.5"),
        (Protocol::Snmp, "[2001:db8::1]:4000 > [2001:db8::5]:161", "2001:db8::5"),
        (Protocol::Ntp, "192.0.2.1:123 > 198.51.100.5:123", "192.0.2.1"),
        (Protocol::Dns, "[2001:db8::1]:4000 > [2001:db8::5]:53", "2001:db8::1"),
    ];
    for (protocol, line, device) in cases {
        let ask = Says::Ask { protocol, identity: 1, question: 1 };
        let exchange = only_exchange(&[(0, line, ask)]);
        assert_eq!(exchange.device, device.parse::<IpAddr>().unwrap(), "{line}");
    }
}

#[test]
fn a_request_in_parts_is_lost_where_nothing_came_back() {
    let lost = |number, at_ms, line: &'static str| Packet {
        content: Content::FragmentsLost(FragmentsLost {
            flow: Some(flow(line)),
            source: flow(line).source.address,
            destination: flow(line).destination.address,
            identification: 7,
            received_bytes: 1_480,
            total_bytes: Some(1_813),
            seen: FragmentsSeen::First,
            ended: FragmentsEnd::TimedOut,
        }),
        ..packet(number, (at_ms, line, Says::Length(9)))
    };
    for (to, back) in [
        ("192.0.2.7:5000 > 198.51.100.21:1812", "198.51.100.21:1812 > 192.0.2.7:5000"),
        (
            "[2001:db8::7]:5000 > [2001:db8:1::21]:1812",
            "[2001:db8:1::21]:1812 > [2001:db8::7]:5000",
        ),
    ] {
        let answer = Says::Answer { protocol: Protocol::Radius, identity: 1 };
        let ask = Says::Ask { protocol: Protocol::Radius, identity: 1, question: 1 };
        // Parts are given up long after they came.
        for (answered_at_ms, expected) in [(5, Some(2)), (2_000, None)] {
            let mut correlator = Correlator::new(10);
            correlator.push(HOST, &packet(0, (0, to, ask)));
            correlator.push(HOST, &packet(3, (answered_at_ms, back, answer)));
            correlator.push(HOST, &lost(1, 100, to));
            correlator.push(HOST, &lost(2, 1_100, to));
            let exchanges = finish(correlator, &BTreeMap::new()).exchanges;
            let view = exchanges[0].primary();
            assert_eq!(view.lost_requests.map(|lost| lost.datagrams), expected);
            assert_eq!(view.unanswered.packets, expected.unwrap_or(0));
        }
        let mut correlator = Correlator::new(10);
        correlator.push(HOST, &lost(0, 0, to));
        let exchanges = finish(correlator, &BTreeMap::new()).exchanges;
        let view = exchanges[0].primary();
        assert_eq!(
            (view.requests.packets, view.lost_requests.map(|lost| lost.datagrams)),
            (1, Some(1))
        );
    }
}

#[test]
fn lengths_tell_a_repeated_option_acknowledgement() {
    for (request, back, follow_up) in [
        (
            "192.0.2.7:5000 > 198.51.100.21:69",
            "198.51.100.21:40000 > 192.0.2.7:5000",
            "192.0.2.7:5000 > 198.51.100.21:40000",
        ),
        (
            "[2001:db8::7]:5000 > [2001:db8:1::21]:69",
            "[2001:db8:1::21]:40000 > [2001:db8::7]:5000",
            "[2001:db8::7]:5000 > [2001:db8:1::21]:40000",
        ),
    ] {
        let lines = |length| -> [Line; 5] {
            [
                (0, request, Says::Write("a.cfg")),
                (1, back, Says::Length(length)),
                (2, follow_up, Says::Length(516)),
                (1_001, back, Says::Length(length)),
                (1_002, follow_up, Says::Length(516)),
            ]
        };
        for (length, repeats) in [(35, 1), (4, 0)] {
            let exchange = only_exchange(&lines(length));
            let view = exchange.primary();
            assert_eq!(view.replies[0].tally.repeats, repeats, "{length} bytes");
            assert_eq!(view.follow_ups[0].tally.repeats, repeats, "{length} bytes");
            assert_eq!(view.progress.is_some(), repeats == 0, "{length} bytes");
        }
    }
}
