//! Whether a packet on a flow not seen before belongs to an exchange.

use std::net::IpAddr;
use std::time::Duration;

use super::audience::Audience;
use super::record::{Record, is_group};
use super::tftp::{is_tftp_protocol, tftp_shape};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{Course, Origin};
use crate::model::finding::Confidence;
use crate::model::packet::{Application, Datagram, TftpMessage, TransactionRole};
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;

/// A TFTP transfer that was silent for so long is over (RFC 1350 leaves the
/// time to the implementation; common ones give up within half a minute).
const TFTP_PATIENCE: Duration = Duration::from_mins(1);
/// Where nothing but time relates an answer to its question.
const ANSWER_DELAY: Duration = Duration::from_secs(5);
/// Answers to a group trickle in.
const GROUP_DELAY: Duration = Duration::from_secs(10);

/// How well a reply fits, from worst to best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// It answers the same question, which whom the client asked has answered itself:
    /// the client asked others as well, where nobody captured.
    Beside,
    OtherAddress(Confidence),
    OtherPort(Confidence),
    ByDesign,
    Asked,
}

impl Fit {
    /// Whether more than time relates the reply to its request.
    pub fn is_sure(self) -> bool {
        match self {
            Self::OtherAddress(confidence) | Self::OtherPort(confidence) => {
                confidence == Confidence::Certain
            }
            Self::Beside | Self::ByDesign => false,
            Self::Asked => true,
        }
    }

    /// The reply's origin.
    pub fn origin(self) -> Origin {
        match self {
            Self::OtherAddress(confidence) => Origin::OtherAddress(confidence),
            Self::OtherPort(confidence) => Origin::OtherPort(confidence),
            Self::Beside | Self::ByDesign => Origin::ByDesign,
            Self::Asked => Origin::Asked,
        }
    }
}

/// How well `datagram`, from an endpoint that the client has not spoken to,
/// answers `exchange`. `alone` says that the client socket asks nobody else and
/// the sender asks nobody: only then may time alone relate the two.
pub fn find_reply_fit(
    exchange: &Record,
    datagram: &Datagram,
    at: Timestamp,
    alone: bool,
) -> Option<Fit> {
    let source = datagram.flow.source;
    let asked = exchange.asked?;
    if exchange.requests.packets == 0 {
        return None;
    }
    // Whoever asks all hosts of a network is answered by any of them.
    if exchange.audience == Audience::Group || is_subnet_broadcast(asked.address, source.address) {
        return fits_group(exchange, asked, datagram, at, alone).then_some(Fit::ByDesign);
    }
    if is_tftp_protocol(exchange.protocol) {
        return find_tftp_fit(exchange, asked, datagram, at);
    }
    // A snap length may have cut the request before its identity; then an answer
    // that has one is recognised by its protocol, and by time.
    let request_is_cut = exchange.transactions.is_empty() && expects_identity(exchange.protocol);
    // A request that cannot be read may be answered with what can.
    let request_is_unread = exchange.transactions.is_empty() && exchange.protocol == Protocol::Udp;
    if let Application::Transaction(transaction) = &datagram.application
        && !(request_is_unread && transaction.role == TransactionRole::Unread)
        && !(transaction.role == TransactionRole::Reply
            && (request_is_unread
                || request_is_cut && answers_protocol(transaction.protocol, exchange.protocol)))
    {
        let answers = transaction.role == TransactionRole::Reply
            && answers_protocol(transaction.protocol, exchange.protocol)
            && exchange.transactions.knows(transaction.identity);
        if answers && exchange.transactions.is_settled(transaction.identity) {
            return Some(Fit::Beside);
        }
        return answers.then(|| claim(exchange.protocol, asked, source, Confidence::Certain));
    }
    // Where answers carry an identity, one without it is no answer; text often
    // does not print it, and a snap length may have cut it off.
    let is_read = datagram.fingerprint.is_some() && !datagram.is_cut;
    let lacks_identity = expects_identity(exchange.protocol)
        && is_read
        && !matches!(datagram.application, Application::Transaction(_));
    if exchange.protocol.moves_by_design() || !alone || lacks_identity {
        return None;
    }
    let outstanding = (!exchange.is_answered() || exchange.asks_after_pause())
        && at.since(exchange.last_at()) <= ANSWER_DELAY;
    let is_service = Protocol::is_only_for_servers(exchange.client.port)
        && !has_port_by_chance(exchange, datagram);
    if !outstanding || (is_service && !request_is_cut) {
        return None;
    }
    if source.address == asked.address {
        // Where the bytes are there, the protocols that we read say it themselves.
        let port_may_change = exchange.protocol == Protocol::Udp || !is_read;
        return port_may_change.then_some(Fit::OtherPort(Confidence::Possible));
    }
    let confidence =
        if source.port == asked.port { Confidence::Likely } else { Confidence::Possible };
    Some(Fit::OtherAddress(confidence))
}

/// Whether the client has a protocol's port and speaks another protocol, and so does who
/// writes to it: below 1024 ports are nobody's by chance.
fn has_port_by_chance(exchange: &Record, datagram: &Datagram) -> bool {
    const FIRST_UNPRIVILEGED_PORT: u16 = 1024;
    let is_read = match &datagram.application {
        Application::Transaction(transaction) => transaction.role != TransactionRole::Unread,
        Application::Tftp(_) | Application::Plain(_) => true,
        Application::Unknown { .. } => false,
    };
    exchange.protocol == Protocol::Udp
        && exchange.client.port >= FIRST_UNPRIVILEGED_PORT
        && !is_read
}

