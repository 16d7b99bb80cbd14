//! Ports that were a guess.

use super::Record;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::Expectation;
use crate::model::protocol::Protocol;

impl Record {
    /// The protocol of an exchange at a one-way protocol's port that turns out to be a
    /// conversation: who was asked there answered, from that port.
    ///
    /// A port is registered, and no more (RFC 6335 section 8.1): anything may be served
    /// there. Nobody answers syslog (RFC 5426 section 3), flow exports (RFC 7011 section
    /// 10.3.1) or metrics, so what is answered is none of them. That holds not for what says
    /// itself what it is, nor where both sides tell each other something from their
    /// collectors' ports. At the trap port informs are answered: whoever reads those tells.
    pub fn find_disproof(&self) -> Option<Protocol> {
        let is_guess = self.protocol.is_one_way()
            && !matches!(self.protocol, Protocol::SnmpTrap | Protocol::Bfd)
            && self.expectation == Expectation::Answer;
        // Nearly always there is none.
        let asked = self.asked.filter(|_| is_guess)?;
        let is_between_collectors =
            Protocol::of_port(self.client.port).is_some_and(Protocol::is_one_way);
        if !self.protocol.is_served_at(asked.port) || is_between_collectors {
            return None;
        }
        let answers_from_there = |source: Endpoint| source.port == asked.port;
        let replies = self.details.iter().flat_map(|details| &details.replies);
        let is_answered = self.answers.packets > 0
            || replies.into_iter().any(|replies| answers_from_there(replies.source));
        is_answered.then_some(Protocol::Udp)
    }
}
