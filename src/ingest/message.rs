//! Messages of request-and-answer protocols, put together from the parts that Wireshark
//! prints of them in its packet list and in its fields.

use super::tcpdump_text::read_sip;
use crate::model::failure::{dns_label, find_snmp_failure_named, radius_label};
use crate::model::identity::hash_words;
use crate::model::packet::{Application, Transaction, TransactionRole};
use crate::model::protocol::Protocol;

const fn transaction(
    protocol: Protocol,
    role: TransactionRole,
    identity: u64,
    label: &'static str,
) -> Transaction {
    Transaction { protocol, role, identity, question: None, label, reply_to: None }
}

/// A DNS message by its id. `question` is a type and a name, whose case does not matter
/// (RFC 1035 section 2.3.3); `failure` are the words for the response code.
pub fn dns(
    id: &str,
    role: TransactionRole,
    question: Option<(&str, &str)>,
    failure: &str,
) -> Application {
    let label = match role {
        TransactionRole::Reply => dns_failure(failure),
        _ => "query",
    };
    let question = question.map(|(kind, name)| hash_words(&[kind, &name.to_ascii_lowercase()]));
    let message = transaction(Protocol::Dns, role, hash_words(&["dns", id]), label);
    Application::Transaction(Transaction { question, ..message })
}

/// Wireshark's words for response codes (RFC 1035 section 4.1.1, RFC 2136 section 2.2).
fn dns_failure(words: &str) -> &'static str {
    const CODES: [(&str, &str); 6] = [
        ("Format error", dns_label::FORMAT_ERROR),
        ("Server failure", dns_label::SERVER_FAILURE),
        ("No such name", dns_label::NO_SUCH_NAME),
        ("Not implemented", dns_label::NOT_IMPLEMENTED),
        ("Refused", dns_label::REFUSED),
        ("Not authoritative", dns_label::NOT_AUTHORITATIVE),
    ];
    let known = CODES.iter().find(|(printed, _)| words.starts_with(printed));
    known.map_or(dns_label::RESPONSE, |(_, label)| label)
}

/// What Wireshark calls SNMP's PDUs, what we call them, and whether the answer names the
/// same objects (RFC 3416 section 4.2).
const PDUS: [(&str, &str, TransactionRole, bool); 10] = [
    ("get-request", "GetRequest", TransactionRole::Request, true),
    ("get-next-request", "GetNextRequest", TransactionRole::Request, false),
    ("get-response", "GetResponse", TransactionRole::Reply, true),
    ("set-request", "SetRequest", TransactionRole::Request, true),
    ("trap", "Trap", TransactionRole::Notification, false),
    ("getBulkRequest", "GetBulk", TransactionRole::Request, false),
    ("informRequest", "InformRequest", TransactionRole::Request, true),
    ("inform-request", "InformRequest", TransactionRole::Request, true),
    ("snmpV2-trap", "V2Trap", TransactionRole::Notification, false),
    ("report", "Report", TransactionRole::Reply, false),
];

/// What is known of an SNMP message.
#[derive(Debug, Clone, Copy, Default)]
pub struct SnmpParts<'a> {
    /// In Wireshark's words: `get-request`.
    pub pdu: &'a str,
    /// The request-id, of version 3 the message id; the packet list prints none.
    pub id: Option<&'a str>,
    /// `noSuchName`.
    pub error_status: &'a str,
    /// The protocol of the ports: what is asked and answered at the trap port is an inform
    /// (RFC 3416 section 4.2.7).
    pub asked: Option<Protocol>,
}