/// Where a packet of the client went, if it follows a reply of `exchange`.
pub fn find_course(exchange: &Record, datagram: &Datagram, at: Timestamp) -> Option<Course> {
    let destination = datagram.flow.destination;
    let tftp = is_tftp_protocol(exchange.protocol);
    if tftp && (is_request(datagram) || at.since(exchange.last_at()) > TFTP_PATIENCE) {
        return None;
    }
    if !tftp && at.since(exchange.last_at()) > ANSWER_DELAY {
        return None;
    }
    let keeps_address = exchange.asked.is_some_and(|asked| {
        destination.address == asked.address
            && destination.port != asked.port
            && exchange.details.iter().flat_map(|details| &details.replies).any(|replies| {
                replies.origin.is_changed() && replies.source.port == destination.port
            })
    });
    if keeps_address {
        return Some(Course::ToAskedAddress);
    }
    // A TFTP client talks to nobody else from this port: it must have had an
    // answer from there that was not captured.
    (tftp && could_be_tftp(datagram)).then_some(Course::AnswererUnseen)
}

/// Whether `datagram`, sent to the server's transfer identifier, is the client
/// going on from another of its addresses.
pub fn comes_from_other_source(exchange: &Record, datagram: &Datagram, at: Timestamp) -> bool {
    let source = datagram.flow.source;
    source.address != exchange.client.address
        && source.address.is_ipv4() == exchange.client.address.is_ipv4()
        && !is_request(datagram)
        && at.since(exchange.last_at()) <= TFTP_PATIENCE
        && (source.port == exchange.client.port || tftp_shape(datagram).is_some())
}

/// Whether `asked` is the highest address of the network of 256 or more that
/// `answerer` is in: then all its hosts were asked (RFC 922).
pub fn is_subnet_broadcast(asked: IpAddr, answerer: IpAddr) -> bool {
    let (IpAddr::V4(asked), IpAddr::V4(answerer)) = (asked, answerer) else { return false };
    let host_bits = asked.to_bits().trailing_ones();
    (8..32).contains(&host_bits) && asked.to_bits() >> host_bits == answerer.to_bits() >> host_bits
}

/// RFC 1350 section 4: a TFTP server answers from a port of its own choice.
fn find_tftp_fit(
    exchange: &Record,
    asked: Endpoint,
    datagram: &Datagram,
    at: Timestamp,
) -> Option<Fit> {
    if is_request(datagram)
        || at.since(exchange.last_at()) > TFTP_PATIENCE
        || !could_be_tftp(datagram)
    {
        return None;
    }
    if datagram.flow.source.address == asked.address {
        return Some(Fit::Asked);
    }
    let proven = tftp_shape(datagram).is_some_and(TftpMessage::can_answer_request);
    Some(Fit::OtherAddress(if proven { Confidence::Certain } else { Confidence::Likely }))
}

/// Whether an answer that reads as one protocol can be the other's. What SNMP
/// answers to an inform (RFC 3416 section 4.2.7) is told from other responses
/// by its port alone.
fn answers_protocol(answer: Protocol, asked: Protocol) -> bool {
    answer == asked || (answer == Protocol::Snmp && asked == Protocol::SnmpInform)
}

fn claim(protocol: Protocol, asked: Endpoint, source: Endpoint, confidence: Confidence) -> Fit {
    if protocol.moves_by_design() {
        Fit::ByDesign
    } else if asked.address == source.address {
        Fit::OtherPort(confidence)
    } else {
        Fit::OtherAddress(confidence)
    }
}

/// Whether `datagram` answers what was asked of all: from the port that was asked, in the
/// same protocol, or, of one that we do not know and a client that asks nobody else, at all.
fn fits_group(
    exchange: &Record,
    asked: Endpoint,
    datagram: &Datagram,
    at: Timestamp,
    alone: bool,
) -> bool {
    // RFC 1350 section 4: from a port of the server's choice.
    if is_tftp_protocol(exchange.protocol) {
        return find_tftp_fit(exchange, asked, datagram, at).is_some();
    }
    let same_protocol = match &datagram.application {
        Application::Transaction(transaction) => transaction.protocol == exchange.protocol,
        Application::Plain(protocol) => *protocol == exchange.protocol,
        Application::Tftp(_) | Application::Unknown { .. } => false,
    };
    let may_be_any = exchange.protocol == Protocol::Udp && !is_group(asked.address) && alone;
    at.since(exchange.last_at()) <= GROUP_DELAY
        && (datagram.flow.source.port == asked.port || same_protocol || may_be_any)
}

/// Whether answers of this protocol carry an identity that we read, so that
/// one without it is no answer.
fn expects_identity(protocol: Protocol) -> bool {
    protocol.expects_answer()
}

fn is_request(datagram: &Datagram) -> bool {
    tftp_shape(datagram).is_some_and(TftpMessage::is_request)
}

/// Whether a datagram can be part of a TFTP transfer: it has the shape, or its
/// bytes were not captured.
fn could_be_tftp(datagram: &Datagram) -> bool {
    match &datagram.application {
        Application::Tftp(_) => true,
        Application::Unknown { tftp_shape } => {
            tftp_shape.is_some() || datagram.fingerprint.is_none()
        }
        // A transfer may use any port, also one that is registered to another protocol.
        Application::Plain(_) => datagram.fingerprint.is_none(),
        Application::Transaction(_) => false,
    }
}
