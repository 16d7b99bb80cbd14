//! Packet sequences and the exchanges that they must become: what the tests write them in.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

mod again;
mod apart;
mod audience;
mod checks;
mod directed;
mod directed_apart;
mod dns;
mod ended;
mod follow_ups;
mod groups;
mod halves;
mod identity;
mod late;
mod latecomers;
mod leases;
mod losses;
mod moved;
mod observed;
mod passed_on;
mod pods;
mod points;
mod questions;
mod relays;
mod room;
mod servers;
mod sides;
mod snmp;
mod steps;
mod transfers;
mod untranslated;
mod uplinks;
mod views;
mod zones;

use super::{ClockOffset, Correlator, Place};
use crate::model::capture::{CaptureId, CapturePoint, PointKind};
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::exchange::{Course, Exchange, Origin, PointId, Unread};
use crate::model::finding::Confidence;
use crate::model::hop::HopMarks;
use crate::model::packet::{
    Application, Content, Datagram, IcmpError, IcmpKind, LinkAudience, Packet, Quote, TftpMessage,
    TftpRequest, Transaction, TransactionRole,
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

/// `from > to`, for as long as tests run.
fn line(from: &str, to: &str) -> &'static str {
    format!("{from} > {to}").leak()
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
        tunnel: None,
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

/// The exchanges, and the roles that they gave to addresses.
fn finish_with_roles(
    correlator: Correlator,
    places: &BTreeMap<PointId, Place>,
) -> (Vec<Exchange>, Topology) {
    let mut topology = Topology::default();
    let correlated = correlator.finish(places, &mut topology);
    let exchanges = correlated.entries(&topology).filter_map(|entry| entry.exchange()).collect();
    (exchanges, topology)
}

/// A point of which nothing else is known.
fn place(kind: PointKind) -> Place {
    let point = CapturePoint { kind, ..CapturePoint::UNKNOWN };
    Place {
        point,
        capture_name: String::new(),
        lost_packets: 0,
        unread: Unread::default(),
        is_log: false,
        filter: None,
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
        places.insert(*point, place(kind));
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
