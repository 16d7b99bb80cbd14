//! One point sees one side of an exchange, and another point the other.

use super::snmp::{answer, ask};
use super::*;
use crate::correlate::halves::Kept;
use crate::model::exchange::View;

pub(super) const UPLINK: PointId = PointId { capture: CaptureId(0), interface: 1 };
const THIRD: PointId = PointId { capture: CaptureId(0), interface: 2 };
pub(super) const FILE: PointId = PointId { capture: CaptureId(1), interface: 0 };

/// Packets and where each was seen; what a capture shows is numbered through, by one clock
/// or with the second capture's ahead.
pub(super) fn exchanges_of(seen: &[(PointId, Line)], ahead_ms: i64) -> Vec<Exchange> {
    let mut correlator = Correlator::new(1_000);
    let mut places = BTreeMap::new();
    let mut numbers: BTreeMap<CaptureId, usize> = BTreeMap::new();
    for capture in [CaptureId(0), CaptureId(1)] {
        for (point, (at_ms, line, says)) in seen.iter().filter(|(p, _)| p.capture == capture) {
            let number = numbers.entry(capture).or_default();
            let at_ms = if capture == FILE.capture { at_ms + ahead_ms } else { *at_ms };
            correlator.push(*point, &packet(*number, (at_ms, line, *says)));
            *number += 1;
            places.insert(*point, place(PointKind::Host));
        }
    }
    finish(correlator, &places).exchanges
}

/// What comes of `lines` where each sender's packets come by a point of its own; the first
/// is where the first packet came.
fn split(lines: &[Line], points: [PointId; 2], ahead_ms: i64) -> Vec<Exchange> {
    let sender = |line: &str| -> IpAddr {
        let from = line.split(" > ").next().unwrap();
        from.parse::<SocketAddr>().map_or_else(|_| from.parse().unwrap(), |from| from.ip())
    };
    let client = sender(lines[0].1);
    let seen: Vec<_> =
        lines.iter().map(|line| (points[usize::from(sender(line.1) != client)], *line)).collect();
    exchanges_of(&seen, ahead_ms)
}

const GOES_ON: [[Line; 5]; 2] = [
    [
        (0, "192.0.2.7:5000 > 198.51.100.21:69", Says::Write("a.cfg")),
        (10, "198.51.100.13:32991 > 192.0.2.7:5000", Says::OptionAck),
        (20, "192.0.2.7:5000 > 198.51.100.13:32991", Says::Data(1)),
        (30, "198.51.100.13:32991 > 192.0.2.7:5000", Says::Ack(1)),
        (40, "192.0.2.7:5000 > 198.51.100.13:32991", Says::Data(2)),
    ],
    [
        (0, "[2001:db8::7]:5000 > [2001:db8:1::21]:69", Says::Write("a.cfg")),
        (10, "[2001:db8:1::13]:32991 > [2001:db8::7]:5000", Says::OptionAck),
        (20, "[2001:db8::7]:5000 > [2001:db8:1::13]:32991", Says::Data(1)),
        (30, "[2001:db8:1::13]:32991 > [2001:db8::7]:5000", Says::Ack(1)),
        (40, "[2001:db8::7]:5000 > [2001:db8:1::13]:32991", Says::Data(2)),
    ],
];

#[test]
fn a_direction_at_each_interface_is_as_both_at_one() {
    let polls = |client: &'static str, server: &'static str| -> [Line; 5] {
        let there: &'static str = format!("{client} > {server}").leak();
        let back: &'static str = format!("{server} > {client}").leak();
        // The second is asked twice, the third in vain.
        [
            (0, there, ask(1)),
            (9, back, answer(1)),
            (300, there, ask(2)),
            (1_300, there, ask(2)),
            (1_301, back, answer(2)),
        ]
    };
    let mut rows: Vec<Vec<Line>> = GOES_ON.iter().map(|lines| lines.to_vec()).collect();
    rows.extend([FOUNDING_V4.to_vec(), FOUNDING_V6.to_vec()]);
    rows.push(polls("192.0.2.1:4000", "198.51.100.5:161").to_vec());
    rows.push(polls("[2001:db8::1]:4000", "[2001:db8:1::5]:161").to_vec());
    for lines in rows {
        let one = only_exchange(&lines);
        let found = split(&lines, [HOST, UPLINK], 0);
        let [exchange] = &found[..] else { panic!("{found:#?}") };
        let beside = exchange.primary().beside.unwrap();
        assert_eq!((beside.point, beside.ahead_ns), (UPLINK, 0));
        assert_eq!(View { beside: None, ..exchange.primary().clone() }, *one.primary());
        assert_eq!(exchange.views.len(), 1);
    }
}

