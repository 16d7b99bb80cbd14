//! Bytes that a line of text shows as pairs of hex digits.

/// The bytes at the start of a text.
#[derive(Debug, PartialEq, Eq)]
pub struct Pairs {
    pub bytes: Vec<u8>,
    /// Something else than a pair, a gap or the end follows on the last one.
    pub is_damaged: bool,
}

/// Reads `00 11 22`, at most `limit_bytes`. A second space ends it: the same
/// bytes as characters follow there.
pub fn read_pairs(text: &str, limit_bytes: usize) -> Pairs {
    let mut bytes = Vec::with_capacity(limit_bytes.min(16));
    for word in text.split(' ') {
        if word.is_empty() || bytes.len() == limit_bytes {
            break;
        }
        match find_pair(word) {
            Some(byte) => bytes.push(byte),
            None => return Pairs { bytes, is_damaged: true },
        }
    }
    Pairs { bytes, is_damaged: false }
}

/// The byte of a word that is two hex digits.
pub fn find_pair(word: &str) -> Option<u8> {
    let is_pair = word.len() == 2 && word.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_pair.then(|| u8::from_str_radix(word, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_end_where_the_characters_begin() {
        let cases: [(&str, &[u8], bool); 9] = [
            ("00 1d 0B     ...", &[0, 0x1d, 0x0b], false),
            ("00 1d", &[0, 0x1d], false),
            ("00 1", &[0], true),
            ("00 1g 22", &[0], true),
            ("00 +1", &[0], true),
            ("00 112 22", &[0], true),
            ("0é 11", &[], true),
            ("", &[], false),
            ("01 02 03 04 05", &[1, 2, 3, 4], false),
        ];
        for (text, bytes, is_damaged) in cases {
            let expected = Pairs { bytes: bytes.to_vec(), is_damaged };
            assert_eq!(read_pairs(text, 4), expected, "{text}");
        }
    }
}
