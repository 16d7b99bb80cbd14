//! Headers that every answer carries, and requests that other sites' pages send.

use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::Error;

/// A page with one of our scripts, which talks to this service: set it as an
/// extension of the page's answer.
#[derive(Debug, Clone, Copy)]
pub struct WithScript;

/// Most pages need a stylesheet, images and their own forms: nothing else is allowed.
const STRICT_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Some follow an analysis: a script from our own files, which asks this service.
const SCRIPT_POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// `/docs` is a script that reads `/openapi.json` and sends requests to try it out.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Sets the headers that every answer carries.
pub async fn set_headers(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_cause = path == "/docs/causes" || path.starts_with("/docs/causes/");
    let is_docs = path == "/docs" || path.starts_with("/docs/") && !is_cause;
    let mut response = next.run(request).await;
    let has_script = response.extensions().get::<WithScript>().is_some();
    let policy = match (is_docs, has_script) {
        (true, _) => DOCS_POLICY,
        (false, true) => SCRIPT_POLICY,
        (false, false) => STRICT_POLICY,
    };
    let fixed = [
        (CONTENT_SECURITY_POLICY, policy),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        // Not `no-referrer`: browsers then say `Origin: null` even for our own
        // forms (Fetch standard, "append a request Origin header").
        (REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    // Reports can be deleted: a copy must ask before it is shown again.
    let caching = HeaderValue::from_static("private, no-cache");
    response.headers_mut().entry(CACHE_CONTROL).or_insert(caching);
    response
}

/// Refuses what another site's page sends in its visitor's name.
pub async fn refuse_cross_site(request: Request, next: Next) -> Response {
    if !request.method().is_safe() && is_cross_site(request.headers()) {
        return Error::CrossSite.respond_at(request.uri().path()).into_response();
    }
    next.run(request).await
}

/// Browsers say where a request comes from: `Sec-Fetch-Site`, which pages
/// cannot forge, and older ones `Origin`. Programs send neither and pass.
fn is_cross_site(headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    match text(&HeaderName::from_static("sec-fetch-site")) {
        Some("same-origin" | "none") => false,
        Some(_) => true,
        None => match (text(&ORIGIN), text(&HOST)) {
            (Some(origin), Some(host)) => {
                origin.split_once("://").is_none_or(|(_, authority)| authority != host)
            }
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_say_where_a_request_comes_from() {
        let cases: [(&[(&str, &str)], bool); 8] = [
            (&[], false),
            (&[("sec-fetch-site", "same-origin")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "cross-site")], true),
            (&[("sec-fetch-site", "same-site")], true),
            (&[("host", "a.example:8080"), ("origin", "http://a.example:8080")], false),
            (&[("host", "a.example:8080"), ("origin", "http://b.example")], true),
            (&[("host", "a.example"), ("origin", "null")], true),
        ];
        for (given, expected) in cases {
            let headers: HeaderMap = given
                .iter()
                .map(|(name, value)| {
                    (HeaderName::from_static(name), HeaderValue::from_static(value))
                })
                .collect();
            assert_eq!(is_cross_site(&headers), expected, "{given:?}");
        }
    }
}
