//! What a payload says, as far as pairing requests and answers needs it.
//!
//! A protocol is taken from the port; of two known ports the lower is the
//! service's. TFTP requests, STUN, SIP and the answers of some other protocols are
//! also known by their shape at any port. Where a payload does not fit its port, the port's protocol is all that
//! is said. Nothing here allocates, but for the texts of TFTP requests and errors.

mod coap;
mod dns;
mod ntp;
mod radius;
mod shape;
mod sip;
mod snmp;
mod stun;
mod tftp;
mod wireguard;

use crate::model::packet::{Application, Transaction};
use crate::model::protocol::Protocol;

/// RFC 5176: RADIUS dynamic authorization. A port of RADIUS that few know.
const RADIUS_DYNAMIC_AUTHORIZATION_PORT: u16 = 3799;

/// Below this, ports are services'; from here on systems also hand them out to
/// clients, so that a TFTP server's new port may be any of them.
const FIRST_UNPRIVILEGED_PORT: u16 = 1024;

/// A UDP payload with its ports.
#[derive(Debug, Clone, Copy)]
pub(super) struct Payload<'a> {
    pub source_port: u16,
    pub destination_port: u16,
    /// Payload bytes by the UDP header.
    pub length: u32,
    /// The captured part, never longer than `length`.
    pub captured: &'a [u8],
}

impl Payload<'_> {
    /// Whether no byte is missing.
    pub(super) fn is_whole(&self) -> bool {
        u32::try_from(self.captured.len()).is_ok_and(|captured| captured >= self.length)
    }

    /// The known protocols of the two ports, the service's first.
    fn services(&self) -> impl Iterator<Item = (u16, Protocol)> {
        let (source, destination) = (self.source_port, self.destination_port);
        let ports =
            if source < destination { [source, destination] } else { [destination, source] };
        ports.into_iter().filter_map(|port| Some((port, find_protocol(port)?)))
    }
}

/// Reads a payload.
pub(super) fn read_application(payload: &Payload<'_>) -> Application {
    if let Some(message) = tftp::find_message(payload) {
        return Application::Tftp(message);
    }
    let transaction = payload
        .services()
        .find_map(|(_, protocol)| find_transaction(protocol, payload))
        .or_else(|| stun::find_transaction_by_cookie(payload))
        .or_else(|| sip::find_transaction(payload));
    if let Some(transaction) = transaction {
        return Application::Transaction(transaction);
    }
    match payload.services().next() {
        Some((port, protocol)) if port < FIRST_UNPRIVILEGED_PORT => Application::Plain(protocol),
        // The service's port may be one that a TFTP server picked at random.
        Some((_, protocol)) => match tftp::find_shape(payload) {
            None => Application::Plain(protocol),
            tftp_shape => Application::Unknown { tftp_shape },
        },
        None if sip::has_sip_shape(payload.captured) => Application::Plain(Protocol::Sip),
        None => match shape::find_reply(payload) {
            Some(transaction) => Application::Transaction(transaction),
            None => Application::Unknown { tftp_shape: tftp::find_shape(payload) },
        },
    }
}

const fn find_protocol(port: u16) -> Option<Protocol> {
    match port {
        RADIUS_DYNAMIC_AUTHORIZATION_PORT => Some(Protocol::Radius),
        _ => Protocol::of_port(port),
    }
}

