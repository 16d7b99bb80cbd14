//! New sockets that are answered where an old one no longer is: what tells a
//! stale translation from a server that stopped.

use std::net::IpAddr;

use hashbrown::{HashMap, HashSet};

use crate::model::capture::{FrameRef, PointKind};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::Exchange;
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;

/// An exchange that was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewFlow {
    pub client: Endpoint,
    pub asked: Endpoint,
    pub request: FrameRef,
    pub reply: FrameRef,
    /// Whether a pod's cable showed it.
    pub reached_pod: bool,
}

type SameClient = (Protocol, Endpoint, IpAddr);
type SameService = (Protocol, Endpoint);

/// Answered exchanges to services at which others fail, by when they began.
#[derive(Debug, Default)]
pub struct NewFlows {
    by_client: HashMap<SameClient, Vec<NewFlow>>,
    /// Only those that reached a pod.
    by_service: HashMap<SameService, Vec<NewFlow>>,
}

impl NewFlows {
    /// Keeps the answered exchanges of services at which some socket was not.
    pub fn new(exchanges: &[Exchange]) -> Self {
        let failing: HashSet<SameService> =
            exchanges.iter().filter(|exchange| is_failing(exchange)).filter_map(service).collect();
        let mut flows = Self::default();
        if failing.is_empty() {
            return flows;
        }
        for exchange in exchanges {
            let Some(service) = service(exchange).filter(|service| failing.contains(service))
            else {
                continue;
            };
            let Some(flow) = answered(exchange) else { continue };
            let (protocol, asked) = service;
            let key = (protocol, asked, flow.client.address);
            flows.by_client.entry(key).or_default().push(flow);
            if flow.reached_pod {
                flows.by_service.entry(service).or_default().push(flow);
            }
        }
        let lists = flows.by_client.values_mut().chain(flows.by_service.values_mut());
        for list in lists {
            list.sort_by_key(|flow| flow.request.at);
        }
        flows
    }

    /// The first exchange of another socket at the address `client` that asked
    /// the same service after `since` and was answered before `until`.
    #[must_use]
    pub fn find_same_client(
        &self,
        exchange: &Exchange,
        asked: Endpoint,
        since: FrameRef,
        until: Timestamp,
    ) -> Option<NewFlow> {
        let key = (exchange.protocol, asked, exchange.client.address);
        find(self.by_client.get(&key)?, exchange.client, since, until)
    }

    /// The first exchange of any other socket that did so and reached a pod.
    #[must_use]
    pub fn find_at_pod(
        &self,
        exchange: &Exchange,
        asked: Endpoint,
        since: FrameRef,
        until: Timestamp,
    ) -> Option<NewFlow> {
        let key = (exchange.protocol, asked);
        find(self.by_service.get(&key)?, exchange.client, since, until)
    }
}

/// Flows are in order; the first that began after `since` is answered first, or nearly so.
fn find(flows: &[NewFlow], client: Endpoint, since: FrameRef, until: Timestamp) -> Option<NewFlow> {
    const TRIED: usize = 16;
    let next = flows.partition_point(|flow| flow.request.at < since.at);
    let later = flows[next..].iter().take(TRIED);
    later
        .copied()
        // Times are compared only at one point's clock.
        .filter(|flow| flow.request.capture == since.capture && flow.client != client)
        .find(|flow| flow.reply.at < until)
}

fn service(exchange: &Exchange) -> Option<SameService> {
    Some((exchange.protocol, exchange.views.first()?.asked?))
}

/// At least two requests in vain.
fn is_failing(exchange: &Exchange) -> bool {
    exchange.views.first().is_some_and(|view| view.unanswered.packets >= 2)
}

fn answered(exchange: &Exchange) -> Option<NewFlow> {
    let view = exchange.views.first()?;
    let reply = view.replies.iter().find_map(|replies| replies.tally.first)?;
    Some(NewFlow {
        client: exchange.client,
        asked: view.asked?,
        request: view.requests.first?,
        reply,
        reached_pod: exchange.views.iter().any(|view| view.kind == PointKind::Pod),
    })
}
