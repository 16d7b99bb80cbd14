//! How a cluster's API is reached.

use std::path::PathBuf;

use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};

/// Who we are to a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// A pod's service account.
    InCluster,
    /// A kubeconfig file; without a context, its current one.
    Kubeconfig { file: PathBuf, context: Option<String> },
}

/// Why a cluster cannot be followed at all.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("cluster {cluster}: the kubeconfig '{file}' cannot be used{}", render_context(context.as_deref()))]
    Kubeconfig {
        cluster: String,
        file: PathBuf,
        context: Option<String>,
        source: Box<KubeconfigError>,
    },
    #[error("cluster {cluster}: the kubeconfig '{file}' cannot be read")]
    Unreadable { cluster: String, file: PathBuf, source: std::io::Error },
    #[error(
        "cluster {cluster}: there is no service account here; --in-cluster is for pods, use --cluster NAME=KUBECONFIG elsewhere"
    )]
    InCluster { cluster: String, source: Box<kube::config::InClusterError> },
    #[error("cluster {cluster}: its certificates or credentials cannot be used")]
    Client { cluster: String, source: Box<kube::Error> },
}

fn render_context(context: Option<&str>) -> String {
    context.map(|context| format!(" with the context '{context}'")).unwrap_or_default()
}

/// A client of the cluster's API. Nothing is asked yet.
///
/// # Errors
///
/// Where the credentials cannot be read.
pub async fn connect(cluster: &str, access: &Access) -> Result<Client, ConnectError> {
    // Fails where a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cluster = cluster.to_owned();
    let mut config = match access {
        Access::InCluster => Config::incluster().map_err(|source| ConnectError::InCluster {
            cluster: cluster.clone(),
            source: source.into(),
        })?,
        Access::Kubeconfig { file, context } => {
            let error = |source| {
                let (cluster, file) = (cluster.clone(), file.clone());
                match source {
                    // Its own words name the file once more.
                    KubeconfigError::ReadConfig(source, _) => {
                        ConnectError::Unreadable { cluster, file, source }
                    }
                    source => {
                        let context = context.clone();
                        ConnectError::Kubeconfig { cluster, file, context, source: source.into() }
                    }
                }
            };
            let kubeconfig = Kubeconfig::read_from(file).map_err(error)?;
            let options = KubeConfigOptions { context: context.clone(), ..Default::default() };
            Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(error)?
        }
    };
    // Followers have a pace of their own, and tell at once what the API says.
    config.default_retry = false;
    Client::try_from(config)
        .map_err(|source| ConnectError::Client { cluster, source: Box::new(source) })
}
