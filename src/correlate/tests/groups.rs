//! What is asked of all, and who answers.

use super::*;
use crate::model::topology::Role;

fn roles_of(lines: &[Line]) -> (Vec<Exchange>, Topology) {
    let mut correlator = Correlator::new(100);
    for (number, line) in lines.iter().enumerate() {
        correlator.push(HOST, &packet(number, *line));
    }
    finish_with_roles(correlator, &BTreeMap::new())
}

#[test]
fn all_hosts_of_a_network_are_asked_at_its_highest_address() {
    let snmp = |identity| Says::Ask { protocol: Protocol::Snmp, identity, question: 1 };
    let answer = Says::Answer { protocol: Protocol::Snmp, identity: 7 };
    let plain = Says::Plain;
    // what is asked, the port, what is answered, from which port
    let cases = [
        ("BACnet", plain(Protocol::Bacnet), 47_808, plain(Protocol::Bacnet), 47_808),
        ("name service", plain(Protocol::Nbns), 137, plain(Protocol::Nbns), 137),
        ("SNMP", snmp(7), 161, answer, 161),
        ("TFTP", Says::Write("a.cfg"), 69, Says::Ack(0), 40_000),
        ("unknown", Says::Bytes(1), 9_000, Says::Bytes(2), 9_001),
    ];
    for (name, asks, port, answers, from) in cases {
        for (all, is_broadcast) in [("192.0.2.255", true), ("192.0.4.255", false)] {
            let there: &'static str = format!("192.0.2.7:5000 > {all}:{port}").leak();
            let back: &'static str = format!("192.0.2.1:{from} > 192.0.2.7:5000").leak();
            let (exchanges, topology) = roles_of(&[(0, there, asks), (10, back, answers)]);
            let role = topology.role_of(all.parse().unwrap());
            assert_eq!(role == Role::Broadcast, is_broadcast, "{name}, {all}");
            if is_broadcast {
                assert_eq!(exchanges.len(), 1, "{name}");
                assert_eq!(exchanges[0].primary().replies[0].origin, Origin::ByDesign, "{name}");
            }
        }
    }
}

/// What the packets show of an address that looks like a broadcast's, or does not.
#[test]
fn a_host_may_have_the_address_that_a_broadcast_would_have() {
    let ask = |identity| Says::Ask { protocol: Protocol::Dns, identity, question: 1 };
    let answer = |identity| Says::Answer { protocol: Protocol::Dns, identity };
    let there = "203.0.113.7:5000 > 192.0.2.255:53";
    let back = "192.0.2.8:53 > 203.0.113.7:5000";
    let other = "192.0.2.9:53 > 203.0.113.7:5000";
    let own = "192.0.2.255:53 > 203.0.113.7:5000";
    let refused = (20, "192.0.2.255 > 203.0.113.7", Says::Unreachable(there));
    let from_it = (3_000, own, answer(2));
    let asked = [(0, there, ask(1)), (10, back, answer(1))];
    let again = [(0, there, ask(1)), (10, back, answer(1)), (3_000, there, ask(2))];
    let same_again = [(5_000, there, ask(1)), (5_010, back, answer(1))];
    let cases: [(&str, LinkAudience, Vec<Line>, bool); 9] = [
        ("text", LinkAudience::Unknown, asked.to_vec(), true),
        ("text, asked again", LinkAudience::Unknown, [asked, same_again].concat(), false),
        ("asked again, of all", LinkAudience::Broadcast, [asked, same_again].concat(), true),
        ("a frame for all", LinkAudience::Broadcast, asked.to_vec(), true),
        ("a frame for one", LinkAudience::One, asked.to_vec(), false),
        ("an error about it", LinkAudience::Unknown, [&asked[..], &[refused]].concat(), false),
        ("an error, all frames", LinkAudience::Broadcast, [&asked[..], &[refused]].concat(), false),
        ("it speaks", LinkAudience::Unknown, [&again[..], &[from_it]].concat(), false),
        (
            "several answer, on the way to a router",
            LinkAudience::One,
            [&asked[..], &[(11, other, answer(1))]].concat(),
            true,
        ),
    ];
    for (name, to_it, lines, is_broadcast) in cases {
        let (exchanges, topology) = framed(&lines, "192.0.2.255", to_it);
        let role = topology.role_of("192.0.2.255".parse().unwrap());
        assert_eq!(role == Role::Broadcast, is_broadcast, "{name}");
        let of_it = exchanges.iter().find(|exchange| exchange.primary().asked.is_some());
        let changed = of_it.unwrap().primary().changed_replies().count();
        assert_eq!(changed > 0, !is_broadcast, "{name}");
    }
}

