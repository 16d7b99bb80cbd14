//! What is asked of all, and who answers.

use super::*;
use crate::model::topology::Role;

fn roles_of(lines: &[Line]) -> (Vec<Exchange>, Topology) {
    let mut correlator = Correlator::new(100);
    for (number, line) in lines.iter().enumerate() {
        correlator.push(HOST, &packet(number, *line));
    }
    let mut topology = Topology::default();
    let correlated = correlator.finish(&BTreeMap::new(), &mut topology);
    let exchanges = correlated.entries(&topology).filter_map(|entry| entry.exchange()).collect();
    (exchanges, topology)
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

#[test]
fn a_transfer_that_was_asked_of_all_goes_on_with_who_answers() {
    for [client, all, server] in [
        ["192.0.2.7:5000", "255.255.255.255:69", "192.0.2.1:40000"],
        ["[2001:db8::7]:5000", "[ff02::1]:69", "[2001:db8::1]:40000"],
    ] {
        let line = |from: &str, to: &str| -> &'static str { format!("{from} > {to}").leak() };
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
