//! What a datagram's payload says: TFTP messages, and those of protocols that pair
//! request and answer by an identity.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use crate::model::failure::is_failure;
use crate::model::protocol::Protocol;

/// What the payload says, as far as pairing needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Application {
    /// TFTP on its service port, or named so by the text.
    Tftp(TftpMessage),
    /// A message of a protocol whose messages carry a transaction identity.
    Transaction(Transaction),
    /// A known protocol without identity, or one we do not read.
    Plain(Protocol),
    /// A message of a one-way protocol that says itself what it is: of
    /// [`Plain`](Self::Plain) nothing but the port may say so.
    Report(Protocol),
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
    /// Where the payload says that answers go, if it does: SIP's Via, and the address that an
    /// answer of DHCP gives away.
    pub reply_to: Option<Box<PayloadAddress>>,
}

impl Transaction {
    /// The words in which an answer says that the server refused or failed, as
    /// [`failure`](crate::model::failure) lists them.
    #[must_use]
    pub fn failure(&self) -> Option<&'static str> {
        // As most answers are called; what fails has a name of its own.
        if self.role != TransactionRole::Reply || matches!(self.label, "Response" | "response") {
            return None;
        }
        is_failure(self.protocol, self.label).then_some(self.label)
    }
}

/// Where a payload says that answers go (RFC 3261 section 18.1.1, RFC 2131 section 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadAddress {
    /// `None` where a name stands there.
    pub address: Option<IpAddr>,
    pub port: u16,
    /// It asks for answers to where it came from all the same (`rport`, RFC 3581). `None`
    /// where the payload was not printed: then the port is the protocol's own, which the
    /// payload may well name.
    pub asks_for_own_port: Option<bool>,
}

impl PayloadAddress {
    /// RFC 3261 section 19.1.2.
    const DEFAULT_SIP_PORT: u16 = 5060;

    /// What a SIP request of which no Via was printed may name.
    pub const UNREAD_SIP: Self =
        Self { address: None, port: Self::DEFAULT_SIP_PORT, asks_for_own_port: None };

    /// RFC 2131 section 4.1.
    const DHCP_CLIENT_PORT: u16 = 68;

    /// The address that a client of DHCP is given, at which it is answered then.
    #[must_use]
    pub const fn of_lease(address: Ipv4Addr) -> Self {
        Self {
            address: Some(IpAddr::V4(address)),
            port: Self::DHCP_CLIENT_PORT,
            asks_for_own_port: None,
        }
    }

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
        let address = others.or_else(|| host.trim().parse().ok());
        Some(Self { address, port, asks_for_own_port: Some(asks_for_own_port) })
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
    /// section 7.2, RFC 7252 section 3), so silence says nothing. So it does of what a
    /// relay passes on beside its messages (RFC 8656 section 12.4).
    Unread,
}
