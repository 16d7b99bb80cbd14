//! Answers that leave a host as the pod sent them, where one interface shows both sides.

use super::snmp::{answer, ask};
use super::*;

/// A device, the address that it asks, and the pod behind that.
const ENDS: [[&str; 3]; 2] = [
    ["192.0.2.7:5000", "198.51.100.21:161", "203.0.113.16:161"],
    ["[2001:db8::7]:5000", "[2001:db8:1::21]:161", "[2001:db8:2::16]:161"],
];

/// Hops left, and the packet.
type Hopping = (u8, Line);

fn exchange_of(device: &str, lines: &[Hopping]) -> Exchange {
    let mut correlator = Correlator::new(10);
    for (number, (hops, line)) in lines.iter().enumerate() {
        let hop_marks = if device.starts_with('[') {
            HopMarks::of_v6(*hops, 7)
        } else {
            HopMarks::of_v4(*hops)
        };
        correlator.push(HOST, &Packet { hop_marks, ..packet(number, *line) });
    }
    let places = [(HOST, place(PointKind::Host))].into();
    let exchanges = finish(correlator, &places).exchanges;
    let own = exchanges.into_iter().find(|exchange| exchange.client == endpoint(device));
    own.unwrap()
}

#[test]
fn an_answer_that_is_passed_on_as_it_is_is_the_clients() {
    for [device, vip, pod] in ENDS {
        let (to_vip, to_pod) = (line(device, vip), line(device, pod));
        let (from_pod, from_vip) = (line(pod, device), line(vip, device));
        let asked = |at_ms: i64| [(64, (at_ms, to_vip, ask(1))), (63, (at_ms, to_pod, ask(1)))];
        let answered = |at_ms: i64, hops: u8, from| (hops, (at_ms, from, answer(1)));
        let refused =
            line(&endpoint(device).address.to_string(), &endpoint(pod).address.to_string());
        let refusal = |at_ms: i64| (64, (at_ms, refused, Says::Unreachable(from_pod)));
        let twice = |between: &[Hopping]| -> Vec<Hopping> {
            [&asked(0)[..], between, &asked(1_000)[..]].concat()
        };
        // What is seen between two requests; who answered the client.
        let cases = [
            ("passed on", vec![answered(1, 64, from_pod), answered(1, 63, from_pod)], Some(pod)),
            ("refused", vec![answered(1, 64, from_pod), refusal(2)], Some(pod)),
            ("on its way", vec![answered(1, 64, from_pod)], None),
            ("a mirror's copy", vec![answered(1, 64, from_pod), answered(1, 64, from_pod)], None),
            (
                "translated back further on",
                vec![
                    answered(1, 64, from_pod),
                    answered(1, 63, from_pod),
                    answered(1, 62, from_vip),
                ],
                Some(vip),
            ),
        ];
        for (name, between, expected) in cases {
            let exchange = exchange_of(device, &twice(&between));
            let view = exchange.primary();
            assert_eq!(view.asked, Some(endpoint(vip)), "{name}, {device}");
            assert_eq!(view.requests.packets, 2, "{name}, {device}");
            let sources: Vec<Endpoint> =
                view.replies.iter().map(|replies| replies.source).collect();
            let expected: Vec<Endpoint> = expected.into_iter().map(endpoint).collect();
            assert_eq!(sources, expected, "{name}, {device}");
            if sources == [endpoint(pod)] {
                let origin = view.replies[0].origin;
                assert_eq!(origin, Origin::OtherAddress(Confidence::Certain), "{name}, {device}");
                let again = view.asked_again.unwrap();
                assert_eq!(again.times, 1, "{name}, {device}");
                let sent = view.steps.iter().find(|step| step.frame == again.frame).unwrap();
                assert_eq!(sent.destination, endpoint(vip).address, "{name}, {device}");
                // The pod's side is still told.
                assert!(exchange.others().iter().any(|other| other.asked == Some(endpoint(pod))));
            }
        }
    }
}
