//! NTP: `NTPv4, Client, length 48`, and the timestamps below it under `-v`.

use crate::model::identity::{hash_ntp_timestamp, hash_words};
use crate::model::packet::{Application, Transaction, TransactionRole};
use crate::model::protocol::Protocol;

/// Reads an NTP summary. A server copies the client's transmit timestamp into
/// the originator timestamp (RFC 5905, section 8): that is the identity.
pub(super) fn find(summary: &str, body: &[String]) -> Option<Application> {
    if !summary.starts_with("NTPv") {
        return None;
    }
    let (role, label, field) = if summary.contains(", Client") {
        (TransactionRole::Request, "client", "Transmit Timestamp:")
    } else if summary.contains(", Server") {
        (TransactionRole::Reply, "server", "Originator Timestamp:")
    } else if summary.contains(", Broadcast") {
        // Nobody answers it by its timestamp, which mostly is not printed.
        let identity = find_timestamp(body, "Transmit Timestamp:").unwrap_or(0);
        let role = TransactionRole::Notification;
        return Some(message(role, "broadcast", identity));
    } else {
        return Some(Application::Plain(Protocol::Ntp));
    };
    let identity = find_timestamp(body, field);
    Some(
        identity
            .map_or(Application::Plain(Protocol::Ntp), |identity| message(role, label, identity)),
    )
}

fn message(role: TransactionRole, label: &'static str, identity: u64) -> Application {
    Application::Transaction(Transaction {
        protocol: Protocol::Ntp,
        role,
        identity,
        question: None,
        label,
        reply_to: None,
    })
}

fn find_timestamp(body: &[String], field: &str) -> Option<u64> {
    // `Originator - Transmit Timestamp:` is a difference, and stands deeper.
    let value = body.iter().find_map(|line| line.trim_start().strip_prefix(field))?;
    let number = value.split_whitespace().next()?;
    let is_given = number.contains(|c: char| ('1'..='9').contains(&c));
    is_given.then(|| hash_timestamp(number).unwrap_or_else(|| hash_words(&[number])))
}

/// `3970467044.679772961`: seconds and nanoseconds.
fn hash_timestamp(number: &str) -> Option<u64> {
    let (seconds, nanoseconds) = number.split_once('.')?;
    let is_whole = nanoseconds.len() == 9;
    is_whole.then(|| Some(hash_ntp_timestamp(seconds.parse().ok()?, nanoseconds.parse().ok()?)))?
}
