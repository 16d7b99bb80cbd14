//! Files that pages need. Their names hold their hash, so they never change.

use std::sync::LazyLock;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::error::{Error, PageError};
use super::extract::Path;
use crate::report::html::STYLESHEET;

const ICON: &str = include_str!("icon.svg");

/// Follows an analysis that runs; pages work without it.
const PROGRESS_SCRIPT: &str = include_str!("../../static/progress.js");

static SCRIPT_NAME: LazyLock<String> =
    LazyLock::new(|| format!("progress-{:016x}.js", fnv1a(PROGRESS_SCRIPT.as_bytes())));
static SCRIPT_PATH: LazyLock<String> = LazyLock::new(|| format!("/assets/{}", *SCRIPT_NAME));
static STYLESHEET_NAME: LazyLock<String> =
    LazyLock::new(|| format!("app-{:016x}.css", fnv1a(STYLESHEET.as_bytes())));
static STYLESHEET_PATH: LazyLock<String> =
    LazyLock::new(|| format!("/assets/{}", *STYLESHEET_NAME));

/// Where pages find the stylesheet.
pub fn stylesheet_path() -> &'static str {
    &STYLESHEET_PATH
}

/// Where pages that follow an analysis find their script.
pub fn script_path() -> &'static str {
    &SCRIPT_PATH
}

/// `GET /assets/{name}`
pub async fn get_asset(Path(name): Path<String>) -> Result<Response, PageError> {
    let (media_type, text) = if name == *STYLESHEET_NAME {
        ("text/css; charset=utf-8", STYLESHEET)
    } else if name == *SCRIPT_NAME {
        ("text/javascript; charset=utf-8", PROGRESS_SCRIPT)
    } else {
        return Err(Error::RouteNotFound(format!("/assets/{name}")).into());
    };
    let headers =
        [(CONTENT_TYPE, media_type), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, text).into_response())
}

/// `GET /favicon.ico`, which browsers ask for unasked.
pub async fn get_icon() -> Response {
    let headers = [(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "public, max-age=86400")];
    (headers, ICON).into_response()
}

/// FNV-1a, 64 bits. It tells versions apart; nobody relies on it for secrecy.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
