//! What Wireshark and `tshark -V` print of a frame's fields, where its bytes are missing.

use std::net::IpAddr;

use super::layer::Layer;
use crate::ingest::tcpdump_text::{is_keep_alive, keep_alive};
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::packet::{
    Application, Content, Datagram, IcmpError, IcmpKind, Quote, TftpMessage, TftpRequest,
};
use crate::model::protocol::Protocol;
use crate::model::segment::QuotedKind;

/// RFC 768.
const UDP_HEADER_BYTES: u32 = 8;

/// The fields of one frame, as far as they matter.
#[derive(Debug, Default)]
pub struct Fields {
    /// Of the innermost IP header.
    ends: Option<(IpAddr, IpAddr)>,
    ports: Option<(u16, u16)>,
    /// In the UDP header, which is counted.
    udp_bytes: Option<u32>,
    /// The datagram that carries the IP packet of which `ends` are.
    carrier: Option<Carrier>,
    /// The innermost packet is TCP.
    is_tcp: bool,
    error: Option<ErrorFields>,
    tftp: Tftp,
    /// What UDP carries.
    layer: Option<Layer>,
}

/// A tunnel's datagram.
#[derive(Debug, Clone, Copy)]
struct Carrier {
    ends: (IpAddr, IpAddr),
    ports: (u16, u16),
    udp_bytes: Option<u32>,
}

/// An ICMP or ICMPv6 message, and the headers that it quotes.
#[derive(Debug, Default)]
struct ErrorFields {
    is_v6: bool,
    kind: Option<u8>,
    code: Option<u8>,
    ends: Option<(IpAddr, IpAddr)>,
    ports: Option<(u16, u16)>,
}

#[derive(Debug, Default)]
struct Tftp {
    opcode: Option<u16>,
    block: Option<u16>,
    file: Option<String>,
    mode: Option<String>,
}

/// `User Datagram Protocol, Src Port: 41226, Dst Port: 69`; before version 2
/// `Src Port: tftp (69)`.
#[must_use]
pub fn find_ports(text: &str) -> Option<(u16, u16)> {
    let rest = text.strip_prefix("User Datagram Protocol, Src Port: ")?;
    let (source, destination) = rest.split_once(", Dst Port: ")?;
    Some((find_number(source)?.try_into().ok()?, find_number(destination)?.try_into().ok()?))
}

/// `Internet Protocol Version 6, Src: 2001:db8::9, Dst: 2001:db8::21`; names and
/// repeated addresses may stand before those in brackets.
fn find_ends(text: &str) -> Option<(IpAddr, IpAddr)> {
    let rest = text.strip_prefix("Internet Protocol Version ")?;
    let (source, destination) = rest.split_once(", Src: ")?.1.split_once(", Dst: ")?;
    Some((find_address(source)?, find_address(destination)?))
}

fn find_address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let inside = text.rsplit_once('(').map(|(_, inside)| inside.trim_end_matches(')'));
    text.parse().ok().or_else(|| inside?.parse().ok())
}

/// `69`, `tftp (69)`, `3 (Destination unreachable)`, `Destination Unreachable (1)`.
fn find_number(text: &str) -> Option<u32> {
    let digits = |text: &str| text.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok();
    let inside = || text.rsplit_once('(').map(|(_, inside)| inside);
    digits(text.trim()).or_else(|| digits(inside()?))
}

impl Fields {
    /// Takes a line of the frame's fields. Headers of the frame itself stand at the
    /// margin; an ICMP error's own fields, and the headers that it quotes, are indented.
    pub fn push(&mut self, text: &str) {
        let indented = text.trim_end();
        let is_own = !indented.starts_with(char::is_whitespace);
        let text = indented.trim_start();
        if !is_own && self.error.is_none() {
            if let Some(layer) = &mut self.layer {
                layer.push(text);
            }
            if let Some((name, value)) = text.split_once(": ") {
                self.push_field(name, value);
            }
        } else if let Some(ends) = find_ends(text) {
            match &mut self.error {
                Some(error) => error.ends = error.ends.or(Some(ends)),
                None => self.begin_packet(ends),
            }
        } else if let Some(ports) = find_ports(text) {
            if let Some(error) = &mut self.error {
                error.ports = error.ports.or(Some(ports));
            } else {
                (self.ports, self.udp_bytes) = (Some(ports), None);
                self.layer = None;
            }
        } else if is_own && text.starts_with("Internet Control Message Protocol") {
            let is_v6 = text.ends_with("v6");
            self.error.get_or_insert_default().is_v6 = is_v6;
        } else if self.error.is_some() {
            if let Some((name, value)) = text.split_once(": ") {
                self.push_field(name, value);
            }
        } else if is_own && text.starts_with("Transmission Control Protocol") {
            self.is_tcp = true;
        } else if self.ports.is_some() && self.layer.is_none() && !text.is_empty() {
            self.layer = Some(Layer::new(text));
        }
    }

