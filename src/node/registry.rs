//! All nodes that are known here: those of clusters, and those registered by name.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::kubernetes::{ClusterNode, Clusters, PodOwner};
use super::summary::{
    AgentState, AgentSummary, ClusterState, NodeAddress, NodeDetails, NodeSummary,
};
use crate::model::cluster::ClusterFacts;

/// The nodes of clusters, and nodes whose agent's address was given. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Nodes {
    clusters: Clusters,
    /// Where their agents listen, by name or by `CLUSTER/NAME`.
    registered: Arc<BTreeMap<String, String>>,
}

/// Why no node is meant by a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindNodeError {
    #[error("no node has the name '{0}'")]
    Unknown(String),
    #[error("the clusters {} each have a node '{node}'", clusters.join(", "))]
    Ambiguous { node: String, clusters: Vec<String> },
}

/// A cluster's name that is not configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no cluster '{name}' is configured; {}", render_known(known))]
pub struct UnknownCluster {
    pub name: String,
    pub known: Vec<String>,
}

fn render_known(known: &[String]) -> String {
    if known.is_empty() { "none is".to_owned() } else { format!("known: {}", known.join(", ")) }
}

impl Nodes {
    /// The nodes of `clusters`; `registered` gives agents' addresses by node, or by
    /// `CLUSTER/NODE`. A node of both is one, and the address given counts. Where several
    /// clusters have a node of the name, the name alone says of none of them where its
    /// agent is.
    #[must_use]
    pub fn new(clusters: Clusters, registered: BTreeMap<String, String>) -> Self {
        Self { clusters, registered: Arc::new(registered) }
    }

    /// All of them, by cluster and name; those that clusters do not show come last.
    #[must_use]
    pub fn list(&self) -> Vec<NodeSummary> {
        self.all().into_iter().map(|details| details.summary).collect()
    }

    /// The node of this name, in this cluster where one is given.
    ///
    /// # Errors
    ///
    /// Where there is none, or several clusters have one.
    pub fn find(&self, node: &str, cluster: Option<&str>) -> Result<NodeDetails, FindNodeError> {
        let is_meant = |one: &NodeDetails| {
            one.summary.node == node
                && cluster.is_none_or(|name| one.summary.cluster.as_deref() == Some(name))
        };
        let mut meant: Vec<NodeDetails> = self.all().into_iter().filter(is_meant).collect();
        if meant.len() > 1 {
            let clusters = meant.into_iter().filter_map(|one| one.summary.cluster).collect();
            return Err(FindNodeError::Ambiguous { node: node.to_owned(), clusters });
        }
        meant.pop().ok_or_else(|| FindNodeError::Unknown(node.to_owned()))
    }

    /// The names of the clusters that are configured.
    #[must_use]
    pub fn cluster_names(&self) -> Vec<String> {
        self.clusters.names().map(str::to_owned).collect()
    }

    /// How following the clusters goes.
    #[must_use]
    pub fn cluster_states(&self) -> Vec<ClusterState> {
        self.clusters.states()
    }

    /// What the named clusters say of themselves; all of them where `names` is `None`.
    ///
    /// # Errors
    ///
    /// Where a name is not configured.
    pub fn facts(&self, names: Option<&[String]>) -> Result<Vec<ClusterFacts>, UnknownCluster> {
        let all = self.cluster_names();
        let names = names.unwrap_or(&all);
        let facts = names.iter().map(|name| {
            let unknown = || UnknownCluster { name: name.clone(), known: self.cluster_names() };
            self.clusters.facts(name).ok_or_else(unknown)
        });
        facts.collect()
    }

    /// The pods that have `address`, one at most in each cluster.
    #[must_use]
    pub fn find_pods_of(&self, address: IpAddr) -> Vec<PodOwner> {
        self.clusters.find_pods_of(address)
    }

    fn all(&self) -> Vec<NodeDetails> {
        let of_clusters = self.clusters.nodes();
        let mut clusters_with: BTreeMap<&str, usize> = BTreeMap::new();
        for node in &of_clusters {
            *clusters_with.entry(&node.name).or_default() += 1;
        }
        let (mut of_cluster, mut alone) = (Vec::new(), Vec::new());
        for (place, url) in &*self.registered {
            let (cluster, name) = match place.split_once('/') {
                Some((cluster, name)) => (Some(cluster), name),
                None => (None, place.as_str()),
            };
            let is_it = |node: &ClusterNode| {
                node.name == name && cluster.is_none_or(|cluster| node.cluster == cluster)
            };
            if of_clusters.iter().any(is_it) {
                continue;
            }
            let summary = NodeSummary {
                node: name.to_owned(),
                cluster: cluster.map(str::to_owned),
                addresses: Vec::new(),
                pod_count: 0,
                agent: summary_of(Some(url.clone())),
            };
            let list = if cluster.is_some() { &mut of_cluster } else { &mut alone };
            list.push(NodeDetails { summary, pods: Vec::new() });
        }
        let agents: Vec<Option<String>> = of_clusters
            .iter()
            .map(|node| {
                let own = self.registered.get(&format!("{}/{}", node.cluster, node.name));
                let is_only = clusters_with.get(node.name.as_str()) == Some(&1);
                let by_name = self.registered.get(&node.name).filter(|_| is_only);
                own.or(by_name).cloned()
            })
            .collect();
        let known = of_clusters.into_iter().zip(agents);
        let mut all: Vec<NodeDetails> =
            known.map(|(node, agent)| details_of(node, agent)).chain(of_cluster).collect();
        all.extend(alone);
        all
    }
}

/// A node of a cluster, whose agent was registered at an address, or not.
fn details_of(node: ClusterNode, registered: Option<String>) -> NodeDetails {
    let ClusterNode { cluster, name, facts, pods, agent } = node;
    let agent = registered.or(agent);
    let addresses = facts.into_iter().map(|fact| NodeAddress {
        address: fact.address,
        role: fact.role,
        source: fact.source,
        reason: fact.reason,
    });
    NodeDetails {
        summary: NodeSummary {
            node: name,
            cluster: Some(cluster),
            addresses: addresses.collect(),
            pod_count: u64::try_from(pods.len()).unwrap_or(u64::MAX),
            agent: summary_of(agent),
        },
        pods,
    }
}

fn summary_of(url: Option<String>) -> AgentSummary {
    let state = if url.is_some() { AgentState::Registered } else { AgentState::None };
    AgentSummary { state, url }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_without_a_cluster_are_known_by_name() {
        let registered = BTreeMap::from([
            ("node1".to_owned(), "https://192.0.2.1:9443".to_owned()),
            ("node2".to_owned(), "https://[2001:db8::2]:9443".to_owned()),
        ]);
        let nodes = Nodes::new(Clusters::default(), registered);
        let found: Vec<_> = nodes.list().into_iter().map(|node| (node.node, node.agent)).collect();
        assert_eq!(found.len(), 2);
        assert_eq!(found[1].0, "node2");
        assert_eq!(found[1].1.state, AgentState::Registered);
        assert_eq!(found[1].1.url.as_deref(), Some("https://[2001:db8::2]:9443"));
        assert!(nodes.find("node1", None).is_ok());
        let unknown = FindNodeError::Unknown("node1".to_owned());
        assert_eq!(nodes.find("node1", Some("site")).unwrap_err(), unknown);
        let error = nodes.facts(Some(&["site".to_owned()])).unwrap_err();
        assert_eq!(error.to_string(), "no cluster 'site' is configured; none is");
        assert_eq!(nodes.facts(None), Ok(Vec::new()));
    }
}
