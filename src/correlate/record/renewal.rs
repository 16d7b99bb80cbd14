//! Whether a TFTP request begins another transfer of the same socket.

use std::time::Duration;

use super::Record;
use crate::correlate::signature::{BelongsToTftp, signature};
use crate::model::packet::{Application, Datagram};
use crate::model::time::Timestamp;

/// A transfer that was silent for so long is over.
const IDLE: Duration = Duration::from_mins(1);
/// A request that went twice by a network's fault, or crossed its answer, comes this
/// soon after the first.
const CROSSING: Duration = Duration::from_secs(2);

/// What a request begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// A transfer of another file, perhaps beside the one before it.
    AnotherFile,
    /// The same once more: the transfer before it is over.
    SameAgain,
}

impl Record {
    /// What `datagram`, sent to the address asked, begins: a TFTP request that is
    /// not a repetition. A client that had gone on repeats no request; it starts again, and
    /// so does one whose request was answered with an error, which ends a transfer (RFC 1350
    /// section 7).
    pub fn find_renewal(&self, datagram: &Datagram, at: Timestamp) -> Option<Renewal> {
        let Application::Tftp(message) = &datagram.application else { return None };
        if !message.is_request() {
            return None;
        }
        if signature(datagram, BelongsToTftp::Yes) != self.opening() {
            return Some(Renewal::AnotherFile);
        }
        let had_gone_on = self.details.as_ref().is_some_and(|details| {
            details.progress.is_some()
                || (details.has_followed_answerer() && details.steps.tell_of_one_block())
        });
        let was_refused = self.details.as_ref().is_some_and(|details| {
            details.refusal.is_some_and(|refusal| { refusal.at } >= { self.requests.last.at })
        });
        let starts_again =
            (had_gone_on || was_refused) && at.since(self.requests.last.at) > CROSSING;
        (starts_again || at.since(self.last_at()) > IDLE).then_some(Renewal::SameAgain)
    }
}
