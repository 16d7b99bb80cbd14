//! What sets TFTP apart: its server goes on from a port of its own choice
//! (RFC 1350 section 4), so later datagrams are only known by their exchange.

use super::signature::BelongsToTftp;
use crate::model::packet::{Application, Datagram, TftpMessage};
use crate::model::protocol::Protocol;

/// Whether the sender of this reply waits for the client: everything of TFTP
/// but an error (RFC 1350 section 2). Text does not show what it is, but a
/// datagram from the server's TID is one of these. Where a snap length cut off what it is, it
/// may be an error.
pub fn awaits_follow_up(datagram: &Datagram) -> bool {
    let is_untold = datagram.is_cut && tftp_shape(datagram).is_none();
    !is_refusal(datagram) && !is_untold
}

/// A TFTP ERROR ends a transfer (RFC 1350 section 7): it is not progress.
pub fn is_refusal(datagram: &Datagram) -> bool {
    matches!(tftp_shape(datagram), Some(TftpMessage::Error { .. }))
}

/// The TFTP reading of a datagram, whoever vouches for it.
pub fn tftp_shape(datagram: &Datagram) -> Option<&TftpMessage> {
    match &datagram.application {
        Application::Tftp(message) => Some(message),
        Application::Unknown { tftp_shape } => tftp_shape.as_ref(),
        Application::Transaction(_) | Application::Plain(_) | Application::Report(_) => None,
    }
}

/// Whether an exchange is a TFTP transfer.
pub fn is_tftp_protocol(protocol: Protocol) -> bool {
    protocol == Protocol::Tftp
}

pub fn is_tftp(protocol: Protocol) -> BelongsToTftp {
    if is_tftp_protocol(protocol) { BelongsToTftp::Yes } else { BelongsToTftp::No }
}
