//! The application's fields, as Wireshark prints them below its name.

use crate::ingest::message::{self, SnmpParts};
use crate::model::packet::{Application, TransactionRole};
use crate::model::protocol::Protocol;

/// Fields of one message that are kept; the rest are passed over.
const LIMIT_FIELDS: usize = 64;
/// No field that identifies a message is longer.
const LIMIT_BYTES: usize = 512;

/// What telling messages apart needs.
const NAMES: [&str; 26] = [
    "Transaction ID",
    "Flags",
    "data",
    "request-id",
    "error-status",
    "Object Name",
    "msgID",
    "msgFlags",
    "Reportable",
    "encryptedPDU",
    "Code",
    "Packet identifier",
    "User-Name",
    "NAS-Port",
    "State",
    "Calling-Station-Id",
    "Acct-Status-Type",
    "Acct-Session-Id",
    "Origin Timestamp",
    "Transmit Timestamp",
    "Request-Line",
    "Status-Line",
    "Via",
    "Call-ID",
    "CSeq",
    "query",
];

/// What a RADIUS message says of whom it asks about, and where. A client says it again
/// when it tries anew under another identifier (RFC 2865 section 2.5).
const TELLING_ATTRIBUTES: [&str; 6] =
    ["User-Name", "NAS-Port", "State", "Calling-Station-Id", "Acct-Status-Type", "Acct-Session-Id"];

/// One message above UDP.
#[derive(Debug, Default)]
pub struct Layer {
    /// As Wireshark calls it: `Domain Name System (query)`.
    title: String,
    /// Names and values, in the order in which they are printed.
    fields: Vec<(&'static str, String)>,
}

impl Layer {
    /// A message of the protocol that Wireshark calls `title`.
    pub fn new(title: &str) -> Self {
        let title = title.chars().take(LIMIT_BYTES).collect();
        Self { title, fields: Vec::new() }
    }

    /// Takes a line below the title, without its indentation.
    pub fn push(&mut self, text: &str) {
        let Some((name, value)) = text.split_once(": ") else { return };
        // `.... .1.. = Reportable: Set`, and a question as `example.net: type A, class IN`.
        let name = name.rsplit(" = ").next().unwrap_or(name);
        let question = value.strip_prefix("type ").filter(|value| value.contains(", class "));
        let (name, value) = match question {
            Some(kind) => {
                let kind = kind.split(',').next().unwrap_or(kind);
                ("query", format!("{kind} {name}"))
            }
            None => (name, value.trim().to_owned()),
        };
        let known = NAMES.iter().find(|known| **known == name);
        if let Some(name) = known.filter(|_| self.fields.len() < LIMIT_FIELDS)
            && value.len() <= LIMIT_BYTES
        {
            self.fields.push((name, value));
        }
    }

    fn find(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(move |field| field.0 == name).map(|field| field.1.as_str())
    }

    /// What the message is, where its protocol is one of those that are read. `asked` is
    /// the protocol of the ports.
    pub fn find_application(&self, asked: Option<Protocol>) -> Option<Application> {
        let (name, rest) = self.title.split_once(" (").unwrap_or((&self.title, ""));
        match name {
            "Domain Name System" => self.find_dns(rest.starts_with("response")),
            "Simple Network Management Protocol" => self.find_snmp(asked),
            "RADIUS Protocol" => self.find_radius(),
            "Network Time Protocol" => self.find_ntp(rest.trim_end_matches(')')),
            "Session Initiation Protocol" => self.find_sip(),
            _ => None,
        }
    }

    fn find_dns(&self, is_reply: bool) -> Option<Application> {
        let id = self.find("Transaction ID")?;
        let role = if is_reply { TransactionRole::Reply } else { TransactionRole::Request };
        let question = self.find("query").and_then(|question| question.split_once(' '));
        // `Flags: 0x8183 Standard query response, No such name`.
        let failure = self.find("Flags").and_then(|flags| flags.split_once(", "));
        Some(message::dns(id, role, question, failure.map_or("", |(_, words)| words)))
    }