#[test]
fn a_direction_in_each_file_is_as_both_in_one_and_names_the_frames_of_each() {
    for lines in [FOUNDING_V4.to_vec(), FOUNDING_V6.to_vec()] {
        let one = only_exchange(&lines);
        for (points, ahead_ms) in
            [([HOST, FILE], 0), ([FILE, HOST], 0), ([HOST, FILE], -1_700), ([HOST, FILE], 1_700)]
        {
            let found = split(&lines, points, ahead_ms);
            let [exchange] = &found[..] else { panic!("{found:#?}") };
            let (view, expected) = (exchange.primary(), one.primary());
            assert_eq!(view.point, points[0]);
            let counted = |view: &View| {
                let replies = view.replies.iter().map(|r| (r.source, r.origin, r.tally.packets));
                let sent = view.follow_ups.iter().map(|f| (f.course, f.tally.packets));
                let errors = view.icmp_errors.iter().map(|e| (e.quotes, e.tally.packets));
                let kinds = view.steps.iter().map(|step| (step.kind, step.source));
                (
                    replies.collect::<Vec<_>>(),
                    sent.collect::<Vec<_>>(),
                    errors.collect::<Vec<_>>(),
                    kinds.collect::<Vec<_>>(),
                )
            };
            assert_eq!(counted(view), counted(expected), "{points:?} {ahead_ms}");
            // The client's packets are frames 1 and on of its file, the others' of theirs.
            let frames = view.steps.iter().map(|step| (step.frame.capture, step.frame.number));
            let [near, far] = points.map(|point| point.capture);
            let named = [(near, 1), (far, 1), (near, 2), (far, 2), (far, 3), (near, 3), (far, 4)];
            assert_eq!(frames.collect::<Vec<_>>(), named);
            assert!(view.is_after(view.steps[2].frame, view.steps[1].frame), "{ahead_ms}");
        }
    }
}

#[test]
fn links_that_carry_a_flow_each_give_one_transfer() {
    for lines in GOES_ON {
        let one = only_exchange(&lines);
        // Request and answers by one link, follow-ups by another.
        let points = [HOST, HOST, UPLINK, HOST, UPLINK];
        let seen: Vec<_> = points.into_iter().zip(lines).collect();
        let found = exchanges_of(&seen, 0);
        let [exchange] = &found[..] else { panic!("{found:#?}") };
        assert_eq!(exchange.primary().progress, one.primary().progress);
        assert_eq!(exchange.primary().follow_ups, one.primary().follow_ups);
        // Each of the three flows by another one.
        let points = [HOST, UPLINK, THIRD, UPLINK, THIRD];
        let seen: Vec<_> = points.into_iter().zip(lines).collect();
        let found = exchanges_of(&seen, 0);
        let [exchange] = &found[..] else { panic!("{found:#?}") };
        assert_eq!(exchange.primary().follow_ups, one.primary().follow_ups);
    }
}

#[test]
fn a_bridge_and_its_port_show_one_packet_twice() {
    for [there, back] in [
        ["192.0.2.1:4000 > 198.51.100.5:161", "198.51.100.5:161 > 192.0.2.1:4000"],
        ["[2001:db8::1]:4000 > [2001:db8:1::5]:161", "[2001:db8:1::5]:161 > [2001:db8::1]:4000"],
    ] {
        // In vain: three points saw the same, and nobody asked again.
        let twice = [(HOST, (0, there, ask(1))), (UPLINK, (0, there, ask(1)))];
        let found = exchanges_of(&twice, 0);
        let [exchange] = &found[..] else { panic!("{found:#?}") };
        assert_eq!(exchange.views.len(), 2);
        assert!(exchange.views.iter().all(|view| view.requests.packets == 1));
        // Asked by a bridge's port and the bridge, answered by a third interface.
        let answered = [twice[0], twice[1], (THIRD, (1, back, answer(1)))];
        let found = exchanges_of(&answered, 0);
        let [exchange] = &found[..] else { panic!("{found:#?}") };
        assert_eq!(exchange.primary().reply_packets(), 1);
        assert_eq!(exchange.primary().requests.packets, 1);
    }
}

