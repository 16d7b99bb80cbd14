//! Node queries, from the settings.

use std::path::Path;
use std::time::Duration;

use super::files::read;
use super::nodes::Failure;
use crate::config::QuerySettings;
use crate::node::client::{AgentAccess, AgentClient};
use crate::web::{AlertOptions, QueryOptions};

/// Reads the files that the settings name.
pub fn options(settings: &QuerySettings) -> Result<QueryOptions, Failure> {
    let identity = match (&settings.agent_certificate, &settings.agent_key) {
        (Some(certificate), Some(key)) => {
            let mut pem = read(certificate)?;
            pem.push(b'\n');
            pem.extend(read(key)?);
            Some(pem)
        }
        _ => None,
    };
    let access = AgentAccess {
        token: settings.agent_token.as_deref().map(read_token).transpose()?,
        authority: settings.agent_authority.as_deref().map(read).transpose()?,
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
        token: settings.alert_token.as_deref().map(read_token).transpose()?,
        device_label: settings.alert_device_label.clone(),
        node_label: settings.alert_node_label.clone(),
        duration_s: settings.alert_seconds.min(settings.query_seconds),
        window: Duration::from_secs(u64::from(settings.alert_window_seconds)),
        public_url: settings.public_url.clone().unwrap_or_default(),
    })
}

/// The first line that is neither empty nor a comment, as in the agents' own file.
fn read_token(path: &Path) -> Result<String, Failure> {
    let text = String::from_utf8(read(path)?)
        .map_err(|_| format!("'{}' is not text; expected a token", path.display()))?;
    let token = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    token.map(str::to_owned).ok_or_else(|| {
        format!("'{}' holds no token; expected one on a line", path.display()).into()
    })
}
