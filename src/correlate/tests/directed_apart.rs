//! What stopped packets of the second side, where each side asks the other, and each
//! direction has a point of its own.

use super::directed::{BOTH, Errors, answer, ask, refusal, refused};
use super::halves::{FILE, UPLINK, exchanges_of};
use super::*;

#[test]
fn an_error_is_about_what_its_sender_said_last_wherever_that_was_seen() {
    for [to, back] in BOTH {
        let of_back = refusal(back);
        let refused_three_times = |goes_on: bool| {
            let mut lines: Vec<Line> = vec![(0, to, ask(1)), (20, back, answer(1))];
            for round in 0..3 {
                let at_ms = 20_000 + round * 500;
                lines.push((at_ms, back, ask(2)));
                lines.push((at_ms + 1, of_back, Says::Unreachable(back)));
            }
            if goes_on {
                lines.extend([(40_000, to, ask(3)), (40_020, back, answer(3))]);
            }
            lines
        };
        let cases: [(&str, Vec<Line>, &Errors, &Errors); 2] = [
            ("its request", refused_three_times(false), &[], &[(Quotes::Request, 3)]),
            ("and then asked", refused_three_times(true), &[], &[(Quotes::Request, 3)]),
        ];
        for (name, lines, first, second) in cases {
            let sender = |line: &str| line.split(" > ").next().map(str::to_owned);
            let first_host = flow(to).source.address.to_string();
            for other in [UPLINK, FILE] {
                let seen: Vec<(PointId, Line)> = lines
                    .iter()
                    .map(|line| {
                        let from = sender(line.1).unwrap();
                        let is_first = from == first_host || line.1 == to;
                        (if is_first { HOST } else { other }, *line)
                    })
                    .collect();
                let exchanges = exchanges_of(&seen, 0);
                assert_eq!(exchanges.len(), 2, "{name}, {to}, {other:?}: {exchanges:#?}");
                assert_eq!(refused(&exchanges, to), first, "{name}, {to}, {other:?}");
                assert_eq!(refused(&exchanges, back), second, "{name}, {to}, {other:?}");
            }
        }
    }
}
