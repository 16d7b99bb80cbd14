//! A translated client whose captures began at different packets, by clocks that differ.

use super::*;

const HOUR_MS: i64 = 3_600_000;
const START_MS: i64 = 1_700_000_000_000;

fn line(from: &str, to: &str) -> &'static str {
    format!("{from} > {to}").leak()
}

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
            let place = |kind| Place {
                point: CapturePoint { kind, ..CapturePoint::UNKNOWN },
                capture_name: String::new(),
                lost_packets: 0,
                unread: Unread::default(),
                is_log: false,
            };
            let places =
                BTreeMap::from([(HOST, place(PointKind::Host)), (POD, place(PointKind::Pod))]);
            let exchanges = finish(correlator, &places).exchanges;
            assert_eq!(exchanges.len(), expected, "{name}, {sender}");
        }
    }
}
