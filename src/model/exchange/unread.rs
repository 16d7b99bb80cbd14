//! Packets that stand in a text and could not be read, or whose ports a snap length cut off, by
//! what is known of their ends.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::model::endpoint::Endpoint;
use crate::model::packet::{Content, Packet};

/// Different ends that are kept in each direction; packets beyond may have been any's.
const MAX_ENDS: usize = 4_096;

/// Packets of one point that could not be read: an address has a name that nothing
/// explains, the line itself is of no known form, or the bytes end before the ports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unread {
    packets: u64,
    /// Those of which nothing is known.
    unknown: u64,
    /// Those that a snap length cut.
    cut: u64,
    by_source: BTreeMap<KnownEnd, u64>,
    by_destination: BTreeMap<KnownEnd, u64>,
}

/// What is known of one end of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct KnownEnd {
    address: Option<IpAddr>,
    port: Option<u16>,
}

impl Unread {
    /// Counts a packet of which nothing is known.
    pub fn note(&mut self) {
        self.packets = self.packets.saturating_add(1);
        self.unknown = self.unknown.saturating_add(1);
    }

    /// Counts a packet of which something is known. The unspecified address stands where
    /// its address is not, and port 0 where its port is not. What is no datagram, and
    /// tells of none, is not missed.
    pub fn note_packet(&mut self, packet: &Packet) {
        let (source, destination) = match &packet.content {
            Content::Datagram(datagram) | Content::Discarded(datagram) => {
                (KnownEnd::of(datagram.flow.source), KnownEnd::of(datagram.flow.destination))
            }
            Content::Dropped(dropped) => {
                let flow = dropped.datagram.flow;
                (KnownEnd::of(flow.source), KnownEnd::of(flow.destination))
            }
            // It concerns whose packet it quotes, whoever sends it; that one gets it.
            Content::IcmpError(error) => {
                let Some(quote) = error.quote else { return self.note() };
                let quoted = if quote.source.is_unspecified() { error.to } else { quote.source };
                (
                    KnownEnd::new(quoted, quote.source_port),
                    KnownEnd::new(quote.destination, quote.destination_port),
                )
            }
            Content::FragmentsLost(_) => return self.note(),
            Content::Neighbour(_) | Content::Segment(_) => return,
        };
        self.note_ends(source, destination);
    }

    /// Counts a datagram of which nothing but the addresses was captured, source first: what a
    /// snap length cut off is no silence.
    pub fn note_cut(&mut self, [source, destination]: [IpAddr; 2]) {
        self.cut = self.cut.saturating_add(1);
        let [source, destination] = [source, destination].map(|end| KnownEnd::new(end, None));
        self.note_ends(source, destination);
    }

    fn note_ends(&mut self, source: KnownEnd, destination: KnownEnd) {
        let is_kept = |known: &BTreeMap<KnownEnd, u64>, end: KnownEnd| {
            known.len() < MAX_ENDS || known.contains_key(&end)
        };
        if !is_kept(&self.by_source, source) || !is_kept(&self.by_destination, destination) {
            return self.note();
        }
        self.packets = self.packets.saturating_add(1);
        add(&mut self.by_source, source, 1);
        add(&mut self.by_destination, destination, 1);
    }

    /// Counts all that `other` counted, too.
    pub fn absorb(&mut self, other: &Self) {
        self.packets = self.packets.saturating_add(other.packets);
        self.unknown = self.unknown.saturating_add(other.unknown);
        self.cut = self.cut.saturating_add(other.cut);
        for (end, packets) in &other.by_source {
            add(&mut self.by_source, *end, *packets);
        }
        for (end, packets) in &other.by_destination {
            add(&mut self.by_destination, *end, *packets);
        }
    }

    /// All of them.
    #[must_use]
    pub const fn packets(&self) -> u64 {
        self.packets
    }

    /// Whether a snap length cut all of them, so that there is no text to read.
    #[must_use]
    pub const fn are_cut(&self) -> bool {
        self.packets > 0 && self.cut >= self.packets
    }

    /// Those that may have been sent to a client, or those that it may have sent, whichever
    /// are more. `client` has its ends: translation gives it others.
    #[must_use]
    pub fn packets_of(&self, client: &[Endpoint]) -> u64 {
        let fitting: BTreeSet<KnownEnd> = client.iter().flat_map(|end| fitting(*end)).collect();
        let count = |by_end: &BTreeMap<KnownEnd, u64>| {
            let known = fitting.iter().filter_map(|end| by_end.get(end));
            known.fold(self.unknown, |sum, packets| sum.saturating_add(*packets))
        };
        count(&self.by_source).max(count(&self.by_destination))
    }
}

impl KnownEnd {
    fn of(end: Endpoint) -> Self {
        Self::new(end.address, Some(end.port).filter(|port| *port != 0))
    }

