//! Packets as the analysis sees them: who sent what kind of message to whom.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::capture::Direction;
use super::endpoint::{Endpoint, FlowKey};
use super::failure::{is_sip_failure, is_snmp_failure};
use super::hop::HopMarks;
use super::neighbour::NeighbourMessage;
use super::protocol::Protocol;
use super::refusal::is_refusal;
use super::segment::{QuotedKind, Segment};
use super::time::Timestamp;

/// One packet that concerns an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// The frame's number, counted from 1 within its capture.
    pub frame: u64,
    pub at: Timestamp,
    /// Index into the capture's interfaces, from 0.
    pub interface: u32,
    /// The capturing kernel's interface index, where the link layer says it
    /// (SLL2): one capture of `-i any` is taken at several interfaces.
    pub kernel_interface: Option<u32>,
    pub direction: Option<Direction>,
    /// To whom the innermost link header is addressed.
    pub link_audience: LinkAudience,
    /// IPv4 identification: tells a repeated datagram from a second copy of
    /// one datagram. `None` for IPv6, text, and where it is zero (RFC 6864
    /// lets senders of unfragmentable datagrams put anything there).
    pub ip_identification: Option<u16>,
    /// Of the innermost IP header.
    pub hop_marks: HopMarks,
    /// The innermost tunnel in which the packet travelled; `None` where it
    /// was seen bare. `content` is what was inside.
    pub tunnel: Option<Tunnel>,
    pub content: Content,
}

impl Packet {
    /// Whether a packet to `destination` was sent to all hosts of its network, by its
    /// link header: to the broadcast address of a network whose mask nobody may know.
    ///
    /// A host throws away what comes to it in a broadcast frame under an address of its
    /// own (RFC 1122 section 3.3.6). A multicast frame says no such thing: clusters of
    /// firewalls and load balancers have one address and a group of link addresses.
    #[must_use]
    pub fn is_to_all_hosts(&self, destination: IpAddr) -> bool {
        self.link_audience == LinkAudience::Broadcast
            && destination.is_ipv4()
            && !destination.is_multicast()
            && !destination.is_loopback()
    }
}

/// To whom a link header is addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkAudience {
    /// There is no such header, or it does not tell.
    Unknown,
    One,
    Multicast,
    Broadcast,
}

/// A tunnel by its outer addresses, and what its header tells networks apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tunnel {
    pub kind: TunnelKind,
    /// The outer source: the tunnel's end that sent the packet.
    pub source: IpAddr,
    pub destination: IpAddr,
    /// See [`TunnelKind::key_name`]; `None` where the header has none.
    pub key: Option<u32>,
}

/// How a packet is carried inside another.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TunnelKind {
    /// RFC 2784 and RFC 2890, and PPTP's variant (RFC 2637).
    Gre,
    /// A switch's mirror port, carried over GRE.
    Erspan,
    /// IPv4 in IPv4 (RFC 2003).
    FourInFour,
    /// IPv6 in IPv4 (RFC 4213).
    SixInFour,
    /// IPv4 in IPv6 (RFC 2473).
    FourInSix,
    /// IPv6 in IPv6 (RFC 2473).
    SixInSix,
    /// RFC 7348
    Vxlan,
    /// RFC 8926
    Geneve,
    /// A mobile network's user plane (3GPP TS 29.281).
    GtpU,
    /// IPv6 in UDP through NAT (RFC 4380).
    Teredo,
    /// RFC 8086
    GreInUdp,
    /// RFC 7510
    MplsInUdp,
    /// Ethernet in IP (RFC 3378).
    EtherIp,
    /// An Ethernet frame as an IPv6 packet's content: segment routing (RFC 8986).
    EthernetInIp,
    /// RFC 4023
    MplsInIp,
    /// PPP sessions of version 2 (RFC 2661).
    L2tp,
    /// A router's or access point's mirror of frames (TaZmen Sniffer Protocol).
    Tzsp,
    /// Frames between an access point and its controller (RFC 5415).
    Capwap,
    /// A packet behind the header of Generic UDP Encapsulation.
    Gue,
    /// A packet without any header before it, as Linux' FOU and others send it.
    IpInUdp,
    /// What a router sends to the rendezvous point of a multicast group (RFC 7761).
    PimRegister,
}

