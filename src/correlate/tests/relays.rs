//! DHCP relays: the server answers to another of their addresses.

use super::*;

/// A relay's address on the link to the server, and that on its clients' link.
fn relay(number: u16) -> [String; 2] {
    [format!("198.51.{number}.1:67"), format!("192.0.{number}.1:67")]
}

const SERVER: &str = "203.0.113.10:67";

fn asks(at_ms: i64, relay: &[String; 2], identity: u64) -> Line {
    let line: &str = format!("{} > {SERVER}", relay[0]).leak();
    (at_ms, line, Says::Ask { protocol: Protocol::Dhcp, identity, question: 1 })
}

fn answers(at_ms: i64, relay: &[String; 2], identity: u64) -> Line {
    let line: &str = format!("{SERVER} > {}", relay[1]).leak();
    (at_ms, line, Says::Answer { protocol: Protocol::Dhcp, identity })
}

/// Of each exchange that `relay` opened: requests, replies, those that wait.
fn counts(exchanges: &[Exchange], relay: &[String; 2]) -> Vec<[u64; 3]> {
    let own = exchanges.iter().filter(|exchange| exchange.client == endpoint(&relay[0]));
    own.map(|exchange| {
        let view = exchange.primary();
        [view.requests.packets, view.reply_packets(), view.unanswered.packets]
    })
    .collect()
}

#[test]
fn an_offer_too_many_takes_no_other_answers() {
    let own = relay(1);
    let twice = [
        asks(0, &own, 7),
        asks(1_000, &own, 7),
        answers(1_200, &own, 7),
        answers(1_300, &own, 7),
        asks(1_500, &own, 8),
        answers(1_600, &own, 8),
        asks(30_000, &own, 9),
        answers(30_100, &own, 9),
    ];
    let exchanges = correlate(&[(HOST, &twice)]).exchanges;
    assert_eq!(exchanges.len(), 1, "{exchanges:#?}");
    assert_eq!(counts(&exchanges, &own), [[4, 4, 0]]);
    // The request of the first answer was before the capture.
    let mut begun = vec![answers(0, &own, 99)];
    for round in 0..6_u32 {
        let at_ms = 1_000 + i64::from(round) * 20_000;
        let identity = u64::from(round);
        begun.extend([asks(at_ms, &own, identity), answers(at_ms + 100, &own, identity)]);
    }
    let exchanges = correlate(&[(HOST, &begun)]).exchanges;
    assert_eq!(counts(&exchanges, &own), [[6, 6, 0]]);
}

#[test]
fn every_relay_of_a_campus_is_answered() {
    let mut lines = Vec::new();
    for round in 0..3 {
        for number in 0..60_u16 {
            let own = relay(number);
            let at_ms = i64::from(number) * 1_000 + round * 100_000;
            let identity = u64::from(number) + u64::try_from(round).unwrap() * 1_000;
            lines.extend([asks(at_ms, &own, identity), answers(at_ms + 100, &own, identity)]);
        }
    }
    let exchanges = correlate(&[(HOST, &lines)]).exchanges;
    for number in 0..60 {
        assert_eq!(counts(&exchanges, &relay(number)), [[3, 3, 0]], "relay {number}");
    }
}

#[test]
fn two_relays_that_pass_one_request_on_are_both_answered() {
    let [one, other] = [relay(1), relay(2)];
    let lines =
        [asks(0, &one, 7), asks(1, &other, 7), answers(100, &one, 7), answers(101, &other, 7)];
    let exchanges = correlate(&[(HOST, &lines)]).exchanges;
    assert_eq!([counts(&exchanges, &one), counts(&exchanges, &other)], [[[1, 1, 0]], [[1, 1, 0]]]);
}

#[test]
fn a_server_may_answer_from_another_address_than_the_one_asked() {
    const ELSEWHERE: &str = "203.0.113.4:67";
    let [one, other] = [relay(1), relay(2)];
    let answers_elsewhere = |at_ms: i64, relay: &[String; 2], identity: u64| -> Line {
        let line: &str = format!("{ELSEWHERE} > {}", relay[1]).leak();
        (at_ms, line, Says::Answer { protocol: Protocol::Dhcp, identity })
    };
    let lines = [
        asks(0, &one, 7),
        answers_elsewhere(10, &one, 7),
        asks(100, &other, 8),
        answers_elsewhere(110, &other, 8),
    ];
    let exchanges = correlate(&[(HOST, &lines)]).exchanges;
    assert_eq!(exchanges.len(), 2, "{exchanges:#?}");
    assert_eq!([counts(&exchanges, &one), counts(&exchanges, &other)], [[[1, 1, 0]], [[1, 1, 0]]]);
    assert!(
        exchanges.iter().all(|exchange| exchange.primary().replies[0].origin == Origin::ByDesign)
    );
    // Whose of two that wait it is nothing tells, nor whose an answer long after is.
    for lines in [
        vec![asks(0, &one, 7), asks(1, &other, 7), answers_elsewhere(10, &one, 7)],
        vec![asks(0, &one, 7), answers_elsewhere(60_000, &one, 7)],
        vec![asks(0, &one, 7), answers_elsewhere(10, &one, 8)],
    ] {
        let exchanges = correlate(&[(HOST, &lines)]).exchanges;
        assert_eq!(counts(&exchanges, &one), [[1, 0, 1]]);
    }
}

#[test]
fn who_is_answered_where_he_asked_from_is_no_riddle() {
    let own = ["198.51.100.1:67".to_owned(), "198.51.100.1:67".to_owned()];
    let lines = [asks(0, &own, 7), answers(100, &own, 7), answers(200, &own, 7)];
    let exchange = only_exchange(&lines);
    assert_eq!(exchange.primary().replies[0].origin, Origin::Asked);
    assert_eq!(exchange.primary().reply_packets(), 2);
}
