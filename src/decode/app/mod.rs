//! What a payload says, as far as pairing requests and answers needs it.
//!
//! A protocol is taken from the port; of two known ports the lower is the
//! service's, unless its sender was given it by chance: what comes from such a port is the
//! service's only where the payload fits its protocol. TFTP requests, STUN, SIP and the
//! messages of some other protocols are also known by their shape at any port. Where a
//! payload does not fit its port, the port's protocol is all that is said, and that it is
//! none of its messages. Nothing here allocates, but for the texts of TFTP requests and
//! errors, and the address in SIP's Via.

mod by_chance;
mod coap;
mod dhcp;
mod dhcpv6;
mod dns;
mod dns_entry;
mod ike;
mod ntp;
mod quic;
mod radius;
mod shape;
mod sip;
mod snmp;
mod stun;
mod telemetry;
mod teredo;
mod tftp;
mod wireguard;

use crate::model::identity::hash_fields;
use crate::model::packet::{Application, Transaction, TransactionRole};
use crate::model::protocol::{FIRST_EPHEMERAL_PORT, FIRST_UNPRIVILEGED_PORT, Protocol};

/// Switches send traps from the port that they are polled at (RFC 3417 section 3.1).
const SNMP_TRAP_PORT: u16 = 162;

/// A UDP payload with its ports.
#[derive(Debug, Clone, Copy)]
pub(super) struct Payload<'a> {
    pub source_port: u16,
    pub destination_port: u16,
    /// Payload bytes by the UDP header.
    pub length: u32,
    /// The captured part, never longer than `length`.
    pub captured: &'a [u8],
    /// Whether its destination is a multicast group.
    pub is_to_group: bool,
}

impl Payload<'_> {
    /// Whether no byte is missing.
    pub(super) fn is_whole(&self) -> bool {
        u32::try_from(self.captured.len()).is_ok_and(|captured| captured >= self.length)
    }

    /// The known protocols of the two ports, the service's first.
    fn services(&self) -> [Option<(u16, Protocol)>; 2] {
        let (source, destination) = (self.source_port, self.destination_port);
        let source_first = source < destination && destination != SNMP_TRAP_PORT;
        let ports = if source_first { [source, destination] } else { [destination, source] };
        ports.map(|port| {
            let protocol = Protocol::of_port(port)?;
            let is_its = port < FIRST_EPHEMERAL_PORT || self.may_be(protocol, port);
            is_its.then(|| (port, protocol.at_ports(source, destination, self.is_to_group)))
        })
    }

    /// Whether a port that a client may have by chance is the protocol's all the same:
    /// the payload begins as its messages do, or, where none was captured, goes there.
    fn may_be(&self, protocol: Protocol, port: u16) -> bool {
        match (protocol, self.captured) {
            (_, []) => port == self.destination_port,
            // BACnet/IP and, in Annex U, over IPv6 (ASHRAE 135 clause J.2).
            (Protocol::Bacnet, [first, ..]) => matches!(first, 0x81 | 0x82),
            (Protocol::Wireguard, bytes) => {
                matches!(bytes, [1..=4] | [1..=4, 0] | [1..=4, 0, 0] | [1..=4, 0, 0, 0, ..])
            }
            _ => true,
        }
    }
}

/// Reads a payload.
pub(super) fn read_application(payload: &Payload<'_>) -> Application {
    if let Some(message) = tftp::find_message(payload) {
        return Application::Tftp(message);
    }
    let services = payload.services();
    let mut known = services.iter().flatten();
    let transaction = known
        .find_map(|(port, protocol)| {
            find_transaction(*protocol, payload)
                .filter(|_| by_chance::is_message_at(payload, *port, *protocol))
        })
        .or_else(|| stun::find_transaction_by_cookie(payload))
        .or_else(|| sip::find_transaction(payload));
    if let Some(transaction) = transaction {
        return Application::Transaction(transaction);
    }
    let service = services
        .into_iter()
        .flatten()
        .find(|(port, protocol)| !by_chance::is_port_of_client(payload, *port, *protocol));
    match service {
        Some((port, protocol)) => {
            // The service's port may be one that a TFTP server picked at random.
            let picked = port >= FIRST_UNPRIVILEGED_PORT;
            match tftp::find_strict_shape(payload).filter(|_| picked) {
                None => read_at_service(protocol, payload),
                tftp_shape => Application::Unknown { tftp_shape },
            }
        }
        None if sip::has_sip_shape(payload.captured) => Application::Plain(Protocol::Sip),
        None => read_by_shape(payload),
    }
}

