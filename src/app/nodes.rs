//! The nodes that the service knows, from its settings.

use crate::analysis;
use crate::clock;
use crate::config::{ClusterOption, NodeSources, iter_lists, join_lists};
use crate::node::kubernetes::{Access, ClusterSettings, Clusters, Pace, Surroundings};
use crate::node::registry::Nodes;

/// Why the service cannot start.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Begins to follow the clusters.
pub async fn start(sources: NodeSources) -> Result<Nodes, Failure> {
    sources.check()?;
    let own = sources.own_cluster().map(str::to_owned);
    let own = own.map(|name| ClusterSettings { name, access: Access::InCluster });
    let NodeSources { clusters, nodes, .. } = sources;
    let others =
        join_lists(clusters).into_iter().map(|ClusterOption { name, kubeconfig, context }| {
            let access = Access::Kubeconfig { file: kubeconfig, context };
            ClusterSettings { name, access }
        });
    let surroundings =
        Surroundings { read: analysis::kubernetes_object, now: clock::now, pace: Pace::default() };
    let clusters = Clusters::start(own.into_iter().chain(others).collect(), surroundings).await?;
    let registered = iter_lists(&nodes).map(|node| (node.place(), node.url.clone())).collect();
    Ok(Nodes::new(clusters, registered))
}
