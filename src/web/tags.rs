//! Entity tags: what a reader has already need not be sent again.

use axum::http::HeaderMap;
use axum::http::header::IF_NONE_MATCH;
use uuid::Uuid;

use crate::model::time::Timestamp;

/// A saved report never changes, but another may have its id once it is deleted; how
/// it is written may, with the version. The tag is weak because answers are
/// compressed on the way.
pub fn entity_tag(id: Uuid, created_at: Timestamp) -> String {
    format!("W/\"{id}-{}-{}\"", created_at.as_nanoseconds(), env!("CARGO_PKG_VERSION"))
}

/// Whether `If-None-Match` names the tag, by weak comparison (RFC 9110, section 13.1.2).
pub fn names_tag(headers: &HeaderMap, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let lists = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    lists
        .flat_map(|list| list.split(','))
        .any(|one| one.trim() == "*" || opaque(one) == opaque(tag))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn tags_are_compared_weakly() {
        let cases = [
            ("W/\"a\"", true),
            ("\"a\"", true),
            ("\"b\", W/\"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
            ("", false),
        ];
        for (given, expected) in cases {
            let headers = HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(given))]);
            assert_eq!(names_tag(&headers, "W/\"a\""), expected, "{given}");
        }
        assert!(!names_tag(&HeaderMap::new(), "W/\"a\""));
    }
}
