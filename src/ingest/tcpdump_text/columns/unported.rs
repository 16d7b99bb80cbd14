//! Rows that name no ports: Wireshark prints none of a protocol that it reads further. Its
//! port is the protocol's, and the summary says who asks.

use std::net::IpAddr;

use super::Row;
use crate::ingest::message::{self, SnmpParts};
use crate::model::endpoint::FlowKey;
use crate::model::packet::{Application, TftpMessage, TransactionRole};
use crate::model::protocol::Protocol;

/// A datagram of which the row names no ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unported {
    pub source: IpAddr,
    pub destination: IpAddr,
    /// Ports at which its protocol may be served; the first one unless it is known better.
    pub services: &'static [u16],
    pub sender: Sender,
    /// Payload bytes.
    pub length: u32,
    pub application: Application,
}

/// Which side sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// It asks.
    Client,
    Server,
    /// The row does not say. Who asked before is the client; if neither did, the sender.
    Unknown,
    /// As before, but it is no first message: if neither asked, it cannot be placed.
    InMidst,
}

const TFTP: &[u16] = &[69];
const DNS: &[u16] = &[53];
const SNMP: &[u16] = &[161];
const SNMP_TRAP: &[u16] = &[162];
const SNMP_ANSWER: &[u16] = &[161, 162];
const NTP: &[u16] = &[123];
const SYSLOG: &[u16] = &[514];
const SIP: &[u16] = &[5060];
const RADIUS: &[u16] = &[1812];
const RADIUS_ACCOUNTING: &[u16] = &[1813];
/// RFC 5176.
const RADIUS_DYNAMIC: &[u16] = &[3799];

