//! What to say first about one device.

use std::collections::BTreeSet;

use super::UNCLEAR;
use crate::model::endpoint::is_group;
use crate::model::finding::{Severity, Verdict};
use crate::model::protocol::Protocol;
use crate::model::report::{DeviceExchange, DeviceFinding};
use crate::report::wording::{count, group_digits};

/// Protocols named one by one; of more only the number matters.
const PROTOCOLS_MAX: usize = 3;

/// Who answered, where nothing had changed.
pub const BY_ASKED: &str = "by the address that was asked";

/// The exchanges of a device, those that are not listed as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted<'a> {
    pub all: u64,
    /// Those of which no answer is expected, among them.
    pub one_way: u64,
    /// Those that ended with an error as answer, among them.
    pub failed: u64,
    /// The error of the first of these: the protocol, and the server's words.
    pub error: Option<(Protocol, &'a str)>,
}

/// What to say first about a device. `exchanges` are the listed ones, worst
/// first. `protocol` is that of the worst.
pub fn device_headline(
    verdict: Verdict,
    protocol: Protocol,
    findings: &[DeviceFinding],
    exchanges: &[DeviceExchange],
    counted: Counted<'_>,
) -> String {
    let failed = failed(counted);
    let gravest = findings.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Info);
    if gravest > Severity::Info
        && let Some(finding) = findings.iter().find(|finding| finding.severity == gravest)
    {
        // What stopped it says enough; what went on ended with the error all the same.
        return match failed.filter(|_| verdict <= Verdict::Tolerated) {
            Some(failed) => format!("{}; {failed}", finding.title),
            None => finding.title.clone(),
        };
    }
    let worst = exchanges.first();
    match verdict {
        Verdict::Symmetric => match failed {
            Some(failed) if counted.all == 1 => {
                format!("{failed}, {BY_ASKED}")
            }
            Some(failed) => failed,
            None => symmetric(protocol, exchanges, counted.all),
        },
        Verdict::OneWay => failed.unwrap_or_else(|| one_way(protocol, exchanges, counted.one_way)),
        Verdict::Tolerated => match failed {
            Some(failed) => format!("An address changed on the way; {failed}"),
            None => format!("{protocol} works, though an address changed on the way"),
        },
        Verdict::Inconclusive => {
            let why = worst.map_or(UNCLEAR, why_inconclusive);
            match failed {
                Some(failed) => format!("{protocol}: {why}; {failed}"),
                None => format!("{protocol}: {why}"),
            }
        }
        Verdict::Unanswered => format!("{protocol} requests got no answer"),
        Verdict::Rejected => format!("{protocol} was rejected"),
        Verdict::Broken => format!("{protocol} is broken: an address changed on the way"),
    }
}

fn symmetric(protocol: Protocol, exchanges: &[DeviceExchange], all: u64) -> String {
    let listed = exchanges.iter().map(|exchange| exchange.protocol);
    let protocols: BTreeSet<String> =
        listed.chain([protocol]).map(|protocol| protocol.to_string()).collect();
    let number = count(all, "exchange", "exchanges");
    let protocols: Vec<&str> = protocols.iter().map(String::as_str).collect();
    let works = match protocols[..] {
        [only] => format!("{only} works"),
        [ref rest @ .., last] if rest.len() < PROTOCOLS_MAX && !rest.is_empty() => {
            format!("{} and {last} work", rest.join(", "))
        }
        _ => "UDP works".to_owned(),
    };
    if exchanges.iter().any(is_answered_elsewhere) {
        return format!("{works}: {number}, answered");
    }
    format!("{works}: {number}, answered {BY_ASKED}")
}

/// Whether another address than the one asked answered, as all of a group do, and
/// servers of protocols that move.
fn is_answered_elsewhere(exchange: &DeviceExchange) -> bool {
    let asked = exchange.request.as_ref().map(|request| request.destination.address);
    asked.is_some_and(|asked| exchange.replies.iter().any(|reply| reply.source.address != asked))
}

/// What to say of exchanges that ended with an error as answer, if any did.
fn failed(counted: Counted<'_>) -> Option<String> {
    let Counted { all, failed, error, .. } = counted;
    let (protocol, words) = error.filter(|_| failed > 0)?;
    let number = count(all, "exchange", "exchanges");
    Some(if failed < all {
        format!(
            "{number}, of which {} ended with an error: {protocol} was answered with {words}",
            group_digits(failed)
        )
    } else if all == 1 {
        format!("{protocol} was answered with {words}")
    } else {
        format!("{number}, all of which ended with an error: {protocol} was answered with {words}")
    })
}

fn one_way(protocol: Protocol, exchanges: &[DeviceExchange], one_way: u64) -> String {
    let number = count(one_way, "exchange", "exchanges");
    let mut listed = exchanges.iter().filter(|exchange| exchange.verdict == Verdict::OneWay);
    let to_group = listed.any(|exchange| {
        exchange.request.as_ref().is_some_and(|request| is_group(request.destination.address))
    });
    if to_group {
        format!("{protocol} to a group address: {number}, no answer has to be seen here")
    } else if protocol.is_one_way() {
        format!("{protocol} expects no answer: {number}, one way")
    } else {
        // To all hosts of a network, nothing but keep-alives and announcements, a tunnel's
        // way in one direction, or what is not known.
        format!("{protocol}: {number}, one way, no answer has to be seen here")
    }
}

