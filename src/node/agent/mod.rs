//! The agent of one node: facts from its kernel, live captures, and devices that
//! are watched all the time.
//!
//! It needs CAP_NET_RAW and CAP_NET_ADMIN, and nothing else. It writes nothing
//! on the node and starts no program.

mod api;
mod capture;
mod conntrack;
mod counters;
mod facts;
mod metrics;
mod netlink;
mod privileges;
mod serve;
mod settings;
mod tls;
mod watch;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::net::TcpListener;
use uuid::Uuid;

use self::api::Agent;
use self::capture::Captures;
use self::watch::{Surroundings, Watch};
use crate::model::time::Timestamp;

pub use self::api::{TokenError, Tokens, render_openapi};
pub use self::capture::Policy;
pub use self::privileges::{PrivilegeError, reduce as reduce_privileges};
pub use self::tls::{TlsError, TlsFile, TlsFiles};
pub use self::watch::{Devices, DevicesError, Settings as WatchSettings, WindowLimits};

/// How an agent is set, and whom it asks for time and ids.
#[derive(Debug)]
pub struct Settings {
    /// The node's name, as the cluster has it.
    pub node: String,
    pub policy: Policy,
    /// Without tokens whoever connects is trusted: then TLS must be mutual.
    pub tokens: Option<Tokens>,
    pub tls: Option<TlsFiles>,
    /// Where kube-proxy tells its mode, if it shall be asked.
    pub kube_proxy: Option<SocketAddr>,
    /// Connections at the same time; more wait.
    pub connections: NonZeroUsize,
    /// The devices that are watched, if any are.
    pub watch: Option<WatchSettings>,
    pub now: fn() -> Timestamp,
    pub new_id: fn() -> Uuid,
}

/// Why an agent does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("TLS is not possible")]
    Tls(#[from] TlsError),
    #[error("the API's description cannot be written")]
    Document(#[from] serde_json::Error),
}

/// Serves until `stop` is ready; then ends captures with their statistics.
///
/// # Errors
///
/// Where the settings do not allow it to start.
pub async fn run(
    listener: TcpListener,
    settings: Settings,
    stop: impl Future<Output = ()>,
) -> Result<(), Error> {
    let tls = settings.tls.as_ref().map(tls::acceptor).transpose()?;
    let Settings { node, policy, tokens, kube_proxy, connections, watch, now, new_id, .. } =
        settings;
    let captures = Arc::new(Captures::new(node.clone(), policy, now, new_id));
    let watch = watch.map(|settings| {
        let surroundings = Surroundings { node: node.clone(), kube_proxy, now, new_id };
        Arc::new(Watch::new(surroundings, settings))
    });
    let watching =
        watch.as_ref().map(|watch| tokio::spawn(Arc::clone(watch).run(Arc::clone(&captures))));
    let captures_of_agent = Arc::clone(&captures);
    let agent =
        Agent { node, started_at: now(), captures: captures_of_agent, watch, kube_proxy, now };
    let router = api::router(agent, tokens)?;
    let stop = async {
        stop.await;
        // Their streams end, and with them the requests that the server waits for.
        captures.stop_all().await;
    };
    serve::serve(listener, tls, router, connections, stop).await;
    if let Some(watching) = watching {
        // Its capture has ended; an analysis that runs is not waited for.
        watching.abort();
    }
    Ok(())
}