#[test]
fn what_is_of_another_network_or_somebody_else_stays_apart() {
    for [client, server, other] in [
        ["192.0.2.1:4000", "198.51.100.5:161", "192.0.2.2:4000"],
        ["[2001:db8::1]:4000", "[2001:db8:1::5]:161", "[2001:db8::2]:4000"],
    ] {
        let (there, back) = (line(client, server), line(server, client));
        let elsewhere = line(server, other);
        let in_vain = [(HOST, (0, there, ask(1))), (HOST, (1_000, there, ask(1)))];
        let cases: [(&str, &[(PointId, Line)]); 4] = [
            ("answers to another socket", &[(UPLINK, (500, elsewhere, answer(1)))]),
            ("answers to another question", &[(UPLINK, (500, back, answer(9)))]),
            (
                "the same numbers in another network",
                &[(UPLINK, (400, there, ask(9))), (UPLINK, (500, back, answer(9)))],
            ),
            (
                "the same, of which an answer was captured",
                &[(UPLINK, (500, back, answer(9))), (UPLINK, (600, there, ask(10)))],
            ),
        ];
        for (name, others) in cases {
            let seen = [&in_vain[..], others].concat();
            let found = exchanges_of(&seen, 0);
            let own = found.iter().filter(|exchange| {
                let view = exchange.primary();
                exchange.client == endpoint(client) && view.requests.packets == 2
            });
            let own: Vec<_> = own.collect();
            let [exchange] = own[..] else { panic!("{name}: {found:#?}") };
            assert_eq!(exchange.primary().reply_packets(), 0, "{name}");
            assert_eq!(exchange.primary().unanswered.packets, 2, "{name}");
        }
    }
}

#[test]
fn what_a_pod_answers_is_not_yet_on_its_way_to_the_device() {
    for [there, back] in [
        ["192.0.2.7:5000 > 198.51.100.21:69", "10.244.1.16:40001 > 192.0.2.7:5000"],
        ["[2001:db8::7]:5000 > [2001:db8:1::21]:69", "[fd00::16]:40001 > [2001:db8::7]:5000"],
    ] {
        let seen = correlate(&[
            (HOST, &[(0, there, Says::Write("a.cfg")), (3_000, there, Says::Write("a.cfg"))]),
            (POD, &[(1, back, Says::OptionAck)]),
        ]);
        let near = seen.exchanges.iter().find(|one| one.primary().requests.packets > 0).unwrap();
        assert_eq!(near.primary().reply_packets(), 0);
    }
}

