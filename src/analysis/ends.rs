//! Which address an end has of which texts print a name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use super::names::{Known, Names};
use crate::ingest::NamedPacket;
use crate::model::stand_in::{StandIns, Written, canonical};

/// Names of one analysis that can stand for ends; of a text with more, packets with further
/// names are not read.
pub const LIMIT_NAMES: usize = 4_096;

/// The names that one capture prints, as they are compared.
#[derive(Debug, Default)]
pub struct PrintedNames {
    names: BTreeSet<String>,
    /// Of these, masks at both ends of one packet.
    at_both_ends: BTreeSet<String>,
}

impl PrintedNames {
    /// Notes the names of a packet.
    pub fn note(&mut self, packet: &NamedPacket) {
        let NamedPacket { source, destination, quoted, .. } = packet;
        let ends = source.iter().chain(destination).chain(quoted);
        for name in ends.map(|name| canonical(name)) {
            if self.names.len() < LIMIT_NAMES {
                self.names.insert(name);
            }
        }
        if let (Some(source), Some(destination)) = (source, destination)
            && is_mask(source)
            && canonical(source) == canonical(destination)
            && self.at_both_ends.len() < LIMIT_NAMES
        {
            self.at_both_ends.insert(canonical(source));
        }
    }
}

/// What names stand for, by all that the analysis knows.
#[derive(Debug)]
pub struct Ends {
    known: Names,
    stand_ins: StandIns,
    /// Host names without a domain, by the one name that another capture has for them.
    whole: BTreeMap<String, String>,
    /// Names that stand for no single host.
    vague: BTreeSet<String>,
}

/// Why a name is no end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved {
    pub name: String,
    reason: Reason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    Several,
    Group,
    Vague,
    TooMany,
}

impl Ends {
    /// What is known, and what the captures print.
    pub fn new(known: Names, captures: &[PrintedNames]) -> Self {
        let (whole, mut vague) = match_short(captures);
        vague.extend(captures.iter().flat_map(|capture| capture.at_both_ends.iter().cloned()));
        Self { known, stand_ins: StandIns::default(), whole, vague }
    }

    /// The address of the host that is called `name`, or the one that stands for it.
    ///
    /// # Errors
    ///
    /// Where the name is not one host's.
    pub fn find(&mut self, name: &str, is_ipv6: bool) -> Result<IpAddr, Unresolved> {
        let unresolved = |reason| Unresolved { name: name.to_owned(), reason };
        match self.known.look_up(name, is_ipv6) {
            Known::One(address) => return Ok(address),
            Known::Several => return Err(unresolved(Reason::Several)),
            Known::Nothing => {}
        }
        let compared = canonical(name);
        // IANA's name of a group, of which no address is known here.
        if compared.ends_with(".mcast.net") {
            return Err(unresolved(Reason::Group));
        }
        if self.vague.contains(&compared) {
            return Err(unresolved(Reason::Vague));
        }
        self.stand_for(name, is_ipv6).ok_or_else(|| unresolved(Reason::TooMany))
    }

    /// The addresses of two names that talk to each other, over IPv6 or not where that is
    /// known.
    ///
    /// # Errors
    ///
    /// Where a name is not one host's, or both have addresses of both families.
    pub fn find_pair(
        &mut self,
        one: &str,
        other: &str,
        is_ipv6: Option<bool>,
    ) -> Result<(IpAddr, IpAddr), Unresolved> {
        let family = match is_ipv6 {
            Some(is_ipv6) => is_ipv6,
            None => match self.known.find_pair(one, other) {
                Known::One(pair) => return Ok(pair),
                Known::Several => {
                    return Err(Unresolved { name: one.to_owned(), reason: Reason::Several });
                }
                Known::Nothing => {
                    [one, other].iter().any(|name| self.known.look_up(name, true) != Known::Nothing)
                }
            },
        };
        Ok((self.find(one, family)?, self.find(other, family)?))
    }

    /// The address that stands for `name`, whatever is known of it: for an end of which
    /// nothing depends.
    pub fn stand_for(&mut self, name: &str, is_ipv6: bool) -> Option<IpAddr> {
        let whole = self.whole.get(&canonical(name)).map_or(name, String::as_str);
        let is_full = self.stand_ins.len() >= LIMIT_NAMES;
        let address = crate::model::stand_in::address_of(whole, is_ipv6);
        if is_full && self.stand_ins.find(address).is_none() {
            return None;
        }
        self.stand_ins.add(whole, is_ipv6)
    }

    /// The addresses that stand for names.
    pub fn into_stand_ins(self) -> StandIns {
        self.stand_ins
    }

    pub const fn stand_ins(&self) -> &StandIns {
        &self.stand_ins
    }
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ADVICE: &str = "add the output of `kubectl get pod,node -A -o wide`, `/etc/hosts` or a device list, or print addresses: `tcpdump -n`, `hubble observe --ip-translation=false`";
        let name = &self.name;
        match self.reason {
            Reason::Several => {
                write!(f, "names '{name}', of which not exactly one address is known; {ADVICE}")
            }
            Reason::Group => write!(
                f,
                "names the group '{name}', of which no address is known; print addresses: `tcpdump -n`"
            ),
            Reason::Vague => write!(
                f,
                "names '{name}', which stands for more than one host; give each masked address a word of its own, or {ADVICE}"
            ),
            Reason::TooMany => write!(
                f,
                "names '{name}', and {LIMIT_NAMES} other names stand for addresses already; {ADVICE}"
            ),
        }
    }
}

/// Whether a poster wrote a word where an address was. At both ends of a packet it stands for
/// two hosts; a name there is that of a host which talks to itself.
fn is_mask(name: &str) -> bool {
    Written::find(name) == Some(Written::Mask)
}

