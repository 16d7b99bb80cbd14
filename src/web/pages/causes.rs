//! What each cause means: `/docs/causes` and a page for each.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use uuid::Uuid;

use super::super::assets::stylesheet_path;
use super::super::error::{Error, PageError};
use super::super::extract::Path;
use crate::analysis::{
    Analysis, CauseDocumentation, CauseIllustration, Limits, ReportHeader, documentation,
    illustration,
};
use crate::model::finding::Cause;
use crate::model::report::Report;
use crate::model::time::Timestamp;
use crate::report::html::{Setting, finish, render_example};

/// Characters of a name that nobody knows.
const UNKNOWN_MAX: usize = 80;

/// `GET /docs/causes`
pub async fn show_causes() -> Result<Html<String>, PageError> {
    Ok(Html(render_index(stylesheet_path(), None).map_err(Error::from)?))
}

/// `GET /docs/causes/{cause}`. A name that is none has the list of those that are.
pub async fn show_cause(Path(token): Path<String>) -> Result<Response, PageError> {
    let Some(cause) = Cause::find_token(&token) else {
        let page = render_index(stylesheet_path(), Some(&token)).map_err(Error::from)?;
        return Ok((StatusCode::NOT_FOUND, Html(page)).into_response());
    };
    let page = tokio::task::spawn_blocking(move || render_cause(stylesheet_path(), cause))
        .await
        .map_err(|_| Error::Internal("the example's analysis ended unexpectedly"))?;
    Ok(Html(page.map_err(Error::from)?).into_response())
}

/// The page of one cause.
///
/// # Errors
///
/// Where the template cannot be rendered.
pub fn render_cause(stylesheet: &str, cause: Cause) -> Result<String, askama::Error> {
    let (documentation, illustration) = (documentation(cause), illustration(cause));
    let example = match find_report(illustration.session) {
        Some(report) => render_example(&report, cause)?,
        None => None,
    };
    let near_miss = find_report(illustration.near_miss_session);
    finish(&CausePage {
        setting: Setting::Service { stylesheet },
        view: CauseView {
            cause,
            name: find_name(cause),
            packets: documentation.example.lines().filter_map(find_packet).collect(),
            documentation,
            illustration,
            example,
            near_miss_headline: near_miss
                .map(|report| format!("{}. {}", report.verdict, report.headline)),
        },
    })
}

/// The list of all causes, after a word about `unknown`, a cause that is none.
///
/// # Errors
///
/// Where the template cannot be rendered.
pub fn render_index(stylesheet: &str, unknown: Option<&str>) -> Result<String, askama::Error> {
    finish(&IndexPage {
        setting: Setting::Service { stylesheet },
        causes: Cause::ALL.map(|cause| (cause, first_sentence(documentation(cause).meaning))),
        unknown: unknown.map(|name| name.chars().take(UNKNOWN_MAX).collect()),
    })
}

/// What the pipeline says of a session, as of any upload.
fn find_report(session: &str) -> Option<Report> {
    let mut analysis = Analysis::new(Limits::default());
    analysis.read_capture("session", None, &mut session.as_bytes()).ok()?;
    let title = Some("example".to_owned());
    analysis.finish(ReportHeader { id: Uuid::nil(), title, created_at: Timestamp::EPOCH }).ok()
}

/// `Reply source translated`.
fn find_name(cause: Cause) -> String {
    let words = cause.as_token().replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn first_sentence(text: &str) -> &str {
    text.find(". ").map_or(text, |end| &text[..=end])
}

/// One line of an example: `source → destination  what it says`.
fn find_packet(line: &'static str) -> Option<Packet> {
    let (source, rest) = line.split_once(" → ")?;
    let (destination, words) = rest.split_once("  ").unwrap_or((rest, ""));
    Some(Packet { source, destination, words })
}

struct Packet {
    source: &'static str,
    destination: &'static str,
    words: &'static str,
}

struct CauseView {
    cause: Cause,
    name: String,
    packets: Vec<Packet>,
    documentation: CauseDocumentation,
    illustration: CauseIllustration,
    /// A part of a page: the example as a report tells it.
    example: Option<String>,
    near_miss_headline: Option<String>,
}

#[derive(Template)]
#[template(path = "pages/cause.html")]
struct CausePage<'a> {
    setting: Setting<'a>,
    view: CauseView,
}

