//! Translations and transfers that do not outlive a pause.

use replyscope::model::finding::{Cause, Verdict};

use crate::family::{FAMILIES, causes};

#[test]
fn a_translation_that_was_forgotten_needs_a_pause_and_a_change() {
    let began = [
        "0.0 DEVICE.5001 > VIP.53: 1+ A? a.example. (20)",
        "0.1 VIP.53 > DEVICE.5001: 1 1/0/0 A 192.0.2.80 (36)",
    ];
    let cases: [(&str, &[&str], bool); 5] = [
        (
            "after 200 s from the node",
            &[
                "200.0 DEVICE.5001 > VIP.53: 2+ A? b.example. (20)",
                "200.1 NODE.53 > DEVICE.5001: 2 1/0/0 A 192.0.2.81 (36)",
            ],
            true,
        ),
        (
            "after 64 s",
            &[
                "64.0 DEVICE.5001 > VIP.53: 2+ A? b.example. (20)",
                "64.1 NODE.53 > DEVICE.5001: 2 1/0/0 A 192.0.2.81 (36)",
            ],
            false,
        ),
        (
            "asked in between",
            &[
                "100.0 DEVICE.5001 > VIP.53: 2+ A? b.example. (20)",
                "200.0 DEVICE.5001 > VIP.53: 3+ A? c.example. (20)",
                "200.1 NODE.53 > DEVICE.5001: 3 1/0/0 A 192.0.2.81 (36)",
            ],
            false,
        ),
        (
            "from whom was asked",
            &[
                "200.0 DEVICE.5001 > VIP.53: 2+ A? b.example. (20)",
                "200.1 VIP.53 > DEVICE.5001: 2 1/0/0 A 192.0.2.81 (36)",
            ],
            false,
        ),
        (
            "a new socket",
            &[
                "200.0 DEVICE.5002 > VIP.53: 2+ A? b.example. (20)",
                "200.1 VIP.53 > DEVICE.5002: 2 1/0/0 A 192.0.2.81 (36)",
            ],
            false,
        ),
    ];
    for family in &FAMILIES {
        for (name, more, expected) in cases {
            let lines: Vec<&str> = began.iter().chain(more).copied().collect();
            let found = causes(&family.report(&lines)).contains(&Cause::MappingExpired);
            assert_eq!(found, expected, "{name} {}", family.ip);
        }
        let late = [
            "0.0 DEVICE.5001 > VIP.53: 1+ A? a.example. (20)",
            "40.0 NODE.53 > DEVICE.5001: 1 1/0/0 A 192.0.2.80 (36)",
        ];
        assert!(causes(&family.report(&late)).contains(&Cause::MappingExpired), "{}", family.ip);
    }
}

#[test]
fn a_transfer_that_comes_to_a_halt_is_unanswered() {
    let began = [
        "0.0 DEVICE.5001 > VIP.69: TFTP, length 30, WRQ \"startup.cfg\" octet",
        "0.1 VIP.40001 > DEVICE.5001: UDP, length 4",
        "0.2 DEVICE.5001 > VIP.40001: UDP, length 516",
        "0.3 VIP.40001 > DEVICE.5001: UDP, length 4",
        "0.4 DEVICE.5001 > VIP.40001: UDP, length 516",
        "0.5 VIP.40001 > DEVICE.5001: UDP, length 4",
        "0.6 DEVICE.5001 > VIP.40001: UDP, length 516",
    ];
    let again = |at: &str| format!("{at} DEVICE.5001 > VIP.40001: UDP, length 516");
    let repeats = [again("1.6"), again("2.6"), again("3.6")];
    let end = "9.0 ask ROUTER OTHER";
    let done = ["4.0 VIP.40001 > DEVICE.5001: UDP, length 4", end];
    // Blocks of one window (RFC 7440) are no repetitions.
    let window = [again("0.601"), again("0.602"), again("0.603")];
    for family in &FAMILIES {
        let judge = |more: &[String], end: &[&str]| {
            let more = more.iter().map(String::as_str);
            let lines: Vec<&str> =
                began.iter().copied().chain(more).chain(end.iter().copied()).collect();
            family.report(&lines).verdict
        };
        assert_eq!(judge(&repeats, &[end]), Verdict::Unanswered, "{}", family.ip);
        assert_eq!(judge(&repeats[..2], &[end]), Verdict::Symmetric, "{}", family.ip);
        assert_eq!(judge(&repeats, &done), Verdict::Symmetric, "{}", family.ip);
        assert_eq!(judge(&window, &[end]), Verdict::Symmetric, "{}", family.ip);
        assert_eq!(judge(&repeats, &[]), Verdict::Unanswered, "{}", family.ip);
    }
}
