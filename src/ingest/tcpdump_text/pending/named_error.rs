//! ICMP messages, also of a capture that was printed without `-n`: names for addresses.

use std::borrow::Cow;
use std::ops::Range;

use super::super::address::{Host, parse_named, parse_side};
use super::super::fixed_names::settle_ends;
use super::super::icmp::{IcmpReading, parse_icmp};
use super::super::network::Addressed;
use super::super::quote::find_quoted_names;
use super::{Outcome, Pending};
use crate::model::packet::Content;

/// What stands before the quoted destination, and what behind it.
const PLACES: [(&str, &str); 9] = [
    ("ICMP host ", " unreachable"),
    ("ICMP net ", " unreachable"),
    ("ICMP ", " udp port "),
    ("unreachable port, ", " udp port "),
    ("unreachable address ", ""),
    ("unreachable route ", ""),
    ("unreachable prohibited ", ""),
    ("administratively prohibited ", ""),
    ("in-transit for ", ""),
];

impl Pending {
    /// What an ICMP message says. Names at its ends and in its quote have the addresses that
    /// stand for them.
    pub(super) fn read_icmp(&self, addressed: &Addressed<'_>, summary: &str) -> Outcome {
        let (source, destination) = settle_ends(addressed, self.family);
        let (from, to) = (source.stand_in(self.family), destination.stand_in(self.family));
        let (source, destination) = (source.name(), destination.name());
        let mut quoted = find_quoted_names(&self.body);
        let mut summary = Cow::Borrowed(summary);
        if let Some(found) = find_quoted(&summary) {
            // Who gets the error sent what it quotes.
            let quote = Addressed {
                source: addressed.destination,
                destination: Host::Name(found.name),
                ..*addressed
            };
            let (_, host) = settle_ends(&quote, self.family);
            quoted.extend(host.name());
            let address = host.stand_in(self.family).to_string();
            let mut replaced = summary.to_string();
            replaced.replace_range(found.place, &address);
            summary = Cow::Owned(replaced);
        }
        let is_named = source.is_some() || destination.is_some() || !quoted.is_empty();
        match parse_icmp(from, to, self.icmp_lines(&summary)) {
            Err(message) => Outcome::Fault(message),
            Ok(IcmpReading::Error(error)) if is_named => {
                Outcome::NamedError { error, source, destination, quoted }
            }
            Ok(IcmpReading::Error(error)) => Outcome::Content(Content::IcmpError(error)),
            // Whose neighbour a name is says nothing of any exchange.
            Ok(IcmpReading::Neighbour(_)) if is_named => Outcome::Other,
            Ok(IcmpReading::Neighbour(message)) => Outcome::Content(Content::Neighbour(message)),
            Ok(IcmpReading::Other) => Outcome::Other,
        }
    }
}

/// A name that stands in a summary.
#[derive(Debug, PartialEq, Eq)]
struct QuotedName<'a> {
    name: &'a str,
    /// Its bytes, with the brackets of a poster's `[VIP]`.
    place: Range<usize>,
}

/// The name of the quoted destination; `None` where an address stands there. It may be a
/// part of the words before it, as `dest` is of `destination unreachable`, so that its place
/// counts.
fn find_quoted(summary: &str) -> Option<QuotedName<'_>> {
    PLACES.iter().find_map(|(before, behind)| {
        let (lead, rest) = summary.split_once(before)?;
        let word = rest.split([' ', ',']).next()?;
        let is_followed = rest.get(word.len()..).is_some_and(|rest| rest.starts_with(behind));
        if !is_followed || matches!(parse_side(word).ok()?.host, Host::Address(_)) {
            return None;
        }
        // It has no port: a name that ends like a service has no part of it cut off.
        let Host::Name(name) = parse_named(word, |_| None).ok()?.host else { return None };
        let begin = lead.len() + before.len();
        Some(QuotedName { name, place: begin..begin + word.len() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_names_are_found() {
        let cases = [
            ("ICMP vip udp port 32991 unreachable, length 552", Some("vip")),
            ("ICMP vip.example.com udp port tftp unreachable", Some("vip.example.com")),
            ("ICMP host vip unreachable - admin prohibited filter, length 36", Some("vip")),
            ("ICMP net vip unreachable, length 36", Some("vip")),
            ("ICMP 192.0.2.21 udp port 32991 unreachable, length 552", None),
            (
                "ICMP6, destination unreachable, unreachable port, vip udp port 32991, length 572",
                Some("vip"),
            ),
            ("ICMP6, destination unreachable, unreachable address vip, length 83", Some("vip")),
            ("ICMP6, destination unreachable, unreachable port, 2001:db8::21 udp port 5", None),
            ("ICMP echo request, id 1, seq 1, length 64", None),
            // Names that stand in the words before them as well, or are those.
            ("ICMP ICMP udp port 53 unreachable, length 36", Some("ICMP")),
            ("ICMP C udp port 53 unreachable, length 36", Some("C")),
            ("ICMP host s unreachable, length 36", Some("s")),
            ("ICMP host host unreachable, length 36", Some("host")),
            ("ICMP host udp port 53 unreachable, length 36", Some("host")),
            ("ICMP6, destination unreachable, unreachable port, nat udp port 53", Some("nat")),
            ("ICMP6, destination unreachable, unreachable port, port udp port 53", Some("port")),
            ("ICMP6, destination unreachable, unreachable address dest, length 83", Some("dest")),
            // As a poster masks them, and a name that ends like a service.
            ("ICMP [VIP] udp port 53 unreachable, length 36", Some("VIP")),
            ("ICMP6, destination unreachable, unreachable port, [VIP] udp port 53", Some("VIP")),
            ("ICMP <server> udp port 53 unreachable, length 36", Some("<server>")),
            ("ICMP srv.time udp port 53 unreachable, length 36", Some("srv.time")),
        ];
        for (summary, expected) in cases {
            let found = find_quoted(summary);
            assert_eq!(found.as_ref().map(|found| found.name), expected, "{summary}");
            if let Some(QuotedName { name, place }) = found {
                let word = &summary[place.clone()];
                assert_eq!(word.trim_matches(['[', ']']), name, "{summary}");
                let before = &summary[..place.start];
                assert!(
                    ["ICMP ", "ICMP host ", "ICMP net ", "port, ", "address "]
                        .iter()
                        .any(|lead| before.ends_with(lead)),
                    "{summary}: {before}"
                );
            }
        }
    }
}
