//! Packet sequences and the exchanges that they must become.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

mod apart;
mod audience;
mod groups;
mod pods;
mod questions;
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
    Packet {
        frame: u64::try_from(number).unwrap() + 1,
        at: Timestamp::from_microseconds(at_ms * 1_000),
        interface: 0,
        kernel_interface: None,
        direction: None,
        link_audience: LinkAudience::Unknown,
        ip_identification: None,
        hop_marks: HopMarks::UNKNOWN,
        tunnel: None,
        content,
    }
}

fn icmp(line: &str, quote: Option<Quote>) -> Content {
    let (from, to) = line.split_once(" > ").unwrap();
    Content::IcmpError(IcmpError {
        kind: IcmpKind::PortUnreachable,
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        quote,
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
            Place { point: point_place, capture_name: String::new(), lost_packets: 0 },
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
fn identity_decides_whose_answer_an_answer_is() {
    let ask = |identity| Says::Ask { protocol: Protocol::Snmp, identity, question: 1 };
    let answer = |identity| Says::Answer { protocol: Protocol::Snmp, identity };
    let exchange = only_exchange(&[
        (0, "192.0.2.1:4000 > 198.51.100.5:161", ask(7)),
        (1, "198.51.100.6:161 > 192.0.2.1:4000", answer(7)),
        (1_000, "192.0.2.1:4000 > 198.51.100.5:161", ask(7)),
        (1_001, "198.51.100.6:161 > 192.0.2.1:4000", answer(7)),
        (1_002, "192.0.2.1 > 198.51.100.6", Says::Unreachable("198.51.100.6:161 > 192.0.2.1:4000")),
    ]);
    let view = exchange.primary();
    assert_eq!(view.replies[0].origin, Origin::OtherAddress(Confidence::Certain));
    assert_eq!(view.asked_again.unwrap().frame.number, 3);
    assert_eq!(view.icmp_errors[0].quotes, Quotes::Reply);
    // A poller that took the answers goes on with new transactions.
    let polls = only_exchange(&[
        (0, "192.0.2.1:4000 > 198.51.100.5:161", ask(7)),
        (1, "198.51.100.6:161 > 192.0.2.1:4000", answer(7)),
        (300, "192.0.2.1:4000 > 198.51.100.5:161", ask(8)),
        (301, "198.51.100.6:161 > 192.0.2.1:4000", answer(8)),
    ]);
    assert_eq!(polls.primary().asked_again, None);
    assert!(polls.primary().progress.is_some());
    // An answer with another identity answers somebody else.
    let strangers = correlate(&[(
        HOST,
        &[
            (0, "192.0.2.1:4000 > 198.51.100.5:161", ask(7)),
            (1, "198.51.100.6:161 > 192.0.2.1:4000", answer(9)),
        ],
    )]);
    assert_eq!(strangers.exchanges.len(), 2);
}

#[test]
fn a_socket_that_talks_to_many_is_no_asymmetry() {
    let correlated = correlate(&[(
        HOST,
        &[
            (0, "192.0.2.1:4000 > 198.51.100.5:7000", Says::Bytes(1)),
            (10, "198.51.100.6:7000 > 192.0.2.1:4000", Says::Bytes(2)),
            (20, "192.0.2.1:4000 > 198.51.100.8:7000", Says::Bytes(3)),
            (30, "198.51.100.8:7000 > 192.0.2.1:4000", Says::Bytes(4)),
        ],
    )]);
    for exchange in &correlated.exchanges {
        assert_eq!(exchange.primary().changed_replies().count(), 0, "{exchange:#?}");
    }
    // Alone, the same two packets are an answer from elsewhere, perhaps.
    let exchange = only_exchange(&[
        (0, "192.0.2.1:4000 > 198.51.100.5:7000", Says::Bytes(1)),
        (10, "198.51.100.6:7000 > 192.0.2.1:4000", Says::Bytes(2)),
    ]);
    assert_eq!(exchange.primary().replies[0].origin, Origin::OtherAddress(Confidence::Likely));
}

#[test]
fn groups_are_answered_by_anybody() {
    let exchange = only_exchange(&[
        (0, "192.0.2.1:4000 > 239.1.2.3:7000", Says::Bytes(1)),
        (10, "192.0.2.5:7000 > 192.0.2.1:4000", Says::Bytes(2)),
        (12, "192.0.2.6:7000 > 192.0.2.1:4000", Says::Bytes(3)),
    ]);
    assert!(exchange.primary().replies.iter().all(|replies| replies.origin == Origin::ByDesign));
}

#[test]
fn a_subnets_broadcast_address_is_answered_by_any_of_its_hosts() {
    for (asked, expected) in [
        ("192.0.2.255:7000", Origin::ByDesign),
        // May be a host's address: the network's size is not known.
        ("192.0.2.127:7000", Origin::OtherAddress(Confidence::Likely)),
        ("198.51.100.255:7000", Origin::OtherAddress(Confidence::Likely)),
    ] {
        let ask = format!("192.0.2.1:4000 > {asked}").leak();
        let exchange = only_exchange(&[
            (0, ask, Says::Bytes(1)),
            (10, "192.0.2.5:7000 > 192.0.2.1:4000", Says::Bytes(2)),
        ]);
        assert_eq!(exchange.primary().replies[0].origin, expected, "{asked}");
    }
}

#[test]
fn text_of_one_packet_at_two_interfaces_is_one_request() {
    let ask = "192.0.2.1:4000 > 198.51.100.5:123";
    for (apart_ms, packets) in [(0, 1), (1, 2)] {
        let exchange = only_exchange(&[
            (1_000, ask, Says::Plain(Protocol::Ntp)),
            (1_000 + apart_ms, ask, Says::Plain(Protocol::Ntp)),
        ]);
        assert_eq!(exchange.primary().requests.packets, packets, "{apart_ms} ms apart");
    }
}

#[test]
fn two_points_make_one_exchange_and_show_the_translation() {
    let host: &[Line] = &FOUNDING_V6;
    let pod: &[Line] = &[
        (1_700, "[2001:db8::7]:5000 > [2001:db8:2::16]:69", Says::Write("a.cfg")),
        (1_701, "[2001:db8:2::16]:32991 > [2001:db8::7]:5000", Says::OptionAck),
        (4_701, "[2001:db8:2::16]:32991 > [2001:db8::7]:5000", Says::OptionAck),
    ];
    for captures in [[(HOST, host), (POD, pod)], [(POD, pod), (HOST, host)]] {
        let correlated = correlate(&captures);
        assert_eq!(correlated.exchanges.len(), 1);
        let exchange = &correlated.exchanges[0];
        assert_eq!(exchange.primary().kind, PointKind::Host);
        assert_eq!(exchange.pod_view().unwrap().replies[0].tally.packets, 2);
        let changes: Vec<_> = exchange
            .translations
            .iter()
            .map(|translation| (translation.before.to_string(), translation.after.to_string()))
            .collect();
        assert_eq!(
            changes,
            [
                ("[2001:db8:1::21]:69".to_owned(), "[2001:db8:2::16]:69".to_owned()),
                ("[2001:db8:2::16]:32991".to_owned(), "[2001:db8:1::13]:32991".to_owned()),
            ]
        );
        assert_eq!(correlated.clock_offsets[&CaptureId(0)].offset_us, 0);
        assert_eq!(correlated.clock_offsets[&CaptureId(1)].offset_us, 1_700_000);
    }
}

#[test]
fn one_interface_may_show_both_sides_of_the_translation() {
    let correlated = correlate(&[(
        HOST,
        &[
            (0, "192.0.2.7:5000 > 198.51.100.21:69", Says::Write("a.cfg")),
            (0, "192.0.2.7:5000 > 203.0.113.16:69", Says::Write("a.cfg")),
            (1, "203.0.113.16:40000 > 192.0.2.7:5000", Says::OptionAck),
            (1, "198.51.100.13:40000 > 192.0.2.7:5000", Says::OptionAck),
            (2, "192.0.2.7:5000 > 198.51.100.13:40000", Says::Data(1)),
            (2, "192.0.2.7:5000 > 203.0.113.16:40000", Says::Data(1)),
            (3, "203.0.113.16:40000 > 192.0.2.7:5000", Says::Ack(1)),
            (3, "198.51.100.13:40000 > 192.0.2.7:5000", Says::Ack(1)),
        ],
    )]);
    assert_eq!(correlated.exchanges.len(), 1, "{:#?}", correlated.exchanges);
    let exchange = &correlated.exchanges[0];
    assert_eq!(exchange.views.len(), 2);
    for view in &exchange.views {
        assert_eq!(
            (view.requests.packets, view.reply_packets(), view.follow_up_packets()),
            (1, 2, 1)
        );
    }
}

#[test]
fn a_second_copy_is_no_retransmission() {
    let mut correlator = Correlator::new(10);
    let lines: [Line; 2] = [
        (0, "192.0.2.7:5000 > 198.51.100.21:69", Says::Write("a.cfg")),
        (20, "192.0.2.7:5000 > 198.51.100.21:69", Says::Write("a.cfg")),
    ];
    for (number, line) in lines.into_iter().enumerate() {
        let copied = Packet { ip_identification: Some(77), ..packet(number, line) };
        correlator.push(HOST, &copied);
    }
    let correlated = finish(correlator, &BTreeMap::new());
    assert_eq!(correlated.exchanges[0].primary().requests.packets, 1);
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
fn room_is_bounded_and_what_is_left_out_is_counted() {
    let mut correlator = Correlator::new(1);
    for (number, line) in [
        (0, "192.0.2.7:5000 > 198.51.100.21:7", Says::Bytes(1)),
        (1, "192.0.2.8:5000 > 198.51.100.21:7", Says::Bytes(1)),
        (2, "192.0.2.9:5000 > 198.51.100.21:7", Says::Bytes(1)),
    ]
    .into_iter()
    .enumerate()
    {
        correlator.push(HOST, &packet(number, line));
    }
    let correlated = finish(correlator, &BTreeMap::new());
    assert_eq!(correlated.exchanges.len(), 1);
    assert_eq!(correlated.unfollowed_packets[&HOST], 2);
}

#[test]
fn packets_taken_together_are_packets_taken_one_by_one() {
    let v4 = ["192.0.2.7:5000", "192.0.2.8:5000", "198.51.100.21:69", "198.51.100.13:40000"];
    let v6 =
        ["[2001:db8::7]:5000", "[2001:db8::8]:5000", "[2001:db8::21]:69", "[2001:db8::13]:40000"];
    for ends in [v4, v6] {
        // Each order of ends and words, in no order: flows begin, are asked again under
        // a new file, which takes their place, and go on elsewhere.
        let mut seed: u64 = 7;
        let mut pick = |most: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(seed >> 33).unwrap() % most
        };
        let packets: Vec<(PointId, Packet)> = (0..3_000)
            .map(|number| {
                let (from, to) = (pick(4), pick(3));
                let to = if to < from { to } else { to + 1 };
                let line = format!("{} > {}", ends[from], ends[to]);
                let says = match pick(8) {
                    0 => Says::Write("a.cfg"),
                    1 => Says::Write("b.cfg"),
                    2 => Says::OptionAck,
                    3 => Says::Data(1),
                    4 => Says::Ack(1),
                    5 => Says::Bytes(pick(3) as u64),
                    6 => {
                        Says::Ask { protocol: Protocol::Dns, identity: pick(9) as u64, question: 1 }
                    }
                    _ => Says::Answer { protocol: Protocol::Dns, identity: pick(9) as u64 },
                };
                let point = if pick(5) == 0 { POD } else { HOST };
                let at_ms = i64::try_from(number * 700).unwrap();
                (point, packet(number, (at_ms, line.leak(), says)))
            })
            .collect();
        let mut one_by_one = Correlator::new(1_000);
        for (point, packet) in &packets {
            one_by_one.push(*point, packet);
        }
        let expected = finish(one_by_one, &BTreeMap::new()).exchanges;
        assert!(expected.len() > 50, "{}", expected.len());
        for size in [1, 7, 32, 1_000] {
            let mut together = Correlator::new(1_000);
            for some in packets.chunks(size) {
                together.push_all(some.iter().map(|(point, packet)| (*point, packet)));
            }
            assert_eq!(finish(together, &BTreeMap::new()).exchanges, expected, "{size} at once");
        }
    }
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
fn idle_exchanges_that_went_well_are_folded_where_there_are_many() {
    let mut correlator = Correlator::new(1_000_000);
    let mut number = 0;
    let mut push = |correlator: &mut Correlator, at_ms: i64, line: String, says: Says| {
        correlator.push(HOST, &packet(number, (at_ms, line.leak(), says)));
        number += 1;
    };
    let transfer = [
        ("[2001:db8::7]:5000 > [2001:db8:1::21]:69", Says::Write("a.cfg")),
        ("[2001:db8:1::21]:32991 > [2001:db8::7]:5000", Says::OptionAck),
        ("[2001:db8::7]:5000 > [2001:db8:1::21]:32991", Says::Data(1)),
        ("[2001:db8:1::21]:32991 > [2001:db8::7]:5000", Says::Ack(1)),
    ];
    for (line, says) in transfer {
        push(&mut correlator, 0, line.to_owned(), says);
    }
    // One that nobody answers stays.
    push(&mut correlator, 0, "192.0.2.9:5000 > 198.51.100.21:123".to_owned(), Says::Bytes(1));
    let clients = || (0..100_u16).flat_map(|host| (1..=1_001_u16).map(move |port| (host, port)));
    for (host, port) in clients() {
        let client = format!("203.0.113.{host}:{}", 10_000 + port);
        push(&mut correlator, 1, format!("{client} > 198.51.100.21:7"), Says::Bytes(1));
        push(&mut correlator, 2, format!("198.51.100.21:7 > {client}"), Says::Bytes(2));
    }
    let later_ms = 20 * 60 * 1_000;
    // One time far ahead may be a clock's step; two are believed.
    for client in ["192.0.2.8", "192.0.2.10"] {
        push(&mut correlator, later_ms, format!("{client}:5000 > 198.51.100.21:7"), Says::Bytes(1));
    }

    let mut topology = Topology::default();
    let correlated = correlator.finish(&BTreeMap::new(), &mut topology);
    let folded: u64 = correlated.well_exchanges(&topology).map(|well| well.exchanges).sum();
    assert_eq!(folded, 100 * 1_001 + 1);
    let whole: Vec<_> =
        correlated.entries(&topology).filter_map(|entry| entry.exchange()).collect();
    let clients: Vec<_> =
        whole.iter().map(|exchange| exchange.client.address.to_string()).collect();
    assert_eq!(clients, ["192.0.2.9", "192.0.2.10", "192.0.2.8"], "in the order of their places");
}

#[test]
fn a_reply_before_its_request_was_captured_splits_no_exchange() {
    let tftp_v4: [Line; 5] = [
        (0, "198.51.100.13:32991 > 192.0.2.7:5000", Says::OptionAck),
        (900, "192.0.2.7:5000 > 198.51.100.21:69", Says::Write("a.cfg")),
        (1_000, "198.51.100.13:32991 > 192.0.2.7:5000", Says::OptionAck),
        (1_001, "192.0.2.7:5000 > 198.51.100.13:32991", Says::Data(1)),
        (1_002, "198.51.100.13:32991 > 192.0.2.7:5000", Says::Ack(1)),
    ];
    let tftp_v6: [Line; 5] = [
        (0, "[2001:db8:1::13]:32991 > [2001:db8::7]:5000", Says::OptionAck),
        (900, "[2001:db8::7]:5000 > [2001:db8:1::21]:69", Says::Write("a.cfg")),
        (1_000, "[2001:db8:1::13]:32991 > [2001:db8::7]:5000", Says::OptionAck),
        (1_001, "[2001:db8::7]:5000 > [2001:db8:1::13]:32991", Says::Data(1)),
        (1_002, "[2001:db8:1::13]:32991 > [2001:db8::7]:5000", Says::Ack(1)),
    ];
    for lines in [tftp_v4, tftp_v6] {
        let exchange = only_exchange(&lines);
        let view = exchange.primary();
        assert_eq!(view.asked.map(|asked| asked.port), Some(69));
        assert_eq!(view.replies[0].origin, Origin::OtherAddress(Confidence::Certain));
        assert_eq!(view.follow_ups[0].course, Course::ToAnswerer);
        assert!(view.progress.is_some());
    }
    let dns = Protocol::Dns;
    let ask = Says::Ask { protocol: dns, identity: 7, question: 1 };
    let answer = Says::Answer { protocol: dns, identity: 7 };
    let dns_v4: [Line; 3] = [
        (0, "198.51.100.13:41053 > 192.0.2.7:5000", answer),
        (900, "192.0.2.7:5000 > 198.51.100.21:53", ask),
        (901, "198.51.100.13:41053 > 192.0.2.7:5000", answer),
    ];
    let dns_v6: [Line; 3] = [
        (0, "[2001:db8:1::13]:41053 > [2001:db8::7]:5000", answer),
        (900, "[2001:db8::7]:5000 > [2001:db8:1::21]:53", ask),
        (901, "[2001:db8:1::13]:41053 > [2001:db8::7]:5000", answer),
    ];
    for lines in [dns_v4, dns_v6] {
        let exchange = only_exchange(&lines);
        assert_eq!(exchange.primary().replies[0].origin, Origin::OtherAddress(Confidence::Certain));
    }
}

#[test]
fn a_reply_of_another_server_is_no_beginning_of_this_question() {
    let dns = Protocol::Dns;
    let lines: [Line; 4] = [
        (0, "198.51.100.13:53 > 192.0.2.7:5000", Says::Answer { protocol: dns, identity: 5 }),
        (
            900,
            "192.0.2.7:5000 > 198.51.100.21:53",
            Says::Ask { protocol: dns, identity: 7, question: 1 },
        ),
        (901, "198.51.100.13:53 > 192.0.2.7:5000", Says::Answer { protocol: dns, identity: 6 }),
        (902, "198.51.100.21:53 > 192.0.2.7:5000", Says::Answer { protocol: dns, identity: 7 }),
    ];
    let exchanges = correlate(&[(HOST, &lines)]).exchanges;
    assert_eq!(exchanges.len(), 2, "{exchanges:#?}");
    let asked = exchanges.iter().find(|exchange| exchange.primary().asked.is_some()).unwrap();
    assert_eq!(asked.primary().replies[0].origin, Origin::Asked);
}

#[test]
fn a_request_that_a_node_passes_on_under_its_own_address_is_the_same() {
    let ask = Says::Ask { protocol: Protocol::Dns, identity: 7, question: 1 };
    let cases: [[Line; 2]; 2] = [
        [
            (0, "192.0.2.7:5000 > 198.51.100.21:53", ask),
            (1, "198.51.100.13:5000 > 203.0.113.16:53", ask),
        ],
        [
            (0, "[2001:db8::7]:5000 > [2001:db8:1::21]:53", ask),
            (1, "[2001:db8:1::13]:5000 > [2001:db8:2::16]:53", ask),
        ],
    ];
    for lines in cases {
        let mut correlator = Correlator::new(10);
        for ((number, line), hops) in lines.into_iter().enumerate().zip([64, 63]) {
            let hop_marks = HopMarks::of_v4(hops);
            correlator.push(HOST, &Packet { hop_marks, ..packet(number, line) });
        }
        let exchanges = finish(correlator, &BTreeMap::new()).exchanges;
        let points: Vec<PointId> = exchanges.iter().map(|e| e.primary().point).collect();
        assert_eq!(points, [HOST, HOST.translated()]);
    }
    // A proxy sends anew.
    let mut correlator = Correlator::new(10);
    for (number, line) in cases[0].into_iter().enumerate() {
        let ip_identification = Some(u16::try_from(number).unwrap() + 1);
        correlator.push(HOST, &Packet { ip_identification, ..packet(number, line) });
    }
    let exchanges = finish(correlator, &BTreeMap::new()).exchanges;
    assert!(exchanges.iter().all(|exchange| exchange.primary().point == HOST));
}

#[test]
fn who_asks_two_servers_at_once_sends_two_packets() {
    let ask = Says::Ask { protocol: Protocol::Dns, identity: 7, question: 1 };
    let lines: [Line; 2] = [
        (0, "192.0.2.7:5000 > 198.51.100.21:53", ask),
        (0, "192.0.2.7:5000 > 198.51.100.13:53", ask),
    ];
    for (second, expected) in [(41, HOST.translated()), (42, HOST)] {
        let mut correlator = Correlator::new(10);
        for ((number, line), identification) in lines.into_iter().enumerate().zip([41, second]) {
            let ip_identification = Some(identification);
            correlator.push(HOST, &Packet { ip_identification, ..packet(number, line) });
        }
        let exchanges = finish(correlator, &BTreeMap::new()).exchanges;
        let last = exchanges.iter().flat_map(|exchange| &exchange.views).map(|view| view.point);
        assert_eq!(last.max(), Some(expected), "{second}");
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