    /// An IP header of the frame's own. Behind ports it is that of a packet in a tunnel:
    /// what follows is this packet's, and the ports were the tunnel's.
    fn begin_packet(&mut self, ends: (IpAddr, IpAddr)) {
        let ports = self.ports.take();
        if let Some((outer, ports)) = self.ends.zip(ports) {
            let udp_bytes = self.udp_bytes.take();
            self.carrier = Some(Carrier { ends: outer, ports, udp_bytes });
            self.layer = None;
        }
        self.ends = Some(ends);
    }

    fn push_field(&mut self, name: &str, value: &str) {
        if let Some(error) = &mut self.error {
            let number = find_number(value).and_then(|number| number.try_into().ok());
            match name {
                "Type" => error.kind = error.kind.or(number),
                "Code" => error.code = error.code.or(number),
                _ => {}
            }
            return;
        }
        let number = || find_number(value).and_then(|number| number.try_into().ok());
        match name {
            "Length" if self.ports.is_some() && self.udp_bytes.is_none() => {
                self.udp_bytes = find_number(value);
            }
            "Opcode" => self.tftp.opcode = self.tftp.opcode.or_else(number),
            "Block" => self.tftp.block = self.tftp.block.or_else(number),
            "Source File" | "Destination File" => self.tftp.file = Some(value.to_owned()),
            "Type" => self.tftp.mode = Some(value.to_owned()),
            _ => {}
        }
    }

    /// What the frame holds, if that is a datagram or an ICMP error.
    #[must_use]
    pub fn find_content(&self) -> Option<Content> {
        let ends = self.ends?;
        if let Some(error) = &self.error {
            return error.find(ends.0, ends.1).map(Content::IcmpError);
        }
        // Connections in a tunnel are no exchange of it; around all else that is no
        // datagram the tunnel's is, as in frames.
        let carrier = self.carrier.filter(|_| self.ports.is_none() && !self.is_tcp);
        let ((source, destination), ports, udp_bytes) = match carrier {
            Some(carrier) => (carrier.ends, Some(carrier.ports), carrier.udp_bytes),
            None => (ends, self.ports, self.udp_bytes),
        };
        let (source_port, destination_port) = ports?;
        let flow = FlowKey::udp(
            Endpoint::new(source, source_port),
            Endpoint::new(destination, destination_port),
        );
        let length = udp_bytes.unwrap_or(0).saturating_sub(UDP_HEADER_BYTES);
        let protocol = Protocol::of_flow(&flow);
        let transfer = self.tftp.find_message(length).map(Application::Tftp);
        let read = || self.layer.as_ref()?.find_application(protocol);
        let plain = Application::Unknown { tftp_shape: None };
        let plain = || match protocol {
            Some(Protocol::Sip) if is_keep_alive(length) => keep_alive(),
            known => known.map_or(plain, Application::Plain),
        };
        let application = transfer.or_else(read).unwrap_or_else(plain);
        Some(Content::Datagram(Datagram {
            flow,
            length,
            fingerprint: None,
            is_cut: false,
            application,
        }))
    }
}

impl ErrorFields {
    fn find(&self, from: IpAddr, to: IpAddr) -> Option<IcmpError> {
        let (message, code) = (self.kind?, self.code?);
        let kind = if self.is_v6 {
            IcmpKind::of_v6(message, code)
        } else {
            IcmpKind::of_v4(message, code)
        }?;
        let ends = self.ends.zip(self.ports);
        let quote = ends.map(|((source, destination), (source_port, destination_port))| Quote {
            source,
            source_port: Some(source_port),
            destination,
            destination_port: Some(destination_port),
            kind: QuotedKind::Datagram,
            tunnel: None,
        });
        // Of a quote without ports it is not known that it is UDP.
        quote.map(|quote| IcmpError { kind, from, to, quote: Some(quote), fingerprint: None })
    }
}

