//! A translated client whose captures began at different packets, by clocks that differ.

use super::*;

const HOUR_MS: i64 = 3_600_000;
const START_MS: i64 = 1_700_000_000_000;

#[test]
fn a_clock_that_is_proven_counts_for_translated_clients() {
    for [device, sender, vip, node, pod] in [
        ["192.0.2.7:2070", "192.0.2.9:4000", "198.51.100.21", "198.51.100.13", "10.244.1.16"],
        [
            "[2001:db8::7]:2070",
            "[2001:db8::9]:4000",
            "[2001:db8:1::21]",
            "[2001:db8:1::13]",
            "[fd00::16]",
        ],
    ] {
        // The server chose its port by chance: this is one transfer.
        let transfer: Vec<Line> = (0..3)
            .flat_map(|round| {
                let (at_ms, tid) = (round * 3_000, format!("{node}:32991"));
                [
                    (at_ms + 10, line(&tid, device), Says::OptionAck),
                    (at_ms + 20, line(device, &format!("{vip}:32991")), Says::Data(1)),
                ]
            })
            .collect();
        let asks = (0, line(device, &format!("{vip}:69")), Says::Write("startup.cfg"));
        let transfer = [&[asks][..], &transfer].concat();
        let says = |from: &str, to: String, first: u64| -> Vec<Line> {
            let words = (first..9).map(|word| {
                let at_ms = i64::try_from(word).unwrap() * 1_100;
                (at_ms, line(from, &to), Says::Bytes(word))
            });
            words.collect()
        };
        let sent = says(sender, format!("{vip}:9000"), 1);
        let seen = says(&format!("{node}:1024"), format!("{pod}:9000"), 3);
        for (name, is_proven, later_ms, expected) in [
            ("one clock", false, 0, 1),
            ("a clock that is proven", true, HOUR_MS, 2),
            ("another hour, for all that is known", false, HOUR_MS, 2),
            ("one clock, and a transfer", true, 0, 2),
        ] {
            let shared = if is_proven { transfer.as_slice() } else { &[] };
            let mut correlator = Correlator::new(100);
            for (point, own, start_ms) in
                [(HOST, &sent, START_MS), (POD, &seen, START_MS + later_ms)]
            {
                let mut lines = [shared, own.as_slice()].concat();
                lines.sort_by_key(|line| line.0);
                for (number, (at_ms, line, says)) in lines.into_iter().enumerate() {
                    correlator.push(point, &packet(number, (start_ms + at_ms, line, says)));
                }
            }
            let places =
                BTreeMap::from([(HOST, place(PointKind::Host)), (POD, place(PointKind::Pod))]);
            let exchanges = finish(correlator, &places).exchanges;
            assert_eq!(exchanges.len(), expected, "{name}, {sender}");
        }
    }
}

/// The exchanges of a host's capture and a pod's, and the pod's clock offset in ms.
fn join(host: &[Line], pod: &[Line]) -> (usize, Option<i64>) {
    let correlated = correlate(&[(HOST, &sorted(host)), (POD, &sorted(pod))]);
    let offset = correlated.clock_offsets.get(&POD.capture).map(|offset| offset.offset_us / 1_000);
    (correlated.exchanges.len(), offset)
}

fn sorted(lines: &[Line]) -> Vec<Line> {
    let mut lines: Vec<Line> =
        lines.iter().map(|(at_ms, line, says)| (START_MS + at_ms, *line, *says)).collect();
    lines.sort_by_key(|line| line.0);
    lines
}

