//! What a receiver's answer means. Feishu and DingTalk refuse with status 200 and a
//! code in the body.

use std::time::Duration;

use reqwest::StatusCode;
use serde::Deserialize;

use super::target::Kind;
use crate::model::reason::render_line;

/// What became of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Delivered,
    /// It may go well later; the receiver may have said when.
    Later {
        reason: String,
        after: Option<Duration>,
    },
    /// It will not go well.
    Refused(String),
}

impl Outcome {
    /// A request that may go well when it is sent again.
    pub fn later(reason: String) -> Self {
        Self::Later { reason, after: None }
    }
}

/// Reads an answer. `retry_after` is its header of that name (RFC 9110, section 10.2.3).
pub fn judge(kind: Kind, status: StatusCode, retry_after: Option<&str>, body: &[u8]) -> Outcome {
    // Where it is a date, our own pace does.
    let after = retry_after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    if status.is_success() {
        return match kind {
            Kind::Feishu => judge_code(body, &[9_499, 11_232]),
            Kind::DingTalk => judge_code(body, &[-1, 130_101]),
            Kind::Teams => judge_teams(body),
            Kind::Slack | Kind::Generic => Outcome::Delivered,
        };
    }
    let reason = format!("HTTP status {}", status.as_u16());
    let is_passing = status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT;
    if is_passing { Outcome::Later { reason, after } } else { Outcome::Refused(reason) }
}

#[derive(Debug, Deserialize)]
struct Coded {
    #[serde(alias = "errcode")]
    code: i64,
    #[serde(alias = "errmsg", default)]
    msg: String,
}

/// `{"code": 0}` and `{"errcode": 0}` are well; `passing` are codes of a receiver that
/// is asked too often or busy.
fn judge_code(body: &[u8], passing: &[i64]) -> Outcome {
    let Ok(Coded { code, msg }) = serde_json::from_slice(body) else {
        return Outcome::Refused("it answers, but not as such a receiver does".to_owned());
    };
    let reason = format!("code {code}: {}", render_line(&msg));
    match code {
        0 => Outcome::Delivered,
        code if passing.contains(&code) => Outcome::later(reason),
        _ => Outcome::Refused(reason),
    }
}

/// Connectors of Teams answer with status 200 and a sentence where they were asked too often.
fn judge_teams(body: &[u8]) -> Outcome {
    let text = String::from_utf8_lossy(body);
    if text.contains("HTTP error 429") {
        return Outcome::later("it was asked too often".to_owned());
    }
    if text.contains("delivery failed") {
        return Outcome::Refused("it says that the delivery failed".to_owned());
    }
    Outcome::Delivered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq)]
    enum Fate {
        Delivered,
        Later,
        Refused,
    }

    #[test]
    fn answers_are_told_apart() {
        use Fate::{Delivered, Later, Refused};
        let cases = [
            (Kind::Slack, 200, "ok", Delivered),
            (Kind::Slack, 400, "invalid_payload", Refused),
            (Kind::Slack, 404, "no_service", Refused),
            (Kind::Slack, 429, "", Later),
            (Kind::Slack, 302, "", Refused),
            (Kind::Generic, 204, "", Delivered),
            (Kind::Generic, 408, "", Later),
            (Kind::Generic, 500, "", Later),
            (Kind::Generic, 503, "", Later),
            (Kind::Generic, 501, "", Later),
            (Kind::Teams, 202, "", Delivered),
            (Kind::Teams, 200, "1", Delivered),
            (
                Kind::Teams,
                200,
                "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429",
                Later,
            ),
            (Kind::Teams, 200, "Webhook message delivery failed with error: 400", Refused),
            (
                Kind::Feishu,
                200,
                r#"{"StatusCode":0,"code":0,"data":{},"msg":"success"}"#,
                Delivered,
            ),
            (Kind::Feishu, 200, r#"{"code":19024,"msg":"Key Words Not Found"}"#, Refused),
            (Kind::Feishu, 200, r#"{"code":11232,"msg":"frequency limited"}"#, Later),
            (Kind::Feishu, 200, "<html>", Refused),
            (Kind::DingTalk, 200, r#"{"errcode":0,"errmsg":"ok"}"#, Delivered),
            (
                Kind::DingTalk,
                200,
                r#"{"errcode":310000,"errmsg":"keywords not in content"}"#,
                Refused,
            ),
            (Kind::DingTalk, 200, r#"{"errcode":130101,"errmsg":"send too fast"}"#, Later),
            (Kind::DingTalk, 200, "", Refused),
        ];
        for (kind, status, body, expected) in cases {
            let status = StatusCode::from_u16(status).unwrap();
            let fate = match judge(kind, status, None, body.as_bytes()) {
                Outcome::Delivered => Delivered,
                Outcome::Later { .. } => Later,
                Outcome::Refused(_) => Refused,
            };
            assert_eq!(fate, expected, "{kind:?} {status} {body}");
        }
    }

    #[test]
    fn a_receiver_may_say_when_to_come_again() {
        for (text, expected) in [
            ("7", Some(7)),
            (" 7 ", Some(7)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", None),
            ("-1", None),
        ] {
            let outcome = judge(Kind::Slack, StatusCode::TOO_MANY_REQUESTS, Some(text), b"");
            let reason = "HTTP status 429".to_owned();
            let after = expected.map(Duration::from_secs);
            assert_eq!(outcome, Outcome::Later { reason, after }, "{text}");
        }
    }
}
