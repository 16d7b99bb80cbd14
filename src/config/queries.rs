//! How nodes are asked: agents, node queries, and the alerts that start them.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use axum::http::Uri;
use clap::Args;

/// How nodes are asked.
#[derive(Debug, Args)]
pub struct QuerySettings {
    /// File with the bearer token that the agents take; of several lines the first counts
    #[arg(long, env = "REPLYSCOPE_AGENT_TOKEN", value_name = "FILE")]
    pub agent_token: Option<PathBuf>,
    /// File with the authority that signs the agents' certificates, in PEM; without it, those of the system
    #[arg(long, env = "REPLYSCOPE_AGENT_AUTHORITY", value_name = "FILE")]
    pub agent_authority: Option<PathBuf>,
    /// File with the certificate that agents are shown, in PEM
    #[arg(long, env = "REPLYSCOPE_AGENT_CERTIFICATE", value_name = "FILE", requires = "agent_key")]
    pub agent_certificate: Option<PathBuf>,
    /// File with the key of that certificate, in PEM
    #[arg(long, env = "REPLYSCOPE_AGENT_KEY", value_name = "FILE", requires = "agent_certificate")]
    pub agent_key: Option<PathBuf>,
    /// Node queries that capture at the same time
    #[arg(long, env = "REPLYSCOPE_CONCURRENT_QUERIES", value_name = "COUNT", default_value = "4")]
    pub concurrent_queries: NonZeroUsize,
    /// Node queries that wait for their turn; more are refused
    #[arg(long, env = "REPLYSCOPE_QUERY_QUEUE", value_name = "COUNT", default_value = "32")]
    pub query_queue: usize,
    /// The longest node query, in seconds
    #[arg(long, env = "REPLYSCOPE_QUERY_SECONDS", value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub query_seconds: u32,
    /// The largest capture of a node query, in bytes
    #[arg(long, env = "REPLYSCOPE_QUERY_BYTES", value_name = "BYTES", default_value_t = 1 << 30, value_parser = clap::value_parser!(u64).range(1..))]
    pub query_bytes: u64,
    /// File with the bearer token that Alertmanager sends with alerts; without it, everybody may send them
    #[arg(long, env = "REPLYSCOPE_ALERT_TOKEN", value_name = "FILE")]
    pub alert_token: Option<PathBuf>,
    /// Label of an alert that names the device, by address or name
    #[arg(
        long,
        env = "REPLYSCOPE_ALERT_DEVICE_LABEL",
        value_name = "LABEL",
        default_value = "device"
    )]
    pub alert_device_label: String,
    /// Label of an alert that names the node
    #[arg(long, env = "REPLYSCOPE_ALERT_NODE_LABEL", value_name = "LABEL", default_value = "node")]
    pub alert_node_label: String,
    /// How long a node query that an alert starts captures, in seconds
    #[arg(long, env = "REPLYSCOPE_ALERT_SECONDS", value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub alert_seconds: u32,
    /// How long an alert that comes again starts nothing, in seconds
    #[arg(
        long,
        env = "REPLYSCOPE_ALERT_WINDOW_SECONDS",
        value_name = "SECONDS",
        default_value = "3600"
    )]
    pub alert_window_seconds: u32,
    /// Where people reach this service, for links in answers and messages, such as `https://replyscope.example.org`
    #[arg(long, env = "REPLYSCOPE_PUBLIC_URL", value_name = "URL", value_parser = parse_public_url)]
    pub public_url: Option<String>,
}

fn parse_public_url(text: &str) -> Result<String, String> {
    let uri = text.parse::<Uri>().ok().filter(|uri| {
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        is_web && uri.host().is_some_and(|host| !host.is_empty()) && uri.query().is_none()
    });
    let uri = uri.filter(|_| !text.contains(['#', '@']));
    let Some(uri) = uri else {
        return Err("expected https://HOST or http://HOST, without query and fragment".to_owned());
    };
    if !matches!(uri.path(), "" | "/") {
        return Err(format!(
            "it has the path '{}', but pages, forms and links of the service begin at '/': give it a host or port of its own",
            uri.path()
        ));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_need_a_host() {
        for text in
            ["https://replyscope.example.org", "http://192.0.2.1:8080", "http://[2001:db8::1]:8080"]
        {
            assert_eq!(parse_public_url(text).as_deref(), Ok(text));
            assert_eq!(parse_public_url(&format!("{text}/")).as_deref(), Ok(text));
            let below = parse_public_url(&format!("{text}/replyscope")).unwrap_err();
            assert!(below.contains("'/replyscope'"), "{below}");
        }
        for text in [
            "",
            "https://",
            "https:///x",
            "https:/x",
            "//host",
            "host",
            "ftp://host",
            "https://a b",
            "https://:443",
            "https://host?x",
            "https://host#x",
            "https://user@host",
            "http://[::1",
        ] {
            assert!(parse_public_url(text).is_err(), "{text}");
        }
    }
}
