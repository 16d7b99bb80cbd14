//! ICMP errors that are of no half, by what they quote.

use std::net::IpAddr;

use hashbrown::HashMap;

use crate::model::endpoint::Endpoint;
use crate::model::packet::IcmpError;

/// Errors about one socket; of more, the first tell enough.
const MAX_OF_SOCKET: usize = 4_096;
/// Errors that name no port, which may be about any socket of an address.
const MAX_OF_ADDRESS: usize = 64;

/// Places of errors among the packets that were kept.
#[derive(Debug, Default)]
pub struct Errors {
    of_socket: HashMap<Endpoint, Vec<usize>>,
    of_address: HashMap<IpAddr, Vec<usize>>,
}

impl Errors {
    /// Takes the error at place `number`; the places only grow.
    pub fn add(&mut self, number: usize, error: &IcmpError) {
        let Some(quote) = &error.quote else {
            self.add_about(error.from, None, number);
            self.add_about(error.to, None, number);
            return;
        };
        self.add_about(quote.source, quote.source_port, number);
        self.add_about(quote.destination, quote.destination_port, number);
    }

    /// Takes the error at place `number`, which is about an exchange of `client`.
    pub fn add_of(&mut self, number: usize, client: Endpoint) {
        self.add_about(client.address, Some(client.port), number);
    }

    /// Those that may be about what a socket sent or got, in their order.
    pub fn about(&self, socket: Endpoint) -> Vec<usize> {
        let of_socket = self.of_socket.get(&socket);
        let lists = of_socket.into_iter().chain(self.of_address.get(&socket.address));
        let mut about: Vec<usize> = lists.flatten().copied().collect();
        about.sort_unstable();
        about.dedup();
        about
    }

    /// Whether any may be about what a socket sent or got.
    pub fn are_about(&self, socket: Endpoint) -> bool {
        self.of_socket.contains_key(&socket) || self.of_address.contains_key(&socket.address)
    }

    fn add_about(&mut self, address: IpAddr, port: Option<u16>, number: usize) {
        let (about, most) = match port {
            Some(port) => {
                let socket = Endpoint::new(address, port);
                (self.of_socket.entry(socket).or_default(), MAX_OF_SOCKET)
            }
            None => (self.of_address.entry(address).or_default(), MAX_OF_ADDRESS),
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
            let socket = |address: &str, port| Endpoint::new(address.parse().unwrap(), port);
            let ipv4 = device == "192.0.2.7";
            let unquoted: &[usize] = if ipv4 { &[4] } else { &[] };
            let with_unquoted = |own: &[usize]| [own, unquoted].concat();
            assert_eq!(errors.about(socket(device, 2_000)), with_unquoted(&[1, 3]), "{device}");
            assert_eq!(errors.about(socket(device, 2_001)), with_unquoted(&[2, 3]), "{device}");
            assert_eq!(errors.about(socket(device, 2_002)), with_unquoted(&[3]), "{device}");
            assert_eq!(errors.about(socket(other, 69)), [1, 2, 3, 4], "{device}");
            assert!(!errors.are_about(socket("203.0.113.9", 69)));
        }
    }

    #[test]
    fn their_number_is_limited() {
        let mut errors = Errors::default();
        for number in 0..10_000 {
            errors.add(number, &error(Some(("192.0.2.7", None)), "198.51.100.1"));
        }
        let about =
            |address: &str, port| errors.about(Endpoint::new(address.parse().unwrap(), port)).len();
        assert_eq!(about("192.0.2.7", 1), MAX_OF_ADDRESS);
        assert_eq!(about("198.51.100.1", 69), MAX_OF_SOCKET);
    }
}
