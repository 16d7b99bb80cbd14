//! Rows of Wireshark's packet list, pasted or printed by `tshark`.
//!
//! They are read where they name the ports: in columns of their own, or in the
//! row's last column (`58625 → 69 Len=64`).

use std::net::IpAddr;

use super::timestamp::{Stamp, StampValue};
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::packet::{
    Application, Content, Datagram, IcmpError, IcmpKind, Quote, TftpMessage, TftpRequest,
};
use crate::model::protocol::Protocol;
use crate::model::segment::QuotedKind;

/// One row: number, time, source, destination, protocol, length, summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'a> {
    pub stamp: Stamp,
    source: IpAddr,
    destination: IpAddr,
    ports: Option<(u16, u16)>,
    protocol: &'a str,
    /// Bytes of the frame.
    frame_length: u32,
    summary: String,
}

/// What a row is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowReading {
    Content(Content),
    Other,
    Fault(&'static str),
}

/// Finds a row: a number, seconds with a fraction, and two addresses.
#[must_use]
pub fn find_row(text: &str) -> Option<Row<'_>> {
    let mut words = text.split_whitespace().filter(|word| !matches!(*word, "→" | "->")).peekable();
    let _number: u64 = words.next()?.parse().ok()?;
    let (seconds, fraction) = words.next()?.split_once('.')?;
    let is_fraction = (6..=9).contains(&fraction.len()) && seconds.len() <= 9;
    let seconds: i64 = seconds.parse().ok().filter(|seconds| *seconds >= 0 && is_fraction)?;
    let fraction_ns: i64 = format!("{fraction:0<9}").parse().ok()?;
    let source = words.next()?.parse().ok()?;
    let source_port = words.next_if(|word| is_port(word)).and_then(|port| port.parse().ok());
    let destination = words.next()?.parse().ok()?;
    let destination_port = words.next_if(|word| is_port(word)).and_then(|port| port.parse().ok());
    let protocol = words.next()?;
    let frame_length = words.next()?.parse().ok()?;
    let summary: Vec<&str> = words.collect();
    let value = StampValue::Span(seconds.checked_mul(1_000_000_000)?.checked_add(fraction_ns)?);
    Some(Row {
        stamp: Stamp { value, has_fraction: true },
        source,
        destination,
        ports: source_port.zip(destination_port).or_else(|| find_ports(&summary)),
        protocol,
        frame_length,
        summary: summary.join(" "),
    })
}

