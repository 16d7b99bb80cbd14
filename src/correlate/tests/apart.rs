//! Two captures that show the same socket at different times: of one exchange, by clocks
//! that differ, or of two.

use super::*;

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;
/// Midnight of some day, so that times have a date.
const START_MS: i64 = 1_700_000_000_000;

/// A packet and its IPv4 identification.
type Marked = (Line, Option<u16>);

fn unmarked(lines: &[Line]) -> Vec<Marked> {
    lines.iter().map(|line| (*line, None)).collect()
}

/// How many exchanges two captures show, the second so much later, and the second clock's
/// offset in ms.
fn join(first: &[Marked], second: &[Marked], later_ms: i64) -> (Vec<Exchange>, Option<i64>) {
    let mut correlator = Correlator::new(1_000);
    for (point, packets, start_ms) in [(HOST, first, START_MS), (POD, second, START_MS + later_ms)]
    {
        for (number, ((at_ms, line, says), ip_identification)) in packets.iter().enumerate() {
            let packet = packet(number, (start_ms + at_ms, line, *says));
            correlator.push(point, &Packet { ip_identification: *ip_identification, ..packet });
        }
    }
    let correlated = finish(correlator, &BTreeMap::new());
    let offset = correlated.clock_offsets.get(&POD.capture).map(|offset| offset.offset_us / 1_000);
    (correlated.exchanges, offset)
}

/// The ends of a transfer: who asks, who is asked, who answers.
const ENDS: [[&str; 3]; 2] = [
    ["192.0.2.7:2070", "198.51.100.21", "198.51.100.13"],
    ["[2001:db8::7]:2070", "[2001:db8:1::21]", "[2001:db8:1::13]"],
];

/// A transfer that goes as it should, answered from `port`.
fn works([client, asked, _]: [&str; 3], port: u16) -> Vec<Line> {
    let tid = format!("{asked}:{port}");
    vec![
        (0, line(client, &format!("{asked}:69")), Says::Write("startup.cfg")),
        (10, line(&tid, client), Says::Ack(0)),
        (20, line(client, &tid), Says::Data(1)),
        (30, line(&tid, client), Says::Ack(1)),
        (40, line(client, &tid), Says::Data(2)),
        (50, line(&tid, client), Says::Ack(2)),
    ]
}

/// The founding fault, answered from `port`.
fn fails([client, asked, other]: [&str; 3], port: u16) -> Vec<Line> {
    let mut lines = vec![(0, line(client, &format!("{asked}:69")), Says::Write("startup.cfg"))];
    for repetition in 0..4 {
        let at_ms = repetition * 3_000;
        lines.push((at_ms + 10, line(&format!("{other}:{port}"), client), Says::OptionAck));
        lines.push((at_ms + 20, line(client, &format!("{asked}:{port}")), Says::Data(1)));
    }
    lines
}

#[test]
fn the_same_request_on_another_day_is_another_exchange() {
    for ends in ENDS {
        for later_ms in [DAY_MS, HOUR_MS, 300_000, -HOUR_MS] {
            let cases = [
                ("it worked, and then not", works(ends, 33_000), fails(ends, 32_991)),
                ("both worked", works(ends, 33_000), works(ends, 41_000)),
                ("both failed", fails(ends, 33_000), fails(ends, 41_000)),
                ("one was not answered", works(ends, 33_000), works(ends, 33_000)[..1].to_vec()),
            ];
            for (name, first, second) in cases {
                let (exchanges, offset) = join(&unmarked(&first), &unmarked(&second), later_ms);
                assert_eq!((exchanges.len(), offset), (2, None), "{name}, {later_ms} ms");
            }
        }
    }
}

#[test]
fn a_question_with_an_identity_that_never_changes_is_asked_each_day() {
    let ask = Says::Ask { protocol: Protocol::Dns, identity: 1, question: 7 };
    let answer = Says::Answer { protocol: Protocol::Dns, identity: 1 };
    for [up, down] in [
        ["192.0.2.7:5000 > 198.51.100.5:53", "198.51.100.5:53 > 192.0.2.7:5000"],
        ["[2001:db8::7]:5000 > [2001:db8:1::5]:53", "[2001:db8:1::5]:53 > [2001:db8::7]:5000"],
    ] {
        let monday = unmarked(&[(0, up, ask), (50, down, answer)]);
        let tuesday = unmarked(&[(0, up, ask), (5_000, up, ask), (10_000, up, ask)]);
        let (exchanges, _) = join(&monday, &tuesday, DAY_MS);
        let unanswered: Vec<u64> =
            exchanges.iter().map(|exchange| exchange.primary().unanswered.packets).collect();
        assert_eq!(unanswered, [0, 3]);
    }
}

