//! Rows of Wireshark's packet list, pasted or printed by `tshark`.
//!
//! They are read where they name the ports: in columns of their own, or in the
//! row's last column (`58625 → 69 Len=64`).

mod icmp;
mod protocols;
mod unported;

use std::net::IpAddr;

use self::protocols::{is_datagram_protocol, may_be_datagram_protocol};
pub use self::unported::{Sender, Unported, name_inform};
use super::timestamp::{Stamp, StampValue, find_stamp};
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::packet::{
    Application, Content, Datagram, IcmpError, IcmpKind, Quote, TftpMessage, TftpRequest,
};
use crate::model::protocol::Protocol;
use crate::model::segment::QuotedKind;

/// One row: number, time, source, destination, protocol, length, summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The frame's, in the list that is shown.
    pub number: u64,
    pub stamp: Stamp,
    /// The time is one since the first packet, not one of a clock.
    pub counts_from_first: bool,
    /// Source and destination; `None` of a frame without IP.
    ends: Option<(IpAddr, IpAddr)>,
    ports: Option<(u16, u16)>,
    protocol: String,
    /// Bytes of the frame.
    frame_length: u32,
    summary: String,
}

/// What a row is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowReading {
    Content(Content),
    /// A datagram of which it names no ports.
    Unported(Box<Unported>),
    Other,
    Fault(&'static str),
}

/// TFTP's errors in Wireshark's words, in the order of their codes (RFC 1350, RFC 2347).
const ERRORS: [&str; 9] = [
    "Not defined",
    "File not found",
    "Access violation",
    "Disk full or allocation exceeded",
    "Illegal TFTP Operation",
    "Unknown transfer ID",
    "File already exists",
    "No such user",
    "Option negotiation failed",
];

/// What to say of a row whose ports cannot be told.
pub const WITHOUT_PORTS: &str = "is a row of Wireshark's packet list without ports; export the packets as pcapng, or print them with `tcpdump -n`";

/// Finds a row: a number, seconds with a fraction, and two addresses.
#[must_use]
pub fn find_row(text: &str) -> Option<Row> {
    let mut words = text.split_whitespace().filter(|word| !matches!(*word, "→" | "->")).peekable();
    let number: u64 = words.next()?.parse().ok()?;
    let time = words.next()?;
    let stamp = match time.split_once('-') {
        // `tshark -t ad`, `-t ud`: the date is a word of its own.
        Some(_) => find_stamp(&format!("{time} {}", words.next()?))?.0,
        None => find_time(time)?,
    };
    let source = Side::find(words.next()?)?;
    let source_port = words.next_if(|word| is_port(word)).and_then(|port| port.parse().ok());
    let destination = Side::find(words.next()?)?;
    let destination_port = words.next_if(|word| is_port(word)).and_then(|port| port.parse().ok());
    let mut protocol = words.next()?.to_owned();
    // `BFD Control`: the name may be of two words.
    let second = words.next_if(|word| !is_number(word));
    if let Some(second) = second {
        protocol = format!("{protocol} {second}");
    }
    let frame_length = words.next()?.parse().ok()?;
    let summary: Vec<&str> = words.collect();
    Some(Row {
        number,
        stamp,
        counts_from_first: !time.contains(['-', ':']) && matches!(stamp.value, StampValue::Span(_)),
        ends: source.address().zip(destination.address()),
        ports: source_port.zip(destination_port).or_else(|| find_ports(&summary)),
        protocol,
        frame_length,
        summary: summary.join(" "),
    })
}

/// `2.994698` since the first packet, `1700000000.654684000` of `-t e`,
/// `07:29:48.654684` of `-t a`.
fn find_time(word: &str) -> Option<Stamp> {
    if word.contains(':') {
        return find_stamp(word).map(|(stamp, _)| stamp).filter(|stamp| stamp.has_fraction);
    }
    let (seconds, fraction) = word.split_once('.')?;
    let is_time = (6..=9).contains(&fraction.len()) && seconds.len() <= 11;
    let whole: i64 = seconds.parse().ok().filter(|seconds| *seconds >= 0 && is_time)?;
    let fraction_ns: i64 = format!("{fraction:0<9}").parse().ok()?;
    let value = whole.checked_mul(1_000_000_000)?.checked_add(fraction_ns)?;
    let value = if seconds.len() > 9 { StampValue::Date(value) } else { StampValue::Span(value) };
    Some(Stamp { value, has_fraction: true })
}

/// Who stands in a row's address columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Address(IpAddr),
    /// An Ethernet address, or the name that stands for one: `Vmware_12:34:56`.
    Link,
}

impl Side {
    fn find(word: &str) -> Option<Self> {
        if let Ok(address) = word.parse() {
            return Some(Self::Address(address));
        }
        let bytes = word.rsplit('_').next().unwrap_or(word);
        let is_link = bytes.split(':').count() >= 3
            && bytes
                .split(':')
                .all(|byte| byte.len() == 2 && byte.bytes().all(|digit| digit.is_ascii_hexdigit()));
        (is_link || word == "Broadcast").then_some(Self::Link)
    }

    const fn address(self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(address),
            Self::Link => None,
        }
    }
}

