//! What a server tells a client again and again, after one request.

use super::*;
use crate::model::exchange::LateChange;

#[test]
fn what_is_told_after_a_long_pause_from_elsewhere_is_no_second_servers_answer() {
    for [client, asked, other] in [
        ["192.0.2.7:5000", "198.51.100.21:5683", "198.51.100.13:5683"],
        ["[2001:db8::7]:5000", "[2001:db8:1::21]:5683", "[2001:db8:1::13]:5683"],
    ] {
        let ask = Says::Ask { protocol: Protocol::Coap, identity: 7, question: 7 };
        let answer = Says::Answer { protocol: Protocol::Coap, identity: 7 };
        let changed = Origin::OtherAddress(Confidence::Certain);
        for (name, pause_ms, origin, is_late) in [
            ("at once", 300, Origin::ByDesign, false),
            ("while the client waits", 80_000, Origin::ByDesign, false),
            ("sooner than translations end", 100_000, changed, false),
            ("after a long pause", 180_000, changed, true),
        ] {
            let exchange = only_exchange(&[
                (0, line(client, asked), ask),
                (10, line(asked, client), answer),
                (200, line(asked, client), answer),
                (200 + pause_ms, line(other, client), answer),
            ]);
            let view = exchange.primary();
            let found = view.replies.iter().find(|replies| replies.source == endpoint(other));
            assert_eq!(found.unwrap().origin, origin, "{name}, {client}");
            let late = view.late_change.map(|LateChange { was_answered, .. }| was_answered);
            assert_eq!(late, is_late.then_some(true), "{name}, {client}");
        }
    }
}