fn is_port(word: &str) -> bool {
    word.len() <= 5 && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// The arrow is gone: `58625 69 Len=64`.
fn find_ports(summary: &[&str]) -> Option<(u16, u16)> {
    let (source, destination) = (summary.first()?, summary.get(1)?);
    Some((source.parse().ok()?, destination.parse().ok()?))
}

impl Row<'_> {
    /// What the row says.
    #[must_use]
    pub fn read(&self) -> RowReading {
        match self.protocol {
            "ICMP" | "ICMPv6" => self.read_icmp(),
            "TCP" | "ARP" | "TLS" | "HTTP" | "SSH" | "TLSv1.2" | "TLSv1.3" | "IPv4" | "IPv6"
            | "IGMPv2" | "IGMPv3" | "SCTP" => RowReading::Other,
            _ => self.read_datagram(),
        }
    }

    fn read_datagram(&self) -> RowReading {
        let Some((source_port, destination_port)) = self.ports else {
            return RowReading::Fault(
                "is a row of Wireshark's packet list without ports; export the packets as pcapng, or print them with `tcpdump -n`",
            );
        };
        let flow = FlowKey::udp(
            Endpoint::new(self.source, source_port),
            Endpoint::new(self.destination, destination_port),
        );
        let length = self.payload_length();
        let known = || {
            Protocol::of_flow(&flow)
                .map_or(Application::Unknown { tftp_shape: None }, Application::Plain)
        };
        let message = (self.protocol == "TFTP").then(|| self.find_tftp(length)).flatten();
        let application = message.map_or_else(known, Application::Tftp);
        RowReading::Content(Content::Datagram(Datagram {
            flow,
            length,
            fingerprint: None,
            is_cut: false,
            application,
        }))
    }

    /// `Len=64`; else what Ethernet, IP and UDP headers leave of the frame.
    fn payload_length(&self) -> u32 {
        let printed = self
            .summary
            .split_once("Len=")
            .and_then(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok());
        let headers = if self.source.is_ipv4() { 42 } else { 62 };
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
        } else {
            None
        }
    }

    /// The port columns of an ICMP error are those of the quoted datagram. A
    /// port is unreachable at the address that says so.
    fn read_icmp(&self) -> RowReading {
        let kind = match &self.summary {
            text if text.contains("Port unreachable") => IcmpKind::PortUnreachable,
            text if text.contains("Host unreachable") || text.contains("Address unreachable") => {
                IcmpKind::HostUnreachable
            }
            text if text.contains("Network unreachable") => IcmpKind::NetworkUnreachable,
            text if text.contains("rohibited") => IcmpKind::AdminProhibited,
            text if text.contains("Fragmentation needed") || text.contains("Too Big") => {
                IcmpKind::PacketTooBig
            }
            // `Time-to-live exceeded (…)` and ICMPv6's `Time Exceeded (…)`.
            text if text.contains("reassembly time exceeded") => IcmpKind::ReassemblyTimeExceeded,
            text if text.starts_with("Time-to-live exceeded") => IcmpKind::TimeExceeded,
            text if text.starts_with("Destination") => IcmpKind::Other,
            _ => return RowReading::Other,
        };
        let quote = (kind == IcmpKind::PortUnreachable).then(|| Quote {
            source: self.destination,
            source_port: self.ports.map(|(source, _)| source),
            destination: self.source,
            destination_port: self.ports.map(|(_, destination)| destination),
            kind: QuotedKind::Unknown,
        });
        let (from, to) = (self.source, self.destination);
        RowReading::Content(Content::IcmpError(IcmpError { kind, from, to, quote }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_with_ports_are_read() {
        for (one, two, headers) in
            [("192.0.2.1", "192.0.2.2", 42), ("2001:db8::1", "2001:db8::2", 62)]
        {
            let cases = [
                (
                    format!(
                        "7\t2.994698590\t{one}\t5000\t{two}\t69\tTFTP\t{}\tRead Request, File: mod, Transfer type: octet",
                        headers + 22
                    ),
                    22,
                ),
                (format!("    7   2.994698 {one} → {two} UDP 106 5000 → 69 Len=64"), 64),
                (
                    format!(
                        "7\t2.994698590\t{one}\t5000\t{two}\t69\tTFTP\t{}\tData Packet, Block: 1",
                        headers + 516
                    ),
                    516,
                ),
            ];
            for (text, length) in cases {
                let RowReading::Content(Content::Datagram(datagram)) =
                    find_row(&text).unwrap().read()
                else {
                    panic!("{text}");
                };
                assert_eq!(datagram.flow.source, Endpoint::new(one.parse().unwrap(), 5_000));
                assert_eq!(datagram.flow.destination, Endpoint::new(two.parse().unwrap(), 69));
                assert_eq!(datagram.length, length, "{text}");
            }
            let refused = format!(
                "9 3.000000 {one} 69 {two} 5000 ICMP 586 Destination unreachable (Port unreachable)"
            );
            let RowReading::Content(Content::IcmpError(error)) = find_row(&refused).unwrap().read()
            else {
                panic!("{refused}");
            };
            let quote = error.quote.unwrap();
            assert_eq!(quote.source_endpoint(), Some(Endpoint::new(two.parse().unwrap(), 69)));
        }
    }

    #[test]
    fn rows_without_ports_are_faults() {
        let text = "1 0.000000 192.0.2.1 → 192.0.2.2 TFTP 106 Write Request, File: a";
        assert!(matches!(find_row(text).unwrap().read(), RowReading::Fault(_)));
        let text =
            "1 0.000000 2001:db8::1 → 2001:db8::2 DNS 106 Standard query 0x1234 A example.com";
        assert!(matches!(find_row(text).unwrap().read(), RowReading::Fault(_)));
    }

    #[test]
    fn other_text_is_no_row() {
        for text in ["", "7 packets captured", "1. First 192.0.2.1", "1 2.5 a b c", "12"] {
            assert_eq!(find_row(text), None, "{text}");
        }
    }
}
