//! UDP datagrams in bare IP packets.

use std::net::{IpAddr, SocketAddr};

use etherparse::PacketBuilder;

/// A packet with a datagram; both ends are of one family.
pub fn udp(source: SocketAddr, destination: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let builder = match (source.ip(), destination.ip()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            PacketBuilder::ipv4(source.octets(), destination.octets(), 64)
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            PacketBuilder::ipv6(source.octets(), destination.octets(), 64)
        }
        _ => unreachable!("{source} and {destination} are of two families"),
    };
    let mut bytes = Vec::new();
    builder.udp(source.port(), destination.port()).write(&mut bytes, payload).unwrap();
    bytes
}
