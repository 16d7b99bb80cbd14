//! Neighbours that do not answer.

use replyscope::model::finding::{Cause, Verdict};

use crate::family::{FAMILIES, causes};

const POLL: &str = "POD.50000 > DEVICE.161:  GetRequest(28)  .1.3.6.1.2.1.1.1.0";

#[test]
fn a_neighbour_that_does_not_answer_is_named_where_it_is_tied_to_the_exchange() {
    let poll = |at: &str| format!("{at} {POLL}");
    let (first, second, third) = (poll("0.0"), poll("1.0"), poll("2.0"));
    let (first, second, third) = (first.as_str(), second.as_str(), third.as_str());
    let error = "3.05 unreachable ROUTER POD DEVICE";
    let cases: [(&str, Vec<&str>, bool); 7] = [
        (
            "reported",
            vec![first, "0.1 ask ROUTER DEVICE", second, "1.1 ask ROUTER DEVICE", error],
            true,
        ),
        (
            "answered after all",
            vec![
                first,
                "0.1 ask ROUTER DEVICE",
                second,
                "1.1 ask ROUTER DEVICE",
                error,
                "4.0 ask ROUTER DEVICE",
                "4.1 is DEVICE",
            ],
            false,
        ),
        ("nobody was asked for", vec![first, second, third, error], false),
        (
            "another is asked for, by another",
            vec![
                first,
                "0.1 ask NODE OTHER",
                second,
                "1.1 ask NODE OTHER",
                "2.1 ask NODE OTHER",
                error,
            ],
            false,
        ),
        ("announced", vec![first, "0.1 ask ROUTER DEVICE", "0.2 is DEVICE", second, error], false),
        (
            "at the same time only",
            vec![
                first,
                "0.1 ask ROUTER DEVICE",
                second,
                "1.1 ask ROUTER DEVICE",
                third,
                "2.1 ask ROUTER DEVICE",
                "9.0 ask ROUTER OTHER",
            ],
            false,
        ),
        (
            "the node looks for its client",
            vec![
                "0.0 DEVICE.41226 > NODE.161:  GetRequest(28)  .1.3.6.1.2.1.1.1.0",
                "0.1 ask NODE DEVICE",
                "1.1 ask NODE DEVICE",
                "2.1 ask NODE DEVICE",
                "2.2 DEVICE.41226 > NODE.161:  GetRequest(28)  .1.3.6.1.2.1.1.1.0",
                "9.0 ask OTHER ROUTER",
            ],
            true,
        ),
    ];
    for family in &FAMILIES {
        for (name, lines, expected) in &cases {
            let report = family.report(lines);
            let found = causes(&report).contains(&Cause::NeighbourUnresolved);
            assert_eq!(found, *expected, "{name} {}: {report:#?}", family.ip);
            if lines.contains(&error) {
                assert_eq!(report.verdict, Verdict::Rejected, "{name} {}", family.ip);
            }
        }
    }
}
