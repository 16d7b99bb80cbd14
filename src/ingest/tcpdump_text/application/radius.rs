//! RADIUS: `RADIUS, Access-Request (1), id: 0x05 length: 57`; under `-v` the
//! code and the identifier stand on the next line.

use crate::model::identity::hash_fields;
use crate::model::packet::{Application, Transaction, TransactionRole};
use crate::model::protocol::Protocol;

/// Codes of RFC 2865, 2866 and 5176.
const CODES: &[(&str, TransactionRole)] = &[
    ("Access-Request", TransactionRole::Request),
    ("Access-Accept", TransactionRole::Reply),
    ("Access-Reject", TransactionRole::Reply),
    ("Access-Challenge", TransactionRole::Reply),
    ("Accounting-Request", TransactionRole::Request),
    ("Accounting-Response", TransactionRole::Reply),
    ("Status-Server", TransactionRole::Request),
    ("Disconnect-Request", TransactionRole::Request),
    ("Disconnect-ACK", TransactionRole::Reply),
    ("Disconnect-NAK", TransactionRole::Reply),
    ("CoA-Request", TransactionRole::Request),
    ("CoA-ACK", TransactionRole::Reply),
    ("CoA-NAK", TransactionRole::Reply),
];

/// Reads a RADIUS summary. The identity is the identifier alone: the
/// authenticator of an answer differs from the request's.
pub(super) fn find(summary: &str, body: &[String]) -> Option<Application> {
    if !summary.starts_with("RADIUS") {
        return None;
    }
    let lines = std::iter::once(summary).chain(body.iter().map(String::as_str));
    let transaction = lines.into_iter().find_map(find_transaction);
    Some(transaction.map_or(Application::Plain(Protocol::Radius), Application::Transaction))
}

fn find_transaction(line: &str) -> Option<Transaction> {
    let (before, rest) = line.split_once("id: 0x")?;
    let id: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
    let id = u8::from_str_radix(&id, 16).ok()?;
    let (label, role) = CODES.iter().find(|(name, _)| before.contains(name))?;
    Some(Transaction {
        protocol: Protocol::Radius,
        role: *role,
        identity: hash_fields(&[&[id]]),
        question: None,
        label,
        reply_to: None,
    })
}
