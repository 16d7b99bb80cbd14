//! ICMP errors that are of no half, by what they quote.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use hashbrown::HashMap;

use crate::model::endpoint::Endpoint;
use crate::model::packet::IcmpError;

/// Errors about one socket; of more, the first tell enough.
const MAX_OF_SOCKET: usize = 4_096;
/// Errors about what one address sent another that name no port, and those about an address
/// whose quote is cut.
const MAX_OF_PAIR: usize = 64;

/// Places of errors among the packets that were kept.
#[derive(Debug, Default)]
pub struct Errors {
    of_socket: HashMap<Endpoint, Vec<usize>>,
    /// Without ports they may be about any socket of the first address that has to do with
    /// the second; without a quote they are from that, or from a router between the two.
    of_address: HashMap<IpAddr, BTreeMap<Option<IpAddr>, Vec<usize>>>,
}

impl Errors {
    /// Takes the error at place `number`; the places only grow.
    pub fn add(&mut self, number: usize, error: &IcmpError) {
        let Some(quote) = &error.quote else {
            self.add_about((error.to, None), Some(error.from), number);
            self.add_about((error.from, None), Some(error.to), number);
            self.add_about((error.to, None), None, number);
            return;
        };
        let source = (quote.source, quote.source_port);
        let destination = (quote.destination, quote.destination_port);
        self.add_about(source, Some(quote.destination), number);
        self.add_about(destination, Some(quote.source), number);
    }

    /// Takes the error at place `number`, which is about an exchange of `client`.
    pub fn add_of(&mut self, number: usize, client: Endpoint) {
        self.add_about((client.address, Some(client.port)), None, number);
    }

    /// Those that may be about what a socket sent to some addresses, or got from them, in
    /// their order.
    pub fn about(&self, socket: Endpoint, peers: &BTreeSet<IpAddr>) -> Vec<usize> {
        let of_socket = self.of_socket.get(&socket);
        let of_address = self.of_address.get(&socket.address);
        let of_peers = of_address.into_iter().flat_map(|by_peer| {
            let peers = peers.iter().copied().map(Some).chain([None]);
            peers.filter_map(|peer| by_peer.get(&peer))
        });
        let mut about: Vec<usize> =
            of_socket.into_iter().chain(of_peers).flatten().copied().collect();
        about.sort_unstable();
        about.dedup();
        about
    }

    /// Whether any may be about what a socket sent or got.
    pub fn are_about(&self, socket: Endpoint) -> bool {
        self.of_socket.contains_key(&socket) || self.of_address.contains_key(&socket.address)
    }

    fn add_about(
        &mut self,
        (address, port): (IpAddr, Option<u16>),
        peer: Option<IpAddr>,
        number: usize,
    ) {
        let (about, most) = if let Some(port) = port {
            let socket = Endpoint::new(address, port);
            (self.of_socket.entry(socket).or_default(), MAX_OF_SOCKET)
        } else {
            let by_peer = self.of_address.entry(address).or_default();
            (by_peer.entry(peer).or_default(), MAX_OF_PAIR)
        };
        if about.len() < most && about.last() != Some(&number) {
            about.push(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::packet::{IcmpKind, Quote};
    use crate::model::segment::QuotedKind;

    fn error(quote: Option<(&str, Option<u16>)>, other: &str) -> IcmpError {
        let other = other.parse().unwrap();
        IcmpError {
            kind: IcmpKind::PortUnreachable,
            fingerprint: None,
            from: other,
            to: "192.0.2.7".parse().unwrap(),
            quote: quote.map(|(source, source_port)| Quote {
                source: source.parse().unwrap(),
                source_port,
                destination: other,
                destination_port: Some(69),
                kind: QuotedKind::Datagram,
                tunnel: None,
            }),
        }
    }

    #[test]
    fn a_socket_finds_what_may_be_about_it() {
        for [device, other] in [["192.0.2.7", "198.51.100.1"], ["2001:db8::7", "2001:db8:1::1"]] {
            let mut errors = Errors::default();
            errors.add(1, &error(Some((device, Some(2_000))), other));
            errors.add(2, &error(Some((device, Some(2_001))), other));
            errors.add(3, &error(Some((device, None)), other));
            errors.add(4, &error(None, other));
            // Of a router, about whatever the device sent.
            errors.add(5, &IcmpError { to: device.parse().unwrap(), ..error(None, "203.0.113.1") });
            let about = |address: &str, port, peers: &[&str]| {
                let peers = peers.iter().map(|peer| peer.parse().unwrap()).collect();
                errors.about(Endpoint::new(address.parse().unwrap(), port), &peers)
            };
            let is_ipv4 = device == "192.0.2.7";
            let unquoted: &[usize] = if is_ipv4 { &[4, 5] } else { &[5] };
            let with_unquoted = |own: &[usize]| [own, unquoted].concat();
            assert_eq!(about(device, 2_000, &[other]), with_unquoted(&[1, 3]), "{device}");
            assert_eq!(about(device, 2_001, &[other]), with_unquoted(&[2, 3]), "{device}");
            assert_eq!(about(device, 2_002, &[other]), with_unquoted(&[3]), "{device}");
            let of_others = about(device, 2_002, &["203.0.113.9"]);
            assert_eq!(of_others, unquoted, "{device}");
            let of_other: &[usize] = if is_ipv4 { &[1, 2, 3, 4] } else { &[1, 2, 3] };
            assert_eq!(about(other, 69, &[device]), of_other, "{device}");
            let socket = |address: &str, port| Endpoint::new(address.parse().unwrap(), port);
            assert!(!errors.are_about(socket("203.0.113.9", 69)));
        }
    }

    #[test]
    fn their_number_is_limited_for_each_whom_an_address_asks() {
        let mut errors = Errors::default();
        let peer = |number: usize| format!("198.51.100.{}", number % 200);
        for number in 0..100_000 {
            errors.add(number, &error(Some(("192.0.2.7", None)), &peer(number)));
        }
        let about = |address: &str, port, asked: &str| {
            let socket = Endpoint::new(address.parse().unwrap(), port);
            errors.about(socket, &[asked.parse().unwrap()].into()).len()
        };
        for number in 0..200 {
            assert_eq!(about("192.0.2.7", 1, &peer(number)), MAX_OF_PAIR);
            assert_eq!(about(&peer(number), 69, "192.0.2.7"), 500);
        }
        let mut of_socket = Errors::default();
        for number in 0..10_000 {
            of_socket.add(number, &error(Some(("192.0.2.7", Some(9))), "198.51.100.1"));
        }
        let socket = Endpoint::new("192.0.2.7".parse().unwrap(), 9);
        assert_eq!(of_socket.about(socket, &BTreeSet::new()).len(), MAX_OF_SOCKET);
    }
}
