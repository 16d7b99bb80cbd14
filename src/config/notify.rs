//! Who is told when a device's verdict changes.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use clap::Args;

/// Who is told when a device's verdict changes.
#[derive(Debug, Args)]
pub struct NotifySettings {
    /// Tells a chat, or a program, when a device's verdict changes: slack, teams, feishu, dingtalk or generic, and the URL of its webhook, as in slack=URL; may be repeated. Whoever knows the URL can write there: better set by the environment
    #[arg(
        long = "notify-url",
        env = "REPLYSCOPE_NOTIFY_URL",
        value_name = "KIND=URL",
        value_delimiter = ',',
        hide_env_values = true,
        requires = "public_url"
    )]
    pub receivers: Vec<Secret>,
}

/// A text that is not printed. It is taken as it is: what clap refuses, it repeats.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret")
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::{Command, Config};

    #[test]
    fn receivers_need_links_and_stay_secret() {
        let receiver = ["replyscope", "serve", "--notify-url", "slack=https://host/secret"];
        let error = Config::try_parse_from(receiver).unwrap_err().to_string();
        assert!(error.contains("--public-url") && !error.contains("secret"), "{error}");
        let more = ["--notify-url", "bad/secret", "--public-url", "https://replyscope.example.org"];
        let config = Config::try_parse_from([&receiver[..], &more].concat()).unwrap();
        assert!(!format!("{config:?}").contains("secret/"), "{config:?}");
        assert!(!format!("{config:?}").contains("/secret"), "{config:?}");
        let Command::Serve(serve) = config.command else { panic!("not serve") };
        assert_eq!(serve.notify.receivers[0].reveal(), "slack=https://host/secret");
        assert_eq!(serve.notify.receivers.len(), 2);
    }
}
