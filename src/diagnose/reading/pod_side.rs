//! What the pod's cable shows: who answered there, and whom the pod saw.

use std::net::IpAddr;

use super::{Habit, Reading};
use crate::model::capture::PointKind;
use crate::model::exchange::{Point, PointId, Replies, View};
use crate::model::report::StepKind;
use crate::model::topology::Role;

impl<'a> Reading<'a> {
    /// The view from the pod's cable, where the verdict rests on another.
    #[must_use]
    pub fn other_pod_view(&self) -> Option<&'a View> {
        self.exchange.pod_view().filter(|pod| pod.point != self.view.point)
    }

    /// Whom the pod saw as its client, where that is not the device that asked: an
    /// address of the cluster, or a gateway's, of which nothing is known. The pod's
    /// cable shows it, else an entry of connection tracking.
    #[must_use]
    pub fn translated_sender(&self) -> Option<IpAddr> {
        let asks = self.exchange.device_is_client()
            && matches!(self.habit, Habit::Conversation | Habit::OneWay)
            && self.first_request().is_some();
        if !asks {
            return None;
        }
        let seen = if self.other_pod_view().is_some() {
            self.client_at_pod()?
        } else {
            // What leaves for outside is masqueraded, and no pod gets it.
            let flow = &self.request_entry()?.flow;
            let asked = self.role_of(flow.original.destination.address);
            let leads_in = flow.is_destination_translated()
                || matches!(asked, Role::Vip | Role::Service | Role::Node | Role::Pod);
            leads_in.then(|| flow.translated_source().address)?
        };
        let is_cluster =
            matches!(self.role_of(seen), Role::Node | Role::Vip | Role::Service | Role::Unknown);
        (is_cluster && seen != self.exchange.client.address).then_some(seen)
    }

    /// Whether it is known that the cluster gave the request the source `seen`: the address is
    /// one of the cluster's, a table of its connection tracking says so, one host shows the
    /// request before and after, or a node's uplink still shows the device's own address. Else a
    /// gateway on the way there may have done it as well: sites and providers translate too
    /// (RFC 3022 section 2.2).
    #[must_use]
    pub fn is_translated_in_cluster(&self, seen: IpAddr) -> bool {
        let is_tracked = self.request_entry().is_some_and(|entry| {
            entry.flow.is_source_translated() && entry.flow.translated_source().address == seen
        });
        let pod = self.other_pod_view();
        let is_past_gateways = pod.is_some_and(|pod| self.is_on_a_node_before(pod));
        self.role_of(seen) != Role::Unknown || is_tracked || is_past_gateways
    }

    /// Whether the verdict's own view is taken on a node, so that what `pod` shows otherwise
    /// was changed behind whatever stands before the cluster. What is only taken for a node,
    /// by the addresses that are seen there, may be a place on the way to it.
    fn is_on_a_node_before(&self, pod: &View) -> bool {
        let own = self.view.point;
        if pod.point.capture == own.capture {
            return true;
        }
        let find = |id: PointId| self.points.iter().find(|point| point.id == id.as_captured());
        let Some(own) = find(own) else { return false };
        let is_uplink = self.view.kind == PointKind::Host && own.kind_is_stated;
        let stated_node = |point: &Point| point.node.clone().filter(|_| point.node_is_stated);
        let is_one_node = self.view.kind != PointKind::Device
            && stated_node(own)
                .is_some_and(|node| find(pod.point).and_then(stated_node) == Some(node));
        is_uplink || is_one_node
    }

    /// The pod's own endpoint behind a changed reply, where the pod's cable was
    /// captured too and the pod is the one that answered.
    #[must_use]
    pub fn pod_behind(&self, replies: &Replies) -> Option<(&'a View, &'a Replies)> {
        let mut pods = self.exchange.others().iter().filter(|view| view.kind == PointKind::Pod);
        let (pod, own) = pods.find_map(|pod| {
            let own = pod.replies.iter().find(|own| own.tally.first.is_some())?;
            Some((pod, own))
        })?;
        // The same source at both points is no translation: the pod is the client there.
        (own.source.address != replies.source.address).then_some((pod, own))
    }

    /// The address that the pod saw as its client, if the pod's side was captured.
    #[must_use]
    pub fn client_at_pod(&self) -> Option<IpAddr> {
        let client = self.exchange.client;
        let translated = self.exchange.translations.iter().find_map(|translation| {
            let (before, after) = (translation.before, translation.after);
            let changed = before.address != after.address;
            match (before == client, after == client) {
                (true, false) if changed => Some(after.address),
                // As the pod's view relates to the one nearest to the device.
                (false, true) if changed => Some(before.address),
                _ => None,
            }
        });
        if translated.is_some() {
            return translated;
        }
        let pod = self.exchange.pod_view()?;
        pod.steps.iter().find(|step| step.kind == StepKind::Request).map(|step| step.source)
    }
}
