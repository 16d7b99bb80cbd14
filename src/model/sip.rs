//! SIP's methods, and whether one is answered.

use super::packet::TransactionRole;

/// Methods of RFC 3261 and its extensions.
const METHODS: [&str; 14] = [
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "OPTIONS",
    "REGISTER",
    "PRACK",
    "SUBSCRIBE",
    "NOTIFY",
    "PUBLISH",
    "INFO",
    "REFER",
    "MESSAGE",
    "UPDATE",
];

/// The method of this name, and what a request with it is: an ACK is the answer to an answer,
/// nothing comes back (RFC 3261 section 17.1.1.3).
#[must_use]
pub fn find_method(name: &[u8]) -> Option<(TransactionRole, &'static str)> {
    let method = METHODS.into_iter().find(|method| method.as_bytes() == name)?;
    let role =
        if method == "ACK" { TransactionRole::Notification } else { TransactionRole::Request };
    Some((role, method))
}
