//! What stopped packets of the second side, where each side asks the other.

use super::*;
use crate::model::exchange::IcmpErrors;
use crate::model::packet::{Dropped, Dropper};

/// Both sides of a pair of SIP ports, in both directions.
pub(super) const BOTH: [[&str; 2]; 2] = [
    ["192.0.2.7:5060 > 198.51.100.21:5060", "198.51.100.21:5060 > 192.0.2.7:5060"],
    ["[2001:db8::7]:5060 > [2001:db8:1::21]:5060", "[2001:db8:1::21]:5060 > [2001:db8::7]:5060"],
];

pub(super) fn ask(identity: u64) -> Says {
    Says::Ask { protocol: Protocol::Sip, identity, question: identity }
}

pub(super) fn answer(identity: u64) -> Says {
    Says::Answer { protocol: Protocol::Sip, identity }
}

/// `from > to` as an error about a packet on `line` goes, from the one who did not take it.
pub(super) fn refusal(line: &str) -> &'static str {
    let FlowKey { source, destination, .. } = flow(line);
    format!("{} > {}", destination.address, source.address).leak()
}

/// What errors quote, and how often.
pub(super) type Errors = [(Quotes, u64)];

/// Of the exchange that `line` asks: what its errors quote, and how often.
pub(super) fn refused(exchanges: &[Exchange], line: &str) -> Vec<(Quotes, u64)> {
    let errors = |error: &IcmpErrors| (error.quotes, error.tally.packets);
    let own = exchanges.iter().filter(|exchange| exchange.client == flow(line).source);
    own.flat_map(|exchange| &exchange.primary().icmp_errors).map(errors).collect()
}

#[test]
fn an_error_is_about_what_its_sender_said_last() {
    for [to, back] in BOTH {
        let [of_to, of_back] = [refusal(to), refusal(back)];
        let cases: [(&str, Vec<Line>, &Errors, &Errors); 4] = [
            (
                "the other side's request",
                vec![
                    (0, to, ask(1)),
                    (20, back, answer(1)),
                    (20_000, back, ask(2)),
                    (20_001, of_back, Says::Unreachable(back)),
                    (20_500, back, ask(2)),
                    (20_501, of_back, Says::Unreachable(back)),
                ],
                &[],
                &[(Quotes::Request, 2)],
            ),
            (
                "the same, cut short",
                vec![
                    (0, to, ask(1)),
                    (20, back, answer(1)),
                    (20_000, back, ask(2)),
                    (20_001, of_back, Says::UnreachableText(back)),
                    (20_501, of_back, Says::UnreachableCut),
                ],
                &[],
                &[(Quotes::Request, 2)],
            ),
            (
                "an answer after it",
                vec![
                    (0, back, ask(2)),
                    (20, to, answer(2)),
                    (5_000, to, ask(1)),
                    (5_020, back, answer(1)),
                    (5_021, of_back, Says::Unreachable(back)),
                ],
                &[(Quotes::Reply, 1)],
                &[],
            ),
            (
                "the answer to the other side",
                vec![
                    (0, to, ask(1)),
                    (20, back, answer(1)),
                    (20_000, back, ask(2)),
                    (20_001, to, answer(2)),
                    (20_002, of_to, Says::Unreachable(to)),
                ],
                &[],
                &[(Quotes::Reply, 1)],
            ),
        ];
        for (name, lines, first, second) in cases {
            let exchanges = correlate(&[(HOST, &lines)]).exchanges;
            assert_eq!(exchanges.len(), 2, "{name}, {to}");
            assert_eq!(refused(&exchanges, to), first, "{name}, {to}");
            assert_eq!(refused(&exchanges, back), second, "{name}, {to}");
        }
    }
}

#[test]
fn what_is_dropped_or_incomplete_is_the_other_sides_too() {
    for [to, back] in BOTH {
        let lost = |number| losses::lost(number, 20_500, back);
        let dropped = |number, says| Packet {
            content: Content::Dropped(Box::new(Dropped {
                datagram: datagram(flow(back), says),
                by: Dropper::Cilium,
                reason: "Policy denied".into(),
            })),
            ..packet(number, (20_500, back, says))
        };
        let begun = || {
            let mut correlator = Correlator::new(10);
            let lines = [(0, to, ask(1)), (20, back, answer(1)), (20_000, back, ask(2))];
            for (number, line) in lines.into_iter().enumerate() {
                correlator.push(HOST, &packet(number, line));
            }
            correlator
        };
        let view_of = |correlator: Correlator, client: &str| {
            let exchanges = finish(correlator, &BTreeMap::new()).exchanges;
            let own = exchanges.into_iter().find(|own| own.client == flow(client).source);
            own.unwrap().primary().clone()
        };
        let in_parts = || {
            let mut correlator = begun();
            correlator.push(HOST, &lost(3));
            correlator
        };
        assert_eq!(view_of(in_parts(), back).lost_requests.map(|lost| lost.datagrams), Some(1));
        assert_eq!(view_of(in_parts(), to).lost_replies, None, "{to}");
        // The first that the other side asks, and an answer.
        for (says, client, part) in
            [(ask(3), back, Quotes::Request), (answer(1), to, Quotes::Reply)]
        {
            let mut correlator = begun();
            correlator.push(HOST, &dropped(3, says));
            let found = view_of(correlator, client).dropped.map(|dropped| dropped.part);
            assert_eq!(found, Some(part), "{client}");
        }
        let mut correlator = Correlator::new(10);
        correlator.push(HOST, &packet(0, (0, to, ask(1))));
        correlator.push(HOST, &dropped(1, ask(2)));
        let exchanges = finish(correlator, &BTreeMap::new()).exchanges;
        let parts: Vec<_> = exchanges
            .iter()
            .map(|exchange| exchange.primary().dropped.as_ref().map(|dropped| dropped.part))
            .collect();
        assert_eq!(parts, [None, Some(Quotes::Request)], "{to}");
    }
}