/// A payload between ports of which none says what it is.
fn read_by_shape(payload: &Payload<'_>) -> Application {
    if let Some(transaction) = shape::find_message(payload) {
        return Application::Transaction(transaction);
    }
    telemetry::find_report(payload)
        .unwrap_or_else(|| Application::Unknown { tftp_shape: tftp::find_shape(payload) })
}

/// What is at a service's port and is no message that is read.
fn read_at_service(protocol: Protocol, payload: &Payload<'_>) -> Application {
    if protocol == Protocol::Quic && !quic::may_be_quic(payload) {
        return read_by_shape(payload);
    }
    if protocol.is_one_way() {
        return telemetry::read_at_collector(protocol, payload);
    }
    let keeps_alive = match protocol {
        Protocol::Sip => sip::is_keep_alive(payload),
        Protocol::Ike => ike::is_keep_alive(payload),
        _ => false,
    };
    let (role, label) = if keeps_alive {
        (TransactionRole::Notification, "keep-alive")
    } else if protocol == Protocol::Stun && stun::is_channel_data(payload) {
        // Either side sends it, and neither waits for the other's: the ports tell whose it is.
        (TransactionRole::Unread, "channel data")
    } else if is_unread(protocol, payload) {
        (TransactionRole::Unread, "unread message")
    } else {
        return Application::Plain(protocol);
    };
    let identity = hash_fields(&[payload.captured]);
    let (question, reply_to) = (None, None);
    Application::Transaction(Transaction { protocol, role, identity, question, label, reply_to })
}

/// Whether all of a payload is there, and its protocol has no such message.
fn is_unread(protocol: Protocol, payload: &Payload<'_>) -> bool {
    let reads_all = matches!(
        protocol,
        Protocol::Dns
            | Protocol::Mdns
            | Protocol::Llmnr
            | Protocol::Snmp
            | Protocol::Ntp
            | Protocol::Radius
            | Protocol::Sip
            | Protocol::Coap
            | Protocol::Stun
    );
    reads_all && payload.is_whole() && !has_message_shape(protocol, payload)
}

