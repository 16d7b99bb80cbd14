//! Big-endian fields at fixed places. A field that a snap length cut is `None`.

/// The byte at `offset`.
pub(super) fn find_u8(bytes: &[u8], offset: usize) -> Option<u8> {
    bytes.get(offset).copied()
}

/// The 16 bits at `offset`.
pub(super) fn find_u16(bytes: &[u8], offset: usize) -> Option<u16> {
    find_array(bytes, offset).map(u16::from_be_bytes)
}

/// The 32 bits at `offset`.
pub(super) fn find_u32(bytes: &[u8], offset: usize) -> Option<u32> {
    find_array(bytes, offset).map(u32::from_be_bytes)
}

/// The `N` bytes at `offset`.
pub(super) fn find_array<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..)?.first_chunk().copied()
}

/// A length as 32 bits; no frame is so long that this loses anything.
pub(super) fn saturating_u32(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_field_is_none() {
        let bytes = [0x12, 0x34, 0x56, 0x78, 0x9a];
        assert_eq!(find_u8(&bytes, 4), Some(0x9a));
        assert_eq!(find_u8(&bytes, 5), None);
        assert_eq!(find_u16(&bytes, 3), Some(0x789a));
        assert_eq!(find_u16(&bytes, 4), None);
        assert_eq!(find_u32(&bytes, 1), Some(0x3456_789a));
        assert_eq!(find_u32(&bytes, 2), None);
        assert_eq!(find_u32(&bytes, usize::MAX), None);
    }
}
