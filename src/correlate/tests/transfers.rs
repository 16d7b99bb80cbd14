//! Transfers of which part was not captured, and those that follow each other.

use super::*;

/// To the port asked; from, and to, the port that answers at the address asked; from, and
/// to, the same port of another address; an ICMP error to the client from the address
/// asked.
struct Ends {
    ask: &'static str,
    from_asked: &'static str,
    to_asked: &'static str,
    from_other: &'static str,
    to_other: &'static str,
    error: &'static str,
}

const BOTH: [Ends; 2] = [
    Ends {
        ask: "192.0.2.7:5000 > 198.51.100.21:69",
        from_asked: "198.51.100.21:32991 > 192.0.2.7:5000",
        to_asked: "192.0.2.7:5000 > 198.51.100.21:32991",
        from_other: "198.51.100.13:32991 > 192.0.2.7:5000",
        to_other: "192.0.2.7:5000 > 198.51.100.13:32991",
        error: "198.51.100.21 > 192.0.2.7",
    },
    Ends {
        ask: "[2001:db8::7]:5000 > [2001:db8:1::21]:69",
        from_asked: "[2001:db8:1::21]:32991 > [2001:db8::7]:5000",
        to_asked: "[2001:db8::7]:5000 > [2001:db8:1::21]:32991",
        from_other: "[2001:db8:1::13]:32991 > [2001:db8::7]:5000",
        to_other: "[2001:db8::7]:5000 > [2001:db8:1::13]:32991",
        error: "2001:db8:1::21 > 2001:db8::7",
    },
];

#[test]
fn the_first_answer_says_where_earlier_follow_ups_went() {
    for Ends { ask, from_asked, to_asked, from_other, to_other, .. } in BOTH {
        // who answers, where the client goes on, what that is, whether it went on
        let cases = [
            ("the founding fault", from_other, to_asked, Course::ToAskedAddress, false),
            ("who was asked", from_asked, to_asked, Course::ToAnswerer, true),
            ("another, followed", from_other, to_other, Course::ToAnswerer, true),
            ("the port asked", from_other, ask, Course::ToAskedPort, false),
        ];
        for (name, back, on, course, goes_on) in cases {
            let lines: [Line; 6] = [
                (0, ask, Says::Write("a.cfg")),
                (5, on, Says::Data(1)),
                (3_000, back, Says::OptionAck),
                (3_005, on, Says::Data(1)),
                (6_000, back, Says::OptionAck),
                (6_005, on, Says::Data(1)),
            ];
            let exchange = only_exchange(&lines);
            let view = exchange.primary();
            assert_eq!(view.follow_ups.len(), 1, "{name}");
            assert_eq!(view.follow_ups[0].course, course, "{name}, {ask}");
            assert_eq!(view.follow_ups[0].tally.packets, 3, "{name}");
            assert_eq!(view.progress.is_some(), goes_on, "{name}, {ask}");
            assert_eq!(view.replies[0].origin.is_changed(), back == from_other, "{name}, {ask}");
        }
        // The same where the answer was written before the request that it answers.
        let lines: [Line; 5] = [
            (0, from_other, Says::OptionAck),
            (0, ask, Says::Write("a.cfg")),
            (5, to_asked, Says::Data(1)),
            (3_000, from_other, Says::OptionAck),
            (3_005, to_asked, Says::Data(1)),
        ];
        let exchange = only_exchange(&lines);
        assert_eq!(exchange.primary().follow_ups[0].course, Course::ToAskedAddress);
        assert_eq!(exchange.primary().progress, None);
    }
}

#[test]
fn a_port_that_serves_several_is_no_ones_own() {
    for [one, two, stranger, server] in [
        ["192.0.2.40:3000", "192.0.2.41:3001", "192.0.2.42", "198.51.100.21"],
        ["[2001:db8::40]:3000", "[2001:db8::41]:3001", "[2001:db8::42]", "[2001:db8:1::21]"],
    ] {
        let (asked, tid) = (format!("{server}:69"), format!("{server}:1069"));
        let opens = |client: &str, at_ms: i64| {
            [
                (at_ms, line(client, &asked), Says::Write("a.cfg")),
                (at_ms + 10, line(&tid, client), Says::Ack(0)),
            ]
        };
        let goes_on = |port: u16, block: u16| {
            (400, line(&format!("{stranger}:{port}"), &tid), Says::Data(block))
        };
        let follows = (20, line(one, &tid), Says::Data(1));
        let (first, second) = (opens(one, 0), opens(two, 200));
        // what else was seen, and whether the stranger is the first client
        let cases: [(&str, Vec<Line>, Line, bool); 6] = [
            ("the first block, another port", vec![], goes_on(4_000, 1), true),
            ("the same port", vec![], goes_on(3_000, 1), true),
            ("in the middle, another port", vec![], goes_on(4_000, 50), false),
            ("the client goes on itself", vec![follows], goes_on(4_000, 1), false),
            ("the port serves two", second.to_vec(), goes_on(4_000, 1), false),
            ("the port serves two, the same port", second.to_vec(), goes_on(3_000, 1), false),
        ];
        for (name, between, last, is_client) in cases {
            let lines = [&first[..], &between, &[last]].concat();
            let exchanges = correlate(&[(HOST, &lines)]).exchanges;
            let own = exchanges.iter().find(|exchange| exchange.client == endpoint(one)).unwrap();
            let follow_ups = &own.primary().follow_ups;
            let moved = follow_ups.iter().any(|to| to.course == Course::FromOtherSource);
            assert_eq!(moved, is_client, "{name}, {server}");
        }
    }
}

