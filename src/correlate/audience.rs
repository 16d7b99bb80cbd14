//! To whom a request is addressed, and whether it wants to be answered.

use std::net::IpAddr;

use super::record::is_group;
use crate::model::answers::Answers;
use crate::model::exchange::Expectation;
use crate::model::packet::{Application, Datagram, LinkAudience, Packet, TransactionRole};
use crate::model::protocol::Protocol;

/// To whom a request is addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A host: a frame to one link address carried it, or to a group of link addresses,
    /// which clusters of firewalls share.
    One,
    /// One host or all of a network: no link header tells.
    Untold,
    Group,
}

impl Audience {
    /// By its destination, or by the link header that it came in.
    pub fn of(packet: &Packet, destination: IpAddr) -> Self {
        if is_group(destination) || packet.is_to_all_hosts(destination) {
            return Self::Group;
        }
        match packet.link_audience {
            LinkAudience::One | LinkAudience::Multicast => Self::One,
            LinkAudience::Unknown | LinkAudience::Broadcast => Self::Untold,
        }
    }
}

/// What the sender of `datagram`, in an exchange of `protocol`, waits for.
pub fn find_expectation(datagram: &Datagram, protocol: Protocol) -> Expectation {
    if is_too_short_to_ask(datagram, protocol) {
        return Expectation::Untold;
    }
    match &datagram.application {
        Application::Transaction(transaction) => match transaction.role {
            TransactionRole::Request => Expectation::Answer,
            // A server's answer does not ask; who sends one unasked announces something.
            TransactionRole::Notification | TransactionRole::Reply => Expectation::Nothing,
            TransactionRole::Unread => Expectation::Untold,
        },
        // Its bytes were read, and they are none of a protocol whose requests we know:
        // the media that a relay passes on beside STUN (RFC 8656 section 12.4).
        Application::Unknown { .. }
            if protocol.expects_answer()
                && protocol != Protocol::Tftp
                && datagram.fingerprint.is_some() =>
        {
            Expectation::Untold
        }
        // It opens nothing, for that would have been read.
        Application::Plain(_) | Application::Unknown { .. }
            if protocol.answers() == Answers::Openings && datagram.fingerprint.is_some() =>
        {
            Expectation::Untold
        }
        // It may as well be an answer: the ports of both are the service's.
        Application::Plain(own)
            if own.expects_answer()
                && !matches!(own, Protocol::Ntp | Protocol::Tftp)
                && is_between_services(datagram, *own) =>
        {
            Expectation::Untold
        }
        // In text the lengths of its handshake's messages tell.
        Application::Plain(Protocol::Wireguard) if datagram.length > 0 => Expectation::Untold,
        // What opens an association is printed so.
        Application::Plain(Protocol::Ike) => Expectation::Untold,
        Application::Report(_) => Expectation::Nothing,
        Application::Tftp(_) | Application::Plain(_) | Application::Unknown { .. } => {
            Expectation::Answer
        }
    }
}

/// Whether a datagram of which no byte need have been captured is too short for a question of
/// `protocol`: what keeps a way open is empty, a zero or two line ends (RFC 5626 section
/// 4.4.1, RFC 6263 section 4). CoAP's ping is as short (RFC 7252 section 4.3), and so is
/// what goes on in a TFTP transfer.
fn is_too_short_to_ask(datagram: &Datagram, protocol: Protocol) -> bool {
    const KEEP_ALIVE_BYTES: u32 = 4;
    let is_read =
        matches!(datagram.application, Application::Transaction(_) | Application::Tftp(_));
    // Text does not always print a length.
    let is_told = datagram.length > 0 || datagram.fingerprint.is_some();
    !is_read
        && is_told
        && datagram.length <= KEEP_ALIVE_BYTES
        && protocol.expects_answer()
        && !matches!(protocol, Protocol::Coap | Protocol::Tftp)
}

/// Whether both ports are `protocol`'s, so that they do not tell who asks. Of NTP they do:
/// peers ask each other from its port (RFC 5905 section 9.1).
fn is_between_services(datagram: &Datagram, protocol: Protocol) -> bool {
    let ends = [datagram.flow.source, datagram.flow.destination];
    ends.iter().all(|end| protocol.is_served_at(end.port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::endpoint::{Endpoint, FlowKey};

    #[test]
    fn what_is_shorter_than_a_question_asks_nothing() {
        use Expectation::{Answer, Untold};
        for (client, server) in [
            ("192.0.2.7:5062", "198.51.100.1:5060"),
            ("[2001:db8::7]:5062", "[2001:db8:1::1]:5060"),
        ] {
            let end = |text: &str| Endpoint::from(text.parse::<std::net::SocketAddr>().unwrap());
            for (protocol, length, expected) in [
                (Protocol::Sip, 4, Untold),
                // A length that was not printed.
                (Protocol::Sip, 0, Answer),
                (Protocol::Sip, 300, Answer),
                (Protocol::Dns, 2, Untold),
                (Protocol::Coap, 4, Answer),
                (Protocol::Tftp, 4, Answer),
                (Protocol::Udp, 4, Answer),
            ] {
                let datagram = Datagram {
                    flow: FlowKey::udp(end(client), end(server)),
                    length,
                    fingerprint: None,
                    is_cut: length > 0,
                    application: Application::Plain(protocol),
                };
                let found = find_expectation(&datagram, protocol);
                assert_eq!(found, expected, "{client}, {protocol}, {length}");
            }
        }
    }
}