/// An unknown protocol, where time alone relates the answer, and a frame for one is what
/// the way to a router looks like.
#[test]
fn who_is_content_with_a_neighbour_may_have_asked_all() {
    let there = "203.0.113.7:5000 > 192.0.2.255:9000";
    let back = "192.0.2.8:9000 > 203.0.113.7:5000";
    let found = [(0, there, Says::Bytes(1)), (10, back, Says::Bytes(2))];
    let refused =
        [&found[..], &[(11, "203.0.113.7 > 192.0.2.8", Says::Unreachable(back))]].concat();
    for (name, lines, changed) in [("content", found.to_vec(), 0), ("refused", refused, 1)] {
        let (exchanges, _) = framed(&lines, "192.0.2.255", LinkAudience::One);
        assert_eq!(exchanges[0].primary().changed_replies().count(), changed, "{name}");
    }
}

/// The exchanges of lines whose frames to `address` go to `audience`, all others to one.
fn framed(lines: &[Line], address: &str, audience: LinkAudience) -> (Vec<Exchange>, Topology) {
    let mut correlator = Correlator::new(100);
    for (number, line) in lines.iter().enumerate() {
        let is_to_it = line.1.contains(&format!("> {address}:"));
        let link_audience = if is_to_it { audience } else { LinkAudience::One };
        correlator.push(HOST, &Packet { link_audience, ..packet(number, *line) });
    }
    finish_with_roles(correlator, &BTreeMap::new())
}

#[test]
fn a_group_is_answered_from_ports_of_ones_own() {
    for [client, group, one, two] in [
        ["192.0.2.7:50000", "239.255.255.250", "192.0.2.5:41000", "192.0.2.6"],
        ["192.0.2.7:50000", "255.255.255.255", "192.0.2.5:41000", "192.0.2.6"],
        ["[2001:db8::7]:50000", "[ff05::c]", "[2001:db8::5]:41000", "[2001:db8::6]"],
    ] {
        for (asks, port) in [(Says::Plain(Protocol::Ssdp), 1_900), (Says::Bytes(1), 3_702)] {
            let there = line(client, &format!("{group}:{port}"));
            let (back, own) = (line(one, client), line(&format!("{two}:{port}"), client));
            let lines = [
                (0, there, asks),
                (200, back, Says::Bytes(9)),
                (300, own, Says::Bytes(8)),
                (600, back, Says::Bytes(9)),
                (1_000, back, Says::Bytes(9)),
            ];
            let exchange = only_exchange(&lines);
            assert_eq!(exchange.primary().reply_packets(), 4, "{there}");
            assert_eq!(exchange.primary().changed_replies().count(), 0, "{there}");
            // Who was asked something as well, or asks, is no answerer that we know.
            let asked_too = [(0, line(client, one), Says::Bytes(7)), lines[0], lines[1]];
            assert_eq!(correlate(&[(HOST, &asked_too)]).exchanges.len(), 2);
            // Of a question whose answers carry an identity, this is none.
            let asks = Says::Ask { protocol: Protocol::Snmp, identity: 4, question: 4 };
            let named = [(0, line(client, &format!("{group}:161")), asks), lines[1]];
            assert_eq!(correlate(&[(HOST, &named)]).exchanges.len(), 2);
        }
    }
}

#[test]
fn who_announces_itself_is_asked_and_not_answered() {
    use TransactionRole::{Notification, Request};
    let tells = |role, identity| Says::Tells { protocol: Protocol::Ntp, role, identity };
    for [server, all, client] in [
        ["192.0.2.1:123", "192.0.2.255:123", "192.0.2.7:123"],
        ["[2001:db8::1]:123", "[ff05::101]:123", "[2001:db8::7]:123"],
    ] {
        let (announces, asks) = (line(server, all), line(client, server));
        // what is announced, what is asked five times, how often that answers
        let cases = [
            ("by role", tells(Notification, 1), tells(Request, 2), 0),
            ("an announcement", tells(Notification, 1), Says::Bytes(3), 0),
            ("by port", Says::Bytes(1), Says::Bytes(2), 1),
        ];
        for (name, announced, asked, answers) in cases {
            let mut lines = vec![(0, announces, announced)];
            lines.extend((1..=5).map(|second| (second * 1_000, asks, asked)));
            let exchanges = correlate(&[(HOST, &lines)]).exchanges;
            let of = |client: &str| {
                exchanges.iter().find(|exchange| exchange.client == endpoint(client)).unwrap()
            };
            assert_eq!(of(server).primary().reply_packets(), answers, "{name}, {server}");
            let asking = of(client).primary();
            assert_eq!(asking.requests.packets, 5 - answers, "{name}, {server}");
            assert_eq!(asking.unanswered.packets, 5 - answers, "{name}, {server}");
        }
        // It answered what the client had asked of all, which then asks on.
        let asks_all = line(client, all);
        let bytes = Says::Bytes;
        let found = [
            (0, asks_all, bytes(1)),
            (100, announces, bytes(2)),
            (1_000, asks, bytes(3)),
            (1_010, line(server, client), bytes(4)),
        ];
        let exchanges = correlate(&[(HOST, &found)]).exchanges;
        let asked = exchanges
            .iter()
            .find(|exchange| exchange.primary().asked == Some(endpoint(server)))
            .unwrap();
        assert_eq!(asked.client, endpoint(client));
        assert_eq!(asked.primary().reply_packets(), 1);
    }
}

