//! A server that answers with an error of its protocol: JSON, text and page say so in
//! the same words, and none says that all is well.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/header.rs"]
mod header;

use std::fmt::Write as _;

use header::header;
use replyscope::analysis::{Analysis, Limits};
use replyscope::model::finding::Verdict;
use replyscope::model::report::Report;
use replyscope::report::html::{Setting, render_report};
use replyscope::report::text::{Style, render_text};

/// `IP` and the addresses of the device, of another and of the server, in each family.
const FAMILIES: [[&str; 4]; 2] = [
    ["IP", "192.0.2.7", "192.0.2.8", "198.51.100.10"],
    ["IP6", "2001:db8::7", "2001:db8::8", "2001:db8:100::10"],
];

fn read(family: [&str; 4], text: &str) -> Report {
    let mut text = text.to_owned();
    for (word, written) in ["FAMILY", "DEVICE", "OTHER", "SERVER"].into_iter().zip(family) {
        text = text.replace(word, written);
    }
    let mut analysis = Analysis::new(Limits::default());
    analysis.read_capture("text", None, &mut text.as_bytes()).unwrap();
    analysis.finish(header()).unwrap()
}

/// One exchange of each protocol, and the words of its error.
const ANSWERS: [(&str, &str, Option<&str>); 8] = [
    (
        "07:29:48.1 FAMILY DEVICE.5001 > SERVER.69: TFTP, length 20, RRQ \"a.cfg\" octet",
        "07:29:48.2 FAMILY SERVER.4001 > DEVICE.5001: TFTP, length 30, ERROR EACCESS \"not yours\"",
        Some("ERROR 2 \"not yours\""),
    ),
    (
        "07:29:48.1 FAMILY DEVICE.5001 > SERVER.53: 1+ A? a.example. (20)",
        "07:29:48.2 FAMILY SERVER.53 > DEVICE.5001: 1 ServFail 0/0/0 (20)",
        Some("ServFail"),
    ),
    (
        "07:29:48.1 FAMILY DEVICE.5001 > SERVER.53: 1+ A? a.example. (20)",
        "07:29:48.2 FAMILY SERVER.53 > DEVICE.5001: 1 NXDomain 0/1/0 (20)",
        None,
    ),
    (
        "07:29:48.1 FAMILY SERVER.5001 > DEVICE.161:  SetRequest(28)  .1.3.6.1.2.1.1.5.0=\"a\"",
        "07:29:48.2 FAMILY DEVICE.161 > SERVER.5001:  GetResponse(28)  notWritable@1 .1.3.6.1.2.1.1.5.0=\"a\"",
        Some("notWritable"),
    ),
    (
        "07:29:48.1 FAMILY SERVER.5001 > DEVICE.161:  GetRequest(28)  .1.3.6.1.2.1.1.5.0",
        "07:29:48.2 FAMILY DEVICE.161 > SERVER.5001:  GetResponse(28)  noSuchName@1 .1.3.6.1.2.1.1.5.0=",
        None,
    ),
    (
        "07:29:48.1 FAMILY DEVICE.5060 > SERVER.5060: SIP: REGISTER sip:a SIP/2.0\n\tCall-ID: c1\n\tCSeq: 1 REGISTER",
        "07:29:48.2 FAMILY SERVER.5060 > DEVICE.5060: SIP: SIP/2.0 403 Forbidden\n\tCall-ID: c1\n\tCSeq: 1 REGISTER",
        Some("403 Forbidden"),
    ),
    (
        "07:29:48.1 FAMILY DEVICE.5060 > SERVER.5060: SIP: REGISTER sip:a SIP/2.0\n\tCall-ID: c1\n\tCSeq: 1 REGISTER",
        "07:29:48.2 FAMILY SERVER.5060 > DEVICE.5060: SIP: SIP/2.0 401 Unauthorized\n\tCall-ID: c1\n\tCSeq: 1 REGISTER",
        None,
    ),
    (
        "07:29:48.1 FAMILY DEVICE.5001 > SERVER.1812: RADIUS, Access-Request (1), id: 0x05 length: 50",
        "07:29:48.2 FAMILY SERVER.1812 > DEVICE.5001: RADIUS, Access-Reject (3), id: 0x05 length: 20",
        Some("Access-Reject"),
    ),
];