/// Reads the message of a protocol that has transactions.
fn find_transaction(protocol: Protocol, payload: &Payload<'_>) -> Option<Transaction> {
    match protocol {
        Protocol::Dns | Protocol::Mdns | Protocol::Llmnr => {
            dns::find_transaction(protocol, payload)
        }
        Protocol::Snmp | Protocol::SnmpTrap | Protocol::SnmpInform => {
            snmp::find_transaction(protocol, payload)
        }
        Protocol::Ntp => ntp::find_transaction(payload),
        Protocol::Radius => radius::find_transaction(payload),
        Protocol::Sip => sip::find_transaction(payload),
        Protocol::Coap => coap::find_transaction(payload),
        Protocol::Stun => stun::find_transaction(payload),
        Protocol::Wireguard => wireguard::find_transaction(payload),
        Protocol::Tftp
        | Protocol::Nbns
        | Protocol::Syslog
        | Protocol::Dhcp
        | Protocol::Dhcpv6
        | Protocol::Ssdp
        | Protocol::Ike
        | Protocol::NetFlow
        | Protocol::Ipfix
        | Protocol::Sflow
        | Protocol::Statsd
        | Protocol::Quic
        | Protocol::Bacnet
        | Protocol::Teredo
        | Protocol::Vxlan
        | Protocol::Geneve
        | Protocol::Tcp
        | Protocol::GtpU
        | Protocol::Udp => None,
    }
}

/// A whole payload between two ports, for the tests of this room.
#[cfg(test)]
fn whole(source_port: u16, destination_port: u16, captured: &[u8]) -> Payload<'_> {
    cut(source_port, destination_port, captured, captured.len())
}

/// A payload of `length` bytes of which only `captured` is there.
#[cfg(test)]
fn cut(source_port: u16, destination_port: u16, captured: &[u8], length: usize) -> Payload<'_> {
    Payload { source_port, destination_port, length: length.try_into().unwrap(), captured }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::packet::TftpMessage;

    #[test]
    fn the_lower_known_port_is_the_services() {
        let cases = [
            (40_000, 514, Some(Protocol::Syslog)),
            (514, 40_000, Some(Protocol::Syslog)),
            (514, 514, Some(Protocol::Syslog)),
            (51_820, 53, Some(Protocol::Dns)),
            (53, 51_820, Some(Protocol::Dns)),
            (443, 55_000, Some(Protocol::Quic)),
            (40_000, 3799, Some(Protocol::Radius)),
            (40_000, 40_001, None),
        ];
        for (source_port, destination_port, expected) in cases {
            let application = read_application(&whole(source_port, destination_port, b"\xff\xff"));
            let expected =
                expected.map_or(Application::Unknown { tftp_shape: None }, Application::Plain);
            assert_eq!(application, expected, "{source_port} to {destination_port}");
        }
    }

    #[test]
    fn a_tftp_server_may_pick_a_known_port() {
        let shape = Some(TftpMessage::Ack { block: 1 });
        let cases = [
            (51_820, Application::Unknown { tftp_shape: shape.clone() }),
            (2055, Application::Unknown { tftp_shape: shape }),
            (514, Application::Plain(Protocol::Syslog)),
        ];
        for (port, expected) in cases {
            let reply = read_application(&whole(port, 40_000, &[0, 4, 0, 1]));
            assert_eq!(reply, expected, "from {port}");
            let follow_up = read_application(&whole(40_000, port, &[0, 4, 0, 1]));
            assert_eq!(follow_up, expected, "to {port}");
        }
    }

    #[test]
    fn flow_exports_are_no_tftp_errors() {
        // NetFlow v5 begins with its version, where TFTP has ERROR, and a count.
        let mut export = vec![0, 5, 0, 1, 0, 1, 2, 3, 0x66, 0, 0, 0];
        export.resize(72, 0);
        let expected = Application::Plain(Protocol::NetFlow);
        assert_eq!(read_application(&whole(40_000, 2055, &export)), expected);
        assert_eq!(read_application(&cut(40_000, 2055, &export[..10], 72)), expected);
    }

    #[test]
    fn bytes_cut_away_never_panic() {
        for (source_port, destination_port) in [
            (53, 53),
            (161, 161),
            (123, 9),
            (1812, 9),
            (5060, 9),
            (5683, 9),
            (3478, 9),
            (69, 9),
            (9, 9),
        ] {
            for captured in [&[][..], &[0], &[0, 1], &[0x30, 0x84], &[0x40], &[0x30, 0x80, 2]] {
                read_application(&cut(source_port, destination_port, captured, 600));
            }
        }
    }
}
