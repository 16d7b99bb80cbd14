//! Headers that every answer carries, and requests that other sites' pages send.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Uri};
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

/// The hosts under which the service answers.
///
/// A name of another site can be made to lead here (DNS rebinding): its page then has
/// the origin of the request that it sends, and no browser calls that cross-site. It
/// could read every report. Its name still stands in the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcceptedHosts {
    /// Under which names a service is reached that others can reach, it does not know.
    Any,
    /// Loopback names and addresses, and the host of the service's public URL.
    Loopback { public: Option<String> },
}

impl AcceptedHosts {
    /// Those of a service that listens at `address`, which people reach at `public_url`
    /// (empty where it is not known).
    #[must_use]
    pub fn of(address: SocketAddr, public_url: &str) -> Self {
        if !address.ip().to_canonical().is_loopback() {
            return Self::Any;
        }
        let public = public_url.parse::<Uri>().ok();
        let public = public.and_then(|url| url.host().map(str::to_ascii_lowercase));
        Self::Loopback { public }
    }

    /// Whether `authority` (a name or address, perhaps with a port) is one of them.
    fn accept(&self, authority: &str) -> bool {
        let Self::Loopback { public } = self else { return true };
        let Ok(authority) = authority.parse::<Authority>() else { return false };
        let host = authority.host().trim_end_matches('.').to_ascii_lowercase();
        if public.as_ref().is_some_and(|public| public.trim_end_matches('.') == host) {
            return true;
        }
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        match bare.unwrap_or(&host).parse::<IpAddr>() {
            Ok(address) => address.to_canonical().is_loopback(),
            // RFC 6761, section 6.3: these names lead to loopback addresses only.
            Err(_) => host == "localhost" || host.ends_with(".localhost"),
        }
    }
}

/// Paths that monitoring asks under any name, and that tell nothing of reports.
pub const OPEN_PATHS: [&str; 3] = ["/livez", "/readyz", "/metrics"];

/// Refuses what comes under a name that is not the service's.
pub async fn refuse_foreign_host(
    State(hosts): State<AcceptedHosts>,
    request: Request,
    next: Next,
) -> Response {
    let is_open = request.method().is_safe() && OPEN_PATHS.contains(&request.uri().path());
    if !is_open {
        // Programs of HTTP/1.0 may leave it out; browsers do not.
        let header = request.headers().get(HOST).map(|host| host.to_str().unwrap_or_default());
        let authority = request.uri().authority().map(Authority::as_str);
        let foreign = header.into_iter().chain(authority).find(|host| !hosts.accept(host));
        if let Some(host) = foreign {
            let host = host.chars().take(REPEATED_CHARACTERS).collect();
            return Error::ForeignHost(host).respond_at(request.uri().path()).into_response();
        }
    }
    next.run(request).await
}

/// The longest part of a host's name that an answer repeats, in characters.
const REPEATED_CHARACTERS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_on_loopback_is_reached_by_few_names() {
        let local = AcceptedHosts::of("[::1]:8080".parse().unwrap(), "");
        let public = AcceptedHosts::of(
            "127.0.0.1:8080".parse().unwrap(),
            "https://Replyscope.example.org:8443/here",
        );
        let all = AcceptedHosts::of("192.0.2.1:8080".parse().unwrap(), "");
        let cases = [
            ("127.0.0.1:8080", [true, true]),
            ("127.0.0.1", [true, true]),
            ("127.1.2.3:80", [true, true]),
            ("[::1]:8080", [true, true]),
            ("[::1]", [true, true]),
            ("[::ffff:127.0.0.1]:8080", [true, true]),
            ("localhost:8080", [true, true]),
            ("LOCALHOST.", [true, true]),
            ("a.localhost:1", [true, true]),
            ("replyscope.example.org", [false, true]),
            ("replyscope.example.org:443", [false, true]),
            ("evil.example:8080", [false, false]),
            ("localhost.evil.example", [false, false]),
            ("replyscope.example.org.evil.example", [false, false]),
            ("192.0.2.1:8080", [false, false]),
            ("[2001:db8::1]:8080", [false, false]),
            ("", [false, false]),
        ];
        for (host, expected) in cases {
            assert_eq!([local.accept(host), public.accept(host)], expected, "{host}");
            assert!(all.accept(host), "{host}");
        }
    }

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
