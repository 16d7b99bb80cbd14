//! DHCP: `BOOTP/DHCP, Request from 02:00:00:00:00:01, length 300, xid 0x7`, whose
//! transaction id `-v` prints, and `dhcp6 solicit (xid=abcdef …)`.

use std::net::Ipv4Addr;

use crate::model::identity::{LeasePhase, hash_words, identity_in_phase};
use crate::model::packet::{Application, PayloadAddress, Transaction, TransactionRole};
use crate::model::protocol::Protocol;

/// Message types as `-v` prints them below the line, their roles, what we call them, and
/// what a message and its answer share beside the transaction id.
const TYPES: [(&str, TransactionRole, &str, LeasePhase); 8] = [
    ("Discover", TransactionRole::Request, "DHCPDISCOVER", LeasePhase::Offer),
    ("Offer", TransactionRole::Reply, "DHCPOFFER", LeasePhase::Offer),
    ("Request", TransactionRole::Request, "DHCPREQUEST", LeasePhase::Lease),
    ("Decline", TransactionRole::Notification, "DHCPDECLINE", LeasePhase::Lease),
    ("ACK", TransactionRole::Reply, "DHCPACK", LeasePhase::Lease),
    ("NACK", TransactionRole::Reply, "DHCPNAK", LeasePhase::Lease),
    ("Release", TransactionRole::Notification, "DHCPRELEASE", LeasePhase::Lease),
    ("Inform", TransactionRole::Request, "DHCPINFORM", LeasePhase::Lease),
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
        None if rest.starts_with(", Request") => {
            (TransactionRole::Request, "BOOTREQUEST", LeasePhase::Untold)
        }
        None if rest.starts_with(", Reply") => {
            (TransactionRole::Reply, "BOOTREPLY", LeasePhase::Untold)
        }
        None => return None,
    };
    let identity = identity_in_phase(hash_words(&[id]), phase);
    let own = find_own_address(body).filter(|_| role == TransactionRole::Reply);
    Some(message(Protocol::Dhcp, role, label, identity, own))
}

/// `Your-IP 192.0.2.77`: the address that the server gives the client, where it gives one.
fn find_own_address(body: &[String]) -> Option<PayloadAddress> {
    let mut printed = body.iter().filter_map(|line| line.trim_start().strip_prefix("Your-IP "));
    let address: Ipv4Addr = printed.next()?.trim().parse().ok()?;
    (!address.is_unspecified()).then(|| PayloadAddress::of_lease(address))
}

fn find_v6(rest: &str) -> Option<Application> {
    let word = rest.split([' ', '(']).next()?;
    let (_, role, label) = TYPES_V6.iter().find(|(name, ..)| *name == word)?;
    // The innermost message's: relays have none of their own.
    let (_, inner) = rest.rsplit_once("xid=")?;
    let id = find_digits(inner, "")?;
    Some(message(Protocol::Dhcpv6, *role, label, hash_words(&[id]), None))
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
    own_address: Option<PayloadAddress>,
) -> Application {
    let (question, reply_to) = (None, own_address.map(Box::new));
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
    fn an_answer_names_the_address_that_it_gives() {
        let named = |summary: &str, printed: &str| {
            let lines = [printed, "\t    DHCP-Message (53), length 1: ACK"];
            let found = find(summary, &lines.map(str::to_owned));
            let Some(Application::Transaction(message)) = found else { return None };
            message.reply_to.and_then(|own| own.address).map(|own| own.to_string())
        };
        let reply = "BOOTP/DHCP, Reply, length 300, xid 0x7, Flags [none] (0x0000)";
        let given = Some("192.0.2.77".to_owned());
        assert_eq!(named(reply, "\t  Your-IP 192.0.2.77"), given);
        assert_eq!(named(reply, "\t  Your-IP 0.0.0.0"), None);
        assert_eq!(named(reply, "\t  Server-IP 192.0.2.77"), None);
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
