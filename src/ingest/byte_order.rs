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
        assert_eq!(ByteOrder::Big.find_u32(&bytes, 6), None);
        assert_eq!(ByteOrder::Big.find_i64(&bytes, 100), None);
    }
}