fn why_inconclusive(exchange: &DeviceExchange) -> &'static str {
    if exchange.request.is_none() {
        "the capture begins in mid-exchange, without the request: who was asked is not known"
    } else if exchange.replies.is_empty() && exchange.icmp_errors.is_empty() {
        "no answer was captured, but that is not enough to say that none came"
    } else {
        UNCLEAR
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    /// One of the founding case's exchanges, with another protocol and verdict.
    fn exchange(protocol: Protocol, verdict: Verdict) -> DeviceExchange {
        let report = samples::founding();
        DeviceExchange { protocol, verdict, ..report.devices[1].exchanges[0].clone() }
    }

    #[test]
    fn works_is_said_of_the_protocols_that_were_seen() {
        let of = |protocols: &[Protocol]| {
            let exchanges: Vec<_> =
                protocols.iter().map(|&protocol| exchange(protocol, Verdict::Symmetric)).collect();
            let all = u64::try_from(exchanges.len()).unwrap();
            device_headline(
                Verdict::Symmetric,
                exchanges[0].protocol,
                &[],
                &exchanges,
                Counted { all, one_way: 0, failed: 0, error: None },
            )
        };
        let (tftp, snmp, ntp, dns) = (Protocol::Tftp, Protocol::Snmp, Protocol::Ntp, Protocol::Dns);
        let cases = [
            (&[tftp][..], "TFTP works: 1 exchange"),
            (&[tftp, snmp], "SNMP and TFTP work: 2 exchanges"),
            (&[tftp, snmp, ntp], "NTP, SNMP and TFTP work: 3 exchanges"),
            (&[tftp, snmp, ntp, dns, Protocol::Syslog], "UDP works: 5 exchanges"),
        ];
        for (protocols, expected) in cases {
            let headline = of(protocols);
            assert!(headline.starts_with(expected), "{headline}");
        }
    }

    #[test]
    fn who_was_answered_with_an_error_is_not_told_that_it_works() {
        let words = "ERROR 3 \"disk full\"";
        let (symmetric, one_way, changed) =
            (Verdict::Symmetric, Verdict::OneWay, Verdict::Tolerated);
        let cases = [
            (symmetric, 0, 1, "TFTP works: 1 exchange"),
            (symmetric, 1, 1, "TFTP was answered with ERROR 3 \"disk full\", by the address"),
            (symmetric, 1, 2, "2 exchanges, of which 1 ended with an error: TFTP"),
            (symmetric, 2, 2, "2 exchanges, all of which ended with an error"),
            (symmetric, 2_000, 9_000, "9,000 exchanges, of which 2,000 ended with an error"),
            (one_way, 0, 2, "TFTP: 1 exchange, one way"),
            (one_way, 1, 2, "2 exchanges, of which 1 ended with an error: TFTP"),
            (changed, 0, 1, "TFTP works, though an address changed"),
            (changed, 1, 1, "An address changed on the way; TFTP was answered with ERROR 3"),
        ];
        let exchanges = [exchange(Protocol::Tftp, Verdict::Symmetric)];
        for (verdict, failed, all, expected) in cases {
            let error = Some((Protocol::Tftp, words)).filter(|_| failed > 0);
            let counted = Counted { all, one_way: 1, failed, error };
            let headline = device_headline(verdict, Protocol::Tftp, &[], &exchanges, counted);
            assert!(headline.starts_with(expected), "{headline}");
        }
        // A warning does not hide it either, and what is worse needs no addition.
        let findings = &samples::founding().devices[0].findings;
        let counted =
            Counted { all: 1, one_way: 0, failed: 1, error: Some((Protocol::Tftp, words)) };
        for (verdict, told) in [(changed, true), (Verdict::Broken, false)] {
            let headline = device_headline(verdict, Protocol::Tftp, findings, &exchanges, counted);
            assert!(headline.starts_with(&findings[0].title), "{headline}");
            assert_eq!(headline.contains("was answered with ERROR 3"), told, "{headline}");
        }
    }

    #[test]
    fn what_a_group_was_asked_may_be_answered_elsewhere() {
        for (group, words) in [
            (Some("ff02::1:2"), "DHCPv6 to a group address: 1 exchange"),
            (Some("224.0.0.251"), "DHCPv6 to a group address: 1 exchange"),
            (None, "DHCPv6: 1 exchange, one way, no answer has to be seen here"),
        ] {
            let mut sent = exchange(Protocol::Dhcpv6, Verdict::OneWay);
            if let (Some(group), Some(request)) = (group, &mut sent.request) {
                request.destination.address = samples::ip(group);
            }
            // An answered exchange of the same device is not one-way.
            let exchanges = [sent, exchange(Protocol::Ntp, Verdict::Symmetric)];
            let headline = device_headline(
                Verdict::OneWay,
                exchanges[0].protocol,
                &[],
                &exchanges,
                Counted { all: 2, one_way: 1, failed: 0, error: None },
            );
            assert!(headline.starts_with(words), "{headline}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let whole = exchange(Protocol::Tftp, Verdict::Inconclusive);
        let midway = DeviceExchange { request: None, ..whole.clone() };
        let open = DeviceExchange { replies: Vec::new(), ..whole.clone() };
        for (exchange, words) in [
            (midway, "begins in mid-exchange"),
            (open, "no answer was captured"),
            (whole, "not show enough"),
        ] {
            let headline = device_headline(
                Verdict::Inconclusive,
                exchange.protocol,
                &[],
                &[exchange],
                Counted { all: 1, one_way: 0, failed: 0, error: None },
            );
            assert!(headline.contains(words), "{headline}");
        }
    }
}