#[test]
fn an_error_shows_the_follow_up_that_it_quotes() {
    for Ends { ask, to_asked, to_other, error, from_asked, .. } in BOTH {
        // what is quoted, follow-ups, errors
        let cases = [
            ("the address asked", to_asked, 1, 1),
            ("another address: somebody else's, for all that is known", to_other, 0, 0),
            ("an answer", from_asked, 0, 0),
        ];
        for (name, quoted, follow_ups, errors) in cases {
            let exchange = only_exchange(&[
                (0, ask, Says::Write("a.cfg")),
                (5, error, Says::Unreachable(quoted)),
                (3_005, error, Says::Unreachable(quoted)),
            ]);
            let view = exchange.primary();
            assert_eq!(view.follow_ups.len(), follow_ups, "{name}, {ask}");
            assert_eq!(view.icmp_errors.len(), errors, "{name}, {ask}");
            for errors in &view.icmp_errors {
                assert_eq!((errors.quotes, errors.tally.packets), (Quotes::FollowUp, 2), "{name}");
            }
            for follow_ups in &view.follow_ups {
                assert_eq!(follow_ups.course, Course::AnswererUnseen);
                assert_eq!(follow_ups.destination, flow(quoted).destination);
            }
        }
    }
}

#[test]
fn an_error_alone_shows_the_exchange_that_it_quotes() {
    for Ends { to_asked, error, .. } in BOTH {
        let exchange = only_exchange(&[
            (0, error, Says::Unreachable(to_asked)),
            (1_000, error, Says::Unreachable(to_asked)),
        ]);
        let view = exchange.primary();
        assert_eq!((exchange.client, view.asked), {
            let FlowKey { source, destination, .. } = flow(to_asked);
            (source, Some(destination))
        });
        assert_eq!((view.requests.packets, view.icmp_errors[0].tally.packets), (0, 2));
        assert_eq!(view.icmp_errors[0].quotes, Quotes::Request);
    }
    // The end of a late answer's way, whose question is not there, is nobody's fault.
    for (line, quoted) in [
        ("192.0.2.7 > 198.51.100.21", "198.51.100.21:53 > 192.0.2.7:5000"),
        ("2001:db8::7 > 2001:db8:1::21", "[2001:db8:1::21]:53 > [2001:db8::7]:5000"),
    ] {
        let correlated = correlate(&[(HOST, &[(0, line, Says::Unreachable(quoted))])]);
        assert_eq!(correlated.exchanges.len(), 0, "{quoted}");
    }
}

#[test]
fn a_request_after_a_transfer_begins_another() {
    for Ends { ask, from_asked, to_asked, from_other, .. } in BOTH {
        let transfer = |start_ms: i64| -> [Line; 5] {
            [
                (start_ms, ask, Says::Write("a.cfg")),
                (start_ms + 10, from_asked, Says::OptionAck),
                (start_ms + 20, to_asked, Says::Data(1)),
                (start_ms + 30, from_asked, Says::Ack(1)),
                (start_ms + 40, to_asked, Says::Data(2)),
            ]
        };
        // The server may answer each from one port.
        let lines = [transfer(0), transfer(10_000), transfer(20_000)].concat();
        let exchanges = correlate(&[(HOST, &lines)]).exchanges;
        assert_eq!(exchanges.len(), 3, "{ask}");
        for exchange in &exchanges {
            let view = exchange.primary();
            assert_eq!((view.requests.packets, view.reply_packets()), (1, 2), "{ask}");
            assert!(view.progress.is_some());
        }
        // The last ones may stay without an answer.
        let mut lines = transfer(0).to_vec();
        lines.extend([30_000, 35_000, 40_000].map(|at_ms| (at_ms, ask, Says::Write("a.cfg"))));
        let exchanges = correlate(&[(HOST, &lines)]).exchanges;
        let requests: Vec<_> =
            exchanges.iter().map(|exchange| exchange.primary().requests.packets).collect();
        assert_eq!(requests, [1, 3], "{ask}");
        // A client that got nowhere repeats itself, and so does one whose request crossed.
        let astray: [Line; 5] = [
            (0, ask, Says::Write("a.cfg")),
            (10, from_other, Says::OptionAck),
            (20, to_asked, Says::Data(1)),
            (5_000, ask, Says::Write("a.cfg")),
            (5_010, from_other, Says::OptionAck),
        ];
        assert_eq!(only_exchange(&astray).primary().requests.packets, 2, "{ask}");
        let mut crossed = transfer(0).to_vec();
        crossed.push((1_000, ask, Says::Write("a.cfg")));
        assert_eq!(only_exchange(&crossed).primary().requests.packets, 2, "{ask}");
    }
}

#[test]
fn data_shows_that_an_answer_came() {
    for Ends { ask, .. } in BOTH {
        let mut lines: Vec<Line> = vec![(0, ask, Says::Write("a.cfg"))];
        lines.extend((1..=5).map(|block: u16| (i64::from(block), ask, Says::Data(block))));
        let exchange = only_exchange(&lines);
        let view = exchange.primary();
        assert_eq!((view.requests.packets, view.follow_up_packets()), (1, 5), "{ask}");
        assert_eq!(view.follow_ups[0].course, Course::AnswererUnseen);
        // What text does not read may be the request again.
        let unread: [Line; 2] = [(0, ask, Says::Write("a.cfg")), (1, ask, Says::Length(64))];
        assert_eq!(only_exchange(&unread).primary().requests.packets, 2, "{ask}");
    }
}
