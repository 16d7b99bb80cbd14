//! The pipeline that upload, node query and command line share.
//!
//! Push captures and inventories in any order, then [`Analysis::finish`].

use std::io::Read;

use uuid::Uuid;

use crate::model::capture::CapturePoint;
use crate::model::input::{InputError, InputErrorKind};
use crate::model::report::Report;
use crate::model::time::Timestamp;

/// What one analysis may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one input after decompression.
    pub expanded_bytes: u64,
    /// Exchanges listed per device; the rest is counted.
    pub exchanges_per_device: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { expanded_bytes: 64 << 30, exchanges_per_device: 50 }
    }
}

/// What the caller calls the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportHeader {
    pub id: Uuid,
    /// `None`: named after its captures.
    pub title: Option<String>,
    pub created_at: Timestamp,
}

/// An analysis that is taking inputs.
#[derive(Debug)]
pub struct Analysis {
    _limits: Limits,
}

impl Analysis {
    /// An analysis without inputs.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { _limits: limits }
    }

    /// Reads one capture, tcpdump text or transcript to its end, or to the
    /// fault that stops it. `point` says where it was taken, if the sender knows.
    ///
    /// # Errors
    ///
    /// Where nothing of the input can be analysed; inputs read before remain.
    pub fn read_capture(
        &mut self,
        name: &str,
        point: Option<CapturePoint>,
        _input: &mut dyn Read,
    ) -> Result<(), InputError> {
        let _ = point;
        Err(InputError { name: name.to_owned(), kind: InputErrorKind::Empty })
    }

    /// Reads facts about addresses: what `ip` and `kubectl` print, or a device list.
    ///
    /// # Errors
    ///
    /// Where the text is none of these.
    pub fn read_inventory(&mut self, name: &str, _input: &mut dyn Read) -> Result<(), InputError> {
        Err(InputError { name: name.to_owned(), kind: InputErrorKind::Empty })
    }

    /// Names a device, as the metadata of an upload does.
    pub fn name_device(&mut self, _address: std::net::IpAddr, _name: &str) {}

    /// Packets read so far, over all captures.
    #[must_use]
    pub fn packets(&self) -> u64 {
        0
    }

    /// The report on everything read.
    ///
    /// # Errors
    ///
    /// Where no input was read.
    pub fn finish(self, _header: ReportHeader) -> Result<Report, InputError> {
        Err(InputError { name: "-".to_owned(), kind: InputErrorKind::Empty })
    }
}