impl Tftp {
    /// RFC 1350 section 5, RFC 2347.
    fn find_message(&self, length_bytes: u32) -> Option<TftpMessage> {
        let request = || {
            Some(Box::new(TftpRequest {
                file: self.file.clone()?,
                mode: self.mode.clone().unwrap_or_default(),
                options: Vec::new(),
            }))
        };
        Some(match self.opcode? {
            1 => TftpMessage::ReadRequest(request()?),
            2 => TftpMessage::WriteRequest(request()?),
            3 => TftpMessage::Data { block: self.block?, length: length_bytes.saturating_sub(4) },
            4 => TftpMessage::Ack { block: self.block? },
            6 => TftpMessage::OptionAck,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_both_families_are_read() {
        for (version, one, two, icmp) in [
            (
                4,
                "192.0.2.9",
                "192.0.2.21",
                [
                    "Internet Control Message Protocol",
                    "    Type: 3 (Destination unreachable)",
                    "    Code: 3 (Port unreachable)",
                ],
            ),
            (
                6,
                "2001:db8::9",
                "2001:db8::21",
                [
                    "Internet Control Message Protocol v6",
                    "    Type: Destination Unreachable (1)",
                    "    Code: 4 (Port unreachable)",
                ],
            ),
        ] {
            let ip = |from: &str, to: &str| {
                format!("Internet Protocol Version {version}, Src: {from}, Dst: {to}")
            };
            let (one_address, two_address) = (one.parse().unwrap(), two.parse().unwrap());
            let mut request = Fields::default();
            let lines = [
                "User Datagram Protocol, Src Port: 41226, Dst Port: tftp (69)",
                "    Length: 33",
                "Trivial File Transfer Protocol",
                "    Opcode: Write Request (2)",
                "    Destination File: a.cfg",
                "    Type: octet",
            ];
            request.push(&ip(one, two));
            for line in lines {
                request.push(line);
            }
            let Some(Content::Datagram(datagram)) = request.find_content() else { panic!() };
            assert_eq!(datagram.flow.source, Endpoint::new(one_address, 41_226));
            assert_eq!(datagram.flow.destination, Endpoint::new(two_address, 69));
            assert_eq!(datagram.length, 25);
            assert!(matches!(
                datagram.application,
                Application::Tftp(TftpMessage::WriteRequest(_))
            ));

            let mut refusal = Fields::default();
            refusal.push(&ip(two, one));
            for line in icmp {
                refusal.push(line);
            }
            assert_eq!(refusal.find_content(), None, "quotes nothing");
            refusal.push(&ip(one, two));
            refusal.push(lines[0]);
            let Some(Content::IcmpError(error)) = refusal.find_content() else { panic!() };
            assert_eq!((error.kind, error.from), (IcmpKind::PortUnreachable, two_address));
            let quote = error.quote.unwrap();
            assert_eq!(quote.source_endpoint(), Some(Endpoint::new(one_address, 41_226)));

            // A tunnel's ports are none of the packet inside.
            let [outer_one, outer_two] = if version == 4 {
                ["192.0.2.1", "192.0.2.2"]
            } else {
                ["2001:db8::1", "2001:db8::2"]
            };
            let vxlan = || {
                let mut fields = Fields::default();
                fields.push(&ip(outer_one, outer_two));
                for line in [
                    "User Datagram Protocol, Src Port: 45149, Dst Port: 4789",
                    "    Length: 74",
                    "Virtual eXtensible Local Area Network",
                    "Ethernet II, Src: 02:00:00:00:00:01, Dst: 02:00:00:00:00:02",
                ] {
                    fields.push(line);
                }
                fields.push(&ip(one, two));
                fields
            };
            let mut connection = vxlan();
            connection.push("Transmission Control Protocol, Src Port: 1, Dst Port: 2, Seq: 0");
            assert_eq!(connection.find_content(), None);
            let mut inside = vxlan();
            inside.push(lines[0]);
            inside.push(lines[1]);
            let Some(Content::Datagram(datagram)) = inside.find_content() else { panic!() };
            assert_eq!(datagram.flow.source, Endpoint::new(one_address, 41_226));
            assert_eq!(datagram.length, 25);
            let Some(Content::Datagram(datagram)) = vxlan().find_content() else { panic!() };
            let outer = Endpoint::new(outer_two.parse().unwrap(), 4789);
            assert_eq!((datagram.flow.destination, datagram.length), (outer, 66));

            let mut segment = Fields::default();
            segment.push(&ip(one, two));
            segment.push("Transmission Control Protocol, Src Port: 1, Dst Port: 2, Seq: 0");
            assert_eq!(segment.find_content(), None);
        }
    }
}