    fn find_snmp(&self, asked: Option<Protocol>) -> Option<Application> {
        let first_word = |text: &'_ str| text.split(' ').next().unwrap_or_default().to_owned();
        let message_id = self.find("msgID");
        let Some(pdu) = self.find("data").map(first_word) else {
            let is_reportable = self.find("Reportable") == Some("Set");
            return Some(message::snmp_encrypted(message_id?, is_reportable, asked));
        };
        let objects: Vec<String> = self.all("Object Name").map(first_word).collect();
        let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
        let error_status = self.find("error-status").map(first_word).unwrap_or_default();
        let id = message_id.or_else(|| self.find("request-id"));
        message::snmp(SnmpParts { pdu: &pdu, id, error_status: &error_status, asked }, &objects)
    }

    /// `Code: Access-Request (1)`, `Packet identifier: 0x9 (9)`.
    fn find_radius(&self) -> Option<Application> {
        let (code, _) = self.find("Code")?.split_once(" (")?;
        let (_, id) = self.find("Packet identifier")?.split_once('(')?;
        let is_named = self.find("User-Name").is_some();
        let telling = self.fields.iter().filter(|(name, _)| TELLING_ATTRIBUTES.contains(name));
        let attributes: Vec<&str> =
            telling.filter(|_| is_named).flat_map(|(name, value)| [*name, value]).collect();
        message::radius(code, id.trim_end_matches(')'), &attributes)
    }

    /// A clock that is not set prints `NULL`, and is no identity.
    fn find_ntp(&self, version_and_mode: &str) -> Option<Application> {
        let (_, mode) = version_and_mode.rsplit_once(", ")?;
        let name = if mode == "server" { "Origin Timestamp" } else { "Transmit Timestamp" };
        let shared = self.find(name).filter(|value| *value != "NULL");
        Some(message::ntp(mode, shared))
    }

