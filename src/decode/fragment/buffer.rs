//! The bytes of one datagram, put together from its fragments.

use etherparse::defrag::{IpDefragBuf, IpFragRange};
use etherparse::{IpFragOffset, IpNumber};
use smallvec::SmallVec;

use super::super::DecodeError;
use super::super::field::saturating_u32;
use super::super::ip::{Fragment, FragmentPlace};

/// RFC 791 section 3.1: lengths are 16 bits.
const MAX_DATAGRAM_BYTES: u32 = 65_535;

/// Refuses what no host sends.
///
/// # Errors
///
/// Where the fragment is empty, reaches beyond 64 KiB, or leaves the next one
/// no place to begin at (RFC 791 section 3.2: offsets count units of 8 bytes).
pub(super) fn check(fragment: &Fragment<'_>) -> Result<(), DecodeError> {
    let (offset, length) = (fragment.offset.byte_offset(), fragment.length);
    if length == 0 {
        return Err(damaged(format!("the one at {offset} is empty")));
    }
    if u32::from(offset).saturating_add(length) > MAX_DATAGRAM_BYTES {
        return Err(damaged(format!(
            "the one at {offset} has {length} bytes, a datagram ends at {MAX_DATAGRAM_BYTES}"
        )));
    }
    // What is cut is read by itself, so nothing has to follow it.
    let is_aligned = length.is_multiple_of(8) || fragment.is_cut();
    if fragment.place == FragmentPlace::Earlier && !is_aligned {
        return Err(damaged(format!(
            "the one at {offset} has {length} bytes, and only the last may end within 8"
        )));
    }
    Ok(())
}

fn damaged(message: String) -> DecodeError {
    DecodeError::Damaged { layer: "IP fragment", message }
}

/// A datagram with holes.
pub(super) struct Buffer(IpDefragBuf);

impl Buffer {
    pub fn new(protocol: IpNumber) -> Self {
        Self(IpDefragBuf::new(protocol, Vec::new(), Vec::new()))
    }

    /// Takes in what was missing. Bytes that are there already have to be the
    /// same: which of two versions a receiver of IPv4 believes nobody knows, and one of
    /// IPv6 believes none.
    ///
    /// # Errors
    ///
    /// Where the fragment says otherwise than earlier ones. It is left out then.
    pub fn fill(&mut self, fragment: &Fragment<'_>) -> Result<(), DecodeError> {
        let offset = fragment.offset.byte_offset();
        let end = u32::from(offset) + saturating_u32(fragment.payload.len());
        let end = u16::try_from(end)
            .map_err(|_| damaged(format!("the one at {offset} ends at {end}")))?;
        self.check_end(offset, end, fragment.place)?;
        let there = self.overlaps(offset, end);
        for range in &there {
            let known = self.0.data().get(usize::from(range.start)..usize::from(range.end));
            if known != find_part(fragment, range.start, range.end) {
                return Err(damaged(format!(
                    "bytes {} to {} differ from those of an earlier one",
                    range.start, range.end
                )));
            }
        }
        let mut next = offset;
        for range in there {
            if next < range.start {
                self.put(fragment, next, range.start, FragmentPlace::Earlier)?;
            }
            next = range.end;
        }
        let says_end = fragment.place == FragmentPlace::Last && self.0.end().is_none();
        if next < end || says_end {
            self.put(fragment, next, end, fragment.place)?;
        }
        Ok(())
    }

    /// Whether a fragment covers a part of what is there, and more.
    pub fn overlaps_in_part(&self, fragment: &Fragment<'_>) -> bool {
        let start = u32::from(fragment.offset.byte_offset());
        let end = start + saturating_u32(fragment.payload.len());
        self.0.sections().iter().any(|range| {
            let (known_start, known_end) = (u32::from(range.start), u32::from(range.end));
            let overlaps = start < known_end && known_start < end;
            overlaps && !(known_start <= start && end <= known_end)
        })
    }

    fn check_end(&self, offset: u16, end: u16, place: FragmentPlace) -> Result<(), DecodeError> {
        let received_end = self.0.sections().iter().map(|range| range.end).max().unwrap_or(0);
        let contradicts = match (self.0.end(), place) {
            (Some(known), FragmentPlace::Last) => known != end,
            (Some(known), FragmentPlace::Earlier) => end > known,
            (None, FragmentPlace::Last) => end < received_end,
            (None, FragmentPlace::Earlier) => false,
        };
        if contradicts {
            return Err(damaged(format!(
                "the one from {offset} to {end} contradicts earlier ones about the datagram's end"
            )));
        }
        Ok(())
    }

    /// The parts of a range that are there already, in order.
    fn overlaps(&self, start: u16, end: u16) -> SmallVec<[IpFragRange; 4]> {
        let mut overlaps: SmallVec<[IpFragRange; 4]> = self
            .0
            .sections()
            .iter()
            .map(|range| IpFragRange { start: range.start.max(start), end: range.end.min(end) })
            .filter(|range| range.start < range.end)
            .collect();
        overlaps.sort_unstable();
        overlaps
    }

    fn put(
        &mut self,
        fragment: &Fragment<'_>,
        start: u16,
        end: u16,
        place: FragmentPlace,
    ) -> Result<(), DecodeError> {
        let offset =
            IpFragOffset::try_new(start / 8).map_err(|error| damaged(error.to_string()))?;
        let bytes = find_part(fragment, start, end).unwrap_or_default();
        self.0
            .add(offset, place == FragmentPlace::Earlier, bytes)
            .map_err(|error| damaged(error.to_string()))
    }

    /// The datagram, if nothing is missing.
    pub fn find_whole(&self) -> Option<&[u8]> {
        self.0.is_complete().then_some(self.0.data())
    }

    /// What is there from the datagram's beginning on.
    pub fn head(&self) -> &[u8] {
        let first = self.0.sections().iter().find(|range| range.start == 0);
        first.and_then(|range| self.0.data().get(..usize::from(range.end))).unwrap_or_default()
    }

    pub fn received_bytes(&self) -> u32 {
        self.0.sections().iter().map(|range| u32::from(range.end) - u32::from(range.start)).sum()
    }

    /// The datagram's length, where its last fragment is there.
    pub fn total_bytes(&self) -> Option<u32> {
        self.0.end().map(u32::from)
    }

    pub fn allocated_bytes(&self) -> usize {
        self.0.data().capacity() + self.0.sections().capacity() * size_of::<IpFragRange>()
    }
}

/// The bytes of a fragment between two offsets into the datagram.
fn find_part<'a>(fragment: &Fragment<'a>, start: u16, end: u16) -> Option<&'a [u8]> {
    let offset = fragment.offset.byte_offset();
    fragment
        .payload
        .get(usize::from(start.checked_sub(offset)?)..usize::from(end.checked_sub(offset)?))
}
