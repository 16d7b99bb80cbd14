//! Texts in which an address was hidden before they were pasted.

use replyscope::model::finding::{Cause, Verdict};
use replyscope::model::report::Report;

use crate::family::{FAMILIES, Family};

fn told(report: &Report, cause: Cause) -> (String, String) {
    let mut findings = report.devices.iter().flat_map(|device| &device.findings);
    let finding = findings.find(|finding| finding.cause == cause).unwrap();
    (finding.explanation.clone(), finding.remedies[0].title.clone())
}

fn report(family: &Family, asks: &str) -> Report {
    family.report(&[
        asks,
        "0.001 NODE.53 > DEVICE.57222: 6 1/0/0 A 192.0.2.80 (45)",
        "0.002 closed DEVICE NODE DEVICE 57222",
    ])
}

#[test]
fn a_line_that_was_not_read_is_not_missing() {
    // Such a word may stand for any address.
    let masked = "0.0 DEVICE.57222 > x.x.x.x.53: 6+ A? a.example. (29)";
    let others = "0.0 DEVICE.57223 > server.example.53: 6+ A? a.example. (29)";
    for family in &FAMILIES {
        let report = report(family, masked);
        assert_eq!(report.verdict, Verdict::Inconclusive, "{}", report.headline);
        let (text, remedy) = told(&report, Cause::OneDirectionCaptured);
        assert!(text.contains("could not be read"), "{text}");
        assert!(!text.contains("nothing that the client sent"), "{text}");
        assert_eq!(remedy, "Give the text with its addresses");
        let (text, _) = told(&report, Cause::PortUnreachable);
        assert!(text.contains("Whom the client asked could not be read"), "{text}");
        let report = self::report(family, others);
        let (text, remedy) = told(&report, Cause::OneDirectionCaptured);
        assert!(text.contains("nothing that the client sent is in the capture"), "{text}");
        assert_eq!(remedy, "Capture both directions");
    }
}
