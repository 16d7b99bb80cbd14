//! Where the entries of one service lead: an entry that leads elsewhere than
//! newer ones is stale, one that leads nowhere was not translated.

use std::net::IpAddr;

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::index::{Entry, Index, Position};
use super::requests::protocol_of;
use crate::model::conntrack::TrackedFlow;
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::exchange::{Elsewhere, ElsewhereSign};
use crate::model::topology::{FactSource, Role, Topology};

/// Pods told apart per service; more share a load only in made-up tables.
const MAX_PODS: usize = 32;
/// New sockets kept per client and service.
const MAX_YOUNG: usize = 8;

/// The translated entries by the endpoint that was asked.
#[derive(Debug, Default)]
pub struct Services {
    by_asked: HashMap<Endpoint, SmallVec<[Pod; 1]>>,
    /// Entries that were answered and are new, by the endpoint asked and the client's address.
    young: HashMap<(Endpoint, IpAddr), SmallVec<[Position; 1]>>,
}

/// One endpoint that a service's requests are sent on to.
#[derive(Debug)]
struct Pod {
    endpoint: Endpoint,
    first: Position,
    /// An entry that was answered, if any was.
    answered: Option<Position>,
    has_young: bool,
}

impl Services {
    pub fn new(index: &Index) -> Self {
        let mut services = Self::default();
        for position in index.positions() {
            let flow = &index[position].flow;
            if flow.is_destination_translated() {
                services.add(position, flow);
            }
        }
        services
    }

    fn add(&mut self, position: Position, flow: &TrackedFlow) {
        let pods = self.by_asked.entry(flow.original.destination).or_default();
        let endpoint = flow.translated_destination();
        let known = pods.iter().position(|pod| pod.endpoint == endpoint);
        let place = match known {
            Some(place) => place,
            None if pods.len() >= MAX_PODS => return,
            None => {
                pods.push(Pod { endpoint, first: position, answered: None, has_young: false });
                pods.len() - 1
            }
        };
        let pod = &mut pods[place];
        if flow.is_replied {
            pod.answered.get_or_insert(position);
        }
        if is_young(flow) {
            pod.has_young = true;
            let FlowKey { source, destination, .. } = flow.original;
            let young = self.young.entry((destination, source.address)).or_default();
            if young.len() < MAX_YOUNG {
                young.push(position);
            }
        }
    }

    /// An entry of the same service that says something about where `request`
    /// leads, or does not lead.
    pub fn elsewhere(
        &self,
        index: &Index,
        request: Position,
        topology: &Topology,
    ) -> Option<Elsewhere> {
        let flow = &index[request].flow;
        let pods = self.by_asked.get(&flow.original.destination)?;
        if !flow.is_destination_translated() {
            let position =
                pods.iter().find_map(|pod| pod.answered).or(pods.first().map(|p| p.first));
            return position
                .map(|position| elsewhere(&index[position], ElsewhereSign::IsTranslated));
        }
        let own = pods.iter().find(|pod| pod.endpoint == flow.translated_destination())?;
        let others = || pods.iter().filter(|pod| pod.endpoint.address != own.endpoint.address);
        let mut listed = others().filter(|pod| is_listed_pod(pod.endpoint.address, topology));
        // What nobody answers has entries that were never answered.
        let is_one_way = protocol_of(flow).is_one_way();
        if is_one_way && is_known(own.endpoint.address, topology) {
            return None;
        }
        let listed = listed.find_map(|pod| pod.answered.or(is_one_way.then_some(pod.first)));
        if listed.is_some() && is_listed_pod(own.endpoint.address, topology) {
            // Both are there: they share the load.
            return None;
        }
        let (position, sign) = match (self.find_newer(index, flow, own), listed) {
            (Some(newer), Some(_)) => (newer, ElsewhereSign::IsNewerAndListed),
            (Some(newer), None) => (newer, ElsewhereSign::IsNewer),
            (None, Some(listed)) => (listed, ElsewhereSign::IsListed),
            (None, None) => return None,
        };
        Some(elsewhere(&index[position], sign))
    }

    /// A new socket of the same client that another pod answered, where `flow` is
    /// old, or in vain, and the pod that it leads to has no new ones.
    fn find_newer(&self, index: &Index, flow: &TrackedFlow, own: &Pod) -> Option<Position> {
        if own.has_young {
            return None;
        }
        let FlowKey { source, destination, .. } = flow.original;
        let leads_elsewhere = |position: &Position| {
            index[*position].flow.translated_destination().address != own.endpoint.address
        };
        let young = self.young.get(&(destination, source.address))?;
        young.iter().copied().find(leads_elsewhere)
    }
}

/// Answered, and not yet marked as a conversation that lasts.
fn is_young(flow: &TrackedFlow) -> bool {
    flow.is_replied && !flow.is_assured
}

/// Whether an address is one of the cluster or of a device by an inventory: a pod of the
/// host's network has its node's.
fn is_known(address: IpAddr, topology: &Topology) -> bool {
    topology.find(address).is_some_and(|belief| {
        !matches!(belief.role, Role::Pod | Role::Unknown) && belief.source != FactSource::Packets
    })
}

fn is_listed_pod(address: IpAddr, topology: &Topology) -> bool {
    topology.find(address).is_some_and(|belief| {
        belief.role == Role::Pod
            && matches!(belief.source, FactSource::Kubernetes | FactSource::DeviceList)
    })
}

fn elsewhere(entry: &Entry, sign: ElsewhereSign) -> Elsewhere {
    Elsewhere { frame: entry.frame, flow: entry.flow.clone(), sign }
}
