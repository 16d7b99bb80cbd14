//! Streams of captures for tests, as the thread of a capture writes them.

use std::net::{IpAddr, SocketAddr};

use super::super::capture::samples::{RingPacket, write_interface, write_packet, write_section};
use crate::model::time::Timestamp;

/// Some seconds after a time of no importance.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_700_000_000 + seconds)
}

/// A capture's stream.
pub struct Stream(Vec<u8>);

impl Stream {
    pub fn new(interfaces: &[&str]) -> Self {
        let mut bytes = Vec::new();
        write_section(&mut bytes, "node3", "test");
        for name in interfaces {
            write_interface(&mut bytes, name);
        }
        Self(bytes)
    }

    /// A datagram.
    pub fn packet(
        &mut self,
        interface: u32,
        at: Timestamp,
        source: &str,
        destination: &str,
        payload: &[u8],
    ) {
        let (source, destination): (SocketAddr, SocketAddr) =
            (source.parse().unwrap(), destination.parse().unwrap());
        let length = u16::try_from(8 + payload.len()).unwrap();
        let mut datagram = Vec::new();
        for field in [source.port(), destination.port(), length, 0] {
            datagram.extend_from_slice(&field.to_be_bytes());
        }
        datagram.extend_from_slice(payload);
        self.frame(interface, at, 17, (source.ip(), destination.ip()), &datagram);
    }

    /// An ICMP port unreachable that quotes a datagram without payload.
    pub fn port_unreachable(
        &mut self,
        interface: u32,
        at: Timestamp,
        from: &str,
        (source, destination): (&str, &str),
    ) {
        let from: IpAddr = from.parse().unwrap();
        let (source, destination): (SocketAddr, SocketAddr) =
            (source.parse().unwrap(), destination.parse().unwrap());
        let mut quoted = Vec::new();
        for field in [source.port(), destination.port(), 12, 0] {
            quoted.extend_from_slice(&field.to_be_bytes());
        }
        quoted.extend_from_slice(&[0, 4, 0, 1]);
        let quoted = network_packet(17, (source.ip(), destination.ip()), &quoted);
        // Type and code: RFC 792 and RFC 4443, section 3.1.
        let (protocol, head) = if from.is_ipv4() { (1, [3, 3]) } else { (58, [1, 4]) };
        let error = [&head[..], &[0; 6], &quoted].concat();
        self.frame(interface, at, protocol, (from, source.ip()), &error);
    }

    fn frame(
        &mut self,
        interface: u32,
        at: Timestamp,
        protocol: u8,
        ends: (IpAddr, IpAddr),
        payload: &[u8],
    ) {
        let ether_type: [u8; 2] = if ends.0.is_ipv4() { [8, 0] } else { [0x86, 0xdd] };
        let packet = network_packet(protocol, ends, payload);
        let bytes = [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2][..], &ether_type, &packet].concat();
        let original_length = u32::try_from(bytes.len()).unwrap();
        let packet = RingPacket { at, original_length, tag: None, packet_type: 0, bytes: &bytes };
        write_packet(&mut self.0, interface, &packet);
    }

    /// What was written since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

fn network_packet(
    protocol: u8,
    (source, destination): (IpAddr, IpAddr),
    payload: &[u8],
) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap();
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let total = (length + 20).to_be_bytes();
            [
                &[0x45, 0, total[0], total[1], 0, 0, 0, 0, 64, protocol, 0, 0][..],
                &source.octets(),
                &destination.octets(),
                payload,
            ]
            .concat()
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let length = length.to_be_bytes();
            [
                &[0x60, 0, 0, 0, length[0], length[1], protocol, 64][..],
                &source.octets(),
                &destination.octets(),
                payload,
            ]
            .concat()
        }
        _ => panic!("{source} and {destination} are of two families"),
    }
}
