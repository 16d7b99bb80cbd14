//! Answers to what was asked of a group, or of all hosts of a network.

use std::net::IpAddr;
use std::time::Duration;

use super::{Ties, find_tftp_fit};
use crate::correlate::audience::Audience;
use crate::correlate::broadcasts::is_subnet_broadcast;
use crate::correlate::record::Record;
use crate::correlate::tftp::is_tftp_protocol;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::Expectation;
use crate::model::packet::{Application, Datagram, TransactionRole};
use crate::model::time::Timestamp;

/// Answers to a group trickle in.
const DELAY: Duration = Duration::from_secs(10);
/// Who answers a group says the same again within this time (SOAP-over-UDP 1.1
/// section 3.4: `UDP_MAX_DELAY`).
const BURST: Duration = Duration::from_millis(500);

/// Whether `exchange` asks all hosts, or may ask all of the network that `answerer` is in.
pub fn asks_all(exchange: &Record, answerer: IpAddr) -> bool {
    match exchange.audience {
        Audience::Group => true,
        Audience::Untold => {
            exchange.asked.is_some_and(|asked| is_subnet_broadcast(asked.address, answerer))
        }
        Audience::One => false,
    }
}

/// Whether `datagram` answers what was asked of all: from the port that was asked or
/// in the same protocol, or, of a protocol whose answers we do not know, to a client
/// that asks nobody else, from one who has not been asked and asks nobody.
///
/// Nobody answers an announcement, and what is a question by its own words is no answer.
/// Where client and server use one port, ports tell nothing: there, who has answered is
/// not heard again as an answer before the group is asked again.
pub fn fits(
    exchange: &Record,
    asked: Endpoint,
    datagram: &Datagram,
    at: Timestamp,
    ties: Ties,
) -> bool {
    // RFC 1350 section 4: from a port of the server's choice.
    if is_tftp_protocol(exchange.protocol) {
        return find_tftp_fit(exchange, asked, datagram, at).is_some();
    }
    let same_protocol = match &datagram.application {
        Application::Transaction(transaction) => match transaction.role {
            TransactionRole::Request | TransactionRole::Notification => return false,
            TransactionRole::Reply | TransactionRole::Unread => {
                transaction.protocol == exchange.protocol
            }
        },
        Application::Plain(protocol) => *protocol == exchange.protocol,
        Application::Report(_) => return false,
        Application::Tftp(_) | Application::Unknown { .. } => false,
    };
    let is_over = at.since(exchange.last_at()) > DELAY;
    if is_over || exchange.expectation == Expectation::Nothing {
        return false;
    }
    if is_between_like_ports(datagram) && has_answered(exchange, datagram.flow.source, at) {
        return false;
    }
    let carries_identity = exchange.protocol.expects_answer() || !exchange.transactions.is_empty();
    let may_be_any = ties != Ties::Many && !carries_identity;
    datagram.flow.source.port == asked.port || same_protocol || may_be_any
}

/// Whether both ends use one port, and no word of the datagram says that it answers.
pub fn is_between_like_ports(datagram: &Datagram) -> bool {
    let is_answer = matches!(&datagram.application, Application::Transaction(transaction)
        if transaction.role == TransactionRole::Reply);
    datagram.flow.source.port == datagram.flow.destination.port && !is_answer
}

/// Whether `source` answered after the client asked last, and is not just repeating it.
fn has_answered(exchange: &Record, source: Endpoint, at: Timestamp) -> bool {
    let asked_at = exchange.requests.last.at;
    let mut replies = exchange.details.iter().flat_map(|details| &details.replies);
    replies.any(|replies| {
        let last_at = replies.tally.count.last.at;
        replies.source == source && last_at >= asked_at && at.since(last_at) > BURST
    })
}

/// Whether `own` was asked of the same group as `announced`, shortly before: then that
/// answers it, and whoever asked asks on.
pub fn is_answered_by_announcement(own: &Record, announced: &Record) -> bool {
    let (asked_at, announced_at) = (own.requests.last.at, announced.requests.last.at);
    asks_all(own, announced.client.address)
        && own.asked == announced.asked
        && asked_at <= announced_at
        && announced_at.since(asked_at) <= DELAY
}
