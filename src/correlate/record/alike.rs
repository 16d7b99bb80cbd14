//! The same again, and the same answer from elsewhere again, in a protocol that we do not
//! know: a client that does not take what it gets.

use super::Record;
use crate::correlate::signature::{BelongsToTftp, signature};
use crate::correlate::transactions::SameQuestion;
use crate::model::capture::FrameRef;
use crate::model::packet::Datagram;
use crate::model::protocol::Protocol;

impl Record {
    /// Follows what the client says after answers from elsewhere: the very words with
    /// which it began may be a retry. Comes before the request is counted.
    pub(super) fn note_alike(&mut self, frame: FrameRef, datagram: &Datagram) {
        if self.protocol != Protocol::Udp && !self.protocol.is_one_way() {
            return;
        }
        let opening = self.opening();
        let pause = frame.at.since(self.requests.last.at);
        let changed = self.details.as_mut().filter(|details| details.has_changed_replies());
        let Some(details) = changed else { return };
        let said = signature(datagram, BelongsToTftp::No);
        let is_same = said.is_sure() && said == opening;
        let same_question = is_same.then_some(SameQuestion::Next);
        details.retries.get_or_insert_default().note(frame, Protocol::Udp, pause, same_question);
    }

    /// Notes that the server says something else than before: the client polls, and what
    /// it gets is news.
    pub(super) fn note_unlike(&mut self) {
        let details = self.details.as_mut();
        if let Some(retries) = details.and_then(|details| details.retries.as_mut()) {
            retries.forget();
        }
    }
}