#[test]
fn a_clock_that_is_wrong_is_proven_by_marks() {
    for ends in ENDS {
        for later_ms in [HOUR_MS, -DAY_MS] {
            // The server took the port that it answers from by chance.
            let lines = unmarked(&fails(ends, 32_991));
            let (exchanges, offset) = join(&lines, &lines, later_ms);
            assert_eq!((exchanges.len(), offset), (1, Some(later_ms)), "{ends:?}");
            assert_eq!(exchanges[0].views.len(), 2);
            // Nobody answered, and the port tells nothing.
            let asks = (0, line(ends[0], &format!("{}:69", ends[1])), Says::Write("startup.cfg"));
            let again = (4_000, asks.1, asks.2);
            let cases = [
                ("no marks", [None, None], [None, None], 2),
                ("the same", [Some(700), Some(701)], [Some(700), Some(701)], 1),
                ("others", [Some(700), Some(701)], [Some(900), Some(901)], 2),
            ];
            for (name, here, there, expected) in cases {
                let mark = |marks: [Option<u16>; 2]| [(asks, marks[0]), (again, marks[1])];
                let (exchanges, _) = join(&mark(here), &mark(there), later_ms);
                assert_eq!(exchanges.len(), expected, "{name}, {ends:?}");
            }
        }
    }
}

#[test]
fn a_clock_that_is_wrong_is_proven_by_several_exchanges() {
    for [prefix, server] in [["192.0.2.", "198.51.100.5:53"], ["2001:db8::", "[2001:db8:1::5]:53"]]
    {
        let client = |host: u16, port: u16| {
            if prefix.contains(':') {
                format!("[{prefix}{host}]:{port}")
            } else {
                format!("{prefix}{host}:{port}")
            }
        };
        let asks = |at_ms: i64, client: &str, identity: u64| -> [Line; 2] {
            let ask = Says::Ask { protocol: Protocol::Dns, identity, question: identity };
            let answer = Says::Answer { protocol: Protocol::Dns, identity };
            [(at_ms, line(client, server), ask), (at_ms + 9, line(server, client), answer)]
        };
        let two_clients = [asks(0, &client(7, 5_000), 1), asks(900, &client(8, 6_000), 2)].concat();
        let one_client = |exchanges: u16| -> Vec<Line> {
            let one = |exchange: u16| {
                let own = client(7, 5_000 + exchange);
                asks(i64::from(exchange) * 700, &own, u64::from(exchange))
            };
            (0..exchanges).flat_map(one).collect()
        };
        let three = one_client(3);
        // The last was not answered there.
        let less = three[..5].to_vec();
        let slower: Vec<Line> =
            two_clients.iter().map(|(at_ms, line, says)| (at_ms * 2, *line, *says)).collect();
        // what is seen here, and there, and of how many exchanges that is
        let cases = [
            ("two clients", two_clients.clone(), two_clients.clone(), 2),
            ("two clients at another pace", two_clients, slower, 4),
            ("three exchanges of one", three.clone(), three.clone(), 3),
            ("two exchanges of one", one_client(2), one_client(2), 4),
            ("three, of which one went otherwise", three, less, 6),
        ];
        for (name, here, there, expected) in cases {
            let (exchanges, _) = join(&unmarked(&here), &unmarked(&there), HOUR_MS);
            assert_eq!(exchanges.len(), expected, "{name}, {prefix}");
        }
    }
}

#[test]
fn a_clock_without_a_date_may_be_any_time_behind() {
    for ends in ENDS {
        let lines = unmarked(&works(ends, 33_000));
        let (exchanges, _) = join(&lines, &lines, 40_000 - START_MS);
        assert_eq!(exchanges.len(), 1, "text beside a capture");
        let other = unmarked(&works(ends, 41_000));
        let (exchanges, _) = join(&lines, &other, 40_000 - START_MS);
        assert_eq!(exchanges.len(), 2, "answered from another port");
    }
}

/// What devices of one site say to one server, every `period_ms`, `rounds` times: each its
/// own words, the same ones each time. `is_answered` says whether the server lives.
fn beats(prefix: &str, rounds: i64, is_answered: bool, words: fn(u16) -> [Says; 2]) -> Vec<Line> {
    let is_v6 = prefix.contains(':');
    let server = if is_v6 { "[2001:db8:1::5]:7001" } else { "198.51.100.5:7001" };
    let mut lines = Vec::new();
    for device in 0..3_u16 {
        let host = device + 5;
        let client =
            if is_v6 { format!("[{prefix}{host}]:7000") } else { format!("{prefix}{host}:7000") };
        let [asks, answers] = words(device);
        for round in 0..rounds {
            let at_ms = i64::from(device) * 1_370 + round * 10_000;
            lines.push((at_ms, line(&client, server), asks));
            if is_answered {
                lines.push((at_ms + 3, line(server, &client), answers));
            }
        }
    }
    lines.sort_by_key(|line| line.0);
    lines
}

