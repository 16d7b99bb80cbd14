//! Community ID v1: one short name for a flow in both directions, shared with
//! Zeek, Suricata and Wireshark (github.com/corelight/community-id-spec).

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use crate::model::endpoint::Endpoint;

/// IP protocol number of UDP.
const UDP: u8 = 17;

/// The Community ID, with seed 0, of the UDP flow between two endpoints.
pub fn community_id(one: Endpoint, other: Endpoint) -> String {
    let (low, high) = if key(one) <= key(other) { (one, other) } else { (other, one) };
    let mut hash = Sha1::new();
    hash.update(0u16.to_be_bytes());
    hash.update(octets(low.address));
    hash.update(octets(high.address));
    hash.update([UDP, 0]);
    hash.update(low.port.to_be_bytes());
    hash.update(high.port.to_be_bytes());
    format!("1:{}", STANDARD.encode(hash.finalize()))
}

fn key(endpoint: Endpoint) -> (Vec<u8>, u16) {
    (octets(endpoint.address), endpoint.port)
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
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
        // Flows and ids of the specification's own baseline for UDP.
        let cases = [("192.168.1.52:54585", "8.8.8.8:53", "1:d/FP5EW3wiY1vCndhwleRRKHowQ=")];
        for (one, other, expected) in cases {
            assert_eq!(community_id(endpoint(one), endpoint(other)), expected);
            assert_eq!(community_id(endpoint(other), endpoint(one)), expected);
        }
    }
}