/// Services, who sent it, and what it is.
type Found = (&'static [u16], Sender, Application);

impl Row {
    /// The datagram of a protocol whose port is known, and whose summaries are.
    pub(super) fn find_unported(&self, source: IpAddr, destination: IpAddr) -> Option<Unported> {
        let length = self.payload_length(source);
        let summary = self.summary.as_str();
        let (services, sender, application) = match self.protocol.as_str() {
            "TFTP" => find_tftp(self.find_tftp(length)),
            "DNS" => find_dns(summary),
            "SNMP" => find_snmp(summary)?,
            "NTP" => find_ntp(summary)?,
            "RADIUS" => find_radius(summary)?,
            "Syslog" => (SYSLOG, Sender::Client, Application::Report(Protocol::Syslog)),
            protocol if protocol.split('/').next() == Some("SIP") => find_sip(summary)?,
            _ => return None,
        };
        Some(Unported { source, destination, services, sender, length, application })
    }
}

/// What is answered at the trap port is an inform (RFC 3416 section 4.2.7).
pub fn name_inform(application: &mut Application, flow: &FlowKey) {
    /// RFC 3417 section 3.1.
    const TRAP_PORT: u16 = 162;
    let is_at_trap_port = [flow.source, flow.destination].iter().any(|end| end.port == TRAP_PORT);
    if let Application::Transaction(message) = application
        && message.protocol == Protocol::Snmp
        && is_at_trap_port
    {
        message.protocol = Protocol::SnmpInform;
    }
}

fn find_tftp(message: Option<TftpMessage>) -> Found {
    let sender = match &message {
        Some(message) if message.is_request() => Sender::Client,
        // Only a server acknowledges options (RFC 2347).
        Some(TftpMessage::OptionAck) => Sender::Server,
        _ => Sender::InMidst,
    };
    (TFTP, sender, message.map_or(Application::Plain(Protocol::Tftp), Application::Tftp))
}

/// `Standard query 0x1111 A example.net`, `Standard query response 0x1111 No such name A …`.
fn find_dns(summary: &str) -> Found {
    let (before, rest) = summary.split_at(summary.find(" 0x").unwrap_or(summary.len()));
    let is_reply = before.ends_with("response");
    let (role, sender) = if is_reply {
        (TransactionRole::Reply, Sender::Server)
    } else {
        (TransactionRole::Request, Sender::Client)
    };
    let Some((id, rest)) = rest.trim_start().split_once(' ') else {
        return (DNS, sender, Application::Plain(Protocol::Dns));
    };
    let mut words = rest.split(' ');
    let question = words.next().zip(words.next()).filter(|_| !is_reply);
    (DNS, sender, message::dns(id, role, question, if is_reply { rest } else { "" }))
}

/// `get-request 1.3.6.1.2.1.1.1.0`; of version 3 `encryptedPDU: privKey Unknown`.
fn find_snmp(summary: &str) -> Option<Found> {
    let mut words = summary.split(' ');
    let pdu = words.next()?;
    if pdu.starts_with("encryptedPDU") {
        return Some((SNMP, Sender::Unknown, Application::Plain(Protocol::Snmp)));
    }
    let objects: Vec<&str> = words.collect();
    let parts = |asked| SnmpParts { pdu, asked, ..SnmpParts::default() };
    let application = message::snmp(parts(None), &objects)?;
    Some(match pdu {
        "get-response" | "report" => (SNMP_ANSWER, Sender::Server, application),
        "trap" | "snmpV2-trap" | "informRequest" | "inform-request" => {
            (SNMP_TRAP, Sender::Client, application)
        }
        _ => (SNMP, Sender::Client, application),
    })
}

/// `NTP Version 4, client`.
fn find_ntp(summary: &str) -> Option<Found> {
    let (_, mode) = summary.rsplit_once(", ")?;
    let sender = match mode {
        "client" => Sender::Client,
        "server" => Sender::Server,
        _ => return None,
    };
    Some((NTP, sender, message::ntp(mode, None)))
}

/// `Access-Request id=9`; before version 3 `Access-Request(1) (id=9, l=27)`.
fn find_radius(summary: &str) -> Option<Found> {
    let code = summary.split(['(', ' ']).next()?;
    let (_, id) = summary.split_once("id=")?;
    let id = id.split(|c: char| !c.is_ascii_digit()).next()?;
    let application = message::radius(code, id, &[])?;
    let services = match code.split('-').next()? {
        "Accounting" => RADIUS_ACCOUNTING,
        "CoA" | "Disconnect" => RADIUS_DYNAMIC,
        _ => RADIUS,
    };
    let asks = code.ends_with("-Request") || code == "Status-Server";
    Some((services, if asks { Sender::Client } else { Sender::Server }, application))
}

/// `Request: REGISTER sip:a@example.net  (1 binding) |`, `Status: 200 OK (REGISTER) |`.
fn find_sip(summary: &str) -> Option<Found> {
    let text = summary.split(" |").next().unwrap_or(summary);
    if let Some(status) = text.strip_prefix("Status: ") {
        let status = status.split(" (").next().unwrap_or(status);
        let application = message::sip(&format!("SIP/2.0 {}", status.trim()), &[]);
        return Some((SIP, Sender::Server, application));
    }
    let mut words = text.strip_prefix("Request: ")?.split_whitespace();
    let (method, target) = (words.next()?, words.next()?);
    Some((SIP, Sender::Client, message::sip(&format!("{method} {target} SIP/2.0"), &[])))
}

#[cfg(test)]
mod tests {
    use super::super::find_row;
    use super::*;

    #[test]
    fn the_summary_says_who_asks_at_which_port() {
        use Sender::{Client, InMidst, Server, Unknown};
        let cases: [(&str, &[u16], Sender, Option<&str>); 18] = [
            ("TFTP 106 Write Request, File: a.cfg, Transfer type: octet", TFTP, Client, None),
            ("TFTP 61 Option Acknowledgement, tsize=7304", TFTP, Server, None),
            ("TFTP 558 Data Packet, Block: 1", TFTP, InMidst, None),
            ("DNS 71 Standard query 0x1111 A example.net", DNS, Client, Some("query")),
            (
                "DNS 87 Standard query response 0x1111 Server failure A example.net",
                DNS,
                Server,
                Some("ServFail"),
            ),
            ("SNMP 82 get-request 1.3.6.1.2.1.1.1.0", SNMP, Client, Some("GetRequest")),
            ("SNMP 99 get-response 1.3.6.1.2.1.1.1.0", SNMP_ANSWER, Server, Some("GetResponse")),
            ("SNMP 91 snmpV2-trap 1.3.6.1.2.1.1.1.0", SNMP_TRAP, Client, Some("V2Trap")),
            ("SNMP 91 informRequest 1.3.6.1.2.1.1.1.0", SNMP_TRAP, Client, Some("InformRequest")),
            ("SNMP 150 encryptedPDU: privKey Unknown", SNMP, Unknown, None),
            ("NTP 90 NTP Version 4, client", NTP, Client, None),
            ("NTP 90 NTP Version 4, server", NTP, Server, None),
            (
                "RADIUS 69 Access-Request id=7, Duplicate Request",
                RADIUS,
                Client,
                Some("Access-Request"),
            ),
            ("RADIUS 62 Access-Accept(2) (id=7, l=20)", RADIUS, Server, Some("Access-Accept")),
            (
                "RADIUS 68 Accounting-Request id=9",
                RADIUS_ACCOUNTING,
                Client,
                Some("Accounting-Request"),
            ),
            ("Syslog 94 LOCAL7.NOTICE: up", SYSLOG, Client, None),
            (
                "SIP 227 Request: REGISTER sip:lab  (fetch bindings) | ",
                SIP,
                Client,
                Some("REGISTER"),
            ),
            ("SIP 217 Status: 200 OK (REGISTER)  (0 bindings) | ", SIP, Server, Some("response")),
        ];
        for (one, two) in [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")] {
            for (text, services, sender, label) in cases {
                let row = find_row(&format!("    7 1.500000 {one} → {two} {text}")).unwrap();
                let (from, to) = (one.parse().unwrap(), two.parse().unwrap());
                let found = row.find_unported(from, to).unwrap();
                assert_eq!((found.services, found.sender), (services, sender), "{text}");
                let found = match found.application {
                    Application::Transaction(message) => Some(message.label),
                    _ => None,
                };
                assert_eq!(found, label, "{text}");
            }
            let row = find_row(&format!("    7 1.500000 {one} → {two} MGCP 60 OK")).unwrap();
            assert_eq!(row.find_unported(one.parse().unwrap(), two.parse().unwrap()), None);
        }
    }

    #[test]
    fn question_and_answer_share_what_is_printed() {
        let identity = |text: &str| {
            let row = find_row(&format!("7 1.500000 192.0.2.1 → 192.0.2.2 {text}")).unwrap();
            let (from, to) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
            match row.find_unported(from, to).unwrap().application {
                Application::Transaction(message) => message.identity,
                other => panic!("{text}: {other:?}"),
            }
        };
        let cases = [
            (
                "DNS 71 Standard query 0x1111 A example.net",
                "DNS 87 Standard query response 0x1111 A example.net A 192.0.2.7",
                "DNS 71 Standard query 0x1112 A example.net",
            ),
            (
                "SNMP 82 get-request 1.3.6.1.2.1.1.1.0",
                "SNMP 99 get-response 1.3.6.1.2.1.1.1.0",
                "SNMP 82 get-request 1.3.6.1.2.1.1.5.0",
            ),
            (
                "RADIUS 69 Access-Request id=7",
                "RADIUS 62 Access-Accept id=7",
                "RADIUS 69 Access-Request id=8",
            ),
        ];
        for (request, answer, other) in cases {
            assert_eq!(identity(request), identity(answer), "{request}");
            assert_ne!(identity(request), identity(other), "{request}");
        }
    }
}
