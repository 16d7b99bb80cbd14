//! Captures whose own command shows one direction.

use replyscope::model::finding::{Cause, Confidence, Verdict};

use crate::family::{FAMILIES, causes};

const ASKS: [&str; 4] = [
    "0.0 DEVICE.40000 > VIP.53: 7+ A? a.example. (29)",
    "5.0 DEVICE.40000 > VIP.53: 7+ A? a.example. (29)",
    "10.0 DEVICE.40000 > VIP.53: 7+ A? a.example. (29)",
    "30.0 DEVICE.40002 > NODE.53: 8+ A? b.example. (29)",
];

#[test]
fn silence_of_a_side_that_a_filter_leaves_out_is_none() {
    // command, whether it shows one direction only
    let cases = [
        ("sudo tcpdump -ni eth0 src DEVICE", true),
        ("sudo tcpdump -ni eth0 -Q out udp port 53", true),
        ("sudo tcpdump -ni eth0 --direction=in udp port 53", true),
        ("sudo tcpdump -P out -ni eth0 udp port 53", true),
        ("sudo tcpdump -ni eth0 udp dst port 53", true),
        ("sudo tcpdump -ni eth0 dst host VIP or dst host NODE", true),
        ("sudo tcpdump -ni eth0 port 53 | grep 'A?'", true),
        ("sudo tcpdump -l -ni eth0 port 53 2>&1 | awk '/A\\?/'", true),
        ("ssh node3 'tcpdump -ni eth0 src host DEVICE'", true),
        ("diagnose sniffer packet eth0 'src host DEVICE and udp' 4", true),
        ("sudo tcpdump -ni eth0 port 53", false),
        ("sudo tcpdump -ni eth0 '(src DEVICE or dst DEVICE) and udp'", false),
        ("sudo tcpdump -ni eth0 host DEVICE and not src OTHER", false),
        ("sudo tcpdump -ni eth0 -Q inout", false),
        ("sudo tcpdump -ni eth0 port 53 | grep DEVICE", false),
        ("sudo tcpdump -ni eth0 port 53 | tee dns.txt", false),
        // The bit says whether a message of DNS is a response (RFC 1035 section 4.1.1).
        ("sudo tcpdump -ni eth0 'udp[10] & 0x80 = 0'", true),
        ("sudo tcpdump -ni eth0 'src DEVICE and port 53 and udp[10] & 0x80 = 0'", true),
        ("sudo tcpdump -ni eth0 'udp dst port 53 and ip[8] < 64'", true),
        ("sudo tcpdump -ni eth0 gateway ROUTER and dst port 53", true),
        ("sudo tcpdump -ni eth0 'udp and less 60'", true),
        ("sudo tcpdump -ni eth0 not inbound", true),
        ("sudo tcpdump -ni eth0 --direction in port 53", true),
        ("sudo tcpdump -ni eth0 -Z root dst port 53", true),
        ("sudo tcpdump -ni eth0 port 53 | grep -v '1/0/0'", true),
        ("monitor traffic interface eth0 matching \"src host DEVICE\"", true),
        ("sudo tcpdump -ni eth0 'port 53 or ip[6:2] & 0x1fff != 0'", false),
        ("sudo tcpdump -ni eth0 --snapshot-length 200 port 53", false),
        // They search something else.
        ("sudo tcpdump -ni eth0 port 53; grep named /var/log/syslog", false),
        ("sudo tcpdump -ni eth0 port 53 && grep nameserver /etc/resolv.conf", false),
        ("sudo tcpdump -ni eth0 port 53 & kubectl get pod | grep tftp", false),
        // They leave out, or add, what is of no exchange.
        ("sudo tcpdump -ni eth0 port 53 | grep -v ARP", false),
        ("sudo tcpdump -ni eth0 port 53 2>&1 | grep -v listening", false),
        ("sudo tcpdump -ni eth0 port 53 | grep -vE 'ARP|IP6'", false),
        ("sudo tcpdump -ni eth0 port 53 | grep -E 'DEVICE|ICMP'", false),
        ("sudo tcpdump -ni eth0 port 53 | grep -e DEVICE -e ICMP", false),
        ("sudo tcpdump -ni eth0 port 53 | grep .", false),
        ("sudo tcpdump -ni eth0 port 53 | awk 'NR > 1'", false),
        // That is no filter with which this could have been captured.
        ("sudo tcpdump -ni eth0 src ROUTER", false),
    ];
    for family in &FAMILIES {
        for (command, is_one_way) in cases {
            let report = family.report_of(command, &ASKS);
            let expected = if is_one_way { Verdict::Inconclusive } else { Verdict::Unanswered };
            assert_eq!(report.verdict, expected, "{command} {}", family.ip);
            let found = causes(&report);
            assert_eq!(
                found.contains(&Cause::OneDirectionCaptured),
                is_one_way,
                "{command} {}: {found:?}",
                family.ip
            );
            assert_eq!(found.contains(&Cause::RequestUnanswered), !is_one_way, "{command}");
        }
    }
}

