//! A capture that ended before the answer, which the pod's shows.

use super::*;

const RADIUS: Protocol = Protocol::Radius;

#[test]
fn an_answer_after_the_end_of_a_capture_is_not_missing_there() {
    for [device, vip, pod] in [
        ["192.0.2.7:5000", "198.51.100.21:1812", "10.244.1.16:1812"],
        ["[2001:db8::7]:5000", "[2001:db8:1::21]:1812", "[fd00::16]:1812"],
    ] {
        let asks = |server: &str| -> Vec<Line> {
            let ask = Says::Ask { protocol: RADIUS, identity: 7, question: 1 };
            (0..3).map(|round| (round * 3_000, line(device, server), ask)).collect()
        };
        for (name, answered_at_ms, is_late) in [
            ("after the end", 7_500, true),
            ("with the last", 6_000, true),
            ("before", 3_500, false),
        ] {
            let mut behind = asks(pod);
            let answer = Says::Answer { protocol: RADIUS, identity: 7 };
            behind.push((answered_at_ms, line(pod, device), answer));
            behind.sort_by_key(|line| line.0);
            let found = correlate(&[(HOST, &asks(vip)), (POD, &behind)]).exchanges;
            let [exchange] = &found[..] else { panic!("{name}: {found:#?}") };
            let view = exchange.primary();
            assert_eq!(view.may_be_answered_elsewhere, is_late, "{name}, {device}");
            assert_eq!((view.reply_packets(), exchange.views.len()), (0, 2), "{name}, {device}");
        }
    }
}
