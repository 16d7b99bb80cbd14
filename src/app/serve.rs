//! The service, from its first line of log to its last.

use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::listen::listen;
use super::log::start_log;
use super::{complain, fail, nodes, notify, queries, retention};
use crate::clock;
use crate::config::{Serve, name_option};
use crate::model::reason::render_chain;
use crate::store::Store;
use crate::web::{self, AcceptedHosts, Connections, Notices, Queries, Running, Settings};

/// How long requests that run at the end may still take.
const DRAIN_TIME: Duration = Duration::from_secs(20);

/// How long messages about what was found last may still take, within that.
const NOTICE_TIME: Duration = Duration::from_secs(3);

/// Serves until SIGTERM or SIGINT.
pub fn run(settings: Box<Serve>) -> ExitCode {
    if let Err(error) = start_log(settings.log_format) {
        complain(&error.to_string(), None);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let code = match runtime.block_on(serve(settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error.as_ref()),
    };
    // An analysis that is still busy must not hold up the end.
    runtime.shutdown_timeout(Duration::from_secs(1));
    code
}

async fn serve(settings: Box<Serve>) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    // Signals that come during the start count as well.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;

    let is_elsewhere = settings.database_url.is_some();
    let store = Store::open(&settings.data, settings.database_url).await.map_err(|error| {
        let is_of_url = is_elsewhere && error.is_of_database();
        let option = if is_of_url { "--database-url" } else { "--data" };
        format!("{}: {}", name_option(option), render_chain(&error))
    })?;
    let listener = listen(settings.listen).and_then(TcpListener::from_std).map_err(|error| {
        format!("{}: cannot listen on {}: {error}", name_option("--listen"), settings.listen)
    })?;
    let address = listener.local_addr()?;
    let nodes = nodes::start(settings.sources).await?;
    let running = Running::new();
    let alerts = queries::alert_options(&settings.queries)?;
    let notifier = notify::start(&settings.notify, settings.queries.public_url.as_deref())?;
    let notices = Notices::start(store.clone(), notifier, alerts.public_url.clone());
    let defaults = Settings::new(clock::now, clock::new_id);
    let web_settings = Settings {
        running: running.clone(),
        upload_limit_bytes: settings.upload_limit_bytes,
        expanded_limit_bytes: settings.expanded_limit_bytes,
        concurrent_analyses: settings
            .concurrent_analyses
            .map_or(defaults.concurrent_analyses, NonZeroUsize::get),
        concurrent_uploads: usize::from(settings.concurrent_uploads),
        nodes,
        accepted_hosts: AcceptedHosts::of(address, &alerts.public_url),
        alerts,
        notices: notices.clone(),
        ..defaults
    };
    let query_options = queries::options(&settings.queries)?;
    let node_queries = Queries::new(store.clone(), &web_settings, query_options);
    let router = web::router(store.clone(), web_settings, node_queries.clone())?;
    // Only once nothing can keep the service from starting, and before it answers.
    let interrupted = node_queries.recover().await?;
    if interrupted > 0 {
        tracing::info!(interrupted, "analysing what node queries captured before the last end");
    }
    if let Some(days) = settings.keep_days {
        tokio::spawn(retention::keep(store.clone(), days));
    }
    tracing::info!("listening on http://{address}");

    let (stop, mut stopped) = watch::channel(false);
    let stop_accepting = {
        let mut stopped = stopped.clone();
        async move {
            let _ = stopped.wait_for(|is_stopped| *is_stopped).await;
        }
    };
    let ending = node_queries.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!(analyses = running.count(), "SIGTERM: finishing what runs"),
            _ = interrupt.recv() => tracing::info!(analyses = running.count(), "SIGINT: finishing what runs"),
        }
        // Who waits for an analysis that has not begun waits in vain.
        running.close();
        ending.close();
        let _ = stop.send(true);
    });
    let connections = Connections::new(settings.connection_limit);
    tokio::select! {
        () = async {
            web::serve(listener, router, connections, stop_accepting).await;
            node_queries.wait_for_end().await;
            notices.wait_for_end(NOTICE_TIME).await;
        } => {}
        () = async {
            let _ = stopped.wait_for(|is_stopped| *is_stopped).await;
            tokio::time::sleep(DRAIN_TIME).await;
        } => tracing::warn!("ending with requests that took longer than {} s", DRAIN_TIME.as_secs()),
    }
    store.close().await;
    tracing::info!("ended");
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::config::{Command, Config};

    #[test]
    fn the_help_names_the_defaults_of_the_service() {
        let config = Config::try_parse_from(["replyscope", "serve"]).unwrap();
        let Command::Serve(settings) = config.command else { panic!("not serve") };
        let defaults = Settings::new(clock::now, clock::new_id);
        assert_eq!(settings.upload_limit_bytes, defaults.upload_limit_bytes);
        assert_eq!(settings.expanded_limit_bytes, defaults.expanded_limit_bytes);
        assert_eq!(usize::from(settings.concurrent_uploads), defaults.concurrent_uploads);
        assert_eq!(settings.concurrent_analyses, None, "one per processor");
        let processors = std::thread::available_parallelism().unwrap().get();
        assert_eq!(defaults.concurrent_analyses, processors);
        assert_eq!(defaults.queue_time, Duration::from_secs(30));
    }
}
