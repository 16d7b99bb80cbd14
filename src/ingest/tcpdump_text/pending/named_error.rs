//! ICMP errors of a capture that was printed without `-n`: names for addresses.

use super::super::address::{Host, parse_side};
use super::super::icmp::{IcmpReading, parse_icmp};
use super::super::network::Addressed;
use super::{Outcome, Pending, name_of};

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
    /// An ICMP error of which the text names an end, or the destination it quotes.
    /// `None` where no name stands in an error's line.
    pub(super) fn find_named_error(
        &self,
        addressed: &Addressed<'_>,
        summary: &str,
    ) -> Option<Outcome> {
        let quoted = find_quoted(summary);
        let (source, destination) = (name_of(addressed.source), name_of(addressed.destination));
        if source.is_none() && destination.is_none() && quoted.is_none() {
            return None;
        }
        let (from, to) = (self.stand_in(addressed.source), self.stand_in(addressed.destination));
        // The family's unspecified address stands where a name belongs.
        let unspecified = self.stand_in(Host::Name("")).to_string();
        let summary = quoted
            .map_or_else(|| summary.to_owned(), |name| summary.replacen(name, &unspecified, 1));
        match parse_icmp(from, to, self.icmp_lines(&summary)).ok()? {
            IcmpReading::Error(error) => Some(Outcome::NamedError {
                error,
                source,
                destination,
                quoted: quoted.map(str::to_owned),
            }),
            IcmpReading::Neighbour(_) | IcmpReading::Other => None,
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