#[derive(Template)]
#[template(path = "pages/causes.html")]
struct IndexPage<'a> {
    setting: Setting<'a>,
    causes: [(Cause, &'static str); Cause::ALL.len()],
    unknown: Option<String>,
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::report::samples;

    const STYLESHEET: &str = "/assets/app-0123456789abcdef.css";

    fn causes_of(session: &str) -> Vec<Cause> {
        let report = find_report(session).unwrap();
        let warnings: Vec<_> =
            report.captures.iter().flat_map(|capture| &capture.warnings).collect();
        assert!(warnings.is_empty(), "{warnings:?}\n{session}");
        let devices = report.devices.iter();
        devices.flat_map(|device| device.findings.iter().map(|finding| finding.cause)).collect()
    }

    #[test]
    fn each_example_has_its_cause_and_each_near_miss_has_not() {
        for cause in Cause::ALL {
            let CauseIllustration { session, near_miss_session, .. } = illustration(cause);
            let found = causes_of(session);
            assert!(found.contains(&cause), "{cause}: {found:?}\n{session}");
            let found = causes_of(near_miss_session);
            assert!(!found.contains(&cause), "{cause}: {found:?}\n{near_miss_session}");
        }
    }

    /// The session with addresses of the other family. `None` where it shows bytes
    /// or both families.
    fn find_twin(session: &str) -> Option<String> {
        let by_hand = ["0x0000:", "IP6 ", "need to frag", "time exceeded"];
        if by_hand.iter().any(|words| session.contains(words)) {
            return None;
        }
        let mut twin = String::new();
        for line in session.lines() {
            let mut line = line
                .replace("icmp", "icmp6")
                .replace(
                    "IP (tos 0x0, ttl 64, id 4660, offset 0, flags [DF], proto UDP (17), length",
                    "IP6 (hlim 64, next-header UDP (17) payload length:",
                )
                .replace(" IP ", " IP6 ")
                .replace("inet ", "inet6 ")
                .replace("/32 scope global", "/128 scope global deprecated")
                .replace("/24 brd 198.51.100.255", "/64");
            if let Some((before, rest)) = line.split_once("ARP, Request who-has ") {
                let (wanted, asker) = rest.split_once(" tell ").unwrap();
                let asker = asker.split(',').next().unwrap();
                line = format!(
                    "{before}IP6 {asker} > ff02::1:ff00:7: ICMP6, neighbor solicitation, who has {wanted}, length 32"
                );
            } else if let Some((before, rest)) = line.split_once("ARP, Reply ") {
                let (found, _) = rest.split_once(" is-at ").unwrap();
                line = format!(
                    "{before}IP6 {found} > 198.51.100.4: ICMP6, neighbor advertisement, tgt is {found}, length 32"
                );
            }
            for net in ["192.0.2.", "198.51.100.", "203.0.113."] {
                line = line.replace(net, &format!("2001:db8:{}::", net.len()));
            }
            if let Some((before, quoted)) = line.split_once(": ICMP ") {
                let (destination, rest) = quoted.split_once(" unreachable").unwrap();
                let (what, length) = match destination.strip_prefix("host ") {
                    None => (format!("port, {destination}"), rest),
                    Some(host) => match rest.strip_prefix(" - admin prohibited filter") {
                        None => (format!("address {host}"), rest),
                        Some(length) => (format!("prohibited {host}"), length),
                    },
                };
                line =
                    format!("{before}: ICMP6, destination unreachable, unreachable {what}{length}");
            }
            twin.push_str(&line);
            twin.push('\n');
        }
        Some(twin)
    }

    #[test]
    fn ipv6_is_judged_like_ipv4() {
        let mut compared = 0;
        for cause in Cause::ALL {
            let CauseIllustration { session, near_miss_session, .. } = illustration(cause);
            for session in [session, near_miss_session] {
                let Some(twin) = find_twin(session) else { continue };
                assert_eq!(causes_of(&twin), causes_of(session), "{cause}\n{twin}");
                compared += 1;
            }
        }
        assert!(compared > 45, "only {compared}");
    }

    /// An endpoint as tcpdump prints it: `192.0.2.7.69`.
    fn print(end: &str) -> String {
        end.parse::<SocketAddr>().map_or_else(
            |_| end.to_owned(),
            |endpoint| format!("{}.{}", endpoint.ip(), endpoint.port()),
        )
    }

    #[test]
    fn the_lines_of_an_example_are_packets_of_its_session() {
        for cause in Cause::ALL {
            let session = illustration(cause).session;
            for packet in documentation(cause).example.lines().filter_map(find_packet) {
                let line = match packet.words.strip_prefix("ARP: who has ") {
                    Some(wanted) => {
                        let wanted = wanted.split(',').next().unwrap();
                        format!("ARP, Request who-has {wanted} tell {},", packet.source)
                    }
                    None => format!("{} > {}:", print(packet.source), print(packet.destination)),
                };
                assert!(session.contains(&line), "{cause}: {line}\n{session}");
            }
        }
    }

    #[test]
    fn every_page_stands_without_fetching_anything() {
        let ours = "href=\"https://www.rfc-editor.org/rfc/rfc";
        for cause in Cause::ALL {
            let page = render_cause(STYLESHEET, cause).unwrap();
            samples::assert_harmless(cause.as_token(), &page.replace(ours, "href=\"/rfc"));
            assert!(page.contains("<svg class=\"wide\""), "{cause} has no picture");
            assert!(page.contains("What would disprove it"), "{cause}");
            for link in page.split("href=\"/docs/causes/").skip(1) {
                let token = link.split('"').next().unwrap();
                assert!(Cause::find_token(token).is_some(), "{cause}: {token}");
            }
            let mut ids: Vec<_> =
                page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
            ids.sort_unstable();
            assert!(ids.is_sorted_by(|a, b| a < b), "{cause}: {ids:?}");
        }
    }

    #[test]
    fn the_list_has_every_cause_and_shows_a_strange_name_as_text() {
        let page = render_index(STYLESHEET, None).unwrap();
        for cause in Cause::ALL {
            assert!(page.contains(&format!("href=\"/docs/causes/{cause}\"")), "{cause}");
        }
        let page = render_index(STYLESHEET, Some(samples::HOSTILE)).unwrap();
        samples::assert_harmless("causes", &page);
        assert!(page.contains("404"));
    }
}
