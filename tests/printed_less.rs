//! Texts that print less than there is: no payload, no ports, no times, no header.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/header.rs"]
mod header;

use header::header;
use replyscope::analysis::{Analysis, Limits};
use replyscope::model::finding::{Cause, Confidence, Verdict};
use replyscope::model::report::Report;

/// What the words of a text stand for.
type Words = [(&'static str, &'static str); 5];

const FAMILIES: [Words; 2] = [
    [
        ("IPX", "IP"),
        ("DEVICE", "192.0.2.9"),
        ("VIP", "198.51.100.21"),
        ("NODE", "198.51.100.13"),
        ("OLDICMP", "icmp 100: VIP udp port 69 unreachable"),
    ],
    [
        ("IPX", "IP6"),
        ("DEVICE", "2001:db8::9"),
        ("VIP", "2001:db8:1::21"),
        ("NODE", "2001:db8:1::13"),
        ("OLDICMP", "icmp6 100: VIP udp port 69 unreachable"),
    ],
];

fn report(words: &Words, text: &str) -> Report {
    let mut text = text.to_owned();
    for (word, value) in words.iter().rev() {
        text = text.replace(word, value);
    }
    let mut analysis = Analysis::new(Limits::default());
    analysis.read_capture("text", None, &mut text.as_bytes()).unwrap();
    analysis.finish(header()).unwrap()
}

struct Case {
    name: &'static str,
    lines: &'static [&'static str],
    verdict: Verdict,
    causes: &'static [Cause],
}

const CASES: [Case; 10] = [
    Case {
        name: "jumbo frames: long answers are whole",
        lines: &[
            "10:00:00.000001 IPX NODE.40001 > DEVICE.161:  C=\"a\" GetBulk(28)  N=0 M=50 .1.3.6.1.2.1.2.2",
            "10:00:00.002001 IPX DEVICE.161 > NODE.40001: UDP, length 4000",
            "10:00:01.000001 IPX NODE.40001 > DEVICE.161:  C=\"a\" GetBulk(28)  N=0 M=50 .1.3.6.1.2.1.2.3",
            "10:00:01.002001 IPX DEVICE.161 > NODE.40001: UDP, length 4000",
        ],
        verdict: Verdict::Symmetric,
        causes: &[],
    },
    Case {
        name: "lengths alone: the request again after answers from elsewhere",
        lines: &[
            "07:29:48.654684 IPX DEVICE.41226 > VIP.69: UDP, length 64",
            "07:29:48.659120 IPX NODE.32991 > DEVICE.41226: UDP, length 27",
            "07:29:51.654684 IPX DEVICE.41226 > VIP.69: UDP, length 64",
            "07:29:51.659120 IPX NODE.32992 > DEVICE.41226: UDP, length 27",
            "07:29:54.654684 IPX DEVICE.41226 > VIP.69: UDP, length 64",
            "07:29:54.659120 IPX NODE.32993 > DEVICE.41226: UDP, length 27",
        ],
        verdict: Verdict::Broken,
        causes: &[Cause::ReplyIgnored, Cause::ReplySourceNotRequested],
    },
    Case {
        name: "lengths alone: the request again, and the transfer goes on",
        lines: &[
            "07:29:48.654684 IPX DEVICE.41226 > VIP.69: UDP, length 64",
            "07:29:48.659120 IPX VIP.32991 > DEVICE.41226: UDP, length 27",
            "07:29:51.654684 IPX DEVICE.41226 > VIP.69: UDP, length 64",
            "07:29:51.659120 IPX VIP.32992 > DEVICE.41226: UDP, length 27",
            "07:29:51.664684 IPX DEVICE.41226 > VIP.32992: UDP, length 516",
            "07:29:51.665684 IPX VIP.32992 > DEVICE.41226: UDP, length 4",
        ],
        verdict: Verdict::Symmetric,
        causes: &[Cause::RetransmissionsRecovered],
    },
    Case {
        name: "lengths alone: another file behind a transfer",
        lines: &[
            "07:29:48.654684 IPX DEVICE.2070 > VIP.69: UDP, length 64",
            "07:29:48.659120 IPX VIP.32991 > DEVICE.2070: UDP, length 516",
            "07:29:48.664684 IPX DEVICE.2070 > VIP.32991: UDP, length 4",
            "07:29:48.665684 IPX VIP.32991 > DEVICE.2070: UDP, length 300",
            "07:29:48.666684 IPX DEVICE.2070 > VIP.32991: UDP, length 4",
            "07:29:52.654684 IPX DEVICE.2070 > VIP.69: UDP, length 71",
            "07:29:52.659120 IPX VIP.32992 > DEVICE.2070: UDP, length 516",
            "07:29:52.664684 IPX DEVICE.2070 > VIP.32992: UDP, length 4",
            "07:29:52.665684 IPX VIP.32992 > DEVICE.2070: UDP, length 100",
            "07:29:52.666684 IPX DEVICE.2070 > VIP.32992: UDP, length 4",
        ],
        verdict: Verdict::Symmetric,
        causes: &[],
    },
    Case {
        name: "lengths alone: what is answered at the trap port is an inform",
        lines: &[
            "07:29:48.000001 IPX DEVICE.50162 > VIP.162: UDP, length 49",
            "07:29:48.001001 IPX NODE.162 > DEVICE.50162: UDP, length 42",
        ],
        verdict: Verdict::Tolerated,
        causes: &[Cause::ReplySourceNotRequested],
    },
    Case {
        name: "no times: polls that nobody answers any more",
        lines: &[
            "IPX NODE.40001 > DEVICE.161:  C=\"a\" GetRequest(28)  .1.3.6.1.2.1.1.1.0",
            "IPX DEVICE.161 > NODE.40001:  C=\"a\" GetResponse(28)  .1.3.6.1.2.1.1.1.0=1",
            "IPX NODE.40001 > DEVICE.161:  C=\"a\" GetRequest(28)  .1.3.6.1.2.1.1.1.0",
            "IPX NODE.40001 > DEVICE.161:  C=\"a\" GetRequest(28)  .1.3.6.1.2.1.1.1.0",
            "IPX NODE.40001 > DEVICE.161:  C=\"a\" GetRequest(28)  .1.3.6.1.2.1.1.1.0",
        ],
        verdict: Verdict::Inconclusive,
        causes: &[],
    },
    Case {
        name: "no ports: the founding case as tshark prints it",
        lines: &[
            "    1   0.000000 DEVICE → VIP TFTP 106 Write Request, File: a, Transfer type: octet",
            "    2   0.004436 NODE → DEVICE UDP 69 32991 → 41226 Len=27",
            "    3   0.006347 DEVICE → VIP TFTP 558 Data Packet, Block: 1",
            "    4   3.006347 NODE → DEVICE UDP 69 32991 → 41226 Len=27",
        ],
        verdict: Verdict::Broken,
        causes: &[Cause::FollowUpToRequestAddress, Cause::ReplySourceNotRequested],
    },
    Case {
        name: "no ports: questions that are answered",
        lines: &[
            "    1   0.000000 DEVICE → VIP DNS 71 Standard query 0x1111 A example.net",
            "    2   0.004436 VIP → DEVICE DNS 87 Standard query response 0x1111 A example.net A 192.0.2.7",
            "    3   1.000000 DEVICE → VIP SIP 227 Request: REGISTER sip:lab  (fetch bindings) | ",
            "    4   1.004436 VIP → DEVICE SIP 217 Status: 200 OK (REGISTER)  (0 bindings) | ",
        ],
        verdict: Verdict::Symmetric,
        causes: &[],
    },
    Case {
        name: "what is too short for SIP asks nothing",
        lines: &[
            "    1   0.000000 DEVICE → VIP UDP 46 5062 → 5060 Len=4",
            "    2   4.000000 DEVICE → VIP UDP 46 5062 → 5060 Len=4",
            "    3   8.000000 DEVICE → VIP UDP 46 5062 → 5060 Len=4",
        ],
        verdict: Verdict::OneWay,
        causes: &[],
    },
    Case {
        name: "an old tcpdump's ICMP error",
        lines: &[
            "10:00:00.000001 IPX DEVICE.41226 > VIP.69:  64 WRQ \"a.cfg\" octet",
            "10:00:00.001001 IPX VIP > DEVICE: OLDICMP",
            "10:00:03.000001 IPX DEVICE.41226 > VIP.69:  64 WRQ \"a.cfg\" octet",
            "10:00:03.001001 IPX VIP > DEVICE: OLDICMP",
        ],
        verdict: Verdict::Rejected,
        causes: &[Cause::PortUnreachable],
    },
];