    fn find_sip(&self) -> Option<Application> {
        let start = self.find("Request-Line").or_else(|| self.find("Status-Line"))?;
        let headers = ["Via", "Call-ID", "CSeq"];
        let headers: Vec<String> = headers
            .iter()
            .filter_map(|name| Some(format!("{name}: {}", self.find(name)?)))
            .collect();
        Some(message::sip(start, &headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protocol, role and label of a message, and what pairs it.
    fn read(text: &str) -> (Protocol, TransactionRole, &'static str, u64, Option<u64>) {
        let (title, fields) = text.split_once('\n').unwrap();
        let mut layer = Layer::new(title);
        fields.lines().for_each(|line| layer.push(line.trim()));
        match layer.find_application(None) {
            Some(Application::Transaction(found)) => {
                (found.protocol, found.role, found.label, found.identity, found.question)
            }
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn messages_are_paired_by_what_is_printed_of_them() {
        let cases = [
            (
                "Domain Name System (query)\n    Transaction ID: 0x1111\n    Flags: 0x0100 Standard query\n    Queries\n        example.net: type A, class IN\n            Name: example.net",
                "Domain Name System (response)\n    Transaction ID: 0x1111\n    Flags: 0x8182 Standard query response, Server failure\n    Queries\n        example.net: type A, class IN",
                (Protocol::Dns, "query", "ServFail"),
            ),
            (
                "Simple Network Management Protocol\n    version: v2c (1)\n    data: get-request (0)\n        get-request\n            request-id: 6\n            error-status: noError (0)\n                    Object Name: 1.3.6.1.2.1.1.1.0 (iso.3.6.1.2.1.1.1.0)",
                "Simple Network Management Protocol\n    version: v2c (1)\n    data: get-response (2)\n            request-id: 6\n            error-status: genErr (5)",
                (Protocol::Snmp, "GetRequest", "genErr"),
            ),
            (
                "Simple Network Management Protocol\n    msgVersion: snmpv3 (3)\n        msgID: 1000\n        msgFlags: 07\n            .... .1.. = Reportable: Set\n    msgData: encryptedPDU (1)",
                "Simple Network Management Protocol\n    msgVersion: snmpv3 (3)\n        msgID: 1000\n        msgFlags: 03\n            .... .0.. = Reportable: Not set\n    msgData: encryptedPDU (1)",
                (Protocol::Snmp, "request", "response"),
            ),
            (
                "RADIUS Protocol\n    Code: Access-Request (1)\n    Packet identifier: 0x9 (9)\n        AVP: t=User-Name(1) l=7 val=admin\n            User-Name: admin",
                "RADIUS Protocol\n    Code: Access-Reject (3)\n    Packet identifier: 0x9 (9)",
                (Protocol::Radius, "Access-Request", "Access-Reject"),
            ),
            (
                "Network Time Protocol (NTP Version 4, client)\n    Origin Timestamp: NULL\n    Transmit Timestamp: Feb  7, 2036 06:28:17.000000001 UTC",
                "Network Time Protocol (NTP Version 4, server)\n    Origin Timestamp: Feb  7, 2036 06:28:17.000000001 UTC\n    Transmit Timestamp: Feb  7, 2036 06:28:18.5 UTC",
                (Protocol::Ntp, "client", "server"),
            ),
            (
                "Session Initiation Protocol (INVITE)\n    Request-Line: INVITE sip:0@example.net SIP/2.0\n    Message Header\n        Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9\n        Call-ID: one\n        CSeq: 1 INVITE",
                "Session Initiation Protocol (503)\n    Status-Line: SIP/2.0 503 Service Unavailable\n        Call-ID: one\n        CSeq: 1 INVITE",
                (Protocol::Sip, "INVITE", "503 Service Unavailable"),
            ),
        ];
        for (request, answer, (protocol, asks, says)) in cases {
            let (request, answer) = (read(request), read(answer));
            assert_eq!(
                (request.0, request.1, request.2),
                (protocol, TransactionRole::Request, asks)
            );
            assert_eq!((answer.0, answer.1, answer.2), (protocol, TransactionRole::Reply, says));
            assert_eq!(request.3, answer.3, "{protocol}");
        }
    }

    #[test]
    fn the_same_question_is_known_under_another_id() {
        let cases = [
            (
                "Domain Name System (query)\n    Transaction ID: 0x#\n    Queries\n        NAME: type A, class IN",
                "example.net",
                "EXAMPLE.net",
                "example.org",
            ),
            (
                "RADIUS Protocol\n    Code: Access-Request (1)\n    Packet identifier: 0x# (#)\n    User-Name: NAME",
                "admin",
                "admin",
                "other",
            ),
            (
                "Simple Network Management Protocol\n    data: get-request (0)\n    request-id: #\n    Object Name: NAME (iso)",
                "1.3.6.1.2.1.1.1.0",
                "1.3.6.1.2.1.1.1.0",
                "1.3.6.1.2.1.1.5.0",
            ),
        ];
        for (form, name, same, other) in cases {
            let ask = |id: &str, name: &str| read(&form.replace('#', id).replace("NAME", name));
            let (first, again, another) = (ask("7", name), ask("8", same), ask("8", other));
            assert_ne!(first.3, again.3, "{form}");
            assert!(first.4.is_some() && first.4 == again.4, "{form}");
            assert_ne!(first.4, another.4, "{form}");
        }
    }

    #[test]
    fn what_is_not_read_says_nothing() {
        for title in ["Data (4 bytes)", "Syslog message", ""] {
            let mut layer = Layer::new(title);
            layer.push("Transaction ID: 0x1111");
            assert_eq!(layer.find_application(None), None, "{title}");
        }
        // A clock that was never set.
        let mut layer = Layer::new("Network Time Protocol (NTP Version 4, client)");
        layer.push("Transmit Timestamp: NULL");
        assert_eq!(layer.find_application(None), Some(Application::Plain(Protocol::Ntp)));
    }
}
