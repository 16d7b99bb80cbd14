//! DHCP: `BOOTP/DHCP, Request from 02:00:00:00:00:01, length 300, xid 0x7`, whose
//! transaction id `-v` prints, and `dhcp6 solicit (xid=abcdef …)`.

use crate::model::identity::hash_words;
use crate::model::packet::{Application, Transaction, TransactionRole};
use crate::model::protocol::Protocol;

/// Message types as `-v` prints them below the line, their roles, what we call them, and
/// what a message and its answer share beside the transaction id: a request has that of
/// the offer that it takes (RFC 2131 section 4.4.1).
const TYPES: [(&str, TransactionRole, &str, &str); 8] = [
    ("Discover", TransactionRole::Request, "DHCPDISCOVER", "offer"),
    ("Offer", TransactionRole::Reply, "DHCPOFFER", "offer"),
    ("Request", TransactionRole::Request, "DHCPREQUEST", "lease"),
    ("Decline", TransactionRole::Notification, "DHCPDECLINE", "lease"),
    ("ACK", TransactionRole::Reply, "DHCPACK", "lease"),
    ("NACK", TransactionRole::Reply, "DHCPNAK", "lease"),
    ("Release", TransactionRole::Notification, "DHCPRELEASE", "lease"),
    ("Inform", TransactionRole::Request, "DHCPINFORM", "lease"),
];

/// As above, of DHCPv6 (RFC 8415 section 7.3), in tcpdump's words (`print-dhcp6.c`).
const TYPES_V6: [(&str, TransactionRole, &str); 13] = [
    ("solicit", TransactionRole::Request, "Solicit"),
    ("advertise", TransactionRole::Reply, "Advertise"),
    ("request", TransactionRole::Request, "Request"),
    ("confirm", TransactionRole::Request, "Confirm"),
    ("renew", TransactionRole::Request, "Renew"),
    ("rebind", TransactionRole::Request, "Rebind"),
    ("reply", TransactionRole::Reply, "Reply"),
    ("release", TransactionRole::Request, "Release"),
    ("decline", TransactionRole::Request, "Decline"),
    ("reconf", TransactionRole::Notification, "Reconfigure"),
    ("inf-req", TransactionRole::Request, "Information-request"),
    ("relay-fwd", TransactionRole::Request, "Relay-forward"),
    ("relay-reply", TransactionRole::Reply, "Relay-reply"),
];

/// Reads a summary of DHCP; without a transaction id all that is known is the protocol.
pub(super) fn find(summary: &str, body: &[String]) -> Option<Application> {
    if let Some(rest) = summary.strip_prefix("BOOTP/DHCP") {
        return Some(find_v4(rest, body).unwrap_or(Application::Plain(Protocol::Dhcp)));
    }
    let rest = summary.strip_prefix("dhcp6 ")?;
    Some(find_v6(rest).unwrap_or(Application::Plain(Protocol::Dhcpv6)))
}

fn find_v4(rest: &str, body: &[String]) -> Option<Application> {
    let id = find_digits(rest, "xid 0x")?;
    let printed = body.iter().find_map(|line| {
        let behind = line.trim_start().strip_prefix("DHCP-Message")?;
        Some(behind.split_once(": ")?.1.trim())
    });
    let known = printed.and_then(|printed| TYPES.iter().find(|(name, ..)| *name == printed));
    let (role, label, phase) = match known {
        Some((_, role, label, phase)) => (*role, *label, *phase),
        None if rest.starts_with(", Request") => (TransactionRole::Request, "BOOTREQUEST", ""),
        None if rest.starts_with(", Reply") => (TransactionRole::Reply, "BOOTREPLY", ""),
        None => return None,
    };
    Some(message(Protocol::Dhcp, role, label, hash_words(&[id, phase])))
}

fn find_v6(rest: &str) -> Option<Application> {
    let word = rest.split([' ', '(']).next()?;
    let (_, role, label) = TYPES_V6.iter().find(|(name, ..)| *name == word)?;
    // The innermost message's: relays have none of their own.
    let (_, inner) = rest.rsplit_once("xid=")?;
    let id = find_digits(inner, "")?;
    Some(message(Protocol::Dhcpv6, *role, label, hash_words(&[id])))
}

/// The hexadecimal digits behind `lead`.
fn find_digits<'a>(text: &'a str, lead: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(lead)?;
    let digits = rest.split(|c: char| !c.is_ascii_hexdigit()).next()?;
    (!digits.is_empty()).then_some(digits)
}

fn message(
    protocol: Protocol,
    role: TransactionRole,
    label: &'static str,
    identity: u64,
) -> Application {
    let (question, reply_to) = (None, None);
    Application::Transaction(Transaction { protocol, role, identity, question, label, reply_to })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(summary: &str, printed: &str) -> Option<(TransactionRole, &'static str, u64)> {
        let body = [format!("\t    DHCP-Message (53), length 1: {printed}")];
        match find(summary, if printed.is_empty() { &[] } else { &body }) {
            Some(Application::Transaction(found)) => {
                Some((found.role, found.label, found.identity))
            }
            _ => None,
        }
    }

    #[test]
    fn answers_have_what_their_requests_have() {
        let request = "BOOTP/DHCP, Request from 02:00:00:00:00:01, length 300, xid 0x7, secs 1";
        let reply = "BOOTP/DHCP, Reply, length 300, xid 0x7, Flags [none] (0x0000)";
        let v6 = [
            ("dhcp6 solicit (xid=abcdef (client-ID hwaddr type 1 020000000001))", ""),
            ("dhcp6 advertise (xid=abcdef (server-ID hwaddr type 1 020000000002))", ""),
        ];
        let relayed = [
            ("dhcp6 relay-fwd (linkaddr=2001:db8::1 (relay-message (dhcp6 solicit (xid=1 (x", ""),
            (
                "dhcp6 relay-reply (linkaddr=2001:db8::1 (relay-message (dhcp6 advertise (xid=1 x",
                "",
            ),
        ];
        let cases = [
            [(request, "Discover"), (reply, "Offer")],
            [(request, "Request"), (reply, "ACK")],
            [(request, ""), (reply, "")],
            v6,
            relayed,
        ];
        let mut seen = Vec::new();
        for [(asks, asked), (answers, answered)] in cases {
            let (question, answer) = (read(asks, asked).unwrap(), read(answers, answered).unwrap());
            assert_eq!(
                (question.0, answer.0),
                (TransactionRole::Request, TransactionRole::Reply),
                "{asks}"
            );
            assert_eq!(question.2, answer.2, "{asks}");
            assert!(!seen.contains(&question.2), "{asks}");
            seen.push(question.2);
        }
        for (summary, protocol) in [
            ("BOOTP/DHCP, Request from 02:00:00:00:00:01, length 300", Protocol::Dhcp),
            ("dhcp6 solicit", Protocol::Dhcpv6),
            ("dhcp6 leasequery (xid=1)", Protocol::Dhcpv6),
        ] {
            assert_eq!(find(summary, &[]), Some(Application::Plain(protocol)), "{summary}");
        }
        assert_eq!(find("UDP, length 300", &[]), None);
    }
}