impl TunnelKind {
    /// As people call it.
    #[must_use]
    pub const fn as_text(self) -> &'static str {
        match self {
            Self::Gre => "GRE",
            Self::Erspan => "ERSPAN",
            Self::FourInFour => "IPIP",
            Self::SixInFour => "6in4",
            Self::FourInSix => "4in6",
            Self::SixInSix => "6in6",
            Self::Vxlan => "VXLAN",
            Self::Geneve => "Geneve",
            Self::GtpU => "GTP-U",
            Self::Teredo => "Teredo",
            Self::GreInUdp => "GRE in UDP",
            Self::MplsInUdp => "MPLS in UDP",
            Self::EtherIp => "EtherIP",
            Self::EthernetInIp => "Ethernet in IP",
            Self::MplsInIp => "MPLS in IP",
            Self::L2tp => "L2TP",
            Self::Tzsp => "TZSP",
            Self::Capwap => "CAPWAP",
            Self::Gue => "GUE",
            Self::IpInUdp => "IP in UDP",
            Self::PimRegister => "PIM register",
        }
    }

    /// What the number in the header stands for: the network of VXLAN and Geneve,
    /// GTP-U's tunnel endpoint, GRE's key (of PPTP the call), the session of
    /// ERSPAN and L2TP.
    #[must_use]
    pub const fn key_name(self) -> &'static str {
        match self {
            Self::Vxlan | Self::Geneve => "network",
            Self::GtpU => "tunnel",
            Self::Erspan | Self::L2tp => "session",
            Self::Gre
            | Self::GreInUdp
            | Self::FourInFour
            | Self::SixInFour
            | Self::FourInSix
            | Self::SixInSix
            | Self::Teredo
            | Self::MplsInUdp
            | Self::EtherIp
            | Self::EthernetInIp
            | Self::MplsInIp
            | Self::Tzsp
            | Self::Capwap
            | Self::Gue
            | Self::IpInUdp
            | Self::PimRegister => "key",
        }
    }

    /// Whether it is carried by UDP datagrams.
    #[must_use]
    pub const fn is_in_udp(self) -> bool {
        match self {
            Self::Vxlan
            | Self::Geneve
            | Self::GtpU
            | Self::Teredo
            | Self::GreInUdp
            | Self::MplsInUdp
            | Self::L2tp
            | Self::Tzsp
            | Self::Capwap
            | Self::Gue
            | Self::IpInUdp => true,
            Self::Gre
            | Self::Erspan
            | Self::FourInFour
            | Self::SixInFour
            | Self::FourInSix
            | Self::SixInSix
            | Self::EtherIp
            | Self::EthernetInIp
            | Self::MplsInIp
            | Self::PimRegister => false,
        }
    }
}

impl fmt::Display for TunnelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_text())
    }
}

/// What a packet carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Datagram(Datagram),
    IcmpError(IcmpError),
    /// A datagram that was never whole. Frame and time of its packet are those
    /// of the fragment seen first.
    FragmentsLost(FragmentsLost),
    /// A datagram that reached its addressee, which says itself that it threw
    /// it away, for it came from an endpoint that it had not asked (`dig`).
    Discarded(Datagram),
    /// A datagram that a datapath or a firewall threw away, and says why.
    Dropped(Box<Dropped>),
    /// ARP or neighbour discovery: why a packet may not leave.
    Neighbour(NeighbourMessage),
    /// The beginning of a TCP connection, or its refusal.
    Segment(Segment),
}

/// Who says that it dropped packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropper {
    Cilium,
    /// BSD's firewall `pf`, in its log.
    PacketFilter,
}

impl Dropper {
    /// As a sentence begins with it.
    #[must_use]
    pub const fn as_text(self) -> &'static str {
        match self {
            Self::Cilium => "Cilium",
            Self::PacketFilter => "The firewall (pf)",
        }
    }
}

/// A datagram that was sent and did not get on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    pub datagram: Datagram,
    pub by: Dropper,
    /// In the words of who dropped it: `Policy denied`.
    pub reason: Box<str>,
}

