//! The lab's captures, printed by the real `tcpdump`, are understood as the captures are.
//!
//! Each capture is printed in several styles. What a report then says of each device is
//! what it says of the capture itself; it may say less, or less surely, only where the
//! text lacks what proves it. What the styles lack is stated once, for all captures.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/analysed.rs"]
mod analysed;
#[path = "support/header.rs"]
mod header;
#[path = "support/scenarios.rs"]
mod scenarios;
#[path = "support/tcpdump.rs"]
mod tcpdump;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use analysed::analyse;
use replyscope::model::finding::{Cause, Verdict};
use replyscope::model::protocol::Protocol;
use replyscope::model::report::Report;
use replyscope::model::topology::Role;
use scenarios::read_scenarios;
use tcpdump::{has_tcpdump, print};

const STYLES: [&[&str]; 6] =
    [&["-nn"], &["-nnvv"], &["-nne"], &["-nnA"], &["-nnX"], &["-nn", "-tttt"]];

/// What a report says of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Belief {
    verdict: Verdict,
    causes: BTreeSet<Cause>,
    protocols: BTreeSet<Protocol>,
}

/// A device of which capture and text say something else.
struct Difference<'a> {
    style: &'a [&'a str],
    capture: &'a Report,
    of_capture: Option<&'a Belief>,
    of_text: Option<&'a Belief>,
    device: &'a str,
}

/// What a style lacks, and what a report may therefore miss or take for something else.
struct Lack {
    why: &'static str,
    applies: fn(&Difference<'_>) -> bool,
    loses: &'static [Cause],
    gains: &'static [Cause],
    verdicts: &'static [(Verdict, Verdict)],
}

const LACKS: [Lack; 10] = [
    Lack {
        why: "tcpdump names no interfaces of a pcapng file with several",
        applies: |difference| {
            let names_several = |name: &str| name.contains(", ");
            let mut captures = difference.capture.captures.iter();
            captures.any(|capture| capture.interface.as_deref().is_some_and(names_several))
        },
        loses: &[],
        gains: &[Cause::FollowUpMissing],
        verdicts: &[],
    },
    Lack {
        why: "without bytes a datagram whose both ends were translated is not known again behind that",
        applies: |difference| difference.lacks_bytes(),
        loses: &[Cause::SenderTranslated, Cause::PortUnreachable],
        gains: &[Cause::RequestUnanswered, Cause::RequestNotDelivered],
        verdicts: &[(Verdict::Broken, Verdict::Unanswered)],
    },
    Lack {
        why: "of TFTP on other ports than 69 only the length is printed",
        applies: |difference| difference.lacks_bytes() && difference.is_about(&[Protocol::Tftp]),
        loses: &[Cause::FollowUpToRequestAddress, Cause::OneDirectionCaptured],
        gains: &[Cause::RequestNotTranslated, Cause::RetransmissionsRecovered],
        verdicts: &[
            (Verdict::Symmetric, Verdict::Inconclusive),
            (Verdict::Tolerated, Verdict::Inconclusive),
            (Verdict::Broken, Verdict::Tolerated),
            (Verdict::Broken, Verdict::Rejected),
        ],
    },
    Lack {
        why: "an answer from another port than its protocol's is printed as UDP, and a cut one without its question",
        applies: |difference| difference.lacks_bytes() && difference.is_about(&[Protocol::Dns]),
        loses: &[
            Cause::ReplySourceTranslated,
            Cause::ReplyIgnored,
            Cause::ReplyRejected,
            Cause::OneDirectionCaptured,
        ],
        gains: &[Cause::RequestUnanswered],
        verdicts: &[(Verdict::Broken, Verdict::Rejected)],
    },
    Lack {
        why: "tcpdump does not spell out CoAP and WireGuard",
        applies: |difference| {
            let silent = [Protocol::Coap, Protocol::Wireguard];
            difference.lacks_bytes() && difference.is_about(&silent)
        },
        loses: &[Cause::ReplyIgnored],
        gains: &[],
        verdicts: &[
            (Verdict::Broken, Verdict::Tolerated),
            (Verdict::Symmetric, Verdict::Inconclusive),
        ],
    },
    Lack {
        why: "the request-id of SNMP is printed under -v only, and not where it is encrypted or cut; without it a poll that comes as soon as a retry looks like one",
        applies: |difference| {
            let snmp = [Protocol::Snmp, Protocol::SnmpInform];
            difference.lacks_bytes() && difference.is_about(&snmp)
        },
        loses: &[Cause::ReplyIgnored],
        gains: &[Cause::RetransmissionsRecovered, Cause::ReplyIgnored],
        verdicts: &[(Verdict::Tolerated, Verdict::Broken)],
    },
    Lack {
        why: "the headers of SIP are printed under -v and -A only",
        applies: |difference| {
            let spells_out = ["-nnvv", "-nnX"].iter().any(|style| difference.style.contains(style));
            !spells_out && difference.is_about(&[Protocol::Sip])
        },
        loses: &[Cause::ReplyToPayloadAddress],
        gains: &[Cause::RequestUnanswered, Cause::RetransmissionsRecovered],
        verdicts: &[(Verdict::Broken, Verdict::Rejected)],
    },
    Lack {
        why: "of a first fragment of RADIUS the length that is there is printed, and the flag of more to come under -v only",
        applies: |difference| {
            difference.lacks_bytes()
                && !difference.style.contains(&"-nnvv")
                && difference.is_about(&[Protocol::Radius])
        },
        loses: &[Cause::FragmentsLost],
        gains: &[],
        verdicts: &[],
    },
    Lack {
        why: "without -v and -e nothing says that a datagram longer than Ethernet's packets came in parts, if none but the first did",
        applies: |difference| {
            let tells =
                ["-nnvv", "-nne", "-nnX"].iter().any(|style| difference.style.contains(style));
            !tells && difference.is_about(&[Protocol::Tftp])
        },
        loses: &[Cause::FragmentsLost],
        gains: &[Cause::RequestUnanswered, Cause::FollowUpNotDelivered],
        verdicts: &[],
    },
    Lack {
        why: "whom RADIUS asks about is printed under -v only, and not read there",
        applies: |difference| difference.lacks_bytes() && difference.is_about(&[Protocol::Radius]),
        loses: &[Cause::ReplyIgnored],
        gains: &[],
        verdicts: &[(Verdict::Broken, Verdict::Tolerated)],
    },
];

impl Difference<'_> {
    fn lacks_bytes(&self) -> bool {
        !self.style.contains(&"-nnX")
    }

