//! WireGuard's handshakes that come to nothing.

use std::time::Duration;

use super::Record;
use super::flags::Flag;
use crate::model::capture::FrameRef;
use crate::model::exchange::Novelty;
use crate::model::finding::Confidence;
use crate::model::packet::{Application, Datagram, Transaction};
use crate::model::protocol::Protocol;

/// `Rekey-Timeout` of the protocol's whitepaper (section 6.1) is five seconds; a clock that
/// captures may tell somewhat less.
const REKEY_TIMEOUT: Duration = Duration::from_millis(4_900);
/// `Rekey-Attempt-Time` and one [`REKEY_TIMEOUT`]: who began in vain has begun again by then,
/// or has given up. What comes later makes new keys, as peers do every two minutes.
const GIVES_UP: Duration = Duration::from_secs(95);

impl Record {
    /// Notes an initiation; says whether it repeats one.
    ///
    /// Who takes a response sends data at once, empty data where there is none: its peer may
    /// not use the new keys before (section 5.1 of the whitepaper). Who takes none begins
    /// again after [`REKEY_TIMEOUT`], for ninety seconds (section 6.4). So two initiations, a
    /// response between them and no data, mean that the response was not taken.
    pub(super) fn note_initiation(
        &mut self,
        frame: FrameRef,
        transaction: &Transaction,
    ) -> Novelty {
        let asked = self.transactions.ask(transaction, frame.at);
        let before = self.requests.last.at;
        let is_again = self.requests.packets > 0 && self.flags.has(Flag::OpenedLast);
        self.flags.add(Flag::OpenedLast);
        if !is_again {
            return Novelty::New;
        }
        let answered_at = self.from_server.map(|last| last.at);
        let is_answered = answered_at.is_some_and(|at| at >= before);
        let repeats = (REKEY_TIMEOUT..=GIVES_UP).contains(&frame.at.since(before));
        if self.is_answered() && is_answered && repeats {
            self.details(frame.capture).asked_again(frame, Confidence::Likely);
        }
        asked.novelty
    }

    /// Notes that the client of a tunnel says something that begins no handshake: if one was
    /// in vain before, it is over. Who answers the other side's handshake says nothing of its
    /// own.
    pub fn note_tunnelled(&mut self, datagram: &Datagram) {
        let is_handshake = matches!(datagram.application, Application::Transaction(_));
        if self.protocol != Protocol::Wireguard || is_handshake || !self.flags.has(Flag::OpenedLast)
        {
            return;
        }
        self.flags.remove(Flag::OpenedLast);
        if let Some(details) = &mut self.details {
            details.asked_again = None;
        }
    }
}
