//! ICMP messages, also of a capture that was printed without `-n`: names for addresses.

use std::borrow::Cow;

use super::super::address::{Host, parse_side};
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
        if let Some(name) = find_quoted(&summary).map(str::to_owned) {
            // Who gets the error sent what it quotes.
            let quote = Addressed {
                source: addressed.destination,
                destination: Host::Name(&name),
                ..*addressed
            };
            let (_, host) = settle_ends(&quote, self.family);
            let address = host.stand_in(self.family).to_string();
            summary = Cow::Owned(summary.replacen(&name, &address, 1));
            quoted.extend(host.name());
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

/// The name of the quoted destination; `None` where an address stands there.
fn find_quoted(summary: &str) -> Option<&str> {
    PLACES.iter().find_map(|(before, behind)| {
        let (_, rest) = summary.split_once(before)?;
        let word = rest.split([' ', ',']).next()?;
        let is_followed = rest.get(word.len()..).is_some_and(|rest| rest.starts_with(behind));
        match parse_side(word).ok().filter(|_| is_followed)?.host {
            Host::Name(_) => Some(word),
            Host::Address(_) => None,
        }
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
        ];
        for (summary, expected) in cases {
            assert_eq!(find_quoted(summary), expected, "{summary}");
        }
    }
}
