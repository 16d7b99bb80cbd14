//! Two nodes' uplinks: a request comes in at one, its answer leaves by the other.

use super::*;
use crate::model::packet::{Tunnel, TunnelKind};

const OTHER: PointId = PointId { capture: CaptureId(2), interface: 0 };

/// The device's request and its twin to the pod, the answers, and follow-ups.
struct Wire {
    to_vip: &'static str,
    to_pod: &'static str,
    from_node: &'static str,
    from_pod: &'static str,
    to_node: &'static str,
    astray: &'static str,
}

const WIRES: [Wire; 2] = [
    Wire {
        to_vip: "192.0.2.7:5000 > 198.51.100.21:69",
        to_pod: "192.0.2.7:5000 > 203.0.113.16:69",
        from_node: "198.51.100.14:40001 > 192.0.2.7:5000",
        from_pod: "203.0.113.16:40001 > 192.0.2.7:5000",
        to_node: "192.0.2.7:5000 > 198.51.100.14:40001",
        astray: "192.0.2.7:5000 > 198.51.100.21:40001",
    },
    Wire {
        to_vip: "[2001:db8::7]:5000 > [2001:db8:1::21]:69",
        to_pod: "[2001:db8::7]:5000 > [2001:db8:2::16]:69",
        from_node: "[2001:db8:1::14]:40001 > [2001:db8::7]:5000",
        from_pod: "[2001:db8:2::16]:40001 > [2001:db8::7]:5000",
        to_node: "[2001:db8::7]:5000 > [2001:db8:1::14]:40001",
        astray: "[2001:db8::7]:5000 > [2001:db8:1::21]:40001",
    },
];

/// What the two uplinks show, the second with a clock that is two seconds ahead, and
/// with its answers in a tunnel or bare.
fn exchanges(here: &[Line], there: &[Line], tunnel: Option<Tunnel>) -> Vec<Exchange> {
    let mut correlator = Correlator::new(10);
    let mut places = BTreeMap::new();
    for (point, lines, ahead_ms, hops) in [(HOST, here, 0, 64), (OTHER, there, 2_000, 63)] {
        for (number, (at_ms, line, says)) in lines.iter().enumerate() {
            let packet = packet(number, (at_ms + ahead_ms, line, *says));
            let is_answer = matches!(says, Says::OptionAck | Says::Ack(_));
            let tunnel = tunnel.filter(|_| is_answer && point == OTHER);
            let hop_marks = HopMarks::of_v4(hops);
            correlator.push(point, &Packet { hop_marks, tunnel, ..packet });
        }
        let place = CapturePoint { kind: PointKind::Host, ..CapturePoint::UNKNOWN };
        places.insert(
            point,
            Place {
                point: place,
                capture_name: String::new(),
                lost_packets: 0,
                unread_packets: 0,
                is_log: false,
            },
        );
    }
    finish(correlator, &places).exchanges
}

#[test]
fn an_answer_that_leaves_by_another_node_is_the_devices() {
    for wire in WIRES {
        let request = (0, wire.to_vip, Says::Write("a.cfg"));
        let passed_on = (0, wire.to_pod, Says::Write("a.cfg"));
        let answer = (1, wire.from_node, Says::OptionAck);
        // The answerer's own port at the address asked: the founding fault.
        let found = exchanges(
            &[request, (2, wire.astray, Says::Data(1)), (3_000, wire.astray, Says::Data(1))],
            &[passed_on, answer, (3_001, wire.from_node, Says::OptionAck)],
            None,
        );
        let [exchange] = &found[..] else { panic!("{found:#?}") };
        let view = exchange.primary();
        assert_eq!(view.asked, Some(flow(wire.to_vip).destination));
        let told: Vec<_> = view.replies.iter().map(|r| (r.source, r.origin)).collect();
        let from_node = flow(wire.from_node).source;
        assert_eq!(told, [(from_node, Origin::OtherAddress(Confidence::Certain))]);
        assert_eq!(view.follow_ups[0].course, Course::ToAskedAddress);
        let kinds: Vec<_> = view.steps.iter().map(|step| step.destination).collect();
        let (asked, client) = (flow(wire.to_vip).destination.address, exchange.client.address);
        assert_eq!(kinds, [asked, client, asked, asked, client], "by one clock");
        assert!(exchange.translations.iter().any(|translation| {
            (translation.before, translation.after)
                == (flow(wire.to_vip).destination, flow(wire.to_pod).destination)
        }));
        // Who follows the answerer goes on.
        let found = exchanges(
            &[request, (9_000, wire.astray, Says::Length(1))],
            &[
                passed_on,
                answer,
                (2, wire.to_node, Says::Data(1)),
                (3, wire.from_node, Says::Ack(1)),
            ],
            None,
        );
        let view = found[0].primary();
        assert_eq!(view.asked, Some(flow(wire.to_vip).destination));
        assert!(view.follow_ups.iter().any(|sent| sent.course == Course::ToAnswerer));
        assert!(view.progress.is_some());
    }
}

#[test]
fn an_answer_on_its_way_to_the_first_node_is_not_the_devices_yet() {
    let kind = TunnelKind::Vxlan;
    for wire in WIRES {
        let ends = [flow(wire.to_pod).destination.address, flow(wire.to_vip).destination.address];
        let tunnel = Tunnel { kind, source: ends[0], destination: ends[1], key: None };
        let here =
            [(0, wire.to_vip, Says::Write("a.cfg")), (9_000, wire.to_vip, Says::Write("a.cfg"))];
        let there = [(0, wire.to_pod, Says::Write("a.cfg")), (1, wire.from_pod, Says::OptionAck)];
        for (tunnel, expected) in [(Some(tunnel), 0), (None, 1)] {
            let found = exchanges(&here, &there, tunnel);
            let near = found
                .iter()
                .find(|exchange| exchange.primary().asked == Some(flow(wire.to_vip).destination));
            assert_eq!(near.unwrap().primary().replies.len(), expected);
        }
    }
}
