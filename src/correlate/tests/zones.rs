//! Text that tells only its time of day, beside a dated capture of hours: which zone it is of.

use super::*;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Midnight of some day.
const MIDNIGHT_MS: i64 = 1_699_920_000_000;
/// When the dated capture begins, and the text, as times of day.
const CAPTURE_BEGINS_MS: i64 = 6 * HOUR_MS;
const TEXT_BEGINS_MS: i64 = 9 * HOUR_MS;

/// How many exchanges there are, and how far the text's clock is behind, where it is known
/// by `lines`, whose times are of the capture's day: of them the text shows the last ones, by
/// a clock that is so far to the east.
fn place_text(lines: &[Line], east_ms: i64) -> (usize, Option<i64>) {
    let mut correlator = Correlator::new(1_000);
    for (number, (at_ms, line, says)) in lines.iter().enumerate() {
        correlator.push(HOST, &packet(number, (MIDNIGHT_MS + at_ms, line, *says)));
    }
    let told = lines.iter().filter(|line| line.0 >= TEXT_BEGINS_MS);
    for (number, (at_ms, line, says)) in told.enumerate() {
        correlator.push(POD, &packet(number, (at_ms + east_ms, line, *says)));
    }
    let correlated = finish(correlator, &BTreeMap::new());
    let offset = correlated.clock_offsets.get(&POD.capture).map(|offset| offset.offset_us / 1_000);
    (correlated.exchanges.len(), offset)
}

#[test]
fn what_comes_round_is_no_time_zone() {
    for [prefix, server, node] in [
        ["192.0.2.", "198.51.100.21", "198.51.100.13"],
        ["2001:db8::", "[2001:db8:1::21]", "[2001:db8:1::13]"],
    ] {
        let client = |host: u16, port: u16| {
            if prefix.contains(':') {
                format!("[{prefix}{host}]:{port}")
            } else {
                format!("{prefix}{host}:{port}")
            }
        };
        // Three devices that live, each in words of its own.
        let marks = |period_ms: i64| -> Vec<Line> {
            let mut lines = Vec::new();
            for host in 7..10_u16 {
                let line = line(&client(host, 514), &format!("{server}:514"));
                let mut at_ms = CAPTURE_BEGINS_MS + i64::from(host) * 3_000;
                while at_ms < TEXT_BEGINS_MS + 25 * MINUTE_MS {
                    lines.push((at_ms, line, Says::Bytes(u64::from(host))));
                    at_ms += period_ms;
                }
            }
            lines
        };
        let transfer_at_ms = TEXT_BEGINS_MS + 5 * MINUTE_MS + 1_234;
        let device = client(20, 41_226);
        let transfer = [
            (transfer_at_ms, line(&device, &format!("{server}:69")), Says::Write("startup.cfg")),
            (transfer_at_ms + 10, line(&format!("{node}:32991"), &device), Says::OptionAck),
        ];
        let asks = |host: u16, at_ms: i64| -> Line {
            let says = Says::Ask {
                protocol: Protocol::Dns,
                identity: u64::from(host) * 77,
                question: u64::from(host),
            };
            (TEXT_BEGINS_MS + at_ms, line(&client(host, 5_000), &format!("{server}:53")), says)
        };
        let questions = [asks(30, 60_100), asks(31, 90_700)];
        for period_ms in [5 * MINUTE_MS, 15 * MINUTE_MS, 20 * MINUTE_MS, HOUR_MS] {
            let with = |own: &[Line]| {
                let mut lines = [marks(period_ms).as_slice(), own].concat();
                lines.sort_by_key(|line| line.0);
                lines
            };
            let (one, two) = (with(&transfer), with(&questions));
            for (name, lines, east_ms, expected) in [
                ("a transfer, in the same zone", &one, 0, 4),
                ("questions, in the same zone", &two, 0, 5),
                ("questions, two hours to the west", &two, -2 * HOUR_MS, 5),
            ] {
                let (exchanges, offset) = place_text(lines, east_ms);
                let expected = (expected, Some(east_ms - MIDNIGHT_MS));
                assert_eq!((exchanges, offset), expected, "{name}, {period_ms} ms, {prefix}");
            }
        }
    }
}
