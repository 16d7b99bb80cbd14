//! One event of Cilium's datapath, whichever program printed it.

use std::net::IpAddr;

use crate::ingest::tcpdump_text::Stamp;
use crate::model::packet::IcmpKind;

/// A packet at one place on its way, as one line tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FlowEvent {
    pub stamp: Option<Stamp>,
    pub source: Party,
    pub destination: Party,
    pub carries: Carries,
    /// The observation point, or the reason of a drop: `to-endpoint`.
    pub point: String,
    pub side: Side,
    pub fate: Fate,
    /// Whether connection tracking calls it a reply; `None` where it does not say.
    pub is_reply: Option<bool>,
}

/// One end of a packet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Party {
    pub who: Who,
    pub port: Option<u16>,
}

/// An end by address, or by the name that stands in its place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Who {
    Address(IpAddr),
    /// `namespace/pod`, or a DNS name.
    Name(String),
}

/// What a packet carries, as far as it is of interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carries {
    Udp,
    IcmpError(IcmpKind),
    /// TCP, other ICMP, a proxy's record.
    Other,
}

/// On which side of Cilium's translation an observation point is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The host's stack, its uplink, an overlay.
    Network,
    /// The pod's cable.
    Endpoint,
}

impl Side {
    /// The side of an observation point (`TraceObservationPoints` of
    /// `pkg/monitor/api` in Cilium).
    pub fn of_point(point: &str) -> Self {
        if point.ends_with("-endpoint") || point.starts_with("policy-verdict") {
            Self::Endpoint
        } else {
            Self::Network
        }
    }
}

/// What became of the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Forwarded,
    /// `point` says why.
    Dropped,
    /// The line is about a socket or a proxy, not about a packet.
    NoPacket,
}

impl Party {
    /// Reads `10.0.0.1:53`, `[2001:db8::1]:53`, `default/pod:53(domain)`, or one
    /// of these without a port.
    pub fn find(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text.chars().any(char::is_whitespace) {
            return None;
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(Self { who: Who::Address(address.to_canonical()), port: None });
        }
        // Old versions print the service's name behind the port.
        let text = text
            .strip_suffix(')')
            .map_or(text, |open| open.rsplit_once('(').map_or(text, |(before, _)| before));
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (text, None),
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Some(Self { who: Who::find(host)?, port })
    }

    /// The address, where the line has one.
    pub const fn address(&self) -> Option<IpAddr> {
        match self.who {
            Who::Address(address) => Some(address),
            Who::Name(_) => None,
        }
    }

    /// As the line shows it: for notes.
    pub fn as_text(&self) -> String {
        match (&self.who, self.port) {
            (Who::Address(address), Some(port)) => {
                std::net::SocketAddr::new(*address, port).to_string()
            }
            (Who::Address(address), None) => address.to_string(),
            (Who::Name(name), Some(port)) => format!("{name}:{port}"),
            (Who::Name(name), None) => name.clone(),
        }
    }
}

impl Who {
    fn find(host: &str) -> Option<Self> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Some(Self::Address(address.to_canonical()));
        }
        let is_name =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | ',');
        let plain = !host.is_empty()
            && host.len() <= 512
            && host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && host.chars().all(is_name);
        plain.then(|| Self::Name(host.to_owned()))
    }
}

/// The ICMP error that gopacket names so; `None` for other messages.
pub(super) fn find_icmp_error(name: &str) -> Option<IcmpKind> {
    let (kind, detail) = name.split_once('(').unwrap_or((name, ""));
    Some(match kind.trim() {
        "DestinationUnreachable" => {
            if detail.starts_with("Port") {
                IcmpKind::PortUnreachable
            } else if detail.contains("Prohibited") || detail.contains("Policy") {
                IcmpKind::AdminProhibited
            } else if detail.starts_with("Frag") {
                IcmpKind::PacketTooBig
            } else if detail.starts_with("Host") || detail.starts_with("Address") {
                IcmpKind::HostUnreachable
            } else if detail.starts_with("Net") || detail.starts_with("NoRoute") {
                IcmpKind::NetworkUnreachable
            } else {
                IcmpKind::Other
            }
        }
        "PacketTooBig" => IcmpKind::PacketTooBig,
        "TimeExceeded" if detail.contains("Reassembly") => IcmpKind::ReassemblyTimeExceeded,
        "TimeExceeded" => IcmpKind::TimeExceeded,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_addresses_or_names() {
        let address = |text: &str| Who::Address(text.parse().unwrap());
        let name = |text: &str| Who::Name(text.to_owned());
        let cases = [
            ("192.0.2.1:53", Some((address("192.0.2.1"), Some(53)))),
            ("[2001:db8::1]:53", Some((address("2001:db8::1"), Some(53)))),
            ("2001:db8::1", Some((address("2001:db8::1"), None))),
            ("::ffff:192.0.2.1", Some((address("192.0.2.1"), None))),
            ("default/tftp-0:69", Some((name("default/tftp-0"), Some(69)))),
            ("kube-system/coredns:53(domain)", Some((name("kube-system/coredns"), Some(53)))),
            (
                "a.example.com,b.example.com:443",
                Some((name("a.example.com,b.example.com"), Some(443))),
            ),
            ("default/tftp-0", Some((name("default/tftp-0"), None))),
            ("192.0.2.1:99999", None),
            ("<script>:1", None),
            ("two words:1", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let actual = Party::find(text).map(|party| (party.who, party.port));
            assert_eq!(actual, expected, "{text}");
        }
    }

    #[test]
    fn icmp_errors_of_both_families_are_known() {
        let cases = [
            ("DestinationUnreachable(Port)", Some(IcmpKind::PortUnreachable)),
            ("DestinationUnreachable(PortUnreachable)", Some(IcmpKind::PortUnreachable)),
            ("DestinationUnreachable(Host)", Some(IcmpKind::HostUnreachable)),
            ("DestinationUnreachable(AddressUnreachable)", Some(IcmpKind::HostUnreachable)),
            ("DestinationUnreachable(CommAdminProhibited)", Some(IcmpKind::AdminProhibited)),
            ("DestinationUnreachable(FragmentationNeeded)", Some(IcmpKind::PacketTooBig)),
            ("PacketTooBig(0)", Some(IcmpKind::PacketTooBig)),
            ("TimeExceeded(HopLimitExceeded)", Some(IcmpKind::TimeExceeded)),
            (
                "TimeExceeded(FragmentReassemblyTimeExceeded)",
                Some(IcmpKind::ReassemblyTimeExceeded),
            ),
            ("EchoRequest", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(find_icmp_error(name), expected, "{name}");
        }
    }
}
