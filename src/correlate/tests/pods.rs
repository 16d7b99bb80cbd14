//! Which addresses turn out to be pods'.

use super::*;
use crate::model::topology::Role;

#[test]
fn whom_a_pod_asks_is_no_pod() {
    let (ntp, reply) = (
        Says::Ask { protocol: Protocol::Ntp, identity: 5, question: 1 },
        Says::Answer { protocol: Protocol::Ntp, identity: 5 },
    );
    for [pod, server, other, device] in [
        ["10.244.1.16", "203.0.113.123", "203.0.113.124", "192.0.2.7"],
        ["fd00::16", "2001:db8:2::123", "2001:db8:2::124", "2001:db8::7"],
    ] {
        let line = |from: (&str, u16), to: (&str, u16)| -> &'static str {
            let end = |(address, port): (&str, u16)| {
                Endpoint::new(address.parse().unwrap(), port).to_string()
            };
            format!("{} > {}", end(from), end(to)).leak()
        };
        let asks = [
            (0, line((pod, 5000), (server, 123)), ntp),
            (10, line((server, 123), (pod, 5000)), reply),
        ];
        let asks_other = [
            (20, line((pod, 5001), (other, 123)), ntp),
            (30, line((other, 123), (pod, 5001)), reply),
        ];
        let is_asked = [
            (1_000, line((device, 4000), (pod, 69)), Says::Write("a.cfg")),
            (1_010, line((pod, 40_000), (device, 4000)), Says::Ack(0)),
        ];
        let cases = [
            ("it is asked as well", [asks, is_asked].concat(), true),
            ("nothing but its questions", [asks, asks_other].concat(), false),
            ("it is asked", is_asked.to_vec(), true),
        ];
        for (name, lines, is_known) in cases {
            let mut correlator = Correlator::new(100);
            for (number, line) in lines.into_iter().enumerate() {
                correlator.push(POD, &packet(number, line));
            }
            let point = CapturePoint { kind: PointKind::Pod, ..CapturePoint::UNKNOWN };
            let places = BTreeMap::from([(
                POD,
                Place {
                    point,
                    capture_name: String::new(),
                    lost_packets: 0,
                    unread_packets: 0,
                    is_log: false,
                },
            )]);
            let mut topology = Topology::default();
            let _ = correlator.finish(&places, &mut topology);
            let role = |address: &str| topology.role_of(address.parse().unwrap());
            assert_eq!(role(pod) == Role::Pod, is_known, "{name}");
            for address in [server, other, device] {
                assert_ne!(role(address), Role::Pod, "{name}: {address}");
            }
        }
    }
}