/// A UDP datagram of which not all IP fragments were seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FragmentsLost {
    /// The datagram's flow, known from its first fragment only. Where the
    /// datagram is a tunnel's outer one, the flow is that of the packet inside.
    pub flow: Option<FlowKey>,
    /// The addresses of the fragments.
    pub source: IpAddr,
    pub destination: IpAddr,
    /// IPv4 identification, or that of the IPv6 fragment header; zero where a text
    /// does not print it.
    pub identification: u32,
    /// Bytes of IP payload (UDP header included) in the fragments that were seen.
    pub received_bytes: u32,
    /// Bytes of IP payload of the whole datagram, where the last fragment or
    /// the UDP header says so.
    pub total_bytes: Option<u32>,
    pub seen: FragmentsSeen,
    pub ended: FragmentsEnd,
}

/// Which fragments of an incomplete datagram were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FragmentsSeen {
    /// The first, which has the ports. A capture filter on ports lets nothing
    /// but first fragments through.
    First,
    /// Later ones alone.
    LaterOnly,
}

/// Why the rest of a datagram was not waited for any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FragmentsEnd {
    /// No host would wait longer (RFC 791 section 3.2, RFC 8200 section 4.5).
    TimedOut,
    /// Too many datagrams were incomplete at once; the rest may have come later.
    Evicted,
    /// The capture ended; the rest may have come later.
    CaptureEnded,
    /// Fragments overlap: every host throws all of them away (RFC 8200 section 4.5).
    Overlapping,
}

/// A UDP datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    pub flow: FlowKey,
    /// Payload length in bytes by the UDP header, whatever was captured of it.
    pub length: u32,
    /// Hash of the payload's first bytes and length: the same datagram has the
    /// same one at every capture point. `None` where no payload byte was captured (text).
    pub fingerprint: Option<u64>,
    /// A snap length cut the payload, so that it may say more than was read.
    pub is_cut: bool,
    pub application: Application,
}

/// What the payload says, as far as pairing needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Application {
    /// TFTP on its service port, or named so by the text.
    Tftp(TftpMessage),
    /// A message of a protocol whose messages carry a transaction identity.
    Transaction(Transaction),
    /// A known protocol without identity, or one we do not read.
    Plain(Protocol),
    /// No known port. TFTP goes on between two such ports, so the TFTP reading
    /// is kept where the bytes have that shape; only an exchange that began
    /// with a TFTP request may believe it.
    Unknown { tftp_shape: Option<TftpMessage> },
}

/// A TFTP message (RFC 1350, RFC 2347).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TftpMessage {
    ReadRequest(Box<TftpRequest>),
    WriteRequest(Box<TftpRequest>),
    /// `length` is the number of data bytes in the block.
    Data {
        block: u16,
        length: u32,
    },
    Ack {
        block: u16,
    },
    Error {
        code: u16,
        message: Box<str>,
    },
    OptionAck,
}

/// What a TFTP client asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TftpRequest {
    pub file: String,
    /// `octet`, `netascii` or `mail`, in the sender's spelling.
    pub mode: String,
    /// Option names and values in packet order (RFC 2347).
    pub options: Vec<(String, String)>,
}

impl TftpMessage {
    /// Whether a client opens a transfer with this.
    #[must_use]
    pub const fn is_request(&self) -> bool {
        matches!(self, Self::ReadRequest(_) | Self::WriteRequest(_))
    }

    /// Whether a server can answer a request with this: OACK, DATA 1 for a
    /// read, ACK 0 for a write, or ERROR (RFC 1350 section 4, RFC 2347).
    #[must_use]
    pub const fn can_answer_request(&self) -> bool {
        matches!(
            self,
            Self::OptionAck
                | Self::Error { .. }
                | Self::Data { block: 1, .. }
                | Self::Ack { block: 0 }
        )
    }
}

