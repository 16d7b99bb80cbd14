//! The codings in which the content of a request may come: RFC 9110, section 8.4.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_ENCODING;

use super::error::Error;

/// What a capture as the whole body may come in: it is decoded as a compressed file is,
/// and may hold one.
pub const OF_CAPTURES: &str = "gzip, zstd";

/// Forms and JSON come as they are.
pub const OF_OTHERS: &str = "identity";

/// Whether a body is in a coding. Refuses one that is none of `taken`: read as it is, it
/// would be called a broken form, or no capture.
///
/// # Errors
///
/// Names the codings that are taken (section 15.5.16).
pub fn check_coding(headers: &HeaderMap, taken: &'static str) -> Result<bool, Error> {
    let values = headers.get_all(CONTENT_ENCODING).iter();
    let text: Vec<&str> =
        values.map(|value| value.to_str().unwrap_or("a coding that is not text")).collect();
    let codings = text.iter().flat_map(|value| value.split(',')).map(str::trim);
    let codings: Vec<String> = codings
        .map(str::to_ascii_lowercase)
        .filter(|coding| !matches!(coding.as_str(), "" | "identity"))
        .collect();
    let is_taken = match codings.as_slice() {
        [] => true,
        [coding] => {
            // Section 8.4.1.3.
            let coding = if coding == "x-gzip" { "gzip" } else { coding };
            taken.split(", ").any(|one| one == coding)
        }
        _ => false,
    };
    if is_taken {
        Ok(!codings.is_empty())
    } else {
        Err(Error::UnsupportedCoding { found: text.join(", "), taken })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn codings_are_taken_where_they_are_decoded() {
        let (plain, coded) = (Some(false), Some(true));
        let cases: [(&[&str], [Option<bool>; 2]); 9] = [
            (&[], [plain, plain]),
            (&[""], [plain, plain]),
            (&["identity"], [plain, plain]),
            (&["gzip"], [coded, None]),
            (&["X-GZIP"], [coded, None]),
            (&["zstd"], [coded, None]),
            (&["br"], [None, None]),
            (&["gzip, gzip"], [None, None]),
            (&["identity", "deflate"], [None, None]),
        ];
        for (values, expected) in cases {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_ENCODING, HeaderValue::from_static(value));
            }
            let found = [OF_CAPTURES, OF_OTHERS].map(|taken| check_coding(&headers, taken).ok());
            assert_eq!(found, expected, "{values:?}");
        }
    }
}
