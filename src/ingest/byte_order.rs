//! Integers in the byte order that a capture's header names.

/// The byte order of the host that wrote a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    /// The 16-bit integer at `at`.
    pub fn find_u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let field = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(field),
            Self::Big => u16::from_be_bytes(field),
        })
    }

    /// The 32-bit integer at `at`.
    pub fn find_u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let field = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(field),
            Self::Big => u32::from_be_bytes(field),
        })
    }

    /// Four 32-bit integers in a row.
    #[inline]
    pub fn u32s(self, bytes: [u8; 16]) -> [u32; 4] {
        let [a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3] = bytes;
        let fields = [[a0, a1, a2, a3], [b0, b1, b2, b3], [c0, c1, c2, c3], [d0, d1, d2, d3]];
        match self {
            Self::Little => fields.map(u32::from_le_bytes),
            Self::Big => fields.map(u32::from_be_bytes),
        }
    }

    /// The 64-bit integer at `at`.
    pub fn find_u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        self.find_i64(bytes, at).map(i64::cast_unsigned)
    }

    /// The signed 64-bit integer at `at`.
    pub fn find_i64(self, bytes: &[u8], at: usize) -> Option<i64> {
        let field = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => i64::from_le_bytes(field),
            Self::Big => i64::from_be_bytes(field),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_where_they_are_whole() {
        let bytes = [0xff, 1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(ByteOrder::Little.find_u16(&bytes, 1), Some(0x0201));
        assert_eq!(ByteOrder::Big.find_u16(&bytes, 1), Some(0x0102));
        assert_eq!(ByteOrder::Little.find_u32(&bytes, 1), Some(0x0403_0201));
        assert_eq!(ByteOrder::Big.find_u32(&bytes, 5), Some(0x0506_0708));
        assert_eq!(ByteOrder::Big.find_i64(&bytes, 1), Some(0x0102_0304_0506_0708));
        let row = [1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 4];
        assert_eq!(ByteOrder::Little.u32s(row), [1, 0x0200, 0x0003_0000, 0x0400_0000]);
        assert_eq!(ByteOrder::Big.u32s(row), [0x0100_0000, 0x0002_0000, 0x0300, 4]);
        assert_eq!(ByteOrder::Big.find_u32(&bytes, 6), None);
        assert_eq!(ByteOrder::Big.find_i64(&bytes, 100), None);
    }
}