/// `WRQ "startup.cfg"`, `DATA 1 (512 bytes)`, `ACK 0`, `OACK`.
impl fmt::Display for TftpMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReadRequest(request) => write!(f, "RRQ \"{}\"", request.file),
            Self::WriteRequest(request) => write!(f, "WRQ \"{}\"", request.file),
            Self::Data { block, length } => write!(f, "DATA {block} ({length} bytes)"),
            Self::Ack { block } => write!(f, "ACK {block}"),
            Self::Error { code, message } if message.is_empty() => write!(f, "ERROR {code}"),
            Self::Error { code, message } => write!(f, "ERROR {code} \"{message}\""),
            Self::OptionAck => f.write_str("OACK"),
        }
    }
}

/// A message of a request-and-answer protocol: DNS, SNMP, NTP and their like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    pub protocol: Protocol,
    pub role: TransactionRole,
    /// What request and answer share: DNS id and question, SNMP request-id,
    /// NTP origin timestamp; hashed.
    pub identity: u64,
    /// What is asked, without the identity: the same question asked again
    /// under a new identity has the same one. `None` where it cannot be told.
    pub question: Option<u64>,
    /// The message's name, such as `GetRequest` or `query`; of a failure its words.
    pub label: &'static str,
    /// Where the payload says that answers go, if it does: SIP's Via.
    pub reply_to: Option<Box<PayloadAddress>>,
}

impl Transaction {
    /// The words in which an answer says that the server failed or refused: a DNS
    /// response code (RFC 1035 section 4.1.1, RFC 2136) other than that there is
    /// no such name, which is an answer like any other; SNMP's error status, and SIP's
    /// status, as [`failure`](super::failure) has them; and what [`refusal`](super::refusal)
    /// lists.
    #[must_use]
    pub fn failure(&self) -> Option<&'static str> {
        if self.role != TransactionRole::Reply {
            return None;
        }
        let fails = match self.protocol {
            Protocol::Dns => matches!(
                self.label,
                dns_label::FORMAT_ERROR
                    | dns_label::SERVER_FAILURE
                    | dns_label::NOT_IMPLEMENTED
                    | dns_label::REFUSED
                    | dns_label::NOT_AUTHORITATIVE
            ),
            Protocol::Snmp | Protocol::SnmpInform => is_snmp_failure(self.label),
            Protocol::Sip => is_sip_failure(self.label),
            _ => false,
        };
        (fails || is_refusal(self.label)).then_some(self.label)
    }
}

/// What DNS responses are called, by their response code, in tcpdump's spelling.
pub mod dns_label {
    pub const RESPONSE: &str = "response";
    pub const FORMAT_ERROR: &str = "FormErr";
    pub const SERVER_FAILURE: &str = "ServFail";
    pub const NO_SUCH_NAME: &str = "NXDomain";
    pub const NOT_IMPLEMENTED: &str = "NotImp";
    pub const REFUSED: &str = "Refused";
    pub const NOT_AUTHORITATIVE: &str = "NotAuth";
}

/// Where a request's payload says that its answers go (RFC 3261 section 18.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadAddress {
    /// `None` where a name stands there.
    pub address: Option<IpAddr>,
    pub port: u16,
    /// It asks for answers to where it came from all the same (`rport`, RFC 3581).
    pub asks_for_own_port: bool,
}

impl PayloadAddress {
    /// RFC 3261 section 19.1.2.
    const DEFAULT_SIP_PORT: u16 = 5060;

    /// What the topmost of a SIP Via's values names:
    /// `SIP/2.0/UDP 192.0.2.7:5062;branch=…;rport`. There may be spaces around its slashes
    /// and colon (RFC 3261 section 20.42). The port is 5060 where none stands there
    /// (section 18.2.2).
    #[must_use]
    pub fn find_in_via(value: &str) -> Option<Self> {
        let topmost = value.split(',').next()?;
        let mut parts = topmost.split(';');
        let (_, transport) = parts.next()?.split_once('/')?.1.split_once('/')?;
        let (_, sent_by) = transport.trim_start().split_once(char::is_whitespace)?;
        let (mut asks_for_own_port, mut others) = (false, None);
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            match name.trim() {
                "rport" => asks_for_own_port = true,
                // Section 18.2.2: answers go there, whatever else is said.
                "maddr" => others = value.trim().trim_matches(['[', ']']).parse().ok(),
                _ => {}
            }
        }
        let sent_by = sent_by.trim();
        let (host, rest) = match sent_by.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => sent_by.split_at(sent_by.find(':').unwrap_or(sent_by.len())),
        };
        let port = match rest.trim_start().strip_prefix(':') {
            Some(port) => port.trim().parse().ok()?,
            None if rest.trim().is_empty() => Self::DEFAULT_SIP_PORT,
            None => return None,
        };
        Some(Self { address: others.or_else(|| host.trim().parse().ok()), port, asks_for_own_port })
    }
}