    fn is_about(&self, protocols: &[Protocol]) -> bool {
        let known = self.of_capture.or(self.of_text);
        known.is_some_and(|belief| protocols.iter().any(|one| belief.protocols.contains(one)))
    }

    /// Whether one lack explains all of it: a device that only the text has is a node,
    /// which sent in the device's place.
    fn is_explained_by(&self, lack: &Lack) -> bool {
        if !(lack.applies)(self) {
            return false;
        }
        let (Some(of_capture), Some(of_text)) = (self.of_capture, self.of_text) else {
            let is_node = self.capture.addresses.iter().any(|belief| {
                belief.address.to_string() == self.device && belief.role == Role::Node
            });
            return is_node
                && self.of_capture.is_none()
                && lack.loses.contains(&Cause::SenderTranslated);
        };
        let lost = of_capture.causes.difference(&of_text.causes);
        let gained = of_text.causes.difference(&of_capture.causes);
        let verdicts = (of_capture.verdict, of_text.verdict);
        lost.into_iter().all(|cause| lack.loses.contains(cause))
            && gained.into_iter().all(|cause| lack.gains.contains(cause))
            && (verdicts.0 == verdicts.1 || lack.verdicts.contains(&verdicts))
    }
}

fn beliefs(report: &Report) -> BTreeMap<String, Belief> {
    let devices = report.devices.iter().map(|device| {
        let belief = Belief {
            verdict: device.verdict,
            causes: device.findings.iter().map(|finding| finding.cause).collect(),
            protocols: device.exchanges.iter().map(|exchange| exchange.protocol).collect(),
        };
        (device.device.to_string(), belief)
    });
    devices.collect()
}

#[test]
fn what_tcpdump_prints_of_the_lab_is_understood_as_the_captures() {
    if !has_tcpdump() {
        println!(
            "skipped: what_tcpdump_prints_of_the_lab_is_understood_as_the_captures: tcpdump is not installed"
        );
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut faults = Vec::new();
    let mut used = BTreeSet::new();
    let mut compared = 0;
    for folder in ["tests/fixtures/lab", "tests/fixtures/lab_more"] {
        for scenario in read_scenarios(&root.join(folder)) {
            let capture = analyse(&scenario, |path| std::fs::read(path).unwrap()).unwrap();
            let of_capture = beliefs(&capture);
            for style in STYLES {
                let text = analyse(&scenario, |path| print(path, style)).unwrap();
                let of_text = beliefs(&text);
                let devices: BTreeSet<&String> = of_capture.keys().chain(of_text.keys()).collect();
                for device in devices {
                    compared += 1;
                    let difference = Difference {
                        style,
                        capture: &capture,
                        of_capture: of_capture.get(device),
                        of_text: of_text.get(device),
                        device,
                    };
                    if said(difference.of_capture) == said(difference.of_text) {
                        continue;
                    }
                    let lack = LACKS.iter().find(|lack| difference.is_explained_by(lack));
                    match lack {
                        Some(lack) => {
                            used.insert(lack.why);
                        }
                        None => faults.push(format!(
                            "{} {style:?} {device}:\n    capture {:?}\n    text    {:?}",
                            scenario.name, difference.of_capture, difference.of_text
                        )),
                    }
                }
            }
        }
    }
    println!("{compared} devices compared, {} differ without a reason", faults.len());
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    let idle: Vec<_> = LACKS.iter().filter(|lack| !used.contains(lack.why)).collect();
    assert!(
        idle.is_empty(),
        "no capture shows: {:?}",
        idle.iter().map(|lack| lack.why).collect::<Vec<_>>()
    );
}

fn said(belief: Option<&Belief>) -> Option<(Verdict, &BTreeSet<Cause>)> {
    belief.map(|belief| (belief.verdict, &belief.causes))
}
