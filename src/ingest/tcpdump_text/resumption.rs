//! Whether a packet belongs to the run before it, by its time.

use super::packet_line::{find_packet_line, remove_bold};
use super::timestamp::{DAY_NS, SECOND_NS, Stamp, StampValue};
use super::{Run, StampStyle, has_same_form};

/// What a packet behind prose is to the run before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resumption {
    /// It is of the run: it comes soon after the last packet.
    Later,
    /// It is of another: it comes before the last packet, or long after it, so that
    /// nobody knows whether the capture was running all the time.
    Elsewhere,
    /// It has no time.
    Unknown,
}

impl Run {
    /// Whether a line is a packet from clearly before the last one: of another run.
    #[must_use]
    pub fn falls_back(&self, text: &str) -> bool {
        /// Packets of one capture may be printed late, but not by more than that.
        const LATE_NS: i64 = SECOND_NS;
        if self.origin.style == StampStyle::Absent || self.timeline.has_deltas() {
            return false;
        }
        let text = remove_bold(text);
        let stamp = find_packet_line(&text).filter(|packet| packet.is_sure);
        let (Some(last), Some(stamp)) = (self.last_stamp, stamp.and_then(|packet| packet.stamp))
        else {
            return false;
        };
        let fall_ns = last.value.nanoseconds().saturating_sub(stamp.value.nanoseconds());
        // At midnight the time of day falls by more.
        has_same_form(last, stamp) && (LATE_NS..DAY_NS / 2).contains(&fall_ns)
    }

    /// What a packet behind prose is to this run.
    #[must_use]
    pub fn find_resumption(&self, text: &str) -> Resumption {
        /// Clients ask again after some seconds; people need longer to capture once more.
        const LONGEST_NS: i64 = 15 * SECOND_NS;
        if matches!(self.origin.style, StampStyle::Absent) {
            return Resumption::Unknown;
        }
        match (self.last_stamp, find_sure_stamp(text)) {
            // Of times since the packet before, only the first of a capture is zero.
            (Some(_), Some(stamp)) if self.timeline.has_deltas() => {
                let is_first = stamp.value == StampValue::Span(0);
                if is_first { Resumption::Elsewhere } else { Resumption::Later }
            }
            (Some(last), Some(stamp)) => {
                let later_ns = stamp.value.nanoseconds().saturating_sub(last.value.nanoseconds());
                // Two captures of one exchange overlap; at the same time stand copies.
                if has_same_form(last, stamp) && (1..=LONGEST_NS).contains(&later_ns) {
                    Resumption::Later
                } else {
                    Resumption::Elsewhere
                }
            }
            (None, None) => Resumption::Unknown,
            _ => Resumption::Elsewhere,
        }
    }
}

fn find_sure_stamp(text: &str) -> Option<Stamp> {
    let text = remove_bold(text);
    find_packet_line(&text).filter(|packet| packet.is_sure)?.stamp
}
