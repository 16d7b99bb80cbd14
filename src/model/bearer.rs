//! Bearer tokens in requests.

use std::hint::black_box;

/// The token of `Bearer TOKEN` (RFC 6750, section 2.1); the scheme in any case.
#[must_use]
pub fn find_bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = header.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

/// Whether a token that came is the one expected. Takes as long for one that is almost
/// right as for any other of its length.
#[must_use]
pub fn is_equal(expected: &[u8], given: &[u8]) -> bool {
    if expected.len() != given.len() {
        return false;
    }
    let differences =
        expected.iter().zip(given).fold(0, |all, (one, other)| black_box(all | (one ^ other)));
    differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bearer_tokens_are_found() {
        let cases: [(&[u8], Option<&[u8]>); 6] = [
            (b"Bearer abc", Some(b"abc")),
            (b"bearer  abc ", Some(b"abc")),
            (b"Bearer ", Some(b"")),
            (b"Basic abc=", None),
            (b"Bearer", None),
            (b"", None),
        ];
        for (header, expected) in cases {
            assert_eq!(find_bearer(header), expected, "{}", header.escape_ascii());
        }
    }

    #[test]
    fn only_the_whole_token_is_right() {
        let cases: [(&[u8], bool); 5] = [
            (b"secret", true),
            (b"secreT", false),
            (b"secre", false),
            (b"secrets", false),
            (b"", false),
        ];
        for (given, expected) in cases {
            assert_eq!(is_equal(b"secret", given), expected, "{}", given.escape_ascii());
        }
    }
}
