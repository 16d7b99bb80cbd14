//! When a capture listened, at all of its interfaces.

use std::collections::BTreeSet;

use super::CaptureIntake;
use crate::model::capture::{CaptureFormat, CaptureId, Clock};
use crate::model::time::Timestamp;

impl CaptureIntake {
    /// The first and the last packet of any kind, at whichever interface, and the capture
    /// of which this one is a part, where one program listened at all interfaces at once.
    ///
    /// `None` where that is not known: files of several captures can be merged into one,
    /// and events can come from several hosts.
    pub fn find_listening(&self) -> Option<(CaptureId, (Timestamp, Timestamp))> {
        let is_one = match self.header.format {
            CaptureFormat::Pcap
            | CaptureFormat::Erf
            | CaptureFormat::TcpdumpText
            | CaptureFormat::FortigateText
            | CaptureFormat::NetscreenText => true,
            CaptureFormat::Pcapng => self.has_interfaces_of_one_host(),
            CaptureFormat::Snoop
            | CaptureFormat::HexDump
            | CaptureFormat::Dig
            | CaptureFormat::OpenvpnLog
            | CaptureFormat::NetfilterLog
            | CaptureFormat::Hubble
            | CaptureFormat::CiliumMonitor
            | CaptureFormat::Conntrack => false,
        };
        let span = self.counts.span.filter(|_| is_one && self.header.clock != Clock::None)?;
        Some((self.first_part(), (span.earliest, span.latest)))
    }

    /// Whether one program can have listened at all interfaces: it names each of them, and
    /// once. What is merged from several files has none, or the same ones again.
    fn has_interfaces_of_one_host(&self) -> bool {
        let interfaces = self.whole_interfaces();
        let names: Option<BTreeSet<&str>> =
            interfaces.values().map(|header| header.name.as_deref()).collect();
        interfaces.len() <= 1 || names.is_some_and(|names| names.len() == interfaces.len())
    }
}
