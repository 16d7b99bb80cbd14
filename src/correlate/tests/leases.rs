//! DHCP clients that have no address yet.

use super::*;
use crate::model::identity::{LeasePhase, identity_in_phase};
use crate::model::packet::PayloadAddress;

const NAMELESS: &str = "0.0.0.0:68 > 255.255.255.255:67";
const TO_ALL: &str = "192.0.2.1:67 > 255.255.255.255:68";

/// A message: milliseconds, from whom to whom, phase and transaction, the address given.
type Message = (i64, &'static str, LeasePhase, u64, Option<&'static str>);

fn message(number: usize, (at_ms, line, phase, transaction, own): Message) -> Packet {
    let role = if line.starts_with("0.0.0.0") || line.contains(":68 > ") {
        TransactionRole::Request
    } else {
        TransactionRole::Reply
    };
    let identity = identity_in_phase(transaction << 2, phase);
    let reply_to = own.map(|own| Box::new(PayloadAddress::of_lease(own.parse().unwrap())));
    let mut packet = packet(number, (at_ms, line, Says::Bytes(identity)));
    if let Content::Datagram(datagram) = &mut packet.content {
        datagram.application = Application::Transaction(Transaction {
            protocol: Protocol::Dhcp,
            role,
            identity,
            question: None,
            label: "message",
            reply_to,
        });
    }
    packet
}

/// Each exchange: its client, requests, replies, and those that wait.
fn told(messages: &[Message]) -> Vec<(String, [u64; 3])> {
    let mut correlator = Correlator::new(1_000);
    for (number, line) in messages.iter().enumerate() {
        correlator.push(HOST, &message(number, *line));
    }
    let places = [(HOST, place(PointKind::Host))].into();
    let exchanges = finish(correlator, &places).exchanges;
    let mut told: Vec<_> = exchanges
        .iter()
        .map(|exchange| {
            let view = exchange.primary();
            let client = exchange.client.address.to_string();
            let packets = [view.requests, view.unanswered].map(|tally| tally.packets);
            (client, [packets[0], view.reply_packets(), packets[1]])
        })
        .collect();
    told.sort();
    told
}

/// What is captured, and what is told of it.
type Case = (&'static str, Vec<Message>, Vec<(String, [u64; 3])>);

#[test]
fn a_client_is_named_by_the_address_that_it_is_given() {
    use LeasePhase::{Lease, Offer};
    let (own, other) = (Some("192.0.2.77"), Some("192.0.2.78"));
    let to_own = "192.0.2.1:67 > 192.0.2.77:68";
    let one = |packets| vec![("192.0.2.77".to_owned(), packets)];
    let cases: [Case; 7] = [
        (
            "answers to all hosts",
            vec![
                (0, NAMELESS, Offer, 7, None),
                (10, TO_ALL, Offer, 7, own),
                (20, NAMELESS, Lease, 7, None),
                (30, TO_ALL, Lease, 7, own),
            ],
            one([2, 2, 0]),
        ),
        (
            "answers to the address, from two relays' copies of one offer",
            vec![
                (0, NAMELESS, Offer, 7, None),
                (10, to_own, Offer, 7, own),
                (600, to_own, Offer, 7, own),
                (620, NAMELESS, Lease, 7, None),
                (630, to_own, Lease, 7, own),
            ],
            one([2, 3, 0]),
        ),
        (
            "two clients at once, of which one is never answered",
            vec![
                (0, NAMELESS, Offer, 7, None),
                (1, NAMELESS, Offer, 8, None),
                (10, TO_ALL, Offer, 7, own),
                (20, NAMELESS, Lease, 7, None),
                (30, TO_ALL, Lease, 7, own),
                (9_000, NAMELESS, Offer, 8, None),
            ],
            vec![("0.0.0.0".to_owned(), [2, 0, 2]), ("192.0.2.77".to_owned(), [2, 2, 0])],
        ),
        (
            "of two servers' offers it takes the second",
            vec![
                (0, NAMELESS, Offer, 7, None),
                (10, TO_ALL, Offer, 7, other),
                (11, "192.0.2.2:67 > 255.255.255.255:68", Offer, 7, own),
                (20, NAMELESS, Lease, 7, None),
                (30, TO_ALL, Lease, 7, other),
                (31, "192.0.2.2:67 > 255.255.255.255:68", Lease, 7, own),
            ],
            one([2, 4, 0]),
        ),
        (
            "it keeps the address from there",
            vec![
                (0, NAMELESS, Lease, 7, None),
                (10, to_own, Lease, 7, own),
                (60_000, "192.0.2.77:68 > 192.0.2.1:67", Lease, 9, None),
                (60_010, to_own, Lease, 9, own),
            ],
            vec![("192.0.2.77".to_owned(), [1, 1, 0]), ("192.0.2.77".to_owned(), [1, 1, 0])],
        ),
        (
            "a later boot of the same client",
            vec![
                (0, NAMELESS, Lease, 7, None),
                (10, TO_ALL, Lease, 7, own),
                (600_000, NAMELESS, Lease, 9, None),
                (600_010, TO_ALL, Lease, 9, own),
            ],
            one([2, 2, 0]),
        ),
        (
            "an answer that is much too late",
            vec![(0, NAMELESS, Offer, 7, None), (60_000, to_own, Offer, 7, own)],
            vec![("0.0.0.0".to_owned(), [1, 0, 1]), ("192.0.2.77".to_owned(), [0, 1, 0])],
        ),
    ];
    for (name, messages, expected) in cases {
        assert_eq!(told(&messages), expected, "{name}");
    }
}

#[test]
fn what_asks_without_an_address_takes_a_bounded_memory() {
    let messages: Vec<Message> =
        (0_i64..20_000).map(|n| (n, NAMELESS, LeasePhase::Offer, n.unsigned_abs(), None)).collect();
    let told = told(&messages);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].1[0], 20_000, "none is lost");
}
