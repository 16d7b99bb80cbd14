//! Clusters as a source of facts: the Kubernetes API, listed and watched.
//!
//! Each resource is followed by a task of its own, so that one which is
//! forbidden does not hold up the others. Of an object only its facts are kept.

mod access;
mod agents;
mod failure;
mod follow;
mod objects;
mod resource;
mod shelf;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinHandle;

use self::follow::Follower;
use self::objects::PodPlace;
use self::resource::Resource;
use self::shelf::Cluster;
use super::summary::{ClusterState, PodSummary};
use crate::model::cluster::ClusterFacts;
use crate::model::time::Timestamp;
use crate::model::topology::Facts;

pub use self::access::{Access, ConnectError};
pub use self::agents::{AGENT_LABEL, AGENT_NAME};

/// The paths of the API that are listed and watched, for all namespaces.
pub fn api_paths() -> impl Iterator<Item = &'static str> {
    Resource::ALL.into_iter().map(Resource::path)
}

/// Reads the facts of one object: its kind, and the object as JSON. Handed in, so
/// that the API's objects and what `kubectl` prints have one reader.
pub type ReadObject = fn(kind: &str, object: &Value) -> Facts;

/// Which cluster, and how to reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSettings {
    pub name: String,
    pub access: Access,
}

/// How often is asked again.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// After a first failure; each further one doubles it.
    pub first: Duration,
    /// At most, after failures of the connection or the API.
    pub longest: Duration,
    /// Where the API refuses a resource or does not have it.
    pub refused: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(800),
            longest: Duration::from_secs(30),
            refused: Duration::from_mins(1),
        }
    }
}

/// What following clusters needs from outside.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings {
    pub read: ReadObject,
    pub now: fn() -> Timestamp,
    pub pace: Pace,
}

/// The clusters that are followed. Clones share them; with the last, following ends.
#[derive(Debug, Clone, Default)]
pub struct Clusters(Arc<Followed>);

#[derive(Debug, Default)]
struct Followed {
    clusters: Vec<Arc<Cluster>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Followed {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// A pod and the cluster that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodOwner {
    pub cluster: String,
    /// `namespace/name`
    pub pod: String,
    pub node: Option<String>,
}

/// A node as its cluster shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterNode {
    pub cluster: String,
    pub name: String,
    pub facts: Vec<crate::model::topology::AddressFact>,
    pub pods: Vec<PodSummary>,
    /// Where its agent listens, if a pod of it runs there.
    pub agent: Option<String>,
}

impl Clusters {
    /// Begins to follow clusters. One that does not answer yet is asked again.
    ///
    /// # Errors
    ///
    /// Where a kubeconfig or service account cannot be used.
    pub async fn start(
        settings: Vec<ClusterSettings>,
        surroundings: Surroundings,
    ) -> Result<Self, ConnectError> {
        let mut connected = Vec::new();
        for ClusterSettings { name, access } in settings {
            let client = access::connect(&name, &access).await?;
            connected.push((Arc::new(Cluster::new(name, surroundings.now)), client));
        }
        let mut tasks = Vec::new();
        for (cluster, client) in &connected {
            for resource in Resource::ALL {
                let follower = Follower {
                    client: client.clone(),
                    resource,
                    cluster: Arc::clone(cluster),
                    surroundings,
                };
                tasks.push(tokio::spawn(follower.run()));
            }
        }
        let clusters = connected.into_iter().map(|(cluster, _)| cluster).collect();
        Ok(Self(Arc::new(Followed { clusters, tasks })))
    }

    /// Their names, in the order of the settings.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.clusters.iter().map(|cluster| cluster.name())
    }

    /// What a cluster says of itself now, or said last where it is out of reach.
    /// `None` where no cluster has the name.
    #[must_use]
    pub fn facts(&self, name: &str) -> Option<ClusterFacts> {
        self.find(name).map(Cluster::facts)
    }

    /// How following each of them goes.
    #[must_use]
    pub fn states(&self) -> Vec<ClusterState> {
        self.0.clusters.iter().map(|cluster| cluster.state()).collect()
    }

    /// The nodes of all clusters, by cluster and name.
    #[must_use]
    pub fn nodes(&self) -> Vec<ClusterNode> {
        self.0.clusters.iter().flat_map(|cluster| cluster.nodes()).collect()
    }

    /// The pods that have `address`: one at most in each cluster. Pods on the host's
    /// network share it with their node, and are not meant.
    #[must_use]
    pub fn find_pods_of(&self, address: IpAddr) -> Vec<PodOwner> {
        let address = address.to_canonical();
        let owners = self.0.clusters.iter().filter_map(|cluster| {
            let PodPlace { name, node, .. } = cluster.find_pod_of(address)?;
            Some(PodOwner { cluster: cluster.name().to_owned(), pod: name, node })
        });
        owners.collect()
    }

    fn find(&self, name: &str) -> Option<&Cluster> {
        self.0.clusters.iter().find(|cluster| cluster.name() == name).map(Arc::as_ref)
    }
}
