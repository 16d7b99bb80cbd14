//! Packets that are seen more than once: at two points, at one that shows both sides of a
//! translation, or twice at the same.

use super::*;

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
