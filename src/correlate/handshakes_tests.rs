//! What becomes of handshakes, by who answers.

use super::*;
use crate::correlate::index::Hasher;
use crate::model::capture::CaptureId;
use crate::model::exchange::PointId;
use crate::model::hop::HopMarks;
use crate::model::packet::{IcmpError, IcmpKind, Quote};
use crate::model::report::Quotes;
use crate::model::segment::QuotedKind;
use crate::model::time::Timestamp;

const POINT: PointId = PointId { capture: CaptureId(0), interface: 0 };

fn endpoints() -> [[Endpoint; 4]; 2] {
    let families = [
        ["192.0.2.7:41226", "198.51.100.10:443", "198.51.100.4:443", "203.0.113.16:8443"],
        [
            "[2001:db8::7]:41226",
            "[2001:db8:100::10]:443",
            "[2001:db8:100::4]:443",
            "[2001:db8:200::16]:8443",
        ],
    ];
    families.map(|family| family.map(|text| text.parse::<std::net::SocketAddr>().unwrap().into()))
}

#[derive(Clone, Copy)]
enum Sent {
    Syn(Endpoint),
    SynAck(Endpoint),
    /// The client refuses an answer from there.
    Refusal(Endpoint),
    /// Somebody refuses the SYN.
    Reset(Endpoint),
    /// An ICMP error about the SYN to there, with this sequence number.
    Unreachable(Endpoint, u32),
    /// An ICMP error about the SYN-ACK from there.
    Prohibited(Endpoint),
    /// The SYN to there ran out of hops, as one that traces the route.
    Expired(Endpoint),
    /// A text's error about a segment between these two, without its numbers.
    Text(Endpoint, Endpoint),
}

fn error(kind: IcmpKind, source: Endpoint, destination: Endpoint, quoted: QuotedKind) -> IcmpError {
    let quote = Quote {
        source: source.address,
        source_port: (quoted != QuotedKind::Segment(None)).then_some(source.port),
        destination: destination.address,
        destination_port: Some(destination.port),
        kind: quoted,
        tunnel: None,
    };
    IcmpError {
        kind,
        from: destination.address,
        to: source.address,
        quote: Some(quote),
        fingerprint: None,
    }
}

/// The segment or the error, and who takes part in it.
fn content(client: Endpoint, sent: Sent) -> Content {
    let syn = |sequence: u32| QuotedKind::Segment(Some(SegmentKind::Syn { awaits: sequence + 1 }));
    let (flow, kind) = match sent {
        Sent::Syn(to) => (FlowKey::tcp(client, to), SegmentKind::Syn { awaits: 1_000 }),
        Sent::SynAck(from) => {
            (FlowKey::tcp(from, client), SegmentKind::SynAck { acknowledges: 1_000 })
        }
        Sent::Refusal(to) => {
            (FlowKey::tcp(client, to), SegmentKind::Reset { sequence: 1_000, acknowledges: None })
        }
        Sent::Reset(from) => (
            FlowKey::tcp(from, client),
            SegmentKind::Reset { sequence: 0, acknowledges: Some(1_000) },
        ),
        Sent::Unreachable(to, sequence) => {
            return Content::IcmpError(error(IcmpKind::HostUnreachable, client, to, syn(sequence)));
        }
        Sent::Prohibited(from) => {
            let quoted = QuotedKind::Segment(Some(SegmentKind::SynAck { acknowledges: 1_000 }));
            return Content::IcmpError(error(IcmpKind::AdminProhibited, from, client, quoted));
        }
        Sent::Expired(to) => {
            return Content::IcmpError(error(IcmpKind::TimeExceeded, client, to, syn(999)));
        }
        Sent::Text(from, to) => {
            let quoted = QuotedKind::Segment(None);
            return Content::IcmpError(error(IcmpKind::PortUnreachable, from, to, quoted));
        }
    };
    Content::Segment(Segment { flow, kind })
}

fn run(client: Endpoint, sent: &[Sent]) -> (Handshakes, PointTable) {
    let sent: Vec<(u8, Sent)> = sent.iter().map(|sent| (0, *sent)).collect();
    run_hopping(client, &sent)
}

/// The same of what can take so many hops more; of zero nothing is known.
fn run_hopping(client: Endpoint, sent: &[(u8, Sent)]) -> (Handshakes, PointTable) {
    let mut handshakes = Handshakes::default();
    let mut table = PointTable::new(POINT, 100, Hasher::default());
    for (number, (hops, sent)) in (1..).zip(sent) {
        let content = content(client, *sent);
        // A second between any two.
        let at = Timestamp::from_seconds(i64::try_from(number).unwrap());
        let frame = FrameRef { capture: CaptureId(0), number, at };
        let hop_marks = HopMarks::of_v4(*hops);
        let packet = Packet { hop_marks, ..Packet::without_headers(number, at, 0, content) };
        match &packet.content {
            Content::Segment(segment) => {
                handshakes.take(&packet, frame, *segment, || &mut table);
            }
            Content::IcmpError(error) => {
                handshakes.icmp_error(&packet, frame, error, || &mut table);
            }
            other => unreachable!("{other:?}"),
        }
    }
    (handshakes, table)
}

