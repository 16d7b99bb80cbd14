//! Interface descriptions, and what the ticks of their clocks mean.

use std::time::Duration;

use pcap_parser::pcapng::{InterfaceDescriptionBlock, OptionCode};

use super::sections::Sections;
use super::statistics::{Dropped, Listening, Statistics};
use crate::ingest::byte_order::ByteOrder;
use crate::ingest::label::label;
use crate::ingest::{Event, InterfaceHeader};
use crate::model::capture::LinkType;
use crate::model::time::Timestamp;

/// Packets can come before a program notes that it listens.
const START_TOLERANCE: Duration = Duration::from_secs(1);

/// What a section says about one interface.
pub struct Interface {
    /// Counted over all sections of the capture.
    pub index: u32,
    pub name: Option<String>,
    /// The interface of an earlier section that it may be: its first packet decides.
    pub may_be: Option<u32>,
    /// Whether it is told.
    pub is_told: bool,
    pub link_type: LinkType,
    /// 0 where frames were not cut.
    pub snap_length_bytes: u32,
    resolution: Resolution,
    /// Added to every time: `if_tsoffset`.
    offset_nanoseconds: i128,
    pub dropped: Dropped,
    /// Packets of it so far, and when the first of them came.
    packets: u64,
    first_at: Option<Timestamp>,
    /// What its last statistics say of how long it listened.
    listening: Listening,
}

/// The length of a tick: `if_tsresol`, pcapng section 4.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resolution {
    /// A tick has this many nanoseconds.
    Nanoseconds(i128),
    /// This many ticks are a nanosecond.
    TicksPerNanosecond(i128),
    /// Two to the power of this many ticks are a second.
    BinaryFraction(u32),
}

