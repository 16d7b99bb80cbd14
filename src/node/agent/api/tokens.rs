//! Bearer tokens: several, so that they can be changed one after the other.

use crate::model::bearer::is_equal;

/// A token that can be guessed is none.
const LEAST_TOKEN_BYTES: usize = 16;

/// The tokens that an agent takes.
#[derive(Clone)]
pub struct Tokens(Vec<Vec<u8>>);

/// Why a list of tokens is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("it holds no token; write one on each line, for example from `openssl rand -hex 32`")]
    Empty,
    #[error(
        "the token on line {line} has {found} bytes; at least {LEAST_TOKEN_BYTES} are expected"
    )]
    TooShort { line: usize, found: usize },
    #[error("the token on line {0} holds characters other than visible ASCII")]
    NotAscii(usize),
}

impl Tokens {
    /// Reads a list: one token a line; empty lines and those that begin with `#` do not count.
    ///
    /// # Errors
    ///
    /// Where there is no token, or a bad one.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let mut tokens = Vec::new();
        for (line, token) in (1..).zip(text.lines().map(str::trim)) {
            if token.is_empty() || token.starts_with('#') {
                continue;
            }
            if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(TokenError::NotAscii(line));
            }
            if token.len() < LEAST_TOKEN_BYTES {
                return Err(TokenError::TooShort { line, found: token.len() });
            }
            tokens.push(token.as_bytes().to_vec());
        }
        if tokens.is_empty() { Err(TokenError::Empty) } else { Ok(Self(tokens)) }
    }

    /// Whether `given` is one of them. How long that takes depends on lengths
    /// alone, not on how much of a token was right.
    #[must_use]
    pub fn contains(&self, given: &[u8]) -> bool {
        self.0.iter().fold(false, |found, token| is_equal(token, given) | found)
    }
}

/// A log must not have them.
impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} tokens", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_listed_token_is_taken_and_no_other() {
        let tokens =
            Tokens::parse("# old\n0123456789abcdef\n\n  fedcba9876543210-new  \n").unwrap();
        for (given, expected) in [
            ("0123456789abcdef", true),
            ("fedcba9876543210-new", true),
            ("0123456789abcdeg", false),
            ("0123456789abcde", false),
            ("0123456789abcdef0", false),
            ("# old", false),
            ("", false),
        ] {
            assert_eq!(tokens.contains(given.as_bytes()), expected, "{given}");
        }
        assert_eq!(format!("{tokens:?}"), "2 tokens");
    }

    #[test]
    fn bad_lists_are_refused() {
        let cases = [
            ("", TokenError::Empty),
            ("# nothing\n\n", TokenError::Empty),
            ("0123456789abcdef\nshort", TokenError::TooShort { line: 2, found: 5 }),
            ("0123456789 abcdef", TokenError::NotAscii(1)),
            ("0123456789äbcdef", TokenError::NotAscii(1)),
        ];
        for (text, expected) in cases {
            assert_eq!(Tokens::parse(text).unwrap_err(), expected, "{text:?}");
        }
    }
}
