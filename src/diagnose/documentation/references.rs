//! Documents that causes follow from.

/// An RFC, and what it says about the matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    pub rfc: u16,
    pub title: &'static str,
    /// What to look for in it.
    pub about: &'static str,
}

pub(super) const T_TID: Reference = Reference {
    rfc: 1350,
    title: "The TFTP Protocol",
    about: "section 4 ties a transfer to the addresses and ports of its first two packets",
};
pub(super) const T_OPT: Reference = Reference {
    rfc: 2347,
    title: "TFTP Option Extension",
    about: "what an OACK is, and who sends it",
};
pub(super) const T_SIZE: Reference =
    Reference { rfc: 2348, title: "TFTP Blocksize Option", about: "how large a block may be" };
pub(super) const HOST_UDP: Reference = Reference {
    rfc: 1122,
    title: "Requirements for Internet Hosts",
    about: "section 4.1.3.5: which source address an answer has on a host with several",
};
pub(super) const NAT: Reference = Reference {
    rfc: 4787,
    title: "NAT Behavioral Requirements for Unicast UDP",
    about: "how translations are made, and how long they live",
};
pub(super) const ICMP: Reference = Reference {
    rfc: 792,
    title: "Internet Control Message Protocol",
    about: "the types and codes of IPv4's errors",
};
pub(super) const ICMP6: Reference = Reference {
    rfc: 4443,
    title: "ICMPv6",
    about: "the types and codes of IPv6's errors, and what they quote",
};
pub(super) const ROUTER: Reference = Reference {
    rfc: 1812,
    title: "Requirements for IP Version 4 Routers",
    about: "section 5.2.7: which error a router sends when",
};
pub(super) const ARP: Reference = Reference {
    rfc: 826,
    title: "An Ethernet Address Resolution Protocol",
    about: "how the next hop is found in IPv4",
};
pub(super) const ND: Reference = Reference {
    rfc: 4861,
    title: "Neighbor Discovery for IPv6",
    about: "how the next hop is found in IPv6",
};
pub(super) const MTU: Reference = Reference {
    rfc: 1191,
    title: "Path MTU Discovery",
    about: "what a sender does with the error in IPv4",
};
pub(super) const MTU6: Reference = Reference {
    rfc: 8201,
    title: "Path MTU Discovery for IPv6",
    about: "what a sender does with the error in IPv6",
};
pub(super) const FRAGILE: Reference = Reference {
    rfc: 8900,
    title: "IP Fragmentation Considered Fragile",
    about: "why fragments get lost",
};
pub(super) const IPV4: Reference =
    Reference { rfc: 791, title: "Internet Protocol", about: "section 3.2: fragments in IPv4" };
pub(super) const IPV6: Reference = Reference {
    rfc: 8200,
    title: "Internet Protocol, Version 6",
    about: "section 4.5: fragments in IPv6",
};
pub(super) const SELECT: Reference = Reference {
    rfc: 6724,
    title: "Default Address Selection for IPv6",
    about: "which of its addresses a host sends from",
};
pub(super) const TEMPORARY: Reference = Reference {
    rfc: 8981,
    title: "Temporary Address Extensions",
    about: "IPv6 addresses that change by design",
};
pub(super) const SNMP_UDP: Reference = Reference {
    rfc: 3417,
    title: "Transport Mappings for SNMP",
    about: "section 3: SNMP over UDP",
};
pub(super) const SYSLOG: Reference = Reference {
    rfc: 5426,
    title: "Transmission of Syslog Messages over UDP",
    about: "section 3: nobody answers",
};
pub(super) const NTP: Reference = Reference {
    rfc: 5905,
    title: "Network Time Protocol Version 4",
    about: "how often a client asks, and from which port",
};
pub(super) const GUIDE: Reference = Reference {
    rfc: 8085,
    title: "UDP Usage Guidelines",
    about: "section 3.3: loss, and how to repeat",
};
pub(super) const SIP: Reference = Reference {
    rfc: 3261,
    title: "SIP: Session Initiation Protocol",
    about: "section 18.2.2: where a server sends its answers",
};
pub(super) const RPORT: Reference = Reference {
    rfc: 3581,
    title: "Symmetric Response Routing in SIP",
    about: "how a client asks for answers to where it sent from",
};