impl Interface {
    /// The interface that `description` describes.
    pub fn new(index: u32, order: ByteOrder, description: &InterfaceDescriptionBlock<'_>) -> Self {
        let mut interface = Self {
            index,
            name: None,
            may_be: None,
            is_told: false,
            link_type: LinkType::from(u16::try_from(description.linktype.0).unwrap_or(u16::MAX)),
            snap_length_bytes: description.snaplen,
            resolution: Resolution::from_option(6),
            offset_nanoseconds: 0,
            dropped: Dropped::default(),
            packets: 0,
            first_at: None,
            listening: Listening::default(),
        };
        let (mut name, mut description_text) = (None, None);
        for option in &description.options {
            let Ok(value) = option.as_bytes() else { break };
            match option.code {
                OptionCode::EndOfOpt => break,
                OptionCode::IfName => name = find_name(value),
                OptionCode::IfDescription => description_text = find_name(value),
                OptionCode::IfTsresol => {
                    if let Some(exponent) = value.first() {
                        interface.resolution = Resolution::from_option(*exponent);
                    }
                }
                // Read from its bytes: pcap-parser takes them as
                // little-endian, whatever the section is.
                OptionCode::IfTsoffset => {
                    let seconds = order.find_i64(value, 0).unwrap_or(0);
                    interface.offset_nanoseconds = i128::from(seconds) * 1_000_000_000;
                }
                _ => {}
            }
        }
        // Windows names its devices by numbers; people know the description.
        let is_readable = name.as_deref().is_some_and(|name| !name.starts_with(r"\Device\"));
        if !is_readable {
            name = description_text.or(name);
        }
        interface.name = name;
        interface
    }

    /// Says which interface it is, now that its first packet comes at `at`: one of an earlier
    /// section, or a new one.
    pub fn settle(
        &mut self,
        at: Timestamp,
        sections: &mut Sections,
        sink: &mut dyn FnMut(Event<'_>),
    ) {
        match self.may_be.filter(|_| sections.goes_on(at)) {
            Some(earlier) => {
                self.index = earlier;
                self.is_told = true;
            }
            None => self.tell(sections, sink),
        }
    }

    /// Tells of it as a new one.
    pub fn tell(&mut self, sections: &mut Sections, sink: &mut dyn FnMut(Event<'_>)) {
        let (index, name, link_type) = (self.index, self.name.clone(), self.link_type);
        sections.add(index, name.clone(), link_type);
        sink(Event::Interface(InterfaceHeader { index, name, link_type: Some(link_type) }));
        self.is_told = true;
    }

    /// Counts a packet.
    pub fn count(&mut self, at: Timestamp) {
        self.packets += 1;
        self.first_at.get_or_insert(at);
    }

    /// Takes over statistics.
    pub fn take_statistics(&mut self, statistics: &Statistics) {
        self.dropped.count(statistics.dropped);
        self.listening = statistics.listening;
    }

    /// Until when silence at it was observed: the end that its statistics tell, where
    /// all that came until then is here. Programs that cut a part out of a capture keep
    /// the statistics of the whole, and some write them in another unit: so the packets
    /// must be as many as were delivered, and the beginning must lie before them.
    pub fn listened_until(&self) -> Option<Timestamp> {
        let Listening { started, ended, delivered } = self.listening;
        let first_at = self.first_at?;
        let is_whole = delivered.is_none_or(|delivered| delivered <= self.packets);
        let is_in_order =
            started.is_none_or(|started| self.time(started).since(first_at) <= START_TOLERANCE);
        (self.dropped.packets() == 0 && is_whole && is_in_order)
            .then_some(ended)
            .flatten()
            .map(|ended| self.time(ended))
            .filter(|until| *until >= first_at)
    }

    /// The time of a packet, `ticks` after the epoch.
    ///
    /// Where that is after the year 2262 the ticks are taken as a negative
    /// number: some writers store times before 1970, or relative ones, so.
    /// What fits neither way saturates.
    pub fn time(&self, ticks: u64) -> Timestamp {
        let nanoseconds = i64::try_from(self.nanoseconds(i128::from(ticks))).unwrap_or_else(|_| {
            let signed = self.nanoseconds(i128::from(ticks.cast_signed()));
            i64::try_from(signed).unwrap_or(if signed < 0 { i64::MIN } else { i64::MAX })
        });
        Timestamp::from_nanoseconds(nanoseconds)
    }

    /// Cannot overflow: `ticks` has 65 bits, and a second 30 bits of nanoseconds.
    fn nanoseconds(&self, ticks: i128) -> i128 {
        let since_epoch = match self.resolution {
            Resolution::Nanoseconds(length) => ticks * length,
            Resolution::TicksPerNanosecond(count) => ticks / count,
            Resolution::BinaryFraction(exponent) => (ticks * 1_000_000_000) >> exponent,
        };
        since_epoch + self.offset_nanoseconds
    }
}

impl Resolution {
    fn from_option(value: u8) -> Self {
        let exponent = u32::from(value & 0x7f);
        if value & 0x80 != 0 {
            return Self::BinaryFraction(exponent);
        }
        match 9_u32.checked_sub(exponent) {
            Some(power) => Self::Nanoseconds(10_i128.pow(power)),
            // Beyond 10^38 every 64-bit number of ticks is zero nanoseconds.
            None => {
                Self::TicksPerNanosecond(10_i128.checked_pow(exponent - 9).unwrap_or(i128::MAX))
            }
        }
    }
}

fn find_name(value: &[u8]) -> Option<String> {
    let text = label(value);
    let name = text.trim_end_matches(['\0', '\u{fffd}']).trim();
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(resolution: u8, offset_seconds: i64) -> Interface {
        Interface {
            name: None,
            may_be: None,
            is_told: true,
            index: 0,
            link_type: LinkType::Ethernet,
            snap_length_bytes: 0,
            resolution: Resolution::from_option(resolution),
            offset_nanoseconds: i128::from(offset_seconds) * 1_000_000_000,
            dropped: Dropped::default(),
            packets: 0,
            first_at: None,
            listening: Listening::default(),
        }
    }

    #[test]
    fn ticks_become_nanoseconds() {
        let cases = [
            // if_tsresol, if_tsoffset (s), ticks, nanoseconds
            (6, 0, 1_340_954_905_298_858, 1_340_954_905_298_858_000),
            (9, 0, 1_340_954_905_298_858_001, 1_340_954_905_298_858_001),
            (0, 0, 3, 3_000_000_000),
            (3, -1, 1_500, 500_000_000),
            (12, 2, 5_999, 2_000_000_005),
            (6, 1_700_000_000, 1, 1_700_000_000_000_001_000),
            (6, i64::MAX, 1, i64::MAX),
            (6, i64::MIN, 1, i64::MIN),
            (127, 0, u64::MAX, 0),
            (0x80, 0, 7, 7_000_000_000),
            (0x8a, 0, 1_536, 1_500_000_000),
            (0xa0, 0, 1 << 31, 500_000_000),
            (0xff, 0, u64::MAX, 0),
            // two's complement
            (6, 0, u64::MAX, -1_000),
            (9, 0, u64::MAX, -1),
            (0, 0, 1 << 62, i64::MAX),
            (0, 0, 3 << 62, i64::MIN),
        ];
        for (resolution, offset, ticks, nanoseconds) in cases {
            let time = interface(resolution, offset).time(ticks);
            assert_eq!(time.as_nanoseconds(), nanoseconds, "{resolution:#x} {offset} {ticks}");
        }
    }

    #[test]
    fn every_resolution_is_safe_at_the_extremes() {
        for resolution in 0..=255 {
            for offset in [i64::MIN, -1, 0, i64::MAX] {
                for ticks in [0, 1, u64::MAX / 2, u64::MAX] {
                    let _ = interface(resolution, offset).time(ticks);
                }
            }
        }
    }

    #[test]
    fn names_are_bounded_and_clean() {
        let cases: [(&[u8], Option<&str>); 5] = [
            (b"eth0", Some("eth0")),
            (b"eth0\0\0", Some("eth0")),
            (b"", None),
            (b"\0", None),
            (&[0xe4; 3], None),
        ];
        for (value, name) in cases {
            assert_eq!(find_name(value).as_deref(), name);
        }
        assert_eq!(find_name(&b"a".repeat(70_000)).unwrap().chars().count(), 200);
    }
}