#[test]
fn what_comes_round_tells_no_distance_of_clocks() {
    for [prefix, vip, node, pod] in [
        ["192.0.2.", "198.51.100.21", "198.51.100.13", "10.244.1.16"],
        ["2001:db8::", "[2001:db8:1::21]", "[2001:db8:1::13]", "[fd00::16]"],
    ] {
        let client = |host: i64, port: u16| {
            if prefix.contains(':') {
                format!("[{prefix}{host}]:{port}")
            } else {
                format!("{prefix}{host}:{port}")
            }
        };
        // Each device has one word, or several that come round.
        let beats = |devices: i64, words: i64, server: &str, rounds: std::ops::Range<i64>| {
            let mut lines: Vec<Line> = Vec::new();
            for device in 0..devices {
                let line = line(&client(device + 5, 514), &format!("{server}:514"));
                let said =
                    |round: i64| u64::try_from(device * 100 + round % words + 1_000).unwrap();
                let beats = rounds
                    .clone()
                    .map(|round| (round * 60_000 + device * 1_000, line, Says::Bytes(said(round))));
                lines.extend(beats);
            }
            lines
        };
        let says = |from: &str, to: String, words: std::ops::Range<i64>| -> Vec<Line> {
            let line = line(from, &to);
            let one = |word: i64| {
                let says = Says::Bytes(u64::try_from(word).unwrap());
                (word * 1_100, line, says)
            };
            words.map(one).collect()
        };
        let sender = client(99, 4_000);
        for (devices, words) in [(1, 1), (3, 1), (3, 8)] {
            // The pod's capture begins in round 1 or 30; the sender speaks all the time.
            for first in [1, 30_i64] {
                let word = first * 60_000 / 1_100;
                let sent = says(&sender, format!("{vip}:9000"), word..word + 30);
                let seen =
                    says(&format!("{node}:1024"), format!("{pod}:9000"), word + 9..word + 30);
                let here = [beats(devices, words, vip, 0..60), sent].concat();
                let there = [beats(devices, words, pod, first..60), seen].concat();
                let expected = usize::try_from(devices).unwrap() + 1;
                let (exchanges, offset) = join(&here, &there);
                let name = format!("{devices} devices, {words} words, round {first}, {prefix}");
                assert_eq!((exchanges, offset.unwrap_or(0)), (expected, 0), "{name}");
            }
            // Captures of one length that begin apart, and that begin together.
            let of = |server: &str, from: i64| beats(devices, words, server, from..from + 30);
            let count = usize::try_from(devices).unwrap();
            assert_eq!(join(&of(vip, 0), &of(pod, 10)), (count, None), "{prefix}");
            assert_eq!(join(&of(vip, 0), &of(pod, 0)), (count, Some(0)), "{prefix}");
        }
        // A question that is asked three times, by clocks that are two seconds apart.
        let line = line(&client(7, 5_000), &format!("{vip}:53"));
        let ask = Says::Ask { protocol: Protocol::Dns, identity: 7, question: 7 };
        let asked = |later_ms: i64| [0, 5_000, 10_000].map(|at_ms| (at_ms + later_ms, line, ask));
        assert_eq!(join(&asked(0), &asked(2_000)), (1, Some(2_000)), "{prefix}");
    }
}

#[test]
fn who_says_the_same_in_the_other_family_leaves_no_doubt() {
    let senders = [
        ["192.0.2.9:4000", "198.51.100.21:514", "198.51.100.13:1024", "10.244.1.16:514"],
        ["[2001:db8::9]:4000", "[2001:db8:1::21]:514", "[2001:db8:1::13]:1024", "[fd00::16]:514"],
    ];
    let says = |from: &str, to: &str, words: std::ops::Range<i64>| -> Vec<Line> {
        let line = line(from, to);
        words.map(|word| (word * 1_100, line, Says::Bytes(u64::try_from(word).unwrap()))).collect()
    };
    let seen = |senders: &[[&str; 4]]| {
        let sent = senders.iter().flat_map(|[device, vip, ..]| says(device, vip, 1..9));
        let behind = senders.iter().flat_map(|[.., node, pod]| says(node, pod, 4..9));
        join(&sent.collect::<Vec<_>>(), &behind.collect::<Vec<_>>()).0
    };
    for sender in senders {
        assert_eq!(seen(&[sender]), 1, "{}", sender[0]);
    }
    assert_eq!(seen(&senders), 2);
    // Two of one family may each be the other.
    let other = ["192.0.2.8:4000", "198.51.100.21:514", "198.51.100.13:1025", "10.244.1.16:514"];
    assert_eq!(seen(&[senders[0], other]), 4);
}
