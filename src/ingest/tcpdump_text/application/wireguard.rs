//! `UDP, length 148`: tcpdump does not read WireGuard, but the lengths of a handshake's
//! messages are its own.

use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::identity::hash_words;
use crate::model::packet::{Application, Transaction, TransactionRole};
use crate::model::protocol::Protocol;

/// The protocol's whitepaper, section 5.4.2 and 5.4.3. Transport data is 32 bytes longer than
/// what it carries, which is padded to a multiple of 16 (section 5.4.6), so none is so long.
const INITIATION_BYTES: u32 = 148;
const RESPONSE_BYTES: u32 = 92;

/// The handshake message that has this length. What pairs the two, the index that the
/// initiator chose, is not printed; between two ends there is one handshake at a time.
pub fn find_handshake(flow: &FlowKey, length: u32) -> Option<Application> {
    let (role, label, initiator, responder) = match length {
        INITIATION_BYTES => {
            (TransactionRole::Request, "handshake initiation", flow.source, flow.destination)
        }
        RESPONSE_BYTES => {
            (TransactionRole::Reply, "handshake response", flow.destination, flow.source)
        }
        _ => return None,
    };
    let name = |end: Endpoint| end.to_string();
    Some(Application::Transaction(Transaction {
        protocol: Protocol::Wireguard,
        role,
        identity: hash_words(&["WireGuard", &name(initiator), &name(responder)]),
        question: None,
        label,
        reply_to: None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_has_its_initiations_identity() {
        for (one, other) in [("192.0.2.1", "198.51.100.1"), ("2001:db8::1", "2001:db8:100::1")] {
            let [one, other] =
                [one, other].map(|text| Endpoint::new(text.parse().unwrap(), 51_820));
            let read = |source, destination, length| match find_handshake(
                &FlowKey::udp(source, destination),
                length,
            ) {
                Some(Application::Transaction(found)) => Some((found.role, found.identity)),
                _ => None,
            };
            let (role, identity) = read(one, other, 148).unwrap();
            assert_eq!(role, TransactionRole::Request);
            assert_eq!(read(other, one, 92), Some((TransactionRole::Reply, identity)));
            // That is what the other one asks.
            assert_ne!(read(other, one, 148), Some((TransactionRole::Request, identity)));
            for data in [32, 64, 96, 144, 160, 1452] {
                assert_eq!(read(one, other, data), None, "{data}");
            }
        }
    }
}
