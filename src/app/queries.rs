//! Node queries, from the settings.

use std::path::Path;
use std::time::Duration;

use super::files::{read, read_token};
use super::nodes::Failure;
use crate::config::QuerySettings;
use crate::node::client::{AgentAccess, AgentClient};
use crate::web::{AlertOptions, QueryOptions};

/// Reads the files that the settings name.
pub fn options(settings: &QuerySettings) -> Result<QueryOptions, Failure> {
    let identity = match (&settings.agent_certificate, &settings.agent_key) {
        (Some(certificate), Some(key)) => {
            let mut pem = read("--agent-certificate", certificate)?;
            pem.push(b'\n');
            pem.extend(read("--agent-key", key)?);
            Some(pem)
        }
        _ => None,
    };
    let access = AgentAccess {
        token: token_of("--agent-token", settings.agent_token.as_deref())?,
        authority: settings
            .agent_authority
            .as_deref()
            .map(|path| read("--agent-authority", path))
            .transpose()?,
        identity,
    };
    Ok(QueryOptions {
        agents: Some(AgentClient::new(access)?),
        concurrent: settings.concurrent_queries.get(),
        queue: settings.query_queue,
        longest_s: settings.query_seconds,
        largest_bytes: settings.query_bytes,
        ..QueryOptions::default()
    })
}

/// How alerts start queries.
pub fn alert_options(settings: &QuerySettings) -> Result<AlertOptions, Failure> {
    Ok(AlertOptions {
        token: token_of("--alert-token", settings.alert_token.as_deref())?,
        device_label: settings.alert_device_label.clone(),
        node_label: settings.alert_node_label.clone(),
        duration_s: settings.alert_seconds.min(settings.query_seconds),
        window: Duration::from_secs(u64::from(settings.alert_window_seconds)),
        public_url: settings.public_url.clone().unwrap_or_default(),
    })
}

fn token_of(option: &str, path: Option<&Path>) -> Result<Option<String>, Failure> {
    path.map(|path| read_token(option, path)).transpose()
}
