//! Whose answer an answer is, by the identity that it shares with its request.

use super::*;

#[test]
fn identity_decides_whose_answer_an_answer_is() {
    let ask = |identity| Says::Ask { protocol: Protocol::Snmp, identity, question: 1 };
    let answer = |identity| Says::Answer { protocol: Protocol::Snmp, identity };
    let exchange = only_exchange(&[
        (0, "192.0.2.1:4000 > 198.51.100.5:161", ask(7)),
        (1, "198.51.100.6:161 > 192.0.2.1:4000", answer(7)),
        (1_000, "192.0.2.1:4000 > 198.51.100.5:161", ask(7)),
        (1_001, "198.51.100.6:161 > 192.0.2.1:4000", answer(7)),
        (1_002, "192.0.2.1 > 198.51.100.6", Says::Unreachable("198.51.100.6:161 > 192.0.2.1:4000")),
    ]);
    let view = exchange.primary();
    assert_eq!(view.replies[0].origin, Origin::OtherAddress(Confidence::Certain));
    assert_eq!(view.asked_again.unwrap().frame.number, 3);
    assert_eq!(view.icmp_errors[0].quotes, Quotes::Reply);
    // A poller that took the answers goes on with new transactions.
    let polls = only_exchange(&[
        (0, "192.0.2.1:4000 > 198.51.100.5:161", ask(7)),
        (1, "198.51.100.6:161 > 192.0.2.1:4000", answer(7)),
        (300, "192.0.2.1:4000 > 198.51.100.5:161", ask(8)),
        (301, "198.51.100.6:161 > 192.0.2.1:4000", answer(8)),
    ]);
    assert_eq!(polls.primary().asked_again, None);
    assert!(polls.primary().progress.is_some());
    // An answer with another identity answers somebody else.
    let strangers = correlate(&[(
        HOST,
        &[
            (0, "192.0.2.1:4000 > 198.51.100.5:161", ask(7)),
            (1, "198.51.100.6:161 > 192.0.2.1:4000", answer(9)),
        ],
    )]);
    assert_eq!(strangers.exchanges.len(), 2);
}

#[test]
fn a_socket_that_talks_to_many_is_no_asymmetry() {
    let correlated = correlate(&[(
        HOST,
        &[
            (0, "192.0.2.1:4000 > 198.51.100.5:7000", Says::Bytes(1)),
            (10, "198.51.100.6:7000 > 192.0.2.1:4000", Says::Bytes(2)),
            (20, "192.0.2.1:4000 > 198.51.100.8:7000", Says::Bytes(3)),
            (30, "198.51.100.8:7000 > 192.0.2.1:4000", Says::Bytes(4)),
        ],
    )]);
    for exchange in &correlated.exchanges {
        assert_eq!(exchange.primary().changed_replies().count(), 0, "{exchange:#?}");
    }
    // Alone, the same two packets are an answer from elsewhere, perhaps.
    let exchange = only_exchange(&[
        (0, "192.0.2.1:4000 > 198.51.100.5:7000", Says::Bytes(1)),
        (10, "198.51.100.6:7000 > 192.0.2.1:4000", Says::Bytes(2)),
    ]);
    assert_eq!(exchange.primary().replies[0].origin, Origin::OtherAddress(Confidence::Likely));
}

#[test]
fn a_reply_before_its_request_was_captured_splits_no_exchange() {
    let tftp_v4: [Line; 5] = [
        (0, "198.51.100.13:32991 > 192.0.2.7:5000", Says::OptionAck),
        (900, "192.0.2.7:5000 > 198.51.100.21:69", Says::Write("a.cfg")),
        (1_000, "198.51.100.13:32991 > 192.0.2.7:5000", Says::OptionAck),
        (1_001, "192.0.2.7:5000 > 198.51.100.13:32991", Says::Data(1)),
        (1_002, "198.51.100.13:32991 > 192.0.2.7:5000", Says::Ack(1)),
    ];
    let tftp_v6: [Line; 5] = [
        (0, "[2001:db8:1::13]:32991 > [2001:db8::7]:5000", Says::OptionAck),
        (900, "[2001:db8::7]:5000 > [2001:db8:1::21]:69", Says::Write("a.cfg")),
        (1_000, "[2001:db8:1::13]:32991 > [2001:db8::7]:5000", Says::OptionAck),
        (1_001, "[2001:db8::7]:5000 > [2001:db8:1::13]:32991", Says::Data(1)),
        (1_002, "[2001:db8:1::13]:32991 > [2001:db8::7]:5000", Says::Ack(1)),
    ];
    for lines in [tftp_v4, tftp_v6] {
        let exchange = only_exchange(&lines);
        let view = exchange.primary();
        assert_eq!(view.asked.map(|asked| asked.port), Some(69));
        assert_eq!(view.replies[0].origin, Origin::OtherAddress(Confidence::Certain));
        assert_eq!(view.follow_ups[0].course, Course::ToAnswerer);
        assert!(view.progress.is_some());
    }
    let dns = Protocol::Dns;
    let ask = Says::Ask { protocol: dns, identity: 7, question: 1 };
    let answer = Says::Answer { protocol: dns, identity: 7 };
    let dns_v4: [Line; 3] = [
        (0, "198.51.100.13:41053 > 192.0.2.7:5000", answer),
        (900, "192.0.2.7:5000 > 198.51.100.21:53", ask),
        (901, "198.51.100.13:41053 > 192.0.2.7:5000", answer),
    ];
    let dns_v6: [Line; 3] = [
        (0, "[2001:db8:1::13]:41053 > [2001:db8::7]:5000", answer),
        (900, "[2001:db8::7]:5000 > [2001:db8:1::21]:53", ask),
        (901, "[2001:db8:1::13]:41053 > [2001:db8::7]:5000", answer),
    ];
    for lines in [dns_v4, dns_v6] {
        let exchange = only_exchange(&lines);
        assert_eq!(exchange.primary().replies[0].origin, Origin::OtherAddress(Confidence::Certain));
    }
}

#[test]
fn a_reply_of_another_server_is_no_beginning_of_this_question() {
    let dns = Protocol::Dns;
    let lines: [Line; 4] = [
        (0, "198.51.100.13:53 > 192.0.2.7:5000", Says::Answer { protocol: dns, identity: 5 }),
        (
            900,
            "192.0.2.7:5000 > 198.51.100.21:53",
            Says::Ask { protocol: dns, identity: 7, question: 1 },
        ),
        (901, "198.51.100.13:53 > 192.0.2.7:5000", Says::Answer { protocol: dns, identity: 6 }),
        (902, "198.51.100.21:53 > 192.0.2.7:5000", Says::Answer { protocol: dns, identity: 7 }),
    ];
    let exchanges = correlate(&[(HOST, &lines)]).exchanges;
    assert_eq!(exchanges.len(), 2, "{exchanges:#?}");
    let asked = exchanges.iter().find(|exchange| exchange.primary().asked.is_some()).unwrap();
    assert_eq!(asked.primary().replies[0].origin, Origin::Asked);
}