#[test]
fn ordinary_handshakes_leave_nothing_behind() {
    for [client, vip, node, pod] in endpoints() {
        let cases = [
            ("answered", vec![Sent::Syn(vip), Sent::SynAck(vip)]),
            ("refused", vec![Sent::Syn(vip), Sent::Reset(vip)]),
            ("asked again", vec![Sent::Syn(vip), Sent::Syn(vip), Sent::SynAck(vip)]),
            (
                "seen before and after translation",
                vec![Sent::Syn(vip), Sent::Syn(pod), Sent::SynAck(pod), Sent::SynAck(vip)],
            ),
            ("an answer alone", vec![Sent::SynAck(node)]),
            ("a reset alone", vec![Sent::Refusal(vip), Sent::Reset(node)]),
            ("an error alone", vec![Sent::Unreachable(vip, 999), Sent::Prohibited(vip)]),
            (
                "an error about another segment",
                vec![Sent::Syn(vip), Sent::SynAck(vip), Sent::Unreachable(vip, 1_000)],
            ),
            (
                "an error about the SYN after its answer",
                vec![Sent::Syn(vip), Sent::SynAck(vip), Sent::Unreachable(vip, 999)],
            ),
            ("a route is traced", vec![Sent::Syn(vip), Sent::Expired(vip), Sent::SynAck(vip)]),
            (
                "an error about another's SYN",
                vec![Sent::Syn(vip), Sent::Unreachable(node, 999), Sent::SynAck(vip)],
            ),
            (
                "a text's error about another",
                vec![Sent::Syn(vip), Sent::Text(client, node), Sent::SynAck(vip)],
            ),
        ];
        for (name, sent) in cases {
            let (handshakes, table) = run(client, &sent);
            assert!(handshakes.is_empty(), "{name} {client}");
            assert!(table.exchanges.is_empty(), "{name} {client}");
        }
        // Its copy before translation came first.
        let (_, table) = run(client, &[Sent::Syn(vip), Sent::SynAck(pod), Sent::SynAck(vip)]);
        assert!(table.exchanges.iter().all(Record::is_vacant), "{client}");
    }
}

#[test]
fn an_answer_that_leaves_untranslated_becomes_an_exchange() {
    for [client, vip, _, pod] in endpoints() {
        let asked = [(64, Sent::Syn(vip)), (63, Sent::Syn(pod))];
        let cases = [
            ("passed on", vec![(64, Sent::SynAck(pod)), (63, Sent::SynAck(pod))], 1),
            ("a mirror's copy", vec![(64, Sent::SynAck(pod)), (64, Sent::SynAck(pod))], 0),
            (
                "translated back further on",
                vec![(64, Sent::SynAck(pod)), (63, Sent::SynAck(pod)), (62, Sent::SynAck(vip))],
                0,
            ),
        ];
        for (name, answered, expected) in cases {
            let (_, table) = run_hopping(client, &[&asked[..], &answered].concat());
            let mut told = table.exchanges.iter().filter(|record| !record.is_vacant());
            assert_eq!(told.clone().count(), expected, "{name} {client}");
            if let Some(record) = told.next() {
                assert_eq!(record.asked, Some(vip), "{name} {client}");
                let replies = &record.details.as_ref().unwrap().replies;
                let sources: Vec<_> = replies.iter().map(|r| (r.source, r.origin)).collect();
                assert_eq!(sources, [(pod, Origin::OtherAddress(Confidence::Certain))], "{name}");
            }
        }
    }
}

