//! A virtual address moves to another node in the middle of a transfer.

use super::*;

const OTHER: PointId = PointId { capture: CaptureId(2), interface: 0 };

#[test]
fn what_follows_an_answer_at_another_node_is_no_request() {
    for [device, vip, answerer, other] in [
        ["192.0.2.7:5000", "198.51.100.21", "198.51.100.21:32991", "198.51.100.21:32992"],
        [
            "[2001:db8::7]:5000",
            "2001:db8:1::21",
            "[2001:db8:1::21]:32991",
            "[2001:db8:1::21]:32992",
        ],
    ] {
        let asked = match endpoint(answerer).address {
            IpAddr::V4(_) => format!("{vip}:69"),
            IpAddr::V6(_) => format!("[{vip}]:69"),
        };
        let (there, back) = (line(device, answerer), line(answerer, device));
        let here = [
            (0, line(device, &asked), Says::Write("a.cfg")),
            (10, back, Says::OptionAck),
            (20, there, Says::Data(1)),
            (30, back, Says::Ack(1)),
        ];
        // Where the packets after the move go, how much the other clock is ahead, and how
        // many exchanges and follow-ups there are.
        for (name, to, ahead_ms, exchanges, follow_ups) in [
            ("moved", answerer, 0, 1, 4),
            ("a clock ahead", answerer, 5_000, 1, 4),
            ("a clock behind", answerer, -5_000, 1, 4),
            ("another port", other, 0, 2, 1),
        ] {
            let sent = line(device, to);
            let icmp = line(vip, device.rsplit_once(':').unwrap().0.trim_matches(['[', ']']));
            let refused = (0..3).flat_map(|round| {
                let at_ms = 1_040 + ahead_ms + i64::from(round) * 1_000;
                [(at_ms, sent, Says::Data(2)), (at_ms + 1, icmp, Says::Unreachable(sent))]
            });
            let refused: Vec<Line> = refused.collect();
            let found = correlate(&[(HOST, &here), (OTHER, &refused)]).exchanges;
            assert_eq!(found.len(), exchanges, "{name}, {device}: {found:#?}");
            // The other node's capture began first.
            let noise = line("203.0.113.8:4000", "203.0.113.9:9000");
            let there = [&[(ahead_ms - 500, noise, Says::Bytes(1))], refused.as_slice()].concat();
            let mut turned = correlate(&[(HOST, &here), (OTHER, &there)]).exchanges;
            turned.retain(|exchange| exchange.client == endpoint(device));
            let views = |found: &[Exchange]| {
                let primaries = found.iter().map(Exchange::primary);
                let mut views: Vec<_> = primaries
                    .map(|view| (view.asked, view.requests.packets, view.follow_up_packets()))
                    .collect();
                views.sort();
                views
            };
            assert_eq!(views(&turned), views(&found), "{name}, {device}");
            let whole = found.iter().find(|exchange| exchange.protocol == Protocol::Tftp).unwrap();
            let view = whole.primary();
            assert_eq!(view.follow_up_packets(), follow_ups, "{name}, {device}");
            let errors: Vec<_> = view
                .icmp_errors
                .iter()
                .map(|errors| (errors.quotes, errors.tally.packets))
                .collect();
            let expected = if exchanges == 1 { vec![(Quotes::FollowUp, 3)] } else { Vec::new() };
            assert_eq!(errors, expected, "{name}, {device}");
            if exchanges == 1 {
                let last = view.steps.last().unwrap();
                assert_eq!(last.kind, crate::model::report::StepKind::IcmpError, "{name}");
            }
        }
    }
}
