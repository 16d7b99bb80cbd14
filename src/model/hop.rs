//! What an IP header tells of a packet's way: whether two packets that say the same
//! are one, seen before and after a host passed it on.

/// The hop limit (IPv4's time to live) and IPv6's flow label, as far as they are known.
///
/// Who forwards a packet takes one off its hop limit (RFC 791 section 3.2, RFC 8200
/// section 3), whatever it translates, and leaves the flow label as it is (RFC 6437
/// section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HopMarks {
    /// Zero where unknown: no packet with that is on the wire.
    limit: u8,
    /// Zero where there is none, as the field itself says.
    label: [u8; 3],
}

impl HopMarks {
    pub const UNKNOWN: Self = Self { limit: 0, label: [0; 3] };

    /// The marks of an IPv4 packet.
    #[must_use]
    pub const fn of_v4(time_to_live: u8) -> Self {
        Self { limit: time_to_live, label: [0; 3] }
    }

    /// The marks of an IPv6 packet. Of `flow_label` the lower 20 bits count.
    #[must_use]
    pub const fn of_v6(hop_limit: u8, flow_label: u32) -> Self {
        let [_, high, middle, low] = flow_label.to_be_bytes();
        Self { limit: hop_limit, label: [high & 0x0f, middle, low] }
    }

    /// How many hops the packet may still take.
    #[must_use]
    pub const fn hop_limit(self) -> Option<u8> {
        if self.limit == 0 { None } else { Some(self.limit) }
    }

    /// IPv6 only; `None` where the sender gave none.
    #[must_use]
    pub const fn flow_label(self) -> Option<u32> {
        let [high, middle, low] = self.label;
        let label = u32::from_be_bytes([0, high, middle, low]);
        if label == 0 { None } else { Some(label) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_read_back_as_they_are_written() {
        let cases = [
            (HopMarks::UNKNOWN, None, None),
            (HopMarks::of_v4(64), Some(64), None),
            (HopMarks::of_v6(64, 0), Some(64), None),
            (HopMarks::of_v6(255, 0xf_1234), Some(255), Some(0xf_1234)),
            // Version and traffic class stand before the label.
            (HopMarks::of_v6(1, 0x6ff0_0001), Some(1), Some(1)),
        ];
        for (marks, hop_limit, flow_label) in cases {
            assert_eq!((marks.hop_limit(), marks.flow_label()), (hop_limit, flow_label));
        }
        assert_eq!(size_of::<HopMarks>(), 4);
    }
}
