//! The log of what runs for long.

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Logs to standard error, at `info` unless `RUST_LOG` says otherwise.
pub fn start_log(format: LogFormat) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => {
            let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
            log.with_ansi(is_terminal).try_init()
        }
        LogFormat::Json => log.json().try_init(),
    }
}