#[test]
fn of_more_than_can_be_kept_the_counts_do() {
    const SOCKETS: u32 = 10_000;
    // Every tenth is not answered, and every ninth asks twice and is answered once.
    let is_in_vain = |socket: u32| socket.is_multiple_of(10);
    let is_doubtful = |socket: u32| !is_in_vain(socket) && socket.is_multiple_of(9);
    let mut correlator = Correlator::new(1_000_000);
    correlator.kept = Kept::up_to(16 * 1_024);
    let said = |frame: u32, says, ends: [Endpoint; 2]| {
        let flow = FlowKey::udp(ends[0], ends[1]);
        let (frame, at_ms) = (usize::try_from(frame).unwrap(), i64::from(frame));
        let packet = packet(frame, (at_ms, "192.0.2.1:1 > 192.0.2.2:161", says));
        Packet { content: Content::Datagram(datagram(flow, says)), ..packet }
    };
    for socket in 0..SOCKETS {
        let (address, server): (IpAddr, _) = if socket.is_multiple_of(2) {
            ((0x0a00_0000 + socket).to_be_bytes().into(), endpoint("198.51.100.5:161"))
        } else {
            let network = 0x2001_0db8_u128 << 96;
            let address = std::net::Ipv6Addr::from_bits(network + u128::from(socket));
            (address.into(), endpoint("[2001:db8:1::5]:161"))
        };
        let client = Endpoint::new(address, 4_000);
        correlator.push(HOST, &said(3 * socket, ask(socket.into()), [client, server]));
        if is_doubtful(socket) {
            let again = ask(u64::from(socket) + 1_000_000);
            correlator.push(HOST, &said(3 * socket + 1, again, [client, server]));
        }
        if !is_in_vain(socket) {
            let reply = answer(socket.into());
            correlator.push(UPLINK, &said(3 * socket + 2, reply, [server, client]));
        }
    }
    let mut topology = Topology::default();
    let correlated = correlator.finish(&BTreeMap::new(), &mut topology);
    let mut answered = 0;
    for exchange in correlated.entries(&topology).filter_map(|entry| entry.exchange()) {
        let IpAddr::V4(address) = exchange.client.address else { continue };
        let socket = address.to_bits() - 0x0a00_0000;
        let view = exchange.primary();
        if is_in_vain(socket) {
            assert_eq!((view.reply_packets(), view.unanswered.packets), (0, 1), "{socket}");
            assert!(!view.may_be_answered_elsewhere, "{socket}");
        } else if is_doubtful(socket) {
            // Where its packets were kept it is known which one was not answered.
            let is_known = view.reply_packets() == 1 && view.requests.packets == 2;
            assert!(is_known || view.may_be_answered_elsewhere, "{socket}: {view:#?}");
        } else {
            assert_eq!((view.reply_packets(), view.unanswered.packets), (1, 0), "{socket}");
            let reply = view.replies[0].tally.first.unwrap();
            assert_eq!(reply.number, u64::from(3 * socket + 2) + 1, "{socket}");
            answered += 1;
        }
    }
    assert!(answered > SOCKETS / 3, "{answered}");
}

#[test]
fn of_a_socket_that_asks_very_often_the_counts_do() {
    const POLLS: u64 = 33_000;
    for [there, back] in [
        ["192.0.2.1:4000 > 198.51.100.5:161", "198.51.100.5:161 > 192.0.2.1:4000"],
        ["[2001:db8::1]:4000 > [2001:db8:1::5]:161", "[2001:db8:1::5]:161 > [2001:db8::1]:4000"],
    ] {
        // All are answered, or not the last 100.
        for (answers, is_answered) in [(POLLS, true), (POLLS - 100, false)] {
            let polls = (0..POLLS).flat_map(|identity| {
                let at_ms = i64::try_from(identity).unwrap() * 10;
                let reply = (UPLINK, (at_ms + 1, back, answer(identity)));
                let reply = (identity < answers).then_some(reply);
                [Some((HOST, (at_ms, there, ask(identity)))), reply].into_iter().flatten()
            });
            let found = exchanges_of(&polls.collect::<Vec<_>>(), 0);
            let view = found[0].primary();
            assert_eq!(view.requests.packets, POLLS);
            assert_eq!(view.reply_packets() > 0, is_answered, "{answers}");
            assert_eq!(view.may_be_answered_elsewhere, !is_answered, "{answers}");
        }
    }
}

#[test]
fn a_socket_s_next_transfer_is_kept_however_its_packets_come_together() {
    for first in GOES_ON {
        // The same socket asks for another file a minute later, and goes on as before.
        let again = first.map(|(at_ms, line, says)| {
            let says = if matches!(says, Says::Write(_)) { Says::Write("b.cfg") } else { says };
            (at_ms + 60_000, line, says)
        });
        // Of the first all came by one interface, of the second a direction by each.
        let points = [HOST, HOST, HOST, HOST, HOST, HOST, UPLINK, HOST, UPLINK, HOST];
        let lines = first.into_iter().chain(again);
        let packets: Vec<Packet> =
            lines.enumerate().map(|(number, line)| packet(number, line)).collect();
        let seen: Vec<_> = points.into_iter().zip(&packets).collect();
        for together in [1, 5, 6, 10] {
            let mut correlator = Correlator::new(1_000);
            for seen in seen.chunks(together) {
                correlator.push_all(seen.iter().copied());
            }
            let found = finish(correlator, &BTreeMap::new()).exchanges;
            let beside = found.iter().map(|exchange| exchange.primary().beside.map(|b| b.point));
            assert_eq!(beside.collect::<Vec<_>>(), [None, Some(UPLINK)], "{together}: {found:#?}");
        }
    }
}

