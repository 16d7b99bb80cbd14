//! One datagram until it can be handed out.

use std::fmt;

use etherparse::IpNumber;

use super::super::DecodeError;
use super::super::field::saturating_u32;
use super::super::ip::Fragment;
use super::Seen;
use super::buffer::Buffer;
use super::pieces::Pieces;

/// A datagram whose last missing fragment has come, or of which no more will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::decode) struct Reassembled {
    /// The frame of the first fragment.
    pub frame: u64,
    pub protocol: IpNumber,
    pub payload: Vec<u8>,
    /// Bytes that were on the wire; more than `payload` where a snap length cut it.
    pub length: u32,
}

/// A datagram that is waited for.
pub(super) struct Waiting {
    /// Tells the datagram from others of the same key.
    pub number: u64,
    pub seen: Seen,
    pub protocol: IpNumber,
    pub first_frame: Option<u64>,
    pub buffer: Buffer,
    /// Bytes in fragments that a snap length cut: with any, it will never be whole.
    pub cut_bytes: u32,
    pub pieces: Pieces,
}

/// The datagram itself is left out: it may have holes that were never written.
impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").field("seen", &self.seen).finish_non_exhaustive()
    }
}

/// Whether fragments of a datagram that was handed out are still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    Outstanding,
    Nothing,
    /// The datagram was thrown away, and what comes of it is, too.
    Refused,
}

impl Waiting {
    pub fn new(number: u64, protocol: IpNumber, seen: Seen) -> Self {
        Self {
            number,
            seen,
            protocol,
            first_frame: None,
            buffer: Buffer::new(protocol),
            cut_bytes: 0,
            pieces: Pieces::default(),
        }
    }

    /// Takes in a fragment.
    ///
    /// # Errors
    ///
    /// Where it contradicts an earlier one.
    pub fn take(&mut self, fragment: &Fragment<'_>, seen: Seen) -> Result<(), DecodeError> {
        if fragment.is_cut() {
            self.cut_bytes = self.cut_bytes.saturating_add(fragment.length);
        } else {
            self.buffer.fill(fragment)?;
        }
        if fragment.is_first() && self.first_frame.is_none() {
            self.first_frame = Some(seen.frame);
            self.protocol = fragment.protocol;
        }
        Ok(())
    }

    /// The datagram, once it is whole or will never be; `fragment` is the newest.
    pub fn find_reassembled(&self, fragment: &Fragment<'_>) -> Option<(Reassembled, Rest)> {
        let (frame, protocol) = (self.first_frame?, self.protocol);
        if self.cut_bytes == 0 {
            let payload = self.buffer.find_whole()?.to_vec();
            let length = saturating_u32(payload.len());
            return Some((Reassembled { frame, protocol, payload, length }, Rest::Nothing));
        }
        let (payload, length) = if fragment.is_first() && fragment.is_cut() {
            (fragment.payload, fragment.length)
        } else {
            (self.buffer.head(), saturating_u32(self.buffer.head().len()))
        };
        let payload = payload.to_vec();
        Some((Reassembled { frame, protocol, payload, length }, Rest::Outstanding))
    }
}