/// Which part of a transaction a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransactionRole {
    Request,
    Reply,
    /// Expects no answer: an SNMP trap, a keep-alive, an NTP broadcast.
    Notification,
    /// All of the payload is there, at the protocol's port, and it is none of its
    /// messages. Servers throw such away without a word (RFC 2865 section 3, RFC 3412
    /// section 7.2, RFC 7252 section 3), so silence says nothing.
    Unread,
}

/// An ICMP or ICMPv6 error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IcmpError {
    pub kind: IcmpKind,
    pub from: IpAddr,
    pub to: IpAddr,
    /// The packet that the error is about; `None` where a snap length cut
    /// the quote before its addresses.
    pub quote: Option<Quote>,
}

/// The head of the packet that an ICMP error quotes. Ports are `None` where
/// the capture or the text does not show them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    pub source: IpAddr,
    pub source_port: Option<u16>,
    pub destination: IpAddr,
    pub destination_port: Option<u16>,
    pub kind: QuotedKind,
}

impl IcmpError {
    /// Whether it quotes a TCP segment, for all that is shown.
    #[must_use]
    pub fn may_quote_segment(&self) -> bool {
        self.quote.is_some_and(|quote| quote.kind != QuotedKind::Datagram)
    }

    /// Whether it quotes a TCP segment for sure.
    #[must_use]
    pub fn quotes_segment(&self) -> bool {
        self.quote.is_some_and(|quote| matches!(quote.kind, QuotedKind::Segment(_)))
    }
}

impl Quote {
    /// The quoted destination, if its port is known.
    #[must_use]
    pub fn destination_endpoint(&self) -> Option<Endpoint> {
        self.destination_port.map(|port| Endpoint::new(self.destination, port))
    }

    /// The quoted source, if its port is known.
    #[must_use]
    pub fn source_endpoint(&self) -> Option<Endpoint> {
        self.source_port.map(|port| Endpoint::new(self.source, port))
    }
}

/// What an ICMP error says; IPv4 and IPv6 errors of one meaning share a kind.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum IcmpKind {
    /// ICMP 3/3, ICMPv6 1/4: nothing listens there.
    PortUnreachable,
    /// ICMP 3/1, 3/7, 3/8, 3/12, 3/14, 3/15, ICMPv6 1/2, 1/3: there is no way to the host
    /// that may be taken.
    HostUnreachable,
    /// ICMP 3/0, 3/6, 3/11, ICMPv6 1/0.
    NetworkUnreachable,
    /// ICMP 3/9, 3/10, 3/13, ICMPv6 1/1, 1/5, 1/6: a firewall or policy refused.
    AdminProhibited,
    /// ICMP 3/4, ICMPv6 2/0.
    PacketTooBig,
    /// ICMP 11/0, ICMPv6 3/0: out of hops, which traceroute provokes on purpose.
    TimeExceeded,
    /// ICMP 11/1, ICMPv6 3/1: some fragments of the datagram did not arrive.
    ReassemblyTimeExceeded,
    /// Any other error type.
    Other,
}

impl IcmpKind {
    /// As a sentence says it.
    #[must_use]
    pub const fn as_text(self) -> &'static str {
        match self {
            Self::PortUnreachable => "port unreachable",
            Self::HostUnreachable => "host unreachable",
            Self::NetworkUnreachable => "network unreachable",
            Self::AdminProhibited => "administratively prohibited",
            Self::PacketTooBig => "packet too big",
            Self::TimeExceeded => "time exceeded",
            Self::ReassemblyTimeExceeded => "fragment reassembly time exceeded",
            Self::Other => "ICMP error",
        }
    }
}
