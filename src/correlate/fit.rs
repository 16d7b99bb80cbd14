//! Whether a packet on a flow not seen before belongs to an exchange.

pub mod group;

use std::time::Duration;

use super::record::Record;
use super::tftp::{is_tftp_protocol, tftp_shape};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{Course, Origin};
use crate::model::finding::Confidence;
use crate::model::packet::{Application, Datagram, TftpMessage, TransactionRole};
use crate::model::protocol::{FIRST_UNPRIVILEGED_PORT, Protocol};
use crate::model::time::Timestamp;

/// A TFTP transfer that was silent for so long is over (RFC 1350 leaves the
/// time to the implementation; common ones give up within half a minute).
const TFTP_PATIENCE: Duration = Duration::from_mins(1);
/// Where nothing but time relates an answer to its question.
pub const ANSWER_DELAY: Duration = Duration::from_secs(5);
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

/// Who else the two ends of a datagram talk to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ties {
    /// The client socket asks nobody else, and the sender asks nobody: time may relate
    /// the two.
    Alone,
    /// The client socket asks groups alone, and the sender asks nobody.
    WithGroups,
    Many,
}

/// How well `datagram`, from an endpoint that the client has not spoken to,
/// answers `exchange`. Where nothing but time relates the two, `ties` must allow it.
pub fn find_reply_fit(
    exchange: &Record,
    datagram: &Datagram,
    at: Timestamp,
    ties: Ties,
) -> Option<Fit> {
    let source = datagram.flow.source;
    let asked = exchange.asked?;
    if exchange.requests.packets == 0 {
        return None;
    }
    // Whoever asks all hosts of a network is answered by any of them.
    if group::asks_all(exchange, source.address) {
        return group::fits(exchange, asked, datagram, at, ties).then_some(Fit::ByDesign);
    }
    if is_tftp_protocol(exchange.protocol) {
        return find_tftp_fit(exchange, asked, datagram, at);
    }
    // Who reports something answers nothing.
    if matches!(datagram.application, Application::Report(_)) {
        return None;
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
        let is_settled = exchange.transactions.is_settled(transaction.identity);
        if answers && is_settled && !is_told_anew(exchange, at) {
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
    if exchange.protocol.moves_by_design() || ties != Ties::Alone || lacks_identity {
        return None;
    }
    let is_awaited = !exchange.is_answered()
        || exchange.asks_after_pause()
        || (exchange.asks_since_reply() && exchange.knows_answerer(source.address));
    let outstanding = is_awaited && at.since(exchange.last_at()) <= ANSWER_DELAY;
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

/// Whether an answer to a request that was answered is what its server tells the client since:
/// who observes a resource is told of it again and again under one token (RFC 7641 section
/// 4.2). A second server that was asked the same answers while the client still waits, which
/// is `MAX_TRANSMIT_WAIT` at most (RFC 7252 section 4.8.2).
fn is_told_anew(exchange: &Record, at: Timestamp) -> bool {
    const MAX_TRANSMIT_WAIT: Duration = Duration::from_secs(93);
    exchange.protocol == Protocol::Coap && at.since(exchange.last_at()) > MAX_TRANSMIT_WAIT
}

/// Whether the client has a protocol's port and speaks another protocol, and so does who
/// writes to it: below 1024 ports are nobody's by chance.
fn has_port_by_chance(exchange: &Record, datagram: &Datagram) -> bool {
    let is_read = match &datagram.application {
        Application::Transaction(transaction) => transaction.role != TransactionRole::Unread,
        Application::Tftp(_) | Application::Plain(_) | Application::Report(_) => true,
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
                let is_changed =
                    replies.origin.is_changed() || replies.source.address != asked.address;
                is_changed && replies.source.port == destination.port
            })
    });
    if keeps_address {
        return Some(Course::ToAskedAddress);
    }
    // A TFTP client talks to nobody else from this port: it must have had an
    // answer from there that was not captured.
    let may_follow = tftp && could_be_tftp(datagram) && may_be_picked(destination.port);
    may_follow.then_some(Course::AnswererUnseen)
}

/// Whether a TFTP server may have picked `port` for a transfer: at random (RFC 1350 section
/// 4), which no system does among the ports of services (RFC 6335 section 6). A server with
/// one port stays at its own.
fn may_be_picked(port: u16) -> bool {
    port >= FIRST_UNPRIVILEGED_PORT || Protocol::of_port(port) == Some(Protocol::Tftp)
}

/// Whether a TFTP transfer was not silent for long.
pub fn is_running(exchange: &Record, at: Timestamp) -> bool {
    at.since(exchange.last_at()) <= TFTP_PATIENCE
}

/// Whether `datagram`, sent to the server's transfer identifier, is the client
/// going on from another of its addresses: from the port that it asked from, or, where
/// a translation gave it another, as the first to follow the answer.
pub fn comes_from_other_source(exchange: &Record, datagram: &Datagram, at: Timestamp) -> bool {
    let source = datagram.flow.source;
    source.address != exchange.client.address
        && source.address.is_ipv4() == exchange.client.address.is_ipv4()
        && !is_request(datagram)
        && is_running(exchange, at)
        && (source.port == exchange.client.port || follows_first_answer(exchange, datagram))
}

/// Whether `datagram` is the first that a client says to its server's answer, which nobody
/// has followed yet (RFC 1350 section 4, RFC 2347). A server with one port for all its
/// transfers hears others' blocks there as well.
fn follows_first_answer(exchange: &Record, datagram: &Datagram) -> bool {
    let is_first = match tftp_shape(datagram) {
        Some(TftpMessage::Ack { block } | TftpMessage::Data { block, .. }) => *block <= 1,
        Some(TftpMessage::Error { .. }) => true,
        Some(
            TftpMessage::ReadRequest(_) | TftpMessage::WriteRequest(_) | TftpMessage::OptionAck,
        )
        | None => false,
    };
    is_first && exchange.details.as_ref().is_none_or(|details| !details.has_follow_ups())
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
    // A Teredo server has two addresses, and answers from the other one to test a NAT: it is
    // another one all the same.
    let is_second = protocol == Protocol::Teredo && asked.address != source.address;
    if protocol.moves_by_design() && !is_second {
        Fit::ByDesign
    } else if asked.address == source.address {
        Fit::OtherPort(confidence)
    } else {
        Fit::OtherAddress(confidence)
    }
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
        Application::Transaction(_) | Application::Report(_) => false,
    }
}
