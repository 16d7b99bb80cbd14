//! Where notices go: the receiver's kind and its URL, which is a secret.

use std::fmt;
use std::str::FromStr;

use reqwest::Url;

/// What a receiver understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Slack's incoming webhooks, and what takes the same: Mattermost, Rocket.Chat.
    Slack,
    /// Microsoft Teams: workflows, and what is left of its connectors.
    Teams,
    /// Custom bots of Feishu and Lark.
    Feishu,
    /// Custom robots of DingTalk.
    DingTalk,
    /// A program that reads JSON of ours.
    Generic,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Slack, Self::Teams, Self::Feishu, Self::DingTalk, Self::Generic];

    /// As settings and metrics call it.
    #[must_use]
    pub const fn as_token(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::Feishu => "feishu",
            Self::DingTalk => "dingtalk",
            Self::Generic => "generic",
        }
    }
}

/// A receiver. Printed, it is its kind and host: the rest of the URL lets anybody
/// write to the chat.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    kind: Kind,
    url: Url,
}

/// Why a text names no receiver. It does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    #[error(
        "expected slack, teams, feishu, dingtalk or generic, '=' and a URL, such as slack=https://hooks.slack.com/services/…"
    )]
    Kind,
    #[error("what follows '=' is no URL of http or https with a host")]
    Url,
}

impl Target {
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Where requests go.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let (kind, url) = text.trim().split_once('=').ok_or(TargetError::Kind)?;
        let kind = Kind::ALL.into_iter().find(|one| one.as_token() == kind);
        let kind = kind.ok_or(TargetError::Kind)?;
        let url: Url = url.parse().map_err(|_| TargetError::Url)?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(TargetError::Url);
        }
        Ok(Self { kind, url })
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.kind.as_token(), self.url.host_str().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receivers_have_a_kind_and_a_url() {
        let cases = [
            ("slack=https://hooks.slack.com/services/T0/B0/key", Ok(Kind::Slack)),
            ("teams=https://prod-1.example.com/workflows/a?sig=b%3D", Ok(Kind::Teams)),
            ("feishu=https://open.feishu.cn/open-apis/bot/v2/hook/key", Ok(Kind::Feishu)),
            (
                " dingtalk=https://oapi.dingtalk.com/robot/send?access_token=key\n",
                Ok(Kind::DingTalk),
            ),
            ("generic=http://192.0.2.1:8080/hook", Ok(Kind::Generic)),
            ("generic=http://[2001:db8::1]:8080/hook", Ok(Kind::Generic)),
            ("https://hooks.slack.com/services/T0/B0/key", Err(TargetError::Kind)),
            ("irc=https://192.0.2.1/", Err(TargetError::Kind)),
            ("slack=", Err(TargetError::Url)),
            ("slack=hooks.slack.com/services", Err(TargetError::Url)),
            ("slack=file:///etc/passwd", Err(TargetError::Url)),
            ("", Err(TargetError::Kind)),
        ];
        for (text, expected) in cases {
            let found = text.parse::<Target>().map(|target| target.kind());
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn what_is_secret_is_not_printed() {
        let target: Target =
            "slack=https://me:pass@hooks.slack.com/services/key?sig=k#k".parse().unwrap();
        assert_eq!(format!("{target:?}"), "slack at hooks.slack.com");
    }
}