#[test]
fn a_transfer_that_was_asked_of_all_goes_on_with_who_answers() {
    for [client, all, server] in [
        ["192.0.2.7:5000", "255.255.255.255:69", "192.0.2.1:40000"],
        ["[2001:db8::7]:5000", "[ff02::1]:69", "[2001:db8::1]:40000"],
    ] {
        let exchange = only_exchange(&[
            (0, line(client, all), Says::Write("a.cfg")),
            (10, line(server, client), Says::Ack(0)),
            (20, line(client, server), Says::Data(1)),
            (30, line(server, client), Says::Ack(1)),
        ]);
        let view = exchange.primary();
        assert_eq!((exchange.client, view.asked), (endpoint(client), Some(endpoint(all))));
        assert_eq!(view.replies[0].origin, Origin::ByDesign);
        assert_eq!(view.follow_ups[0].course, Course::ToAnswerer);
    }
    // Something else that comes to the socket is no transfer.
    let stranger = correlate(&[(
        HOST,
        &[
            (0, "192.0.2.7:5000 > 255.255.255.255:69", Says::Write("a.cfg")),
            (10, "192.0.2.1:40000 > 192.0.2.7:5000", Says::Bytes(9)),
        ],
    )]);
    assert_eq!(stranger.exchanges.len(), 2);
}

#[test]
fn time_that_is_broadcast_asks_nobody() {
    for (all, role) in [("192.0.2.127", Role::Broadcast), ("ff05::101", Role::Multicast)] {
        let destination = Endpoint::new(all.parse().unwrap(), 123);
        let source = if all.contains(':') { "[2001:db8::1]:123" } else { "192.0.2.1:123" };
        let mut correlator = Correlator::new(100);
        for number in 0..3_u64 {
            let flow = FlowKey::udp(endpoint(source), destination);
            let role = TransactionRole::Notification;
            let application = transaction(Protocol::Ntp, role, number, None);
            let datagram = Datagram {
                flow,
                length: 48,
                fingerprint: Some(number),
                is_cut: false,
                application,
            };
            let at_ms = i64::try_from(number).unwrap() * 64_000;
            let any = packet(0, (at_ms, "192.0.2.1:1 > 192.0.2.2:2", Says::Bytes(1)));
            correlator.push(HOST, &Packet { content: Content::Datagram(datagram), ..any });
        }
        let mut topology = Topology::default();
        let _ = correlator.finish(&BTreeMap::new(), &mut topology);
        assert_eq!(topology.role_of(destination.address), role);
    }
}

#[test]
fn a_lease_answers_who_asked_without_an_address() {
    let dhcp = Says::Plain(Protocol::Dhcp);
    let asks = (0, "0.0.0.0:68 > 255.255.255.255:67", dhcp);
    let offer = (10, "192.0.2.1:67 > 192.0.2.77:68", dhcp);
    let exchange = only_exchange(&[asks, offer, (20, asks.1, dhcp), (30, offer.1, dhcp)]);
    assert_eq!(exchange.primary().reply_packets(), 2);
    // To keep the address, it asks the server itself.
    let renewed = correlate(&[(
        HOST,
        &[
            asks,
            offer,
            (60_000, "192.0.2.77:68 > 192.0.2.1:67", dhcp),
            (60_010, "192.0.2.1:67 > 192.0.2.77:68", dhcp),
        ],
    )]);
    let replies: Vec<_> =
        renewed.exchanges.iter().map(|exchange| exchange.primary().reply_packets()).collect();
    assert_eq!(replies, [1, 1]);
    // Who asked is not in the capture: the server is not the one.
    for (line, client) in
        [(offer.1, "192.0.2.77:68"), ("[fe80::1]:547 > [fe80::77]:546", "[fe80::77]:546")]
    {
        let protocol = if client.contains('[') { Protocol::Dhcpv6 } else { Protocol::Dhcp };
        let alone = only_exchange(&[(0, line, Says::Plain(protocol))]);
        assert_eq!((alone.client, alone.primary().asked), (endpoint(client), None));
    }
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
