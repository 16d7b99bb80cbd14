//! What a server said last, where it says that it refuses or fails.

use super::record::Record;
use super::tftp::{is_refusal, is_tftp_protocol, tftp_shape};
use crate::model::capture::FrameRef;
use crate::model::exchange::{ErrorAnswer, Novelty};
use crate::model::packet::{Application, Datagram, TftpMessage};
use crate::model::protocol::Protocol;

/// Words beyond this explain nothing more.
const MAX_CHARS: usize = 120;
/// RFC 1350, appendix I.
const UNKNOWN_TRANSFER_ID: u16 = 5;

impl Record {
    /// Keeps the words of an error until the server says something else. Only who
    /// was answered with one has details for it.
    pub(super) fn note_error_answer(
        &mut self,
        frame: FrameRef,
        datagram: &Datagram,
        novelty: Novelty,
    ) {
        let is_first = !self.is_answered();
        match find_error_words(datagram, self.protocol, is_first) {
            Some(words) if novelty == Novelty::New => {
                let source = datagram.flow.source;
                let error = ErrorAnswer { frame, source, words };
                self.details(frame.capture).error_answer = Some(Box::new(error));
            }
            Some(_) => {}
            None => {
                if let Some(details) = &mut self.details
                    && !is_refusal(datagram)
                {
                    details.error_answer = None;
                }
            }
        }
    }
}

/// The error that an answer tells of. ERROR 5, unknown transfer ID, is for a
/// packet that came astray, and ends no transfer (RFC 1350 section 4), except
/// where it is all that the server says.
fn find_error_words(datagram: &Datagram, protocol: Protocol, is_first: bool) -> Option<Box<str>> {
    let message = tftp_shape(datagram).filter(|_| is_tftp_protocol(protocol));
    if let Some(error @ TftpMessage::Error { code, .. }) = message {
        let tells = is_first || *code != UNKNOWN_TRANSFER_ID;
        return tells.then(|| error.to_string().chars().take(MAX_CHARS).collect());
    }
    match &datagram.application {
        Application::Transaction(transaction) => transaction.failure().map(Into::into),
        Application::Tftp(_)
        | Application::Plain(_)
        | Application::Report(_)
        | Application::Unknown { .. } => None,
    }
}
