//! What a packet's lines turn out to be.

use crate::ingest::tcpdump_text::columns::Unported;
use crate::model::endpoint::FlowKey;
use crate::model::packet::{Content, Datagram, IcmpError};

/// What a packet turned out to be.
#[derive(Debug)]
pub enum Outcome {
    Content(Content),
    /// A datagram of which the text names an end.
    Named {
        datagram: Datagram,
        source: Option<String>,
        destination: Option<String>,
    },
    /// An ICMP error of which the text names an end, or one of what it quotes.
    NamedError {
        error: IcmpError,
        source: Option<String>,
        destination: Option<String>,
        quoted: Vec<String>,
    },
    /// A datagram of which a row of the packet list names no ports.
    Unported(Box<Unported>),
    /// The line ends behind the addresses.
    Cut(FlowKey),
    Other,
    Fault(String),
}