#[test]
fn a_filter_by_the_address_asked_shows_no_answer_from_elsewhere() {
    let writes = [
        "0.0 DEVICE.40000 > VIP.69: TFTP, length 45, WRQ \"startup.cfg\" octet",
        "30.0 OTHER.40000 > VIP.69: TFTP, length 45, WRQ \"startup.cfg\" octet",
        "90.0 OTHER.514 > VIP.514: SYSLOG local0.info, length: 50",
    ];
    for family in &FAMILIES {
        for (command, verdict) in [
            ("tcpdump -ni eth0 host VIP and udp", Verdict::Inconclusive),
            ("tcpdump -ni eth0 host VIP or host NODE", Verdict::Unanswered),
            ("tcpdump -ni eth0 udp", Verdict::Unanswered),
        ] {
            let report = family.report_of(command, &writes);
            assert_eq!(report.verdict, verdict, "{command} {}", family.ip);
            let is_told = verdict == Verdict::Inconclusive;
            let found = causes(&report);
            assert_eq!(found.contains(&Cause::OneDirectionCaptured), is_told, "{command}");
            if is_told {
                let mut findings = report.devices.iter().flat_map(|device| &device.findings);
                let finding = findings.next().unwrap();
                assert!(finding.explanation.contains("another address"), "{}", finding.explanation);
                let wanted = family.spell("'host DEVICE and not tcp'");
                assert!(finding.remedies[0].commands[0].ends_with(&wanted), "{finding:#?}");
            }
        }
        // Where an answer from the address asked is what its client waits for.
        for (command, confidence) in [
            ("tcpdump -ni eth0 host VIP and udp", Confidence::Likely),
            ("tcpdump -ni eth0 host DEVICE and udp", Confidence::Certain),
        ] {
            let report = family.report_of(command, &ASKS);
            assert_eq!(report.verdict, Verdict::Unanswered, "{command} {}", family.ip);
            let mut findings = report.devices.iter().flat_map(|device| &device.findings);
            let finding = findings.next().unwrap();
            assert_eq!(finding.confidence, confidence, "{command} {}", family.ip);
            let is_told = finding.explanation.contains("another address than the one asked");
            assert_eq!(is_told, confidence == Confidence::Likely, "{}", finding.explanation);
        }
    }
}

#[test]
fn what_a_filter_shows_counts_whatever_it_leaves_out() {
    for family in &FAMILIES {
        let answered = [ASKS[0], "0.1 VIP.53 > DEVICE.40000: 7 1/0/0 A 192.0.2.80 (45)"];
        let refused = [ASKS[0], "0.1 closed VIP DEVICE VIP 53", ASKS[1]];
        for (name, lines, verdict) in [
            ("answered", &answered[..], Verdict::Symmetric),
            ("refused", &refused, Verdict::Rejected),
        ] {
            let report = family.report_of("tcpdump -ni eth0 src DEVICE", lines);
            assert_eq!(report.verdict, verdict, "{name} {}", family.ip);
        }
        let report = family.report_of("tcpdump -ni eth0 port 53", &ASKS);
        let device = report.devices.iter().find(|device| !device.findings.is_empty()).unwrap();
        let told = &device.findings[0].explanation;
        assert!(told.contains("`port 53`, shows no ICMP error"), "{told}");
    }
}

#[test]
fn what_is_not_known_of_a_filter_is_not_claimed() {
    for family in &FAMILIES {
        for (command, words) in [
            ("tcpdump -ni eth0 src DEVICE", "`src DEVICE`, which shows no answer"),
            ("tcpdump -ni eth0 'udp[10] & 0x80 = 0'", "`udp[10] & 0x80 = 0`, which may show no"),
            ("tcpdump -n port 53 | grep -v 1/0/0", "`port 53 grep -v 1/0/0`, which may show no"),
        ] {
            let report = family.report_of(command, &ASKS);
            let found = report.devices[0].findings.iter();
            let told: Vec<&str> = found.map(|finding| finding.explanation.as_str()).collect();
            let words = family.spell(words);
            assert!(told.iter().any(|told| told.contains(&words)), "{words}: {told:?}");
        }
    }
}