/// An SNMP message; `None` for a PDU of an unknown name.
pub fn snmp(parts: SnmpParts<'_>, objects: &[&str]) -> Option<Application> {
    let (_, label, role, has_same_objects) = PDUS.iter().find(|(name, ..)| *name == parts.pdu)?;
    let failure =
        (*label == "GetResponse").then(|| find_snmp_failure_named(parts.error_status)).flatten();
    let label = failure.unwrap_or(label);
    if *role == TransactionRole::Notification {
        let message = transaction(Protocol::SnmpTrap, *role, hash_words(objects), label);
        return Some(Application::Transaction(message));
    }
    let is_inform = parts.asked == Some(Protocol::SnmpTrap) || label == "InformRequest";
    let protocol = if is_inform { Protocol::SnmpInform } else { Protocol::Snmp };
    let question = (!objects.is_empty()).then(|| hash_words(objects));
    let by_objects = question.filter(|_| *has_same_objects);
    let identity = parts.id.map(|id| hash_words(&["R", id])).or(by_objects);
    Some(identity.map_or(Application::Plain(protocol), |identity| {
        let message = transaction(protocol, *role, identity, label);
        Application::Transaction(Transaction { question, ..message })
    }))
}

/// An encrypted SNMPv3 message: its flags tell who waits for an answer (RFC 3412 section
/// 6.4), and its id is all that an answer shares with it.
pub fn snmp_encrypted(id: &str, is_reportable: bool, asked: Option<Protocol>) -> Application {
    let (role, label) = match (is_reportable, asked) {
        (true, _) => (TransactionRole::Request, "request"),
        (false, Some(Protocol::SnmpTrap)) => (TransactionRole::Notification, "notification"),
        (false, _) => (TransactionRole::Reply, "response"),
    };
    let protocol = if asked == Some(Protocol::SnmpTrap) && role == TransactionRole::Request {
        Protocol::SnmpInform
    } else {
        asked.unwrap_or(Protocol::Snmp)
    };
    Application::Transaction(transaction(protocol, role, hash_words(&["R", id]), label))
}

/// Codes of RFC 2865, 2866 and 5176.
const RADIUS_CODES: [(&str, TransactionRole); 13] = [
    ("Access-Request", TransactionRole::Request),
    ("Access-Accept", TransactionRole::Reply),
    (radius_label::ACCESS_REJECT, TransactionRole::Reply),
    ("Access-Challenge", TransactionRole::Reply),
    ("Accounting-Request", TransactionRole::Request),
    ("Accounting-Response", TransactionRole::Reply),
    ("Status-Server", TransactionRole::Request),
    ("Disconnect-Request", TransactionRole::Request),
    ("Disconnect-ACK", TransactionRole::Reply),
    (radius_label::DISCONNECT_NAK, TransactionRole::Reply),
    ("CoA-Request", TransactionRole::Request),
    ("CoA-ACK", TransactionRole::Reply),
    (radius_label::COA_NAK, TransactionRole::Reply),
];

/// A RADIUS message by its identifier, a decimal number. `attributes` say whom it asks
/// about.
pub fn radius(code: &str, id: &str, attributes: &[&str]) -> Option<Application> {
    let _: u8 = id.parse().ok()?;
    let (label, role) = RADIUS_CODES.iter().find(|(name, _)| *name == code)?;
    let asks = *role == TransactionRole::Request && !attributes.is_empty();
    let question = asks.then(|| hash_words(attributes));
    let message = transaction(Protocol::Radius, *role, hash_words(&["radius", id]), label);
    Some(Application::Transaction(Transaction { question, ..message }))
}

/// An NTP message. `shared` is the timestamp that request and answer have in common: a
/// server copies the client's transmit timestamp to the origin (RFC 5905 section 8).
pub fn ntp(mode: &str, shared: Option<&str>) -> Application {
    let (role, label) = match mode {
        "client" => (TransactionRole::Request, "client"),
        "server" => (TransactionRole::Reply, "server"),
        "broadcast" => {
            let role = TransactionRole::Notification;
            return Application::Transaction(transaction(Protocol::Ntp, role, 0, "broadcast"));
        }
        _ => return Application::Plain(Protocol::Ntp),
    };
    shared.map_or(Application::Plain(Protocol::Ntp), |shared| {
        Application::Transaction(transaction(Protocol::Ntp, role, hash_words(&[shared]), label))
    })
}

/// A SIP message by its first line and its headers, each of which is a line.
pub fn sip(start: &str, headers: &[String]) -> Application {
    read_sip(&format!("SIP: {start}"), headers)
}