#[test]
fn an_answer_from_elsewhere_becomes_an_exchange() {
    for [client, vip, node, _] in endpoints() {
        let other_port = Endpoint::new(vip.address, 1_024);
        let certain = Confidence::Certain;
        let cases = [
            (
                "refused by the client",
                vec![Sent::Syn(vip), Sent::SynAck(node), Sent::Refusal(node)],
                Origin::OtherAddress(certain),
                true,
                0,
            ),
            (
                "asked again",
                vec![Sent::Syn(vip), Sent::SynAck(node), Sent::Syn(vip), Sent::Syn(vip)],
                Origin::OtherAddress(certain),
                false,
                2,
            ),
            (
                "from another port",
                vec![Sent::Syn(vip), Sent::SynAck(other_port), Sent::Refusal(other_port)],
                Origin::OtherPort(certain),
                true,
                0,
            ),
            (
                "a reset from elsewhere",
                vec![Sent::Syn(vip), Sent::Reset(node), Sent::Syn(vip)],
                Origin::OtherAddress(certain),
                false,
                1,
            ),
        ];
        for (name, sent, origin, refused, again) in cases {
            let (_, table) = run(client, &sent);
            let [record] = table.exchanges.as_slice() else { panic!("{name} {client}") };
            assert_eq!((record.client, record.asked), (client, Some(vip)), "{name}");
            let details = record.details.as_ref().unwrap();
            assert_eq!(details.replies[0].origin, origin, "{name}");
            assert_eq!(details.reset.is_some(), refused, "{name}");
            assert_eq!(
                details.asked_again.as_ref().map_or(0, |asked| asked.times),
                again,
                "{name}"
            );
            assert_eq!(record.requests.packets, 1 + u32::try_from(again).unwrap(), "{name}");
        }
    }
}

#[test]
fn an_error_about_a_handshake_makes_it_an_exchange() {
    for [client, vip, node, pod] in endpoints() {
        let syn = Sent::Syn(vip);
        // SYNs, answers, and errors by what they quote.
        let cases = [
            ("refused", vec![syn, Sent::Unreachable(vip, 999)], (1, 0), vec![(Quotes::Request, 1)]),
            (
                "asked again first",
                vec![syn, syn, syn, Sent::Unreachable(vip, 999)],
                (3, 0),
                vec![(Quotes::Request, 1)],
            ),
            (
                "each time",
                vec![
                    syn,
                    Sent::Unreachable(vip, 999),
                    syn,
                    Sent::Unreachable(vip, 999),
                    Sent::Reset(vip),
                ],
                (2, 0),
                vec![(Quotes::Request, 2)],
            ),
            (
                "answered after all",
                vec![syn, Sent::Unreachable(vip, 999), syn, Sent::SynAck(vip)],
                (2, 1),
                vec![(Quotes::Request, 1)],
            ),
            (
                "behind the translation",
                vec![syn, Sent::Syn(pod), Sent::Unreachable(pod, 999)],
                (1, 0),
                vec![(Quotes::Request, 1)],
            ),
            (
                "the answer is refused",
                vec![syn, Sent::SynAck(vip), Sent::Prohibited(vip), Sent::SynAck(vip)],
                (1, 2),
                vec![(Quotes::Reply, 1)],
            ),
            (
                "the answer from elsewhere is refused",
                vec![syn, Sent::SynAck(node), Sent::Prohibited(node)],
                (1, 1),
                vec![(Quotes::Reply, 1)],
            ),
            (
                "in a text",
                vec![syn, Sent::Text(client, vip), syn, Sent::Text(client, vip)],
                (2, 0),
                vec![(Quotes::Request, 2)],
            ),
            (
                "of the answer, in a text",
                vec![syn, Sent::SynAck(vip), Sent::Text(vip, client)],
                (1, 1),
                vec![(Quotes::Reply, 1)],
            ),
        ];
        for (name, sent, (requests, replies), errors) in cases {
            let (_, table) = run(client, &sent);
            let [record] = table.exchanges.as_slice() else { panic!("{name} {client}") };
            assert_eq!((record.client, record.asked), (client, Some(vip)), "{name}");
            assert_eq!(record.requests.packets, requests, "{name}");
            let details = record.details.as_ref().unwrap();
            let elsewhere = details.replies.iter().map(|replies| replies.tally.count.packets);
            assert_eq!(record.answers.packets + elsewhere.sum::<u32>(), replies, "{name}");
            let counted: Vec<_> = details
                .icmp_errors
                .iter()
                .map(|errors| (errors.quotes, errors.tally.packets))
                .collect();
            assert_eq!(counted, errors, "{name} {client}");
        }
    }
}

#[test]
fn a_flood_of_connections_is_bounded() {
    for [client, vip, ..] in endpoints() {
        let mut handshakes = Handshakes::default();
        for number in 0..40_000_u32 {
            let flow = FlowKey::tcp(client, vip);
            let at = Timestamp::from_seconds(i64::from(number));
            let segment = Segment { flow, kind: SegmentKind::Syn { awaits: number } };
            let frame = FrameRef { capture: CaptureId(0), number: u64::from(number), at };
            let packet = Packet::without_headers(frame.number, at, 0, Content::Segment(segment));
            handshakes.take(&packet, frame, segment, || panic!("no exchange came of it"));
        }
        assert!(handshakes.waiting() <= MAX_WAITING);
        assert!(handshakes.order.len() <= 2 * MAX_WAITING);
    }
}