/// Whether a payload that was not read is the protocol's all the same: it lacks something,
/// or keeps a translation alive.
fn has_message_shape(protocol: Protocol, payload: &Payload<'_>) -> bool {
    let is_lacking = match protocol {
        Protocol::Ntp => ntp::has_ntp_shape(payload.captured),
        Protocol::Sip => sip::is_keep_alive(payload),
        _ => false,
    };
    is_lacking || sip::has_sip_shape(payload.captured)
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
        Protocol::Dhcp => dhcp::find_transaction(payload),
        Protocol::Dhcpv6 => dhcpv6::find_transaction(payload),
        Protocol::Ike => ike::find_transaction(payload),
        Protocol::Quic => quic::find_transaction(payload),
        Protocol::Teredo => teredo::find_qualification(payload),
        Protocol::Tftp
        | Protocol::Nbns
        | Protocol::Syslog
        | Protocol::Ssdp
        | Protocol::NetFlow
        | Protocol::Ipfix
        | Protocol::Sflow
        | Protocol::Statsd
        | Protocol::Bacnet
        | Protocol::Bfd
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
    let length = length.try_into().unwrap();
    Payload { source_port, destination_port, length, captured, is_to_group: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::packet::TftpMessage;

    /// What is read, in few words.
    fn told(application: Application) -> String {
        match application {
            Application::Transaction(transaction) => {
                format!("{} {:?} {}", transaction.protocol, transaction.role, transaction.label)
            }
            Application::Plain(protocol) => protocol.to_string(),
            Application::Report(protocol) => format!("{protocol} report"),
            Application::Unknown { tftp_shape } => format!("unknown {tftp_shape:?}"),
            Application::Tftp(message) => message.to_string(),
        }
    }

    #[test]
    fn the_lower_known_port_is_the_services() {
        let cases = [
            (40_000, 514, "syslog"),
            (514, 40_000, "syslog"),
            (514, 514, "syslog"),
            (51_820, 53, "DNS"),
            (53, 51_820, "DNS"),
            (443, 55_000, "QUIC"),
            (40_000, 3799, "RADIUS"),
            (161, 162, "SNMP trap"),
            (162, 161, "SNMP"),
            (40_000, 3784, "BFD"),
            (40_000, 5353, "DNS"),
            (5353, 40_000, "DNS"),
            (5353, 5353, "mDNS"),
            (40_000, 1700, "unknown None"),
            (40_000, 40_001, "unknown None"),
        ];
        for (source_port, destination_port, expected) in cases {
            // Cut, so that nothing but the ports tells.
            let application = read_application(&cut(source_port, destination_port, b"\xff", 2));
            assert_eq!(told(application), expected, "{source_port} to {destination_port}");
        }
        let to_group = Payload { is_to_group: true, ..cut(40_000, 5353, b"\xff", 2) };
        assert_eq!(told(read_application(&to_group)), "mDNS");
    }

    #[test]
    fn a_port_that_clients_are_given_is_a_services_only_with_its_messages() {
        let bacnet = [0x81, 0x0a, 0, 8, 1, 0, 0x10, 8];
        let (handshake, transport) = ([1, 0, 0, 0, 9], [4, 0, 0, 0, 9]);
        let cases: [(u16, u16, &[u8], &str); 8] = [
            (47_808, 9000, b"ask", "unknown None"),
            (9000, 47_808, b"answer", "unknown None"),
            (51_820, 9000, b"ask", "unknown None"),
            (9000, 51_820, b"answer", "unknown None"),
            (47_808, 47_808, &bacnet, "BACnet"),
            (50_000, 47_808, &bacnet, "BACnet"),
            (50_000, 51_820, &handshake, "WireGuard"),
            (51_820, 50_000, &transport, "WireGuard"),
        ];
        for (source_port, destination_port, bytes, expected) in cases {
            let application = read_application(&whole(source_port, destination_port, bytes));
            assert_eq!(told(application), expected, "{source_port} to {destination_port}");
        }
        let untold =
            |source, destination| told(read_application(&cut(source, destination, b"", 9)));
        assert_eq!(untold(50_000, 47_808), "BACnet");
        assert_eq!(untold(47_808, 9000), "unknown None");
    }

    #[test]
    fn what_is_none_of_a_protocols_messages_is_no_request() {
        let unread = "Unread unread message";
        let channel = b"\x40\x01\0\x04\x80\0\0\x01";
        let no_channel = b"\x40\x01\0\x05\x80\0\0\x01";
        let cases: [(u16, &[u8], String); 17] = [
            (53, b"\xff\xff", format!("DNS {unread}")),
            (161, b"no BER at all", format!("SNMP {unread}")),
            (161, b"", format!("SNMP {unread}")),
            (162, b"no BER at all", "SNMP trap".to_owned()),
            (123, &[0x3f; 48], format!("NTP {unread}")),
            (1812, b"\x4d\x09\0\x140123456789abcdef", format!("RADIUS {unread}")),
            (5683, b"\x80\x01\0\x07", format!("CoAP {unread}")),
            (3478, channel, "STUN Unread channel data".to_owned()),
            (3478, no_channel, format!("STUN {unread}")),
            (5060, b"\r\n\r\n", "SIP Notification keep-alive".to_owned()),
            (5060, b"\0\0\0\0", "SIP Notification keep-alive".to_owned()),
            (5060, b"jaK", "SIP Notification keep-alive".to_owned()),
            (5060, b"", "SIP Notification keep-alive".to_owned()),
            (5060, &[b' '; 40], "SIP Notification keep-alive".to_owned()),
            (5060, b"a sentence, and no message", format!("SIP {unread}")),
            // It lacks what it has to have, but it asks.
            (5060, b"OPTIONS sip:a SIP/2.0\r\n\r\n", "SIP".to_owned()),
            (514, b"\xff\xff", "syslog".to_owned()),
        ];
        for (port, bytes, expected) in cases {
            let application = read_application(&whole(40_000, port, bytes));
            assert_eq!(told(application), expected, "{bytes:?} to {port}");
        }
        let cut = read_application(&cut(40_000, 161, b"no BER", 60));
        assert_eq!(told(cut), "SNMP");
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
        let expected = Application::Report(Protocol::NetFlow);
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
