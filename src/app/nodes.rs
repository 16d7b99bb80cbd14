//! The nodes that the service knows, from its settings.

use crate::analysis;
use crate::clock;
use crate::config::{ClusterOption, NodeSources, iter_lists, join_lists, name_option};
use crate::model::reason::render_chain;
use crate::node::kubernetes::{
    Access, ClusterSettings, Clusters, ConnectError, Pace, Surroundings,
};
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
    let settings = own.into_iter().chain(others).collect();
    let clusters = Clusters::start(settings, surroundings).await.map_err(|error| {
        // The service's own cluster has no file, and says which option it is from.
        let is_own = matches!(error, ConnectError::InCluster { .. });
        let option = if is_own { "--in-cluster" } else { "--cluster" };
        format!("{}: {}", name_option(option), render_chain(&error))
    })?;
    let registered = iter_lists(&nodes).map(|node| (node.place(), node.url.clone())).collect();
    Ok(Nodes::new(clusters, registered))
}
