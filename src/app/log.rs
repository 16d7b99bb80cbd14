//! The log of what runs for long.

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// What is logged where nobody says otherwise.
const DEFAULT_FILTER: &str = "info,sqlx=warn";

/// Logs to standard error, at `info` unless `RUST_LOG` says otherwise.
pub fn start_log(format: LogFormat) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    // Not set, or set to nothing: ours.
    let wanted = std::env::var("RUST_LOG").ok().filter(|text| !text.trim().is_empty());
    let (filter, fault) = match wanted.as_deref().map(EnvFilter::try_new) {
        Some(Ok(filter)) => (filter, None),
        Some(Err(error)) => (EnvFilter::new(DEFAULT_FILTER), Some(error)),
        None => (EnvFilter::new(DEFAULT_FILTER), None),
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => {
            let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
            log.with_ansi(is_terminal).try_init()
        }
        LogFormat::Json => log.json().try_init(),
    };
    if let (Ok(()), Some(error)) = (&started, fault) {
        tracing::warn!(%error, "RUST_LOG cannot be read, and is passed over");
    }
    started
}
