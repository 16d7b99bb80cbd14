//! Many exchanges: what is kept of them, and in which batches their packets may come.

use super::*;

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
