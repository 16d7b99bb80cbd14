//! Community ID v1: one short name for a flow in both directions, shared with
//! Zeek, Suricata and Wireshark (github.com/corelight/community-id-spec).

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use smallvec::SmallVec;

use crate::model::endpoint::{Endpoint, Transport};

/// The version, and the 20 bytes of SHA-1 in base64.
const ID_BYTES: usize = 2 + 28;
/// IP protocol numbers.
const TCP: u8 = 6;
const UDP: u8 = 17;

/// The Community ID, with seed 0, of the flow between two endpoints.
pub fn community_id(transport: Transport, one: Endpoint, other: Endpoint) -> String {
    let number = match transport {
        Transport::Udp => UDP,
        Transport::Tcp => TCP,
    };
    let (low, high) = if key(one) <= key(other) { (one, other) } else { (other, one) };
    let mut hash = Sha1::new();
    hash.update(0u16.to_be_bytes());
    hash.update(octets(low.address));
    hash.update(octets(high.address));
    hash.update([number, 0]);
    hash.update(low.port.to_be_bytes());
    hash.update(high.port.to_be_bytes());
    let mut id = String::with_capacity(ID_BYTES);
    id.push_str("1:");
    STANDARD.encode_string(hash.finalize(), &mut id);
    id
}

fn key(endpoint: Endpoint) -> (Octets, u16) {
    (octets(endpoint.address), endpoint.port)
}

type Octets = SmallVec<[u8; 16]>;

fn octets(address: IpAddr) -> Octets {
    match address {
        IpAddr::V4(v4) => SmallVec::from_slice(&v4.octets()),
        IpAddr::V6(v6) => SmallVec::from_slice(&v6.octets()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        text.parse::<std::net::SocketAddr>().unwrap().into()
    }

    #[test]
    fn ids_are_those_of_the_specification() {
        // Flows and ids of the specification's own baseline.
        let cases = [
            (Transport::Udp, "192.168.1.52:54585", "8.8.8.8:53", "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
            (
                Transport::Tcp,
                "128.232.110.120:34855",
                "66.35.250.204:80",
                "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
            ),
        ];
        for (transport, one, other, expected) in cases {
            assert_eq!(community_id(transport, endpoint(one), endpoint(other)), expected);
            assert_eq!(community_id(transport, endpoint(other), endpoint(one)), expected);
        }
    }
}