/// A host that nobody reaches, as tcpdump prints a router's error: without ports.
fn unreachable_host(number: usize, at_ms: i64, router: &str, quoted: &str) -> Packet {
    let quote = Quote { source_port: None, destination_port: None, ..quote(quoted) };
    let line = line(router, &quote.source.to_string());
    let error = packet(number, (at_ms, line, Says::UnreachableCut));
    let Content::IcmpError(error_content) = error.content else { unreachable!() };
    let kind = IcmpKind::HostUnreachable;
    let content = Content::IcmpError(IcmpError { kind, quote: Some(quote), ..error_content });
    Packet { content, ..error }
}

#[test]
fn an_error_without_ports_finds_its_request_among_many() {
    for [asks, router, prefix] in [
        ["192.0.2.7:5000 > 198.51.100.21:161", "203.0.113.1", "10.0."],
        ["[2001:db8::7]:5000 > [2001:db8:1::21]:161", "2001:db8:9::1", "2001:db8:5::"],
    ] {
        for others in [100, 5_000_u32] {
            let mut correlator = Correlator::new(100_000);
            correlator.push(HOST, &packet(0, (0, asks, ask(1))));
            for error in 0..2 {
                let at_ms = 100 + i64::from(error);
                correlator.push(UPLINK, &unreachable_host(1, at_ms, router, asks));
            }
            let (client, server) = asks.split_once(" > ").unwrap();
            for other in 0..others {
                let (high, low) = (other / 200, other % 200 + 1);
                let client = if client.starts_with('[') {
                    format!("[{prefix}{high:x}:{low:x}]:4000")
                } else {
                    format!("{prefix}{high}.{low}:4000")
                };
                let server = server.replace("21", "30");
                let at_ms = 200 + i64::from(other);
                correlator.push(HOST, &packet(3, (at_ms, line(&client, &server), ask(1))));
            }
            let exchanges = finish(correlator, &BTreeMap::new()).exchanges;
            let (client, _) = asks.split_once(" > ").unwrap();
            let own = exchanges.iter().find(|own| own.client == endpoint(client)).unwrap();
            let errors = own.primary().icmp_errors.iter().map(|errors| errors.tally.packets);
            assert_eq!(errors.sum::<u64>(), 2, "{others} others, {asks}");
        }
    }
}

#[test]
fn each_target_of_a_poller_has_its_errors() {
    for [poller, router, target] in [
        ["192.0.2.7", "203.0.113.1", "198.51.100."],
        ["[2001:db8::7]", "2001:db8:9::1", "2001:db8:1::"],
    ] {
        const TARGETS: u16 = 100;
        let asks = |number: u16| {
            let target = if poller.starts_with('[') {
                format!("[{target}{number}]:161")
            } else {
                format!("{target}{number}:161")
            };
            line(&format!("{poller}:{}", 40_000 + number), &target)
        };
        let mut correlator = Correlator::new(1_000);
        for round in 0..2 {
            for number in 1..=TARGETS {
                let at_ms = i64::from(round) * 5_000 + i64::from(number);
                correlator.push(HOST, &packet(0, (at_ms, asks(number), ask(number.into()))));
                let error = unreachable_host(0, at_ms + 500, router, asks(number));
                correlator.push(UPLINK, &error);
            }
        }
        let exchanges = finish(correlator, &BTreeMap::new()).exchanges;
        assert_eq!(exchanges.len(), usize::from(TARGETS), "{poller}");
        for exchange in exchanges {
            let errors = &exchange.primary().icmp_errors;
            let packets: u64 = errors.iter().map(|errors| errors.tally.packets).sum();
            assert_eq!(packets, 2, "{}", exchange.client);
        }
    }
}
