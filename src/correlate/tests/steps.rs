//! Which packets are kept to be shown, and that the others are counted.

use super::snmp::{answer, ask};
use super::*;
use crate::model::exchange::View;

/// Every packet of a view is a step, or counted as left out.
fn assert_all_counted(view: &View) {
    let errors: u64 = view.icmp_errors.iter().map(|errors| errors.tally.packets).sum();
    let packets = view.requests.packets + view.reply_packets() + view.follow_up_packets() + errors;
    let shown = u64::try_from(view.steps.len()).unwrap();
    assert_eq!(shown + view.steps_omitted, packets, "{view:#?}");
    let gaps: u64 = view.steps.iter().map(|step| step.omitted_before).sum();
    assert!(gaps <= view.steps_omitted, "{view:#?}");
}

const DNS: Protocol = Protocol::Dns;

#[test]
fn each_packet_is_shown_or_counted_once() {
    let (v4, back4) = ("192.0.2.7:5000 > 198.51.100.21:161", "198.51.100.21:161 > 192.0.2.7:5000");
    let (v6, back6) =
        ("[2001:db8::7]:5000 > [2001:db8:1::21]:161", "[2001:db8:1::21]:161 > [2001:db8::7]:5000");
    for (there, back) in [(v4, back4), (v6, back6)] {
        let cases: [&[Line]; 5] = [
            &[(0, there, ask(1)), (2_000, there, ask(1))],
            &[(0, there, ask(1)), (2_000, there, ask(1)), (2_001, back, answer(1))],
            &[(0, there, ask(1)), (1, back, answer(1)), (20, back, answer(1))],
            &[
                (0, there, ask(1)),
                (1, back, answer(1)),
                (1_000, there, ask(2)),
                (1_001, back, answer(2)),
                (3_000, there, ask(2)),
            ],
            &[
                (0, there, Says::Plain(Protocol::Dhcp)),
                (5_000, there, Says::Plain(Protocol::Dhcp)),
                (9_000, there, Says::Plain(Protocol::Dhcp)),
            ],
        ];
        for lines in cases {
            assert_all_counted(only_exchange(lines).primary());
        }
    }
    for lines in [&FOUNDING_V4[..], &FOUNDING_V6[..]] {
        assert_all_counted(only_exchange(lines).primary());
    }
}

#[test]
fn an_answer_from_elsewhere_is_shown_however_late_it_comes() {
    let v4 = [
        "192.0.2.7:5000 > 198.51.100.21:161",
        "198.51.100.21:161 > 192.0.2.7:5000",
        "198.51.100.22:161 > 192.0.2.7:5000",
    ];
    let v6 = [
        "[2001:db8::7]:5000 > [2001:db8:1::21]:161",
        "[2001:db8:1::21]:161 > [2001:db8::7]:5000",
        "[2001:db8:1::22]:161 > [2001:db8::7]:5000",
    ];
    for [there, back, strange] in [v4, v6] {
        let mut lines: Vec<Line> = Vec::new();
        for (at_ms, identity) in (0..40).map(|second| second * 1_000).zip(1..) {
            lines.extend([(at_ms, there, ask(identity)), (at_ms + 1, back, answer(identity))]);
        }
        lines.extend([
            (240_000, there, ask(90)),
            (240_001, strange, answer(90)),
            (245_000, there, ask(90)),
            (245_001, strange, answer(90)),
        ]);
        let exchange = only_exchange(&lines);
        let view = exchange.primary();
        assert_all_counted(view);
        let told: Vec<(u64, u64)> =
            view.steps.iter().map(|step| (step.frame.number, step.omitted_before)).collect();
        // The first two, the strange answer, and the question asked again after it.
        assert_eq!(told, [(1, 0), (2, 0), (82, 79), (83, 0)]);
        assert_eq!(view.steps_omitted, 80);
    }
}

#[test]
fn what_is_like_what_came_before_is_left_out() {
    let there = "192.0.2.7:5000 > 198.51.100.21:53";
    let back = "198.51.100.21:53 > 192.0.2.7:5000";
    let lines: Vec<Line> = (0..60)
        .flat_map(|second| {
            let identity = u64::try_from(second).unwrap() + 1;
            [
                (second * 1_000, there, Says::Ask { protocol: DNS, identity, question: identity }),
                (second * 1_000 + 1, back, Says::Answer { protocol: DNS, identity }),
            ]
        })
        .collect();
    let exchange = only_exchange(&lines);
    assert_all_counted(exchange.primary());
    assert_eq!(exchange.primary().steps.len(), 2);
}
