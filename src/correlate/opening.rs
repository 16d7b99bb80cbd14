//! What the first packet of an exchange says about who asks whom.

use super::record::is_group;
use crate::model::packet::{Application, Datagram, TftpMessage, TransactionRole};
use crate::model::protocol::Protocol;

/// Which side of a new exchange its first packet comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpeningSide {
    Client,
    Server,
}

/// What the first packet of an exchange is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    pub protocol: Protocol,
    pub side: OpeningSide,
    /// The packet cannot be the first of its exchange: TFTP data on the service port.
    pub is_late: bool,
}

/// What the first packet of an exchange says about who asks whom.
pub fn find_opening(datagram: &Datagram) -> Opening {
    let (source, destination) = (datagram.flow.source, datagram.flow.destination);
    let client = |protocol| Opening { protocol, side: OpeningSide::Client, is_late: false };
    let server = |protocol| Opening { protocol, side: OpeningSide::Server, is_late: false };
    let by_ports = |protocol: Protocol| {
        let to_service = protocol.is_served_at(destination.port);
        let from_service = protocol.is_served_at(source.port);
        if ((from_service && !to_service) || is_lease(datagram))
            && !protocol.is_one_way()
            && !is_group(destination.address)
        {
            server(protocol)
        } else {
            client(protocol)
        }
    };
    match &datagram.application {
        Application::Tftp(message) if message.is_request() => client(Protocol::Tftp),
        Application::Tftp(_) if Protocol::of_port(destination.port) == Some(Protocol::Tftp) => {
            Opening { protocol: Protocol::Tftp, side: OpeningSide::Client, is_late: true }
        }
        // Only a server acknowledges options (RFC 2347), from a port of its choice.
        Application::Tftp(_)
        | Application::Unknown { tftp_shape: Some(TftpMessage::OptionAck) } => {
            server(Protocol::Tftp)
        }
        Application::Transaction(transaction) => match transaction.role {
            // What is said to a group unasked: an announcement. Nobody of the group asked.
            TransactionRole::Reply if is_group(destination.address) => client(transaction.protocol),
            TransactionRole::Reply => server(transaction.protocol),
            TransactionRole::Notification if transaction.protocol == Protocol::Snmp => {
                client(Protocol::SnmpTrap)
            }
            TransactionRole::Request | TransactionRole::Notification => {
                client(transaction.protocol)
            }
            TransactionRole::Unread => by_ports(transaction.protocol),
        },
        Application::Plain(protocol) => by_ports(*protocol),
        Application::Report(protocol) => client(*protocol),
        Application::Unknown { .. } => client(Protocol::Udp),
    }
}

/// Whether a DHCP server says `datagram` to a client: both have ports of their own
/// (RFC 2131 section 4.1, RFC 8415 section 7.2).
pub fn is_lease(datagram: &Datagram) -> bool {
    let ports = (datagram.flow.source.port, datagram.flow.destination.port);
    let protocol = match &datagram.application {
        Application::Plain(protocol) => *protocol,
        Application::Transaction(transaction) => transaction.protocol,
        Application::Tftp(_) | Application::Report(_) | Application::Unknown { .. } => {
            return false;
        }
    };
    match protocol {
        Protocol::Dhcp => ports == (67, 68),
        Protocol::Dhcpv6 => ports == (547, 546),
        _ => false,
    }
}
