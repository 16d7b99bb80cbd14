//! A node's agent, from its first line of log to its last.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::files::read;
use super::listen::listen;
use super::log::start_log;
use super::nodes::Failure;
use super::{complain, fail};
use crate::clock;
use crate::config::{Agent, WatchOptions, join_lists, name_option};
use crate::model::reason::render_chain;
use crate::node::agent::{
    self, Devices, Policy, Settings, TlsFile, TlsFiles, Tokens, WatchSettings, WindowLimits,
};
use crate::node::wire::CaptureLimits;

/// How long captures and requests that run at the end may still take.
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// Serves until SIGTERM or SIGINT.
pub fn run(settings: Agent) -> ExitCode {
    if let Err(error) = start_log(settings.log_format) {
        complain(&error.to_string(), None);
    }
    match start(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error.as_ref()),
    }
}

/// Reads files and opens the port while that may need privileges; then drops
/// those, before the first thread starts.
fn start(settings: Agent) -> Result<(), Failure> {
    let address = settings.listen;
    settings.check_tls()?;
    let has_tls = settings.tls_certificate.is_some();
    let prepared = prepare(settings)?;
    let listener =
        listen(address).map_err(|error| format!("cannot listen on {address}: {error}"))?;
    agent::reduce_privileges()?;
    let scheme = if has_tls { "https" } else { "http" };
    tracing::info!("agent of {} listening on {scheme}://{}", prepared.node, listener.local_addr()?);

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(serve(listener, prepared));
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

fn prepare(settings: Agent) -> Result<Settings, Failure> {
    let watch = prepare_watch(settings.watch)?;
    let tokens = settings.tokens.as_deref().map(read_tokens).transpose()?;
    let tls = match (&settings.tls_certificate, &settings.tls_key) {
        (Some(certificate), Some(key)) => {
            Some(read_tls(certificate, key, settings.tls_client_authority.as_deref())?)
        }
        _ => None,
    };
    let node = match settings.node_name {
        Some(name) => name,
        None => fs::read_to_string("/proc/sys/kernel/hostname")
            .map_err(|error| format!("the host's name cannot be read, give --node-name: {error}"))?
            .trim()
            .to_owned(),
    };
    Ok(Settings {
        node,
        policy: Policy {
            interfaces: join_lists(settings.interface),
            allow_everything: settings.allow_everything,
            captures: settings.concurrent_captures.get(),
            limits: CaptureLimits {
                seconds: settings.capture_seconds.get(),
                packets: settings.capture_packets.get(),
                bytes: settings.capture_bytes.get(),
            },
        },
        tokens,
        tls,
        kube_proxy: Some(settings.kube_proxy),
        connections: settings.connection_limit,
        watch,
        now: clock::now,
        new_id: clock::new_id,
    })
}

fn read_tls(
    certificate: &Path,
    key: &Path,
    client_authority: Option<&Path>,
) -> Result<TlsFiles, Failure> {
    let files = TlsFiles {
        certificates: read("--tls-certificate", certificate)?,
        key: read("--tls-key", key)?,
        client_authority: client_authority
            .map(|path| read("--tls-client-authority", path))
            .transpose()?,
    };
    files.check().map_err(|error| {
        let (option, path) = match error.file() {
            TlsFile::Certificate => ("--tls-certificate", certificate),
            TlsFile::Key => ("--tls-key", key),
            TlsFile::ClientAuthority => {
                ("--tls-client-authority", client_authority.unwrap_or(certificate))
            }
        };
        let (option, path) = (name_option(option), path.display());
        format!("{option}: TLS is not possible with '{path}': {}", render_chain(&error))
    })?;
    Ok(files)
}

fn prepare_watch(options: WatchOptions) -> Result<Option<WatchSettings>, Failure> {
    let addresses = join_lists(options.devices);
    if addresses.is_empty() && options.file.is_none() {
        return Ok(None);
    }
    let text = options.file.as_deref().map(|path| read("--watch-file", path)).transpose()?;
    let text = text.as_deref().map(String::from_utf8_lossy);
    let devices = Devices::parse(&addresses, text.as_deref()).map_err(|error| {
        let of_file = options
            .file
            .as_deref()
            .filter(|_| addresses.is_empty() || Devices::parse(&[], text.as_deref()).is_err());
        match of_file {
            Some(path) => {
                let option = name_option("--watch-file");
                format!("{option}: the devices of '{}' cannot be watched: {error}", path.display())
            }
            None => format!("{}: the devices cannot be watched: {error}", name_option("--watch")),
        }
    })?;
    Ok(Some(WatchSettings {
        devices,
        interfaces: join_lists(options.interfaces),
        window: WindowLimits {
            span: Duration::from_secs(options.window_seconds.into()),
            packets: options.packets.get(),
            bytes: options.bytes.get(),
        },
        stale_after: Duration::from_secs(options.stale_seconds.get().into()),
    }))
}

fn read_tokens(path: &Path) -> Result<Tokens, Failure> {
    let text = String::from_utf8(read("--tokens", path)?)
        .map_err(|_| format!("{}: '{}' is not text", name_option("--tokens"), path.display()))?;
    Tokens::parse(&text).map_err(|error| {
        let option = name_option("--tokens");
        format!("{option}: '{}' cannot be used: {error}", path.display()).into()
    })
}

async fn serve(listener: TcpListener, settings: Settings) -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (told, mut is_told) = tokio::sync::watch::channel(false);
    let stop = async move {
        wait(&mut terminate, &mut interrupt).await;
        told.send_replace(true);
    };
    let listener = tokio::net::TcpListener::from_std(listener)?;
    tokio::select! {
        ended = agent::run(listener, settings, stop) => ended?,
        () = async {
            let _ = is_told.wait_for(|is_told| *is_told).await;
            tokio::time::sleep(DRAIN_TIME).await;
        } => tracing::warn!("ending with requests that took longer than {} s", DRAIN_TIME.as_secs()),
    }
    tracing::info!("ended");
    Ok(())
}

async fn wait(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: ending captures"),
        _ = interrupt.recv() => tracing::info!("SIGINT: ending captures"),
    }
}
