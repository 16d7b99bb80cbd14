//! NTP: `NTPv4, Client, length 48`, and the timestamps below it under `-v`.

use crate::ingest::tcpdump_text::hash::fnv1a;
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
    number.contains(|c: char| ('1'..='9').contains(&c)).then(|| fnv1a(&[number]))
}