#[test]
fn all_forms_of_a_report_tell_of_an_error_in_the_same_words() {
    for family in FAMILIES {
        for (request, answer, words) in ANSWERS {
            let report = read(family, &format!("{request}\n{answer}\n"));
            let [device] = report.devices.as_slice() else { panic!("{report:#?}") };
            assert_eq!(report.verdict, Verdict::Symmetric, "{answer}");
            let exchange = &device.exchanges[0];
            assert_eq!(exchange.error_answer.as_deref(), words, "{answer}");
            assert_eq!(device.error_answers, u64::from(words.is_some()), "{answer}");
            let page = render_report(&report, Setting::File).unwrap().replace("&#34;", "\"");
            let text = render_text(&report, Style::Plain);
            let told = format!(
                "{} was answered with {}",
                exchange.protocol,
                words.unwrap_or("nothing of that kind")
            );
            let result = format!("Answered with {}", words.unwrap_or("nothing of that kind"));
            let works = format!("{} works", exchange.protocol);
            for (form, said) in [("page", &page), ("text", &text), ("headline", &report.headline)] {
                assert_eq!(said.contains(&told), words.is_some(), "{form}: {said}");
                assert_eq!(said.contains(&works), words.is_none(), "{form}: {said}");
                if form != "headline" {
                    assert_eq!(said.contains(&result), words.is_some(), "{form}: {said}");
                    assert_eq!(said.contains("It works"), words.is_none(), "{form}: {said}");
                }
            }
        }
    }
}

#[test]
fn errors_of_exchanges_that_are_not_listed_count_too() {
    const FAILED: u16 = 2_000;
    for family in FAMILIES {
        let mut text = String::new();
        for number in 0..FAILED {
            let (at, port) = (f64::from(number) / 100.0, 20_000 + number);
            let code = if number % 2 == 0 { "Refused" } else { "ServFail" };
            let stamp = |at: f64| format!("07:29:{at:09.6}");
            let (first, second) = (stamp(at), stamp(at + 0.001));
            writeln!(
                text,
                "{first} FAMILY DEVICE.{port} > SERVER.53: {number}+ A? a.example. (20)"
            )
            .unwrap();
            writeln!(text, "{second} FAMILY SERVER.53 > DEVICE.{port}: {number} {code} 0/0/0 (20)")
                .unwrap();
        }
        text.push_str("07:29:30.0 FAMILY DEVICE.40001 > SERVER.53: 9+ A? b.example. (20)\n");
        text.push_str("07:29:30.1 FAMILY SERVER.53 > DEVICE.40001: 9 1/0/0 A 192.0.2.80 (36)\n");
        text.push_str("07:29:31.0 FAMILY OTHER.4000 > SERVER.53: 9+ A? b.example. (20)\n");
        text.push_str("07:29:31.1 FAMILY SERVER.53 > OTHER.4000: 9 Refused 0/0/0 (20)\n");
        let report = read(family, &text);
        let [first, second] = report.devices.as_slice() else { panic!("{}", report.headline) };
        assert_eq!((first.error_answers, second.error_answers), (u64::from(FAILED), 1));
        assert!(first.exchanges_omitted > 1_000, "{}", first.exchanges_omitted);
        assert_eq!(
            first.headline,
            "2,001 exchanges, of which 2,000 ended with an error: DNS was answered with Refused"
        );
        assert!(report.headline.contains("2 of 2 devices got an error"), "{}", report.headline);
    }
}

#[test]
fn a_device_with_an_error_stands_before_those_that_work() {
    let works = |who: &str, port: u16| {
        format!(
            "07:29:48.1 FAMILY {who}.{port} > SERVER.53: 1+ A? a.example. (20)\n07:29:48.2 FAMILY SERVER.53 > {who}.{port}: 1 1/0/0 A 192.0.2.80 (36)\n"
        )
    };
    let fails = "07:29:49.1 FAMILY OTHER.5002 > SERVER.53: 2+ A? a.example. (20)\n07:29:49.2 FAMILY SERVER.53 > OTHER.5002: 2 Refused 0/0/0 (20)\n";
    // A notice without an answer makes a device's verdict one-way, and hides nothing.
    let notice = "07:29:50.1 FAMILY OTHER.5514 > SERVER.514: SYSLOG local0.info, length: 40\n";
    for family in FAMILIES {
        for notice in ["", notice] {
            let report = read(family, &format!("{}{fails}{notice}", works("DEVICE", 5_001)));
            assert_eq!(report.devices[0].device.to_string(), family[2]);
            assert_eq!(report.devices[0].error_answers, 1);
            let told = "DNS was answered with Refused";
            assert!(report.headline.contains(told), "{}", report.headline);
            assert!(report.devices[0].headline.contains(told), "{}", report.devices[0].headline);
            assert!(render_text(&report, Style::Plain).contains("Answered with Refused"));
        }
    }
}
