//! What is known of one cluster, resource by resource.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::ClusterNode;
use super::failure::Failure;
use super::objects::{Kept, MOST_OBJECTS, PodPlace};
use super::resource::Resource;
use crate::model::cluster::ClusterFacts;
use crate::model::time::Timestamp;
use crate::model::topology::{AddressFact, Facts, Role};
use crate::node::summary::{ClusterState, PodSummary, ResourceHealth, ResourceState};

/// One cluster that is followed.
#[derive(Debug)]
pub struct Cluster {
    name: String,
    now: fn() -> Timestamp,
    /// In the order of [`Resource::ALL`]. No lock is held while anything waits.
    shelves: [Mutex<Shelf>; Resource::ALL.len()],
}

/// One resource's objects.
#[derive(Debug, Default)]
struct Shelf {
    /// By `namespace/name`.
    objects: BTreeMap<String, Kept>,
    /// Objects for which there is no room.
    omitted: u64,
    health: ResourceHealth,
    error: Option<String>,
    /// When the API last told something about the resource, were it that nothing changed.
    heard_at: Option<Timestamp>,
}

impl Cluster {
    pub fn new(name: String, now: fn() -> Timestamp) -> Self {
        Self { name, now, shelves: Default::default() }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// All objects of a resource, instead of those known so far.
    pub fn replace(&self, resource: Resource, objects: BTreeMap<String, Kept>, omitted: u64) {
        let mut stock = self.shelf(resource);
        stock.objects = objects;
        stock.omitted = omitted;
        drop(stock);
        self.hear(resource);
    }

    /// A new or changed object.
    pub fn apply(&self, resource: Resource, name: String, kept: Kept) {
        let mut stock = self.shelf(resource);
        if stock.objects.len() < MOST_OBJECTS || stock.objects.contains_key(&name) {
            stock.objects.insert(name, kept);
        } else {
            stock.omitted = stock.omitted.saturating_add(1);
        }
        drop(stock);
        self.hear(resource);
    }

    /// An object that is gone.
    pub fn remove(&self, resource: Resource, name: &str) {
        self.shelf(resource).objects.remove(name);
        self.hear(resource);
    }

    /// The API answers for the resource.
    pub fn hear(&self, resource: Resource) {
        let now = (self.now)();
        let mut stock = self.shelf(resource);
        stock.health = ResourceHealth::Fresh;
        stock.error = None;
        stock.heard_at = Some(now);
    }

    /// The API does not answer for the resource; says whether that is news. What may
    /// not be read any more is forgotten; what is out of reach stays as it was.
    pub fn fail(&self, resource: Resource, failure: Failure) -> bool {
        let mut stock = self.shelf(resource);
        let (health, error) = match failure {
            Failure::Forbidden(message) => (ResourceHealth::Forbidden, Some(message)),
            Failure::Absent(_) if resource.is_optional() => (ResourceHealth::Absent, None),
            Failure::Expired => (ResourceHealth::Failing, Some("the list expired".to_owned())),
            Failure::Absent(message)
            | Failure::Busy(message)
            | Failure::Refused(message)
            | Failure::Other(message) => (ResourceHealth::Failing, Some(message)),
        };
        if matches!(health, ResourceHealth::Forbidden | ResourceHealth::Absent) {
            stock.objects.clear();
            stock.omitted = 0;
        }
        let is_news = stock.health != health && health != ResourceHealth::Absent;
        stock.health = health;
        stock.error = error;
        is_news
    }

    /// What the cluster says of itself, each thing once.
    pub fn facts(&self) -> ClusterFacts {
        let mut facts = Facts::default();
        let mut known: BTreeSet<(IpAddr, Role, Option<String>, Option<String>)> = BTreeSet::new();
        let mut at: Option<Timestamp> = None;
        for resource in Resource::ALL {
            let stock = self.shelf(resource);
            if stock.health == ResourceHealth::Failing {
                at = [at, stock.heard_at].into_iter().flatten().min();
            }
            for kept in stock.objects.values() {
                for fact in &kept.addresses {
                    let AddressFact { address, role, node, pod, .. } = fact;
                    if known.insert((*address, *role, node.clone(), pod.clone())) {
                        facts.addresses.push(fact.clone());
                    }
                }
                if let Some(service) = &kept.service {
                    let mut service = service.as_ref().clone();
                    service.cluster = Some(self.name.clone());
                    facts.services.push(service);
                }
                if let Some(pool) = &kept.pool {
                    let mut pool = pool.as_ref().clone();
                    pool.cluster = Some(self.name.clone());
                    facts.pools.push(pool);
                }
            }
        }
        ClusterFacts { cluster: self.name.clone(), at: at.unwrap_or_else(self.now), facts }
    }

    /// How following it goes.
    pub fn state(&self) -> ClusterState {
        let resources: Vec<ResourceState> = Resource::ALL
            .into_iter()
            .map(|resource| {
                let stock = self.shelf(resource);
                ResourceState {
                    resource: resource.name().to_owned(),
                    state: stock.health,
                    objects: count(stock.objects.len()),
                    objects_omitted: stock.omitted,
                    last_event_at: stock.heard_at,
                    error: stock.error.clone(),
                }
            })
            .collect();
        let is = |health| move |one: &ResourceState| one.state == health;
        let is_connected = resources.iter().any(is(ResourceHealth::Fresh))
            && !resources.iter().any(is(ResourceHealth::Failing))
            && !resources.iter().any(is(ResourceHealth::Starting));
        ClusterState {
            cluster: self.name.clone(),
            connected: is_connected,
            objects: resources.iter().map(|one| one.objects).sum(),
            last_event_at: resources.iter().filter_map(|one| one.last_event_at).max(),
            agents_elsewhere: count(
                self.places().iter().filter(|place| place.is_agent_elsewhere).count(),
            ),
            resources,
        }
    }

    /// Its nodes by name, with the pods on them.
    pub fn nodes(&self) -> Vec<ClusterNode> {
        let mut nodes: BTreeMap<String, ClusterNode> = BTreeMap::new();
        let node_of = |name: &str| ClusterNode {
            cluster: self.name.clone(),
            name: name.to_owned(),
            facts: Vec::new(),
            pods: Vec::new(),
            agent: None,
        };
        for name in self.shelf(Resource::Nodes).objects.keys() {
            nodes.insert(name.clone(), node_of(name));
        }
        for place in self.places() {
            let Some(name) = &place.node else { continue };
            let node = nodes.entry(name.clone()).or_insert_with(|| node_of(name));
            node.agent = node.agent.take().or(place.agent);
            node.pods.push(PodSummary {
                pod: place.name,
                addresses: place.addresses,
                uses_host_network: place.uses_host_network,
            });
        }
        for fact in self.facts().facts.addresses {
            let holder = fact.node.as_deref().and_then(|name| nodes.get_mut(name));
            if let (Some(node), Role::Node | Role::Vip) = (holder, fact.role)
                && node.facts.iter().all(|known| known.address != fact.address)
            {
                node.facts.push(fact);
            }
        }
        nodes.into_values().collect()
    }

    /// The pod that has `address` for itself.
    pub fn find_pod_of(&self, address: IpAddr) -> Option<PodPlace> {
        let stock = self.shelf(Resource::Pods);
        let mut places = stock.objects.values().filter_map(|kept| kept.pod.as_deref());
        places.find(|place| place.addresses.contains(&address)).cloned()
    }

    fn places(&self) -> Vec<PodPlace> {
        let stock = self.shelf(Resource::Pods);
        stock.objects.values().filter_map(|kept| kept.pod.as_deref()).cloned().collect()
    }

    fn shelf(&self, resource: Resource) -> MutexGuard<'_, Shelf> {
        // A shelf is whole between any two of our statements.
        self.shelves[resource.index()].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(objects: usize) -> u64 {
    u64::try_from(objects).unwrap_or(u64::MAX)
}