#[test]
fn what_is_said_again_and_again_proves_no_clock() {
    let heartbeat = |device: u16| {
        let said = u64::from(device);
        [Says::Bytes(said), Says::Bytes(said + 900)]
    };
    // A time request without a timestamp is like that of any other client.
    let time = |_: u16| {
        let protocol = Protocol::Ntp;
        [Says::Ask { protocol, identity: 9, question: 9 }, Says::Answer { protocol, identity: 9 }]
    };
    for prefix in ["192.0.2.", "2001:db8::"] {
        for (name, words) in [("heartbeat", heartbeat as fn(u16) -> [Says; 2]), ("time", time)] {
            for (rounds, works_here, works_there) in
                [(8, true, false), (8, true, true), (1, true, false), (1, true, true)]
            {
                let first = unmarked(&beats(prefix, rounds, works_here, words));
                let second = unmarked(&beats(prefix, rounds, works_there, words));
                let (exchanges, offset) = join(&first, &second, HOUR_MS);
                let found = (exchanges.len(), offset);
                assert_eq!(found, (6, None), "{name}, {rounds} rounds, {works_there}, {prefix}");
            }
        }
    }
}

#[test]
fn a_round_of_many_words_proves_no_clock() {
    for prefix in ["192.0.2.", "2001:db8::"] {
        // Of more than seven words not all are kept.
        for (words, rounds, expected) in
            [(7, 3, 6), (8, 3, 6), (20, 3, 6), (20, 2, 6), (8, 1, 3), (20, 1, 3)]
        {
            let polls = |is_answered: bool| -> Vec<Marked> {
                let asks = |_: u16| [Says::Bytes(1), Says::Bytes(900)];
                let mut number = [0; 3];
                let polls = beats(prefix, words * rounds, is_answered, asks).into_iter();
                let poll = polls.map(|(at_ms, line, says)| {
                    let Says::Bytes(1) = says else { return (at_ms, line, says) };
                    let device = usize::try_from(at_ms % 10_000 / 1_370).unwrap();
                    number[device] += 1;
                    let register = (number[device] - 1) % u64::try_from(words).unwrap();
                    let unit = u64::try_from(device).unwrap();
                    (at_ms, line, Says::Bytes(10_000 + unit * 100 + register))
                });
                unmarked(&poll.collect::<Vec<_>>())
            };
            let (exchanges, _) = join(&polls(true), &polls(true), DAY_MS);
            assert_eq!(exchanges.len(), expected, "{words} words, {rounds} rounds, {prefix}");
        }
    }
}

#[test]
fn several_things_that_two_clients_say_once_prove_a_clock() {
    for prefix in ["192.0.2.", "2001:db8::"] {
        let counted = |is_answered: bool| -> Vec<Line> {
            let mut number = 0;
            let said_once = |(at_ms, line, says): Line| {
                number += 1;
                let says = if matches!(says, Says::Bytes(said) if said < 900) {
                    Says::Bytes(number * 10)
                } else {
                    says
                };
                (at_ms, line, says)
            };
            let words = |_: u16| [Says::Bytes(1), Says::Bytes(900)];
            let beats = beats(prefix, 4, true, words).into_iter().map(said_once);
            beats.filter(|line| is_answered || !matches!(line.2, Says::Bytes(900))).collect()
        };
        let cases = [
            ("answered at both", true, true, (3, Some(HOUR_MS))),
            ("at neither", false, false, (3, Some(HOUR_MS))),
            ("before a change and after it", false, true, (6, None)),
            ("the other way round", true, false, (6, None)),
        ];
        for (name, here, there, expected) in cases {
            let (first, second) = (unmarked(&counted(here)), unmarked(&counted(there)));
            let (exchanges, offset) = join(&first, &second, HOUR_MS);
            assert_eq!((exchanges.len(), offset), expected, "{name}, {prefix}");
        }
    }
}

