//! WireGuard's handshakes, known in text by their lengths.

use replyscope::model::finding::{Cause, Verdict};

use crate::family::{FAMILIES, causes};

const OPENS: &str = "DEVICE.51820 > VIP.51821: UDP, length 148";
const RESPONDS: &str = "VIP.51821 > DEVICE.51820: UDP, length 92";
const SENDS: &str = "DEVICE.51820 > VIP.51821: UDP, length 32";
const RECEIVES: &str = "VIP.51821 > DEVICE.51820: UDP, length 96";
const OTHER_OPENS: &str = "VIP.51821 > DEVICE.51820: UDP, length 148";
const OTHER_RECEIVES: &str = "DEVICE.51820 > VIP.51821: UDP, length 92";

/// Its name, when which packet comes, how it went, and why.
type Case = (&'static str, &'static [(&'static str, &'static str)], Verdict, Option<Cause>);

#[test]
fn a_tunnel_that_does_not_come_up_is_not_said_to_work() {
    check(&[
        (
            "openings in vain, from the port that servers have",
            &[("0.0", OPENS), ("5.1", OPENS), ("10.3", OPENS), ("15.5", OPENS), ("20.5", OPENS)],
            Verdict::Unanswered,
            Some(Cause::RequestUnanswered),
        ),
        (
            "the response is not taken",
            &[
                ("0.0", OTHER_OPENS),
                ("0.1", OTHER_RECEIVES),
                ("5.2", OTHER_OPENS),
                ("5.3", OTHER_RECEIVES),
            ],
            Verdict::Inconclusive,
            Some(Cause::ReplyIgnored),
        ),
        (
            "nor is any of the other side",
            &[
                ("0.0", OPENS),
                ("5.5", OPENS),
                ("7.7", OTHER_OPENS),
                ("7.8", OTHER_RECEIVES),
                ("12.9", OTHER_OPENS),
                ("13.0", OTHER_RECEIVES),
            ],
            Verdict::Inconclusive,
            Some(Cause::ReplyIgnored),
        ),
    ]);
}

#[test]
fn a_tunnel_that_comes_up_works() {
    check(&[
        (
            "it comes up",
            &[("0.0", OPENS), ("0.1", RESPONDS), ("0.11", SENDS), ("1.0", RECEIVES)],
            Verdict::Symmetric,
            None,
        ),
        (
            "it comes up late",
            &[
                ("0.0", OPENS),
                ("5.2", OPENS),
                ("5.3", RESPONDS),
                ("10.4", OPENS),
                ("10.5", RESPONDS),
                ("10.51", SENDS),
            ],
            Verdict::Symmetric,
            None,
        ),
        (
            "new keys after two minutes",
            &[
                ("0.0", OPENS),
                ("0.1", RESPONDS),
                ("0.11", SENDS),
                ("1.0", RECEIVES),
                ("120.0", OPENS),
                ("120.1", RESPONDS),
                ("120.11", SENDS),
            ],
            Verdict::Symmetric,
            None,
        ),
        (
            "either side makes new keys",
            &[
                ("0.0", OPENS),
                ("0.1", RESPONDS),
                ("0.11", SENDS),
                ("1.0", RECEIVES),
                ("180.0", OTHER_OPENS),
                ("180.1", OTHER_RECEIVES),
                ("180.2", RECEIVES),
                ("181.0", SENDS),
            ],
            Verdict::Symmetric,
            None,
        ),
        (
            "from the middle on",
            &[("0.0", RECEIVES), ("0.1", SENDS), ("1.0", RECEIVES)],
            Verdict::Symmetric,
            None,
        ),
        (
            "one direction",
            &[("0.0", SENDS), ("1.0", SENDS), ("2.0", SENDS), ("9.0", SENDS)],
            Verdict::Inconclusive,
            None,
        ),
    ]);
}

#[test]
fn keys_are_made_anew_by_either_side() {
    check(&[
        (
            "both sides make new keys, twice",
            &[
                ("0.0", OPENS),
                ("0.1", RESPONDS),
                ("0.11", SENDS),
                ("1.0", RECEIVES),
                ("60.0", OTHER_OPENS),
                ("60.1", OTHER_RECEIVES),
                ("60.2", RECEIVES),
                ("61.0", SENDS),
                ("120.0", OPENS),
                ("120.1", RESPONDS),
                ("120.11", SENDS),
                ("130.0", OTHER_OPENS),
                ("130.1", OTHER_RECEIVES),
                ("130.2", RECEIVES),
            ],
            Verdict::Symmetric,
            None,
        ),
        (
            "the other side had to begin twice",
            &[
                ("0.0", OPENS),
                ("0.1", RESPONDS),
                ("0.11", SENDS),
                ("60.0", OTHER_OPENS),
                ("60.1", OTHER_RECEIVES),
                ("65.2", OTHER_OPENS),
                ("65.3", OTHER_RECEIVES),
                ("65.4", RECEIVES),
            ],
            Verdict::Symmetric,
            None,
        ),
        (
            "new keys, and the data on another way",
            &[("0.0", OPENS), ("0.1", RESPONDS), ("120.0", OPENS), ("120.1", RESPONDS)],
            Verdict::Symmetric,
            None,
        ),
    ]);
}

fn check(cases: &[Case]) {
    for family in &FAMILIES {
        for (name, packets, verdict, cause) in cases {
            let mut lines: Vec<String> =
                packets.iter().map(|(at, what)| format!("{at} {what}")).collect();
            lines.push("200.0 OTHER.40000 > ROUTER.514: SYSLOG local0.info, length: 50".to_owned());
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let report = family.report(&lines);
            let exchanges = report.devices.iter().flat_map(|device| &device.exchanges);
            let verdicts: Vec<_> = exchanges.map(|one| one.verdict).collect();
            assert!(verdicts.contains(verdict), "{name} {}: {verdicts:?}", family.ip);
            let works = verdicts.contains(&Verdict::Symmetric);
            assert_eq!(works, *verdict == Verdict::Symmetric, "{name} {}", family.ip);
            let found = causes(&report);
            let expected: Vec<Cause> = cause.iter().copied().collect();
            assert_eq!(found, expected, "{name} {}", family.ip);
        }
    }
}
