//! Whether a TFTP request begins another transfer of the same socket.

use std::time::Duration;

use super::Record;
use crate::correlate::signature::{BelongsToTftp, signature};
use crate::correlate::tftp::{is_tftp_protocol, tftp_shape};
use crate::model::packet::{Application, Datagram};
use crate::model::time::Timestamp;

/// A transfer that was silent for so long is over.
const IDLE: Duration = Duration::from_mins(1);
/// A request that went twice by a network's fault, or crossed its answer, comes this
/// soon after the first.
const REQUEST_CROSSING: Duration = Duration::from_secs(2);

/// Clients ask again within this time where they heard nothing: the usual timeouts are of one
/// to five seconds (RFC 2349 lets them be told).
const LONGEST_RETRY: Duration = Duration::from_secs(10);

/// Of an acknowledgement (RFC 1350 section 5); no request is as short.
const ACK_BYTES: u32 = 4;

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
        match &datagram.application {
            Application::Tftp(message) => {
                if !message.is_request() {
                    return None;
                }
                if signature(datagram, BelongsToTftp::Yes) != self.opening() {
                    return Some(Renewal::AnotherFile);
                }
            }
            _ if self.is_request_by_length(datagram) => {}
            // A client that had gone on with who answers asks here for another file.
            _ => {
                let is_new = self.went_on() && self.may_be_request(datagram);
                return is_new.then_some(Renewal::AnotherFile);
            }
        }
        let had_gone_on = self.went_on()
            || self.details.as_ref().is_some_and(|details| {
                details.has_followed_answerer() && details.steps.tell_of_one_block()
            });
        let was_refused = self.details.as_ref().is_some_and(|details| {
            let is_told =
                details.refusal.is_some_and(|refusal| { refusal.at } >= { self.requests.last.at });
            // An error from where nobody was asked may not have been heard.
            let is_retry = at.since(self.requests.last.at) <= LONGEST_RETRY;
            is_told && !(details.has_changed_replies() && is_retry)
        });
        let starts_again =
            (had_gone_on || was_refused) && at.since(self.requests.last.at) > REQUEST_CROSSING;
        (starts_again || at.since(self.last_at()) > IDLE).then_some(Renewal::SameAgain)
    }

    /// Whether `datagram`, of which a text prints the length alone, is the request again:
    /// it goes where that went, and is as long. Blocks and their acknowledgements are of
    /// other lengths, and go to the port that answered (RFC 1350 section 4).
    pub fn is_request_by_length(&self, datagram: &Datagram) -> bool {
        is_tftp_protocol(self.protocol)
            && self.requests.packets > 0
            && datagram.length == self.synopsis().length()
            && self.may_be_request(datagram)
    }

    /// Whether a text tells no more than the length of `datagram`, and that may be a
    /// request's. Where the server answers at the port asked, all blocks go there.
    fn may_be_request(&self, datagram: &Datagram) -> bool {
        let is_unread = datagram.fingerprint.is_none() && tftp_shape(datagram).is_none();
        let has_one_port = self.asked.zip(self.details.as_ref());
        let has_one_port =
            has_one_port.is_some_and(|(asked, details)| details.knows_reply_from(asked));
        is_unread && datagram.length > ACK_BYTES && !has_one_port
    }

    fn went_on(&self) -> bool {
        self.details.as_ref().is_some_and(|details| details.progress.is_some())
    }
}