#[test]
fn what_is_not_printed_is_not_made_up() {
    let mut faults = Vec::new();
    for words in &FAMILIES {
        for case in &CASES {
            let report = report(words, &(case.lines.join("\n") + "\n"));
            let findings = report.devices.iter().flat_map(|device| &device.findings);
            let mut causes: Vec<Cause> = findings.map(|finding| finding.cause).collect();
            causes.sort_unstable();
            let mut expected = case.causes.to_vec();
            expected.sort_unstable();
            if (report.verdict, &causes) != (case.verdict, &expected) {
                faults
                    .push(format!("{} {}: {:?} {causes:?}", words[0].1, case.name, report.verdict));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// `tshark -V` indents the headers that an ICMP error quotes.
#[test]
fn an_icmp_error_in_wiresharks_fields_is_read() {
    for (words, version, icmp) in [
        (
            &FAMILIES[0],
            4,
            "Internet Control Message Protocol\n    Type: 3 (Destination unreachable)\n    Code: 3 (Port unreachable)\n",
        ),
        (
            &FAMILIES[1],
            6,
            "Internet Control Message Protocol v6\n    Type: Destination Unreachable (1)\n    Code: 4 (Port unreachable)\n",
        ),
    ] {
        let head = |number: u32| {
            format!(
                "Frame {number}: 102 bytes on wire (816 bits), 102 bytes captured (816 bits)\n    Epoch Time: 170000000{number}.000000000 seconds\n"
            )
        };
        let ip = |from: &str, to: &str| {
            format!(
                "Internet Protocol Version {version}, Src: {from}, Dst: {to}\n    .... 0101 = Header Length: 20 bytes (5)\n"
            )
        };
        let udp = "User Datagram Protocol, Src Port: 40161, Dst Port: 161\n    Source Port: 40161\n    Length: 48\n";
        let snmp = "Simple Network Management Protocol\n    data: get-request (0)\n            request-id: 6\n";
        let quoted = (ip("NODE", "DEVICE") + udp).replace('\n', "\n    ");
        let text = [
            head(1),
            ip("NODE", "DEVICE"),
            udp.to_owned(),
            snmp.to_owned(),
            "\n".to_owned(),
            head(2),
            ip("DEVICE", "NODE"),
            icmp.to_owned(),
            format!("    {}\n\n", quoted.trim_end()),
        ];
        let report = report(words, &text.concat());
        assert_eq!(report.verdict, Verdict::Rejected, "IPv{version}");
        let error = &report.devices[0].findings[0];
        assert_eq!(error.cause, Cause::PortUnreachable);
        assert_eq!(error.confidence, Confidence::Certain);
    }
}