#[test]
fn a_follow_up_to_the_port_that_answered_elsewhere_proves_a_clock() {
    for [client, asked, node] in ENDS {
        let asks = (0, line(client, &format!("{asked}:69")), Says::Write("startup.cfg"));
        let follows =
            |at_ms, port| (at_ms, line(client, &format!("{asked}:{port}")), Says::Data(1));
        let answers = |port| (10, line(&format!("{node}:{port}"), client), Says::OptionAck);
        for (name, follow_up, expected) in [
            ("the same transfer", follows(11, 32_991), 1),
            ("another port", follows(11, 41_000), 2),
            ("much later", follows(4_000, 32_991), 2),
        ] {
            // Each uplink carries one direction.
            let here = unmarked(&[asks, follow_up]);
            let there = unmarked(&[asks, answers(32_991)]);
            let (exchanges, _) = join(&here, &there, HOUR_MS);
            assert_eq!(exchanges.len(), expected, "{name}, {client}");
        }
    }
}

#[test]
fn ports_that_are_drawn_tell_transfers_from_those_of_boot_loaders() {
    for [prefix, server] in
        [["192.0.2.", "198.51.100.21:69"], ["2001:db8::", "[2001:db8:1::21]:69"]]
    {
        let asks = |at_ms: i64, host: u16, port: u16| -> Line {
            let is_v6 = prefix.contains(':');
            let client = if is_v6 {
                format!("[{prefix}{host}]:{port}")
            } else {
                format!("{prefix}{host}:{port}")
            };
            (at_ms, line(&client, server), Says::Write("startup.cfg"))
        };
        for (name, ports, expected) in [
            ("drawn", [41_226, 58_631], 2),
            ("where each begins", [2_070, 2_070], 4),
            ("where two kinds begin", [2_070, 1_024], 4),
            ("that a script names", [5_000, 6_000], 4),
            ("of a service", [69, 70], 4),
        ] {
            let lines = unmarked(&[asks(0, 7, ports[0]), asks(900, 8, ports[1])]);
            let (exchanges, _) = join(&lines, &lines, HOUR_MS);
            assert_eq!(exchanges.len(), expected, "{name}, {prefix}");
        }
    }
}

/// Two clients that each ask once, one of them `late_ms` late, by identities that a script
/// names; `answerer` answers, if anybody does. Each packet carries the next identification.
fn scripted(
    [client, second_client, server]: [&str; 3],
    answerer: Option<&str>,
    first_mark: Option<u16>,
) -> Vec<Marked> {
    let mut mark = first_mark;
    let mut marked = Vec::new();
    for (at_ms, client, identity) in [(0, client, 11), (20_000, second_client, 12)] {
        let ask = Says::Ask { protocol: Protocol::Snmp, identity, question: 7 };
        let answer = Says::Answer { protocol: Protocol::Snmp, identity };
        let asks = (at_ms, line(client, server), ask);
        let answers = answerer.map(|answerer| (at_ms + 10, line(answerer, client), answer));
        for line in std::iter::once(asks).chain(answers) {
            marked.push((line, mark));
            mark = mark.map(|mark| mark + 1);
        }
    }
    marked
}

#[test]
fn a_script_that_runs_before_a_change_and_after_it_is_run_twice() {
    for (ends, node) in [
        (["192.0.2.7:5000", "192.0.2.8:5001", "198.51.100.21:161"], "203.0.113.13:161"),
        (
            ["[2001:db8::7]:5000", "[2001:db8::8]:5001", "[2001:db8:1::21]:161"],
            "[2001:db8:2::13]:161",
        ),
    ] {
        let vip = Some(ends[2]);
        // answerer and first identification, before and after
        let cases = [
            ("answered after it", (None, None), (vip, None), 4),
            ("answered before it", (vip, None), (None, None), 4),
            ("answered by another before it", (Some(node), None), (vip, None), 4),
            ("marked, answered after it", (None, Some(100)), (vip, Some(900)), 4),
            ("marked, answered both times", (vip, Some(100)), (vip, Some(900)), 4),
            ("marked, answered neither time", (None, Some(100)), (None, Some(900)), 4),
            ("run once, answered", (vip, None), (vip, None), 2),
            ("run once, answered, marked", (vip, Some(100)), (vip, Some(100)), 2),
            ("run once, in vain", (None, Some(100)), (None, Some(100)), 2),
        ];
        for (name, (answerer, mark), (answerer_later, mark_later), expected) in cases {
            let first = scripted(ends, answerer, mark);
            let second = scripted(ends, answerer_later, mark_later);
            for later_ms in [600_000, DAY_MS] {
                let (exchanges, _) = join(&first, &second, later_ms);
                assert_eq!(exchanges.len(), expected, "{name}, {later_ms} ms, {ends:?}");
            }
        }
    }
}
