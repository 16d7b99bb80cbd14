//! What a second capture at the pod's cable shows.

use std::net::IpAddr;

use super::{HOST, POD, Sample, view};
use crate::model::capture::{CaptureId, FrameRef, PointKind};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{
    AddressTranslation, IcmpErrors, Novelty, Origin, Replies, Said, Step, Tally, View,
};
use crate::model::packet::IcmpKind;
use crate::model::report::{Quotes, StepKind};

impl Sample {
    pub(super) fn pod_side(&mut self) -> &mut View {
        let (pod, first_at) = (self.family.pod(), self.exchange.views[0].first_at);
        if self.exchange.views.len() == 1 {
            // The pod asks whom it asks; what it is asked was translated.
            let asked = self.exchange.views[0].asked;
            let asked = if self.exchange.device_is_client() {
                asked.map(|asked| Endpoint::new(pod, asked.port))
            } else {
                asked
            };
            self.exchange.views.push(view(POD, PointKind::Pod, asked, first_at));
        }
        &mut self.exchange.views[1]
    }

    /// The pod's cable was captured too, and the pod answered there.
    pub fn pod_answers(mut self) -> Self {
        let (pod, client) = (self.family.pod(), self.exchange.client);
        let frame = FrameRef { capture: CaptureId(1), number: 2, at: self.now };
        let mut tally = Tally::NONE;
        tally.count(frame, 35, Novelty::New);
        let source = Endpoint::new(pod, 40_001);
        let side = self.pod_side();
        side.requests.count(FrameRef { number: 1, ..frame }, 30, Novelty::New);
        let origin = Origin::Asked;
        side.replies.push(Replies { source, origin, tally, awaits_follow_up: true });
        side.steps.push(Step {
            frame: FrameRef { number: 1, ..frame },
            kind: StepKind::Request,
            source: client.address,
            destination: pod,
            ports: Some((client.port, 69)),
            said: Said::Datagram { length: 30 },
            omitted_before: 0,
        });
        self
    }

    /// The pod's cable shows the replies as the uplink does: the pod is the client.
    pub fn same_at_pod(mut self) -> Self {
        let replies = self.primary().replies.clone();
        self.pod_side().replies = replies;
        self
    }

    /// The request was translated so that the pod saw the node as its client.
    pub fn pod_sees_node(mut self) -> Self {
        let before = self.exchange.client;
        let after = Endpoint::new(self.family.node(), 1_024);
        self.exchange.translations.push(AddressTranslation { from: HOST, to: POD, before, after });
        self
    }

    pub fn icmp_at_pod(mut self, kind: IcmpKind, from: IpAddr, packets: u64) -> Self {
        let at = self.now;
        let quoted_destination = Some(self.exchange.client);
        let mut tally = Tally::NONE;
        for number in 1..=packets {
            let frame = FrameRef { capture: CaptureId(1), number, at };
            tally.count(frame, 0, Novelty::New);
        }
        let quotes = Quotes::Reply;
        let errors = IcmpErrors { kind, from, quotes, quoted_destination, tunnel: None, tally };
        self.pod_side().icmp_errors.push(errors);
        self
    }
}
