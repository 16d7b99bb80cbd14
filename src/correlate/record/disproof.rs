//! Ports that were a guess.

use super::Record;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::Expectation;
use crate::model::protocol::Protocol;

impl Record {
    /// The protocol of an exchange that was taken for a one-way protocol's, by its port or by
    /// its shape, and turns out to be a conversation: who was asked there answered, from that
    /// port.
    ///
    /// A port is registered, and no more (RFC 6335 section 8.1): anything may be served
    /// there. Other words than reports look like them, at ports that nobody registered.
    /// Nobody answers syslog (RFC 5426 section 3), flow exports (RFC 7011 section 10.3.1) or
    /// metrics, so what is answered is none of them. That holds not for what says itself what
    /// it is at its own port, nor where both sides tell each other something from the ports
    /// at which they collect. At the trap port informs are answered: whoever reads those
    /// tells.
    pub fn find_disproof(&self) -> Option<Protocol> {
        let may_be_guess = self.protocol.is_one_way()
            && !matches!(self.protocol, Protocol::SnmpTrap | Protocol::Bfd);
        let asked = self.asked.filter(|_| may_be_guess)?;
        let is_by_port_alone = self.expectation == Expectation::Answer;
        let is_by_shape_alone = !self.protocol.is_served_at(asked.port);
        let is_between_collectors = self.client.port == asked.port
            || Protocol::of_port(self.client.port).is_some_and(Protocol::is_one_way);
        // Nearly always it is read at its own port.
        if is_by_port_alone == is_by_shape_alone || is_between_collectors {
            return None;
        }
        let answers_from_there = |source: Endpoint| source.port == asked.port;
        let replies = self.details.iter().flat_map(|details| &details.replies);
        let is_answered = self.answers.packets > 0
            || replies.into_iter().any(|replies| answers_from_there(replies.source));
        is_answered.then_some(Protocol::Udp)
    }
}