/// Host names that a capture prints without a domain (`tcpdump -N`), by the one name with
/// a domain that other captures print; and those of which there are several.
///
/// Of one run all names are alike, so that a bare name beside the same with a domain is
/// another host's.
fn match_short(captures: &[PrintedNames]) -> (BTreeMap<String, String>, BTreeSet<String>) {
    let (mut whole, mut vague) = (BTreeMap::new(), BTreeSet::new());
    if captures.len() < 2 {
        return (whole, vague);
    }
    let mut by_label: BTreeMap<&str, BTreeSet<&String>> = BTreeMap::new();
    for name in captures.iter().flat_map(|capture| &capture.names) {
        if let Some((label, _)) = name.split_once('.').filter(|_| !is_mask(name)) {
            by_label.entry(label).or_default().insert(name);
        }
    }
    for (label, names) in by_label {
        let mut short = captures.iter().filter(|capture| capture.names.contains(label)).peekable();
        if short.peek().is_none() {
            continue;
        }
        let stand_beside =
            short.any(|capture| names.iter().any(|name| capture.names.contains(*name)));
        match names.first() {
            _ if stand_beside => {}
            Some(only) if names.len() == 1 => {
                whole.insert(label.to_owned(), (*only).clone());
            }
            _ => {
                vague.insert(label.to_owned());
            }
        }
    }
    (whole, vague)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::stand_in::address_of;
    use crate::model::topology::{Facts, HostFact};

    fn printed(names: &[&str]) -> PrintedNames {
        let names = names.iter().map(|name| canonical(name)).collect();
        PrintedNames { names, at_both_ends: BTreeSet::new() }
    }

    fn hosts(entries: &[(&str, &str)]) -> Names {
        let host = |(name, address): &(&str, &str)| HostFact {
            name: (*name).to_owned(),
            address: address.parse().unwrap(),
        };
        Names::of(&Facts { hosts: entries.iter().map(host).collect(), ..Facts::default() })
    }

    #[test]
    fn a_name_is_what_is_known_of_it_or_stands_for_itself() {
        let known = hosts(&[
            ("node3", "198.51.100.4"),
            ("node3", "2001:db8:100::4"),
            ("node4", "198.51.100.5"),
            ("node4", "198.51.100.6"),
            ("node4", "2001:db8:100::5"),
            ("node4", "2001:db8:100::6"),
        ]);
        let mut ends = Ends::new(known, &[]);
        for (is_ipv6, node3) in [(false, "198.51.100.4"), (true, "2001:db8:100::4")] {
            let mut find = |name| ends.find(name, is_ipv6);
            assert_eq!(find("node3.example.net"), Ok(node3.parse().unwrap()));
            assert_eq!(find("switch7"), Ok(address_of("switch7", is_ipv6)));
            assert_eq!(find("Switch7."), find("switch7"));
            assert!(find("node4").is_err());
            assert!(find("hp-device-disc.mcast.net").is_err());
        }
        assert_eq!(ends.stand_ins().len(), 2);
    }

    #[test]
    fn two_names_are_of_one_family() {
        let v4 = hosts(&[("node3", "198.51.100.4")]);
        let v6 = hosts(&[("node3", "2001:db8:100::4")]);
        let both = hosts(&[("node3", "198.51.100.4"), ("node3", "2001:db8:100::4")]);
        for (known, is_ipv6, expected) in
            [(v4, None, Some("198.51.100.4")), (v6, None, Some("2001:db8:100::4"))]
        {
            let mut ends = Ends::new(known, &[]);
            let (node, other) = ends.find_pair("node3", "switch7", is_ipv6).unwrap();
            assert_eq!(Some(node), expected.map(|text| text.parse().unwrap()));
            assert_eq!(other, address_of("switch7", node.is_ipv6()));
        }
        let mut ends = Ends::new(both, &[]);
        assert!(ends.find_pair("node3", "switch7", None).is_err());
        assert!(ends.find_pair("node3", "switch7", Some(true)).unwrap().0.is_ipv6());
        assert!(ends.find_pair("a", "b", None).unwrap().1.is_ipv4());
    }

    #[test]
    fn a_name_without_its_domain_is_the_same_in_another_run() {
        let (short, whole) = (printed(&["node3", "sw7"]), printed(&["node3.example.net", "sw8"]));
        let mut ends = Ends::new(Names::default(), &[short, whole]);
        for is_ipv6 in [false, true] {
            assert_eq!(ends.find("node3", is_ipv6), ends.find("node3.example.net", is_ipv6));
            assert_ne!(ends.find("sw7", is_ipv6), ends.find("sw8", is_ipv6));
        }
        // Within one run they are two hosts.
        let both = printed(&["node3", "node3.example.net"]);
        let mut ends = Ends::new(Names::default(), &[both, printed(&["node3"])]);
        assert_ne!(ends.find("node3", false), ends.find("node3.example.net", false));
        // It may be either.
        let captures = [printed(&["node3"]), printed(&["node3.a.example", "node3.b.example"])];
        let mut ends = Ends::new(Names::default(), &captures);
        assert!(ends.find("node3", false).is_err());
        assert!(ends.find("node3.a.example", false).is_ok());
    }

    #[test]
    fn names_are_bounded() {
        let mut ends = Ends::new(Names::default(), &[]);
        for number in 0..LIMIT_NAMES {
            assert!(ends.find(&format!("host{number}"), number % 2 == 0).is_ok(), "{number}");
        }
        assert!(ends.find("another", false).is_err());
        assert!(ends.find("host0", true).is_ok());
    }
}
