//! What live clusters say about the addresses of one analysis.
//!
//! Part of the pipeline in [`analysis`](crate::analysis).

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use crate::model::cluster::{ClusterFacts, ServiceFact};
use crate::model::topology::{AddressFact, FactSource, Facts, Role};

/// All addresses of which the clusters know something.
pub fn addresses_of(clusters: &[ClusterFacts]) -> HashSet<IpAddr> {
    let facts = clusters.iter().flat_map(|cluster| &cluster.facts.addresses);
    facts.map(|fact| fact.address).collect()
}

/// What the clusters say about the addresses that are `used`, and about the other
/// addresses of the nodes, pods and services behind them. What `known` says of an
/// address, from an inventory of the analysis, stays alone.
///
/// Clusters can use the same private addresses. One that several claim belongs to
/// the only one of them that is part of the analysis for certain, by an address
/// that none other has; else its role counts only where they agree, without names.
pub fn concerning(mut clusters: Vec<ClusterFacts>, used: &HashSet<IpAddr>, known: &Facts) -> Facts {
    clusters.retain(|cluster| !is_foreign(cluster, known));
    let stated = stated_by(known);
    let claims = Claims::new(&clusters, used);
    let mut concerning = Facts::default();
    for (index, cluster) in clusters.iter().enumerate() {
        concerning.extend(of_cluster(cluster, index, used, &claims));
    }
    concerning.extend(claims.shared(&clusters));
    concerning.addresses.retain(|fact| !stated.contains(&fact.address));
    concerning.services.retain(|one| known.services.iter().all(|other| other.name != one.name));
    concerning
}

/// Whether an inventory names nodes of a cluster, and none of them is in this one.
fn is_foreign(cluster: &ClusterFacts, known: &Facts) -> bool {
    let mut named = kubernetes_nodes(known).peekable();
    let own: HashSet<&str> = kubernetes_nodes(&cluster.facts).collect();
    named.peek().is_some() && named.all(|node| !own.contains(node))
}

fn kubernetes_nodes(facts: &Facts) -> impl Iterator<Item = &str> {
    let of_kubernetes = |fact: &&AddressFact| fact.source == FactSource::Kubernetes;
    facts.addresses.iter().filter(of_kubernetes).filter_map(|fact| fact.node.as_deref())
}

/// Addresses of which `known` holds something as trusted as the API, of the
/// capture's own time.
fn stated_by(known: &Facts) -> HashSet<IpAddr> {
    let facts = known.addresses.iter().filter(|fact| fact.source <= FactSource::Kubernetes);
    facts.map(|fact| fact.address.to_canonical()).collect()
}

/// Which clusters claim the addresses that are used.
struct Claims {
    by_address: HashMap<IpAddr, Vec<usize>>,
    /// Whether each cluster has a used address that none other claims.
    has_own: Vec<bool>,
}

impl Claims {
    fn new(clusters: &[ClusterFacts], used: &HashSet<IpAddr>) -> Self {
        let mut by_address: HashMap<IpAddr, Vec<usize>> = HashMap::new();
        for (index, cluster) in clusters.iter().enumerate() {
            for fact in cluster.facts.addresses.iter().filter(|fact| used.contains(&fact.address)) {
                let claimants = by_address.entry(fact.address).or_default();
                if claimants.last() != Some(&index) {
                    claimants.push(index);
                }
            }
        }
        let mut has_own = vec![false; clusters.len()];
        for claimants in by_address.values() {
            if let [only] = claimants.as_slice()
                && let Some(has_own) = has_own.get_mut(*only)
            {
                *has_own = true;
            }
        }
        Self { by_address, has_own }
    }

    /// The cluster that an address which is used belongs to; `None` of no or several.
    fn owner(&self, address: IpAddr) -> Option<usize> {
        let claimants = self.by_address.get(&address)?;
        if let [only] = claimants.as_slice() {
            return Some(*only);
        }
        let is_part = |index: &&usize| self.has_own.get(**index).copied().unwrap_or_default();
        let mut part = claimants.iter().filter(is_part);
        match (part.next(), part.next()) {
            (Some(only), None) => Some(*only),
            _ => None,
        }
    }

    /// The roles on which several clusters agree that share an address.
    fn shared(&self, clusters: &[ClusterFacts]) -> Facts {
        let mut facts = Facts::default();
        for (address, claimants) in &self.by_address {
            if self.owner(*address).is_some() {
                continue;
            }
            let claiming: Vec<&ClusterFacts> =
                claimants.iter().filter_map(|index| clusters.get(*index)).collect();
            let roles: HashSet<Role> = claiming
                .iter()
                .flat_map(|cluster| &cluster.facts.addresses)
                .filter(|fact| fact.address == *address)
                .map(|fact| fact.role)
                .collect();
            let names: Vec<&str> =
                claiming.iter().map(|cluster| cluster.cluster.as_str()).collect();
            if let [role] = roles.into_iter().collect::<Vec<_>>()[..] {
                facts.addresses.push(AddressFact {
                    address: *address,
                    role,
                    node: None,
                    pod: None,
                    source: FactSource::Kubernetes,
                    reason: format!(
                        "used in the clusters {}, and nothing tells which it is",
                        names.join(" and ")
                    ),
                });
            }
        }
        facts
    }
}

fn of_cluster(
    cluster: &ClusterFacts,
    index: usize,
    used: &HashSet<IpAddr>,
    claims: &Claims,
) -> Facts {
    let is_own = |address: IpAddr| claims.owner(address) == Some(index);
    let ours = || cluster.facts.addresses.iter().filter(|fact| is_own(fact.address));
    let nodes: HashSet<&str> = ours().filter_map(|fact| fact.node.as_deref()).collect();
    let pods: HashSet<&str> = ours().filter_map(|fact| fact.pod.as_deref()).collect();
    let addresses_of = |service: &ServiceFact| -> Vec<IpAddr> {
        service.vips.iter().chain(&service.cluster_ips).copied().collect()
    };
    let services: Vec<&ServiceFact> = cluster
        .facts
        .services
        .iter()
        .filter(|service| addresses_of(service).into_iter().any(is_own))
        .collect();
    let of_services: HashSet<IpAddr> =
        services.iter().flat_map(|service| addresses_of(service)).collect();
    let stands_beside = |fact: &AddressFact| match fact.role {
        Role::Node => fact.node.as_deref().is_some_and(|node| nodes.contains(node)),
        Role::Pod => fact.pod.as_deref().is_some_and(|pod| pods.contains(pod)),
        _ => of_services.contains(&fact.address),
    };
    let ClusterFacts { cluster: name, at, .. } = cluster;
    let mut facts = Facts::default();
    for fact in &cluster.facts.addresses {
        let belongs =
            if used.contains(&fact.address) { is_own(fact.address) } else { stands_beside(fact) };
        if belongs {
            let reason = format!("{}, cluster {name}, {at}", fact.reason);
            facts.addresses.push(AddressFact { reason, ..fact.clone() });
        }
    }
    let holds = |network: ipnet::IpNet| {
        facts.addresses.iter().any(|fact| fact.role == Role::Pod && network.contains(&fact.address))
    };
    let pools = cluster.facts.pools.iter().filter(|pool| holds(pool.network)).cloned().collect();
    facts.pools = pools;
    facts.services = services.into_iter().cloned().collect();
    facts
}

#[cfg(test)]
#[path = "clusters_tests.rs"]
mod tests;
