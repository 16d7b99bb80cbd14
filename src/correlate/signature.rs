//! What a datagram says, boiled down to a number: to recognise it when it
//! comes again, or at another capture point.

use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;

use rustc_hash::FxHasher;

use crate::model::identity::is_of_words;
use crate::model::packet::{Application, Datagram, TftpMessage, Transaction, TransactionRole};
use crate::model::protocol::Protocol;

/// A datagram's meaning as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    pub value: u64,
    pub basis: Basis,
}

/// What a signature was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The protocol's own words or identity: equal ones mean a repetition.
    Meaning,
    /// The words of a text, which another text has as well: they mean a repetition. What
    /// was captured in bytes has none of them.
    Words,
    /// Bytes of the payload.
    Payload,
    /// Only the length was printed: equal ones mean little.
    Length,
}

impl Basis {
    /// What equal signatures mean, wherever the words are from: a byte has no room for more.
    pub const fn folded(self) -> Self {
        match self {
            Self::Words => Self::Meaning,
            basis => basis,
        }
    }
}

impl Signature {
    /// Whether equal signatures are worth believing.
    pub fn is_sure(self) -> bool {
        self.basis != Basis::Length
    }
}

/// The signature of `datagram`. `tftp` says whether it belongs to a TFTP
/// transfer, whose later datagrams only then are read as TFTP.
pub fn signature(datagram: &Datagram, tftp: BelongsToTftp) -> Signature {
    let meaning = match &datagram.application {
        Application::Tftp(message) => Some((hash_tftp(message), Basis::Meaning)),
        Application::Unknown { tftp_shape: Some(message) } if tftp == BelongsToTftp::Yes => {
            Some((hash_tftp(message), Basis::Meaning))
        }
        // Keep-alives are all alike, and what is not read may be.
        Application::Transaction(Transaction {
            role: TransactionRole::Unread | TransactionRole::Notification,
            ..
        }) if datagram.fingerprint.is_some() => None,
        Application::Transaction(transaction) => {
            // RADIUS's question is behind the first bytes; another point may have cut it.
            let question =
                transaction.question.filter(|_| transaction.protocol != Protocol::Radius);
            // What asks nothing is known by its bytes, where there are any.
            let is_told = datagram.fingerprint.is_none()
                && (matches!(
                    transaction.role,
                    TransactionRole::Unread | TransactionRole::Notification
                ) || is_of_words(transaction.identity)
                    || question.is_some_and(is_of_words));
            let basis = if is_told { Basis::Words } else { Basis::Meaning };
            Some((hash_of(&(transaction.identity, transaction.role, question)), basis))
        }
        Application::Plain(_) | Application::Report(_) | Application::Unknown { .. } => None,
    };
    match (meaning, datagram.fingerprint) {
        (Some((value, basis)), _) => Signature { value, basis },
        (None, Some(value)) => Signature { value, basis: Basis::Payload },
        (None, None) => Signature { value: u64::from(datagram.length), basis: Basis::Length },
    }
}

/// Whether a datagram is part of a TFTP transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BelongsToTftp {
    Yes,
    No,
}

fn hash_tftp(message: &TftpMessage) -> u64 {
    match message {
        TftpMessage::ReadRequest(request) => {
            hash_of(&(1, &request.file, &request.mode, &request.options))
        }
        TftpMessage::WriteRequest(request) => {
            hash_of(&(2, &request.file, &request.mode, &request.options))
        }
        TftpMessage::Data { block, length } => hash_of(&(3, block, length)),
        TftpMessage::Ack { block } => hash_of(&(4, block)),
        TftpMessage::Error { code, message } => hash_of(&(5, code, message)),
        TftpMessage::OptionAck => hash_of(&6),
    }
}

fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Half of a hash, with what the other half tells: enough to tell apart the few things
/// that one exchange, or one socket, has of a kind.
#[expect(clippy::cast_possible_truncation, reason = "half of a hash is hash enough")]
pub const fn shorten(hash: u64) -> u32 {
    (hash ^ (hash >> 32)) as u32
}

/// The same, in as few bytes where there may be none.
pub const fn shorten_to_nonzero(hash: u64) -> NonZeroU32 {
    match NonZeroU32::new(shorten(hash)) {
        Some(short) => short,
        None => NonZeroU32::MAX,
    }
}
