//! Names whose addresses standards fix, so that a text that prints them tells the address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::address::Host;
use super::line::Family;
use super::network::Addressed;

/// Names of the loopback address: RFC 6761 section 6.3, and `/etc/hosts` of the usual
/// systems.
const LOOPBACK: [&str; 7] = [
    "localhost",
    "localhost.localdomain",
    "localhost4",
    "localhost6",
    "localhost6.localdomain6",
    "ip6-localhost",
    "ip6-loopback",
];

/// Groups by the names that IANA's zone `mcast.net` gives them (IPv4 Multicast Address
/// Space Registry), and the name of the limited broadcast in the `hosts` of BSD and macOS.
const V4_GROUPS: [(&str, Ipv4Addr); 21] = [
    ("all-hosts.mcast.net", Ipv4Addr::new(224, 0, 0, 1)),
    ("all-systems.mcast.net", Ipv4Addr::new(224, 0, 0, 1)),
    ("all-routers.mcast.net", Ipv4Addr::new(224, 0, 0, 2)),
    ("dvmrp.mcast.net", Ipv4Addr::new(224, 0, 0, 4)),
    ("ospf-all.mcast.net", Ipv4Addr::new(224, 0, 0, 5)),
    ("ospf-dsig.mcast.net", Ipv4Addr::new(224, 0, 0, 6)),
    ("rip2-routers.mcast.net", Ipv4Addr::new(224, 0, 0, 9)),
    ("igrp-routers.mcast.net", Ipv4Addr::new(224, 0, 0, 10)),
    ("mobile-agents.mcast.net", Ipv4Addr::new(224, 0, 0, 11)),
    ("dhcp-agents.mcast.net", Ipv4Addr::new(224, 0, 0, 12)),
    ("pim-routers.mcast.net", Ipv4Addr::new(224, 0, 0, 13)),
    ("vrrp.mcast.net", Ipv4Addr::new(224, 0, 0, 18)),
    ("igmp.mcast.net", Ipv4Addr::new(224, 0, 0, 22)),
    ("mdns.mcast.net", Ipv4Addr::new(224, 0, 0, 251)),
    ("ntp.mcast.net", Ipv4Addr::new(224, 0, 1, 1)),
    ("svrloc.mcast.net", Ipv4Addr::new(224, 0, 1, 22)),
    ("cisco-rp-announce.mcast.net", Ipv4Addr::new(224, 0, 1, 39)),
    ("cisco-rp-discovery.mcast.net", Ipv4Addr::new(224, 0, 1, 40)),
    ("sip.mcast.net", Ipv4Addr::new(224, 0, 1, 75)),
    ("ptp-primary.mcast.net", Ipv4Addr::new(224, 0, 1, 129)),
    ("broadcasthost", Ipv4Addr::BROADCAST),
];

/// Groups as `/etc/hosts` of Debian and its descendants names them (RFC 4291 section 2.7.1).
const V6_GROUPS: [(&str, Ipv6Addr); 3] = [
    ("ip6-allnodes", Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1)),
    ("ip6-allrouters", Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2)),
    ("ip6-allhosts", Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 3)),
];

/// Both sides of a line of this family, by their addresses where their names fix those.
pub fn settle_ends<'a>(addressed: &Addressed<'a>, family: Family) -> (Host<'a>, Host<'a>) {
    let Addressed { source, destination, .. } = *addressed;
    (settle(source, destination, family), settle(destination, source, family))
}

/// One side of a line of this family, by its address where its name fixes that; `other`
/// is the other side.
///
/// A loopback address is never seen outside its host (RFC 1122 section 3.2.1.3): what talks
/// to another host is the host itself, which lists a wrong name for an address of its own.
fn settle<'a>(host: Host<'a>, other: Host<'_>, family: Family) -> Host<'a> {
    let Host::Name(name) = host else { return host };
    let name = name.trim_end_matches('.');
    let is = |known: &str| known.eq_ignore_ascii_case(name);
    let group = match family {
        Family::V4 => V4_GROUPS.iter().find(|(known, _)| is(known)).map(|(_, v4)| IpAddr::V4(*v4)),
        Family::V6 => V6_GROUPS.iter().find(|(known, _)| is(known)).map(|(_, v6)| IpAddr::V6(*v6)),
    };
    if let Some(group) = group {
        return Host::Address(group);
    }
    let stays_inside = match other {
        Host::Name(other) => is_loopback(other),
        Host::Address(address) => address.is_loopback(),
    };
    if is_loopback(name) && stays_inside {
        return Host::Address(match family {
            Family::V4 => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Family::V6 => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    host
}

fn is_loopback(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    LOOPBACK.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_standards_fix_are_addresses() {
        let far = |text: &str| Host::Address(text.parse().unwrap());
        let (v4, v6) = ("192.0.2.9", "2001:db8::9");
        let cases = [
            ("localhost", "localhost", Family::V4, Some("127.0.0.1")),
            ("localhost", "ip6-loopback", Family::V6, Some("::1")),
            ("LocalHost.localdomain.", "127.0.0.1", Family::V4, Some("127.0.0.1")),
            ("ip6-localhost", "::1", Family::V6, Some("::1")),
            // A host whose own address is called so.
            ("localhost.localdomain", v4, Family::V4, None),
            ("localhost", v6, Family::V6, None),
            ("localhost", "switch7", Family::V4, None),
            ("mdns.mcast.net", v4, Family::V4, Some("224.0.0.251")),
            ("ALL-SYSTEMS.MCAST.NET", v4, Family::V4, Some("224.0.0.1")),
            ("mdns.mcast.net", v6, Family::V6, None),
            ("broadcasthost", v4, Family::V4, Some("255.255.255.255")),
            ("ip6-allnodes", v6, Family::V6, Some("ff02::1")),
            ("ip6-allrouters", v6, Family::V6, Some("ff02::2")),
            ("ip6-allnodes", v4, Family::V4, None),
            ("switch7", v4, Family::V4, None),
        ];
        for (name, other, family, expected) in cases {
            let other = other.parse().map_or(Host::Name(other), Host::Address);
            let expected = expected.map_or(Host::Name(name), far);
            assert_eq!(settle(Host::Name(name), other, family), expected, "{name} {other:?}");
        }
        assert_eq!(settle(far(v4), far(v4), Family::V4), far(v4));
    }
}