    fn new(address: IpAddr, port: Option<u16>) -> Self {
        Self { address: Some(address).filter(|address| !address.is_unspecified()), port }
    }
}

/// All that may be known of a packet's end which is `end`.
fn fitting(end: Endpoint) -> [KnownEnd; 4] {
    let (address, port) = (Some(end.address), Some(end.port));
    [(address, port), (address, None), (None, port), (None, None)]
        .map(|(address, port)| KnownEnd { address, port })
}

fn add(by_end: &mut BTreeMap<KnownEnd, u64>, end: KnownEnd, packets: u64) {
    let known = by_end.entry(end).or_insert(0);
    *known = known.saturating_add(packets);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::endpoint::FlowKey;
    use crate::model::packet::{Application, Datagram};
    use crate::model::time::Timestamp;

    fn packet(source: &str, destination: &str) -> Packet {
        let end = |text: &str| Endpoint::from(text.parse::<std::net::SocketAddr>().unwrap());
        let datagram = Datagram {
            flow: FlowKey::udp(end(source), end(destination)),
            length: 0,
            fingerprint: None,
            is_cut: false,
            application: Application::Unknown { tftp_shape: None },
        };
        Packet::without_headers(1, Timestamp::from_seconds(1), 0, Content::Datagram(datagram))
    }

    #[test]
    fn what_is_known_of_an_end_tells_whose_it_is_not() {
        // source, destination, whether it may be the client's
        let cases = [
            ("0.0.0.0:69", "192.0.2.7:58631", true),
            ("198.51.100.10:40001", "0.0.0.0:58631", true),
            ("198.51.100.10:40001", "0.0.0.0:0", true),
            ("0.0.0.0:58631", "198.51.100.10:69", true),
            ("0.0.0.0:40001", "192.0.2.8:58631", false),
            ("0.0.0.0:40001", "192.0.2.7:58632", false),
            ("0.0.0.0:5353", "224.0.0.251:5353", false),
            ("0.0.0.0:123", "0.0.0.0:123", false),
            ("[::]:69", "[2001:db8::7]:58631", true),
            ("[2001:db8:100::10]:40001", "[::]:58631", true),
            ("[2001:db8:100::10]:40001", "[::]:0", true),
            ("[::]:58631", "[2001:db8:100::10]:69", true),
            ("[::]:40001", "[2001:db8::8]:58631", false),
            ("[::]:40001", "[2001:db8::7]:58632", false),
            ("[::]:5353", "[ff02::fb]:5353", false),
            ("[::]:123", "[::]:123", false),
        ];
        for (source, destination, may_be) in cases {
            let address: IpAddr = if source.starts_with('[') || destination.starts_with('[') {
                "2001:db8::7".parse().unwrap()
            } else {
                "192.0.2.7".parse().unwrap()
            };
            let mut unread = Unread::default();
            unread.note_packet(&packet(source, destination));
            assert_eq!(unread.packets(), 1);
            let client = [Endpoint::new(address, 58_631)];
            let name = format!("{source} > {destination}");
            assert_eq!(unread.packets_of(&client), u64::from(may_be), "{name}");
            unread.note();
            assert_eq!(unread.packets_of(&client), u64::from(may_be) + 1, "{name}, and any");
        }
    }

    #[test]
    fn whose_ports_are_cut_off_may_be_any_of_the_addresses() {
        for [server, client, other] in [
            ["198.51.100.10", "192.0.2.7", "192.0.2.8"],
            ["2001:db8:100::10", "2001:db8::7", "2001:db8::8"],
        ] {
            let address = |text: &str| text.parse::<IpAddr>().unwrap();
            let mut unread = Unread::default();
            unread.note_cut([address(server), address(client)]);
            unread.note_cut([address(server), address(client)]);
            let of = |text: &str| unread.packets_of(&[Endpoint::new(address(text), 50_000)]);
            assert_eq!((of(client), of(other)), (2, 0), "{client}");
            assert!(unread.are_cut());
            unread.note();
            assert!(!unread.are_cut());
        }
    }

    #[test]
    fn ends_beyond_the_limit_may_be_anybodys() {
        for (named, stranger, client) in
            [("0.0.0.0", "192.0.2.9", "192.0.2.7"), ("[::]", "[2001:db8::9]", "[2001:db8::7]")]
        {
            let mut unread = Unread::default();
            for port in 1..=5_000 {
                unread.note_packet(&packet(&format!("{named}:53"), &format!("{stranger}:{port}")));
            }
            let client = format!("{client}:6000").parse::<std::net::SocketAddr>().unwrap();
            assert_eq!(unread.packets(), 5_000, "{client}");
            assert_eq!(unread.packets_of(&[client.into()]), 904, "{client}");
        }
    }
}
