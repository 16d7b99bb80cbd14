//! Memory that a device can read from by itself.

/// Addresses, lengths and places in the file are multiples of this where the system's
/// cache is passed by (open(2), "O_DIRECT"). The usual devices have blocks of up to this
/// size; of one with larger ones the system refuses such a write, and it goes through the
/// cache.
pub const ALIGN_BYTES: usize = 4096;
/// Enough at once for a device to be busy with.
pub const WHOLE_BYTES: usize = 512 << 10;

/// Whether a device can read these bytes where they are, and they are enough at once.
pub fn is_whole(bytes: &[u8]) -> bool {
    bytes.len() >= WHOLE_BYTES
        && bytes.len().is_multiple_of(ALIGN_BYTES)
        && bytes.as_ptr().align_offset(ALIGN_BYTES) == 0
}

#[cfg(test)]
pub mod tests {
    use bytes::{Bytes, BytesMut};

    use super::*;

    /// The same bytes, where a device can read them.
    pub fn aligned(bytes: &[u8]) -> Bytes {
        let mut memory = BytesMut::with_capacity(ALIGN_BYTES + bytes.len());
        memory.resize(memory.as_ptr().align_offset(ALIGN_BYTES), 0);
        drop(memory.split());
        memory.extend_from_slice(bytes);
        memory.freeze()
    }

    #[test]
    fn bytes_are_whole_where_place_and_length_fit() {
        let block = aligned(&vec![7; WHOLE_BYTES + ALIGN_BYTES]);
        for (from, to, expected) in [
            (0, WHOLE_BYTES, true),
            (ALIGN_BYTES, ALIGN_BYTES + WHOLE_BYTES, true),
            (0, WHOLE_BYTES + 1, false),
            (1, WHOLE_BYTES + 1, false),
            (0, ALIGN_BYTES, false),
        ] {
            assert_eq!(is_whole(&block[from..to]), expected, "{from} to {to}");
        }
    }
}
