//! What a client says again arrives at another interface of the host that it asks.

use super::halves::{FILE, UPLINK};
use super::snmp::{answer, ask};
use super::*;
use crate::model::exchange::View;

/// What a manager asks, first at one point and then at others, each so many ms after the
/// start; where a server answers, it does so at the last point.
fn views(
    seen: &[(PointId, i64)],
    nodes: [Option<&str>; 2],
    answered_at_ms: Option<i64>,
    [client, server]: [&str; 2],
) -> Vec<Vec<View>> {
    let mut packets: Vec<(PointId, Line)> = seen
        .iter()
        .map(|(point, at_ms)| (*point, (*at_ms, line(client, server), ask(7))))
        .collect();
    if let (Some(at_ms), Some((point, _))) = (answered_at_ms, seen.last()) {
        packets.push((*point, (at_ms, line(server, client), answer(7))));
    }
    let mut correlator = Correlator::new(100);
    let mut places = BTreeMap::new();
    for (number, (point, line)) in packets.into_iter().enumerate() {
        correlator.push(point, &packet(number, line));
        let mut place = place(PointKind::Host);
        place.point.node = nodes[usize::from(point.capture == FILE.capture)].map(str::to_owned);
        places.insert(point, place);
    }
    finish(correlator, &places).exchanges.into_iter().map(|exchange| exchange.views).collect()
}

/// What was seen where; the nodes of both files; packets of each view, and repeats.
type Case<'c> = (&'c str, &'c [(PointId, i64)], [Option<&'c str>; 2], &'c [(u64, u64)]);

#[test]
fn repeats_by_another_interface_are_counted_and_copies_are_not() {
    let ends =
        [["192.0.2.1:4000", "198.51.100.5:161"], ["[2001:db8::1]:4000", "[2001:db8:1::5]:161"]];
    let (one, other) = (Some("node3"), Some("node4"));
    let cases: [Case<'_>; 8] = [
        ("its only repeat", &[(HOST, 0), (UPLINK, 1_000)], [None; 2], &[(2, 1)]),
        (
            "by turns",
            &[(HOST, 0), (UPLINK, 1_000), (HOST, 3_000), (UPLINK, 7_000)],
            [None; 2],
            &[(4, 3)],
        ),
        ("on its way through a bridge", &[(HOST, 0), (UPLINK, 2)], [None; 2], &[(1, 0), (1, 0)]),
        (
            "each on its way through a bridge",
            &[(HOST, 0), (UPLINK, 2), (HOST, 1_000), (UPLINK, 1_002)],
            [None; 2],
            &[(2, 1), (2, 1)],
        ),
        (
            "the first through a bridge, the second at one of both",
            &[(HOST, 0), (UPLINK, 2), (UPLINK, 1_002)],
            [None; 2],
            &[(1, 0), (2, 1)],
        ),
        ("two files of one node", &[(HOST, 0), (FILE, 1_000)], [one, one], &[(2, 1)]),
        ("two nodes", &[(HOST, 0), (FILE, 1_000)], [one, other], &[(1, 0), (1, 0)]),
        (
            "two files of nobody knows whom",
            &[(HOST, 0), (FILE, 1_000)],
            [None; 2],
            &[(1, 0), (1, 0)],
        ),
    ];
    for ends in ends {
        for (name, seen, nodes, expected) in cases {
            let found = views(seen, nodes, None, ends);
            let [views] = &found[..] else { panic!("{name}: {found:#?}") };
            let counted: Vec<_> =
                views.iter().map(|view| (view.requests.packets, view.requests.repeats)).collect();
            assert_eq!(counted, expected, "{name}, {}", ends[0]);
        }
    }
}

#[test]
fn an_answer_at_the_interface_of_the_repeat_is_the_answer() {
    for ends in
        [["192.0.2.1:4000", "198.51.100.5:161"], ["[2001:db8::1]:4000", "[2001:db8:1::5]:161"]]
    {
        let found = views(&[(HOST, 0), (UPLINK, 1_000)], [None; 2], Some(1_001), ends);
        let [views] = &found[..] else { panic!("{found:#?}") };
        assert_eq!(views[0].reply_packets(), 1, "{views:#?}");
    }
}

#[test]
fn one_hosts_files_have_one_clock() {
    for ends in
        [["192.0.2.1:4000", "198.51.100.5:161"], ["[2001:db8::1]:4000", "[2001:db8:1::5]:161"]]
    {
        for (node, is_known) in [("node3", false), ("node4", true)] {
            let mut correlator = Correlator::new(100);
            let mut places = BTreeMap::new();
            for (point, at_ms, node) in [(HOST, 0, "node3"), (FILE, 1_000, node)] {
                let (there, back) = (line(ends[0], ends[1]), line(ends[1], ends[0]));
                correlator.push(point, &packet(0, (at_ms, there, ask(7))));
                correlator.push(point, &packet(1, (at_ms + 1, back, answer(7))));
                let mut place = place(PointKind::Host);
                place.point.node = Some(node.to_owned());
                places.insert(point, place);
            }
            let offsets = finish(correlator, &places).clock_offsets;
            assert_eq!(offsets.contains_key(&FILE.capture), is_known, "{node}");
        }
    }
}
