//! What can be wrong with an input, and what its reader should do about it.

use std::fmt;

/// An input that could not be analysed at all. Faults within a readable input
/// are not errors: they are counted and located in the report's warnings.
#[derive(Debug)]
pub struct InputError {
    /// The input's name: file name, part name or `-`.
    pub name: String,
    pub kind: InputErrorKind,
}

/// Why an input could not be analysed.
#[derive(Debug, thiserror::Error)]
pub enum InputErrorKind {
    #[error("it is empty")]
    Empty,
    #[error("it is neither a capture nor text: it looks like {0}")]
    NotACapture(&'static str),
    #[error(
        "it is text, but holds no tcpdump line, no connection tracking and no facts about addresses ({lines} lines read)"
    )]
    NoPackets { lines: u64 },
    /// `first` says where the first one stands, and behind what.
    #[error("it is text, but no packet in it could be read: {first}")]
    UnreadPackets { first: String },
    /// `archive` has its article; `holds` names what was found instead.
    #[error("it is {archive} in which nothing can be analysed; it holds {holds}")]
    NothingInArchive { archive: &'static str, holds: String },
    #[error("it states facts about addresses, but holds no packets")]
    OnlyFacts,
    /// `failure` is what a server logged, and what that means.
    #[error("it is a server's log without packets; {failure}")]
    OnlyServerLog { failure: String },
    #[error("it is not an inventory that we know: {0}")]
    NotAnInventory(String),
    /// `offset_bytes` is where reading stopped, counted from 0.
    #[error("it is damaged at byte {offset_bytes}: {message}")]
    Damaged { message: String, offset_bytes: u64 },
    #[error("it expands to more than {limit_bytes} bytes")]
    ExpandsTooFar { limit_bytes: u64 },
    #[error("it is larger than {limit_bytes} bytes")]
    TooLarge { limit_bytes: u64 },
    #[error("it could not be read")]
    Read(#[source] std::io::Error),
}

impl InputErrorKind {
    /// A stable name for the kind: the last part of a problem's `type`.
    #[must_use]
    pub const fn as_token(&self) -> &'static str {
        match self {
            Self::Empty => "empty-input",
            Self::NotACapture(_) => "not-a-capture",
            Self::NoPackets { .. }
            | Self::UnreadPackets { .. }
            | Self::OnlyFacts
            | Self::OnlyServerLog { .. } => "no-packets",
            Self::NothingInArchive { .. } => "nothing-in-archive",
            Self::NotAnInventory(_) => "not-an-inventory",
            Self::Damaged { .. } => "damaged-input",
            Self::ExpandsTooFar { .. } => "expands-too-far",
            Self::TooLarge { .. } => "too-large",
            Self::Read(_) => "unreadable-input",
        }
    }

    /// Byte at which reading stopped, counted from 0, where that says something.
    #[must_use]
    pub const fn offset_bytes(&self) -> Option<u64> {
        match self {
            Self::Damaged { offset_bytes, .. } => Some(*offset_bytes),
            _ => None,
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Empty => "Check that the capture ran and that the file was copied completely.",
            Self::NotACapture(_) => {
                "Send a pcap, pcapng or snoop file (plain, or compressed with gzip, zstd, xz, bzip2 or lz4), a ZIP or tar archive of such files, or the text that tcpdump or `conntrack -L` printed."
            }
            Self::OnlyServerLog { .. } => {
                "Add a capture of such a transfer, taken on the server's host with `tcpdump -n -i any 'udp or icmp or icmp6'`: the log is then told beside it."
            }
            Self::OnlyFacts => {
                "Add a capture: a pcap or pcapng file, or the lines that tcpdump printed; or what `conntrack -L` printed on the node."
            }
            Self::NoPackets { .. } => {
                "Paste the lines that tcpdump printed, best with `tcpdump -n`, or those of `conntrack -L`, with or without the commands around them. Also read are `hubble observe` (with any `-o`), `cilium monitor`, `dig`, OpenVPN's log, netfilter's LOG and TRACE lines, FortiGate's `diagnose sniffer packet`, ScreenOS' `snoop`, hex dumps of frames, and what `tshark` prints with `-V` or of packets with their ports. Not read are `kubectl describe` (use `kubectl get pod,node,svc -o wide`), ngrep and sngrep (use `tcpdump -n`), Check Point's `fw monitor` (use its `-o FILE`), MikroTik's sniffer and Windows' `pktmon` (use what they save: `pktmon etl2pcap`), and `tshark -T fields` (use a capture)."
            }
            Self::UnreadPackets { .. } => {
                "Paste the lines as the program printed them, or as a log collector writes them: each whole, and with nothing else before it."
            }
            Self::NothingInArchive { .. } => {
                "Put pcap or pcapng files, or the text that tcpdump printed, into the archive, each plain or compressed once, without a password."
            }
            Self::NotAnInventory(_) => {
                "Send the output of `ip addr`, `ip -j addr`, `ip route`, `kubectl get pod,node,svc -o wide`, `-o json` or `-o yaml`, `sysctl -a`, `lsmod`, `conntrack -L`, `cat /etc/hosts`, or a device list (CSV with the columns name,address, JSON or YAML)."
            }
            Self::Damaged { .. } => {
                "Copy the file again in binary mode, or make a new capture with `tcpdump -w`."
            }
            Self::ExpandsTooFar { .. } | Self::TooLarge { .. } => {
                "Cut the capture down first, for example with `tcpdump -r IN -w OUT host DEVICE`."
            }
            Self::Read(_) => "Check that the file exists and may be read, or send it again.",
        }
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot analyse '{}': {}", self.name, self.kind)
    }
}

impl std::error::Error for InputError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            InputErrorKind::Read(error) => Some(error),
            _ => None,
        }
    }
}

/// Something in a readable input that could not be used, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub place: Place,
    /// What was expected, what was found: one sentence without a full stop.
    pub message: String,
}

/// A place in an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Counted from 0.
    Byte(u64),
    /// Counted from 1.
    Line(u64),
    /// Counted from 1, as in Wireshark.
    Frame(u64),
    /// The input as a whole.
    Whole,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::Byte(offset) => write!(f, "byte {offset}: {}", self.message),
            Place::Line(line) => write!(f, "line {line}: {}", self.message),
            Place::Frame(frame) => write!(f, "frame {frame}: {}", self.message),
            Place::Whole => f.write_str(&self.message),
        }
    }
}
