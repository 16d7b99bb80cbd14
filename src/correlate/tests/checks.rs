//! ICE's checks of one peer from several local addresses.

use super::*;

#[test]
fn who_is_answered_at_another_address_may_need_no_second_answer() {
    let ask = |identity| Says::Ask { protocol: Protocol::Stun, identity, question: identity };
    let answer = |identity| Says::Answer { protocol: Protocol::Stun, identity };
    for (is_v6, port, later_ms, clients, earlier, expected) in [
        (false, 45_000, 0, 1, 0, true),
        (true, 45_000, 0, 1, 0, true),
        // There were many calls before this one.
        (false, 45_000, 0, 1, 20, true),
        (true, 45_000, 0, 1, 20, true),
        (false, 45_000, 600_000, 1, 20, false),
        // A server's port: each client is one of its own.
        (false, 3_478, 0, 1, 0, false),
        (false, 19_302, 0, 1, 0, false),
        (true, 3_478, 0, 1, 0, false),
        // Another call.
        (false, 45_000, 600_000, 1, 0, false),
        // So many addresses has no host.
        (false, 45_000, 0, 20, 0, false),
    ] {
        let end = |host: u16, port: u16| {
            if is_v6 {
                format!("[2001:db8::{host:x}]:{port}")
            } else {
                format!("192.0.2.{host}:{port}")
            }
        };
        let (peer, in_vain) = (end(200, port), end(5, 50_001));
        let mut lines: Vec<Line> =
            (0..4).map(|round| (round * 1_000, line(&in_vain, &peer), ask(1))).collect();
        let mut session = |at_ms: i64, client: u16| {
            let (own, identity) = (end(client, 50_000), u64::from(client));
            lines.push((at_ms + 20, line(&own, &peer), ask(identity)));
            lines.push((at_ms + 40, line(&peer, &own), answer(identity)));
        };
        (0..clients).for_each(|client| session(later_ms, 10 + client));
        for call in 0..earlier {
            session((i64::from(call) - 30) * 300_000, 100 + call);
        }
        lines.sort_by_key(|line| line.0);
        let exchanges = correlate(&[(HOST, &lines)]).exchanges;
        let own = exchanges.iter().find(|exchange| exchange.client == endpoint(&in_vain)).unwrap();
        let view = own.primary();
        assert_eq!(view.answered_elsewhere, None);
        let found = view.may_be_answered_elsewhere;
        assert_eq!(
            found, expected,
            "{peer}, {later_ms} ms later, {clients} clients, {earlier} before"
        );
    }
}
