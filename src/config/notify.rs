//! Who is told when a device's verdict changes.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use clap::Args;

use super::{List, iter_lists, name_option};

/// Who is told when a device's verdict changes.
#[derive(Debug, Args)]
pub struct NotifySettings {
    /// Tells a chat, or a program, when a device's verdict changes: slack, teams, feishu, dingtalk or generic, and the URL of its webhook, as in slack=URL; may be repeated. Whoever knows the URL can write there: better set by the environment
    #[arg(
        long = "notify-url",
        env = "REPLYSCOPE_NOTIFY_URL",
        value_name = "KIND=URL",
        hide_env_values = true
    )]
    pub receivers: Vec<List<Secret>>,
}

impl NotifySettings {
    /// Whether messages can have links, if there are any.
    ///
    /// # Errors
    ///
    /// Says what is missing.
    // Not a rule of the parser: an empty variable is given, too.
    pub fn check(&self, public_url: Option<&str>) -> Result<(), String> {
        if iter_lists(&self.receivers).next().is_some() && public_url.is_none() {
            return Err(format!(
                "{} needs --public-url, for the links in messages",
                name_option("--notify-url")
            ));
        }
        Ok(())
    }
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

    use super::super::{Command, Config, iter_lists};
    use super::Secret;

    #[test]
    fn receivers_need_links_and_stay_secret() {
        let receiver = ["replyscope", "serve", "--notify-url", "slack=https://host/secret"];
        let serve = |arguments: &[&str]| match Config::try_parse_from(arguments).unwrap().command {
            Command::Serve(serve) => serve,
            other => panic!("{other:?}"),
        };
        let error = serve(&receiver).notify.check(None).unwrap_err();
        assert!(error.contains("--public-url") && !error.contains("secret"), "{error}");
        for none in ["", " ", ",\n"] {
            let settings = serve(&["replyscope", "serve", "--notify-url", none]);
            assert_eq!(settings.notify.check(None), Ok(()), "{none:?}");
        }
        let more = ["--notify-url", "bad/secret", "--public-url", "https://replyscope.example.org"];
        let config = Config::try_parse_from([&receiver[..], &more].concat()).unwrap();
        assert!(!format!("{config:?}").contains("secret/"), "{config:?}");
        assert!(!format!("{config:?}").contains("/secret"), "{config:?}");
        let Command::Serve(serve) = config.command else { panic!("not serve") };
        assert_eq!(serve.notify.check(serve.queries.public_url.as_deref()), Ok(()));
        let receivers: Vec<_> = iter_lists(&serve.notify.receivers).map(Secret::reveal).collect();
        assert_eq!(receivers, ["slack=https://host/secret", "bad/secret"]);
    }
}