fn is_port(word: &str) -> bool {
    word.len() <= 5 && is_number(word)
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

/// The arrow is gone: `58625 69 Len=64`.
fn find_ports(summary: &[&str]) -> Option<(u16, u16)> {
    let (source, destination) = (summary.first()?, summary.get(1)?);
    Some((source.parse().ok()?, destination.parse().ok()?))
}

/// Whether a line is a row of a packet list.
#[must_use]
pub fn looks_like_row(text: &str) -> bool {
    find_row(text).is_some()
}

impl Row {
    /// What the row says.
    #[must_use]
    pub fn read(&self) -> RowReading {
        let Some((source, destination)) = self.ends else { return RowReading::Other };
        match self.protocol.as_str() {
            "ICMP" | "ICMPv6" => self.read_icmp(source, destination),
            _ if self.is_datagram() => self.read_datagram(source, destination),
            _ => RowReading::Other,
        }
    }

    /// Wireshark names the innermost protocol it knows: only of some is UDP the carrier.
    /// Of a datagram that it does not know further it prints `Len=64`, of a segment
    /// `Seq=` as well.
    fn is_datagram(&self) -> bool {
        let is_plain = self.summary.contains("Len=") && !self.summary.contains("Seq=");
        let is_carried = self.ports.is_some() && may_be_datagram_protocol(&self.protocol);
        is_plain || is_carried || is_datagram_protocol(&self.protocol)
    }

    /// The frame's addresses.
    #[must_use]
    pub const fn ends(&self) -> Option<(IpAddr, IpAddr)> {
        self.ends
    }

    /// Whether the row itself names ports, or its fields did.
    #[must_use]
    pub const fn has_ports(&self) -> bool {
        self.ports.is_some()
    }

    /// Takes the ports that the frame's fields tell.
    pub const fn set_ports(&mut self, ports: (u16, u16)) {
        self.ports = Some(ports);
    }

    fn read_datagram(&self, source: IpAddr, destination: IpAddr) -> RowReading {
        let Some((source_port, destination_port)) = self.ports else {
            let unported = self.find_unported(source, destination).map(Box::new);
            return unported.map_or(RowReading::Fault(WITHOUT_PORTS), RowReading::Unported);
        };
        let flow = FlowKey::udp(
            Endpoint::new(source, source_port),
            Endpoint::new(destination, destination_port),
        );
        let length = self.payload_length(source);
        let known = || {
            Protocol::of_flow(&flow)
                .map_or(Application::Unknown { tftp_shape: None }, Application::Plain)
        };
        // Plain TFTP is told by its ports.
        let read = self.find_unported(source, destination).map(|row| row.application);
        let read = read.filter(|read| *read != Application::Plain(Protocol::Tftp));
        let mut application = read.unwrap_or_else(known);
        name_inform(&mut application, &flow);
        RowReading::Content(Content::Datagram(Datagram {
            flow,
            length,
            fingerprint: None,
            is_cut: false,
            application,
        }))
    }

    /// `Len=64`; else what Ethernet, IP and UDP headers leave of the frame.
    fn payload_length(&self, source: IpAddr) -> u32 {
        let printed = self
            .summary
            .split_once("Len=")
            .and_then(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok());
        let headers = if source.is_ipv4() { 42 } else { 62 };
        printed.unwrap_or_else(|| self.frame_length.saturating_sub(headers))
    }

    /// The texts of Wireshark's packet-tftp.c.
    fn find_tftp(&self, length: u32) -> Option<TftpMessage> {
        let field = |name: &str| {
            let (_, rest) = self.summary.split_once(name)?;
            Some(rest.split(',').next().unwrap_or(rest).trim())
        };
        let block = || field("Block: ")?.split(' ').next()?.parse().ok();
        let request = || {
            Some(Box::new(TftpRequest {
                file: field("File: ")?.to_owned(),
                mode: field("Transfer type: ").unwrap_or_default().to_owned(),
                options: Vec::new(),
            }))
        };
        if self.summary.starts_with("Read Request") {
            Some(TftpMessage::ReadRequest(request()?))
        } else if self.summary.starts_with("Write Request") {
            Some(TftpMessage::WriteRequest(request()?))
        } else if self.summary.starts_with("Data Packet") {
            Some(TftpMessage::Data { block: block()?, length: length.saturating_sub(4) })
        } else if self.summary.starts_with("Acknowledgement") {
            Some(TftpMessage::Ack { block: block()? })
        } else if self.summary.starts_with("Option Acknowledgement") {
            Some(TftpMessage::OptionAck)
        } else if self.summary.starts_with("Error Code") {
            let code = ERRORS.iter().position(|words| field("Code: ") == Some(*words))?;
            let message = field("Message: ").unwrap_or_default().into();
            Some(TftpMessage::Error { code: code.try_into().ok()?, message })
        } else {
            None
        }
    }

    /// The port columns of an ICMP error are those of the quoted datagram. A
    /// port is unreachable at the address that says so.
    fn read_icmp(&self, from: IpAddr, to: IpAddr) -> RowReading {
        let Some(kind) = icmp::find_kind(&self.summary) else {
            return RowReading::Other;
        };
        let quote = (kind == IcmpKind::PortUnreachable).then(|| Quote {
            source: to,
            source_port: self.ports.map(|(source, _)| source),
            destination: from,
            destination_port: self.ports.map(|(_, destination)| destination),
            kind: QuotedKind::Unknown,
            tunnel: None,
        });
        RowReading::Content(Content::IcmpError(IcmpError {
            kind,
            from,
            to,
            quote,
            fingerprint: None,
        }))
    }
}

#[cfg(test)]
#[path = "columns_tests.rs"]
mod tests;
