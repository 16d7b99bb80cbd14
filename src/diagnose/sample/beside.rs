//! Samples that stand beside others in one analysis, and what points saw.

use std::net::IpAddr;
use std::time::Duration;

use super::{POD, START, Sample};
use crate::model::capture::{CaptureId, FrameRef, PointKind};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::Novelty;
use crate::model::exchange::Said;
use crate::model::packet::{TftpMessage, TftpRequest};
use crate::model::time::Timestamp;
use crate::model::topology::DeviceEntry;

impl Sample {
    /// Another exchange of the same analysis.
    pub fn beside(mut self, other: Self) -> Self {
        self.beside.push(other.exchange);
        self.beside.extend(other.beside);
        for (address, role) in other.roles {
            self.roles.entry(address).or_insert(role);
        }
        self
    }

    /// The client uses another port, in all views.
    pub fn with_port(self, port: u16) -> Self {
        let address = self.exchange.client.address;
        self.with_client(address, port)
    }

    /// The client is another socket.
    pub fn with_client(mut self, address: IpAddr, port: u16) -> Self {
        let device_is_client = self.exchange.device_is_client();
        self.exchange.client = Endpoint::new(address, port);
        if device_is_client {
            self.exchange.device = address;
        }
        for step in self.exchange.views.iter_mut().flat_map(|view| &mut view.steps) {
            let server_port = step.ports.map_or(0, |(_, server)| server);
            step.source = address;
            step.ports = Some((port, server_port));
        }
        self
    }

    /// Moves the start by whole seconds; the sample has only its request yet.
    pub fn begins_at(mut self, seconds: u64) -> Self {
        let by = Duration::from_secs(seconds);
        self.now = self.now + by;
        let view = self.primary();
        view.first_at = view.first_at + by;
        let tallies = [&mut view.requests, &mut view.unanswered];
        let frames = tallies.into_iter().flat_map(|tally| [&mut tally.first, &mut tally.last]);
        for frame in frames.flatten() {
            frame.at = frame.at + by;
        }
        self
    }

    /// The pod's cable was captured from and until these seconds after the start.
    pub fn pod_runs(mut self, observed: Option<(i64, i64)>) -> Self {
        self.pod_is_captured = true;
        self.pod_observed = observed.map(seconds_after_start);
        self
    }

    /// The uplink was captured so.
    pub fn host_runs(mut self, observed: Option<(i64, i64)>) -> Self {
        self.pod_is_captured = true;
        self.host_observed = observed.map(seconds_after_start);
        self
    }

    /// The pod's view by a clock that is ahead.
    pub fn pod_clock(mut self, seconds_ahead: u64) -> Self {
        let view = &mut self.exchange.views[1];
        view.first_at = view.first_at + Duration::from_secs(seconds_ahead);
        self
    }

    /// Only the pod's cable shows the exchange.
    pub fn only_at_pod(mut self) -> Self {
        let pod = self.family.pod();
        let device_is_client = self.exchange.device_is_client();
        let view = self.primary();
        (view.point, view.kind) = (POD, PointKind::Pod);
        if device_is_client {
            view.asked = view.asked.map(|asked| Endpoint::new(pod, asked.port));
        }
        self
    }

    /// The pod, behind the uplink, is asked or asks; it does not speak yet.
    pub fn pod_is_asked(mut self) -> Self {
        let requests = self.primary().requests;
        let side = self.pod_side();
        side.requests = requests;
        for frame in [&mut side.requests.first, &mut side.requests.last].into_iter().flatten() {
            frame.capture = CaptureId(1);
        }
        self
    }

    /// The same for a pod that polls.
    pub fn pod_asks(self) -> Self {
        self.pod_is_asked()
    }

    /// The polling pod repeats its request, a second apart.
    pub fn pod_asks_again(mut self, repeats: u64) -> Self {
        for _ in 0..repeats {
            self.now = self.now + Duration::from_secs(1);
            let at = self.now;
            let side = self.pod_side();
            side.observed_until = at;
            let number = side.requests.packets + 10;
            let frame = FrameRef { capture: CaptureId(1), number, at };
            side.requests.count(frame, 30, Novelty::Repeat);
        }
        self
    }

    /// The pod repeats its reply, a second apart.
    pub fn pod_repeats(mut self, repeats: u64) -> Self {
        let mut at = self.now;
        for number in 0..repeats {
            at = at + Duration::from_secs(1);
            let frame = FrameRef { capture: CaptureId(1), number: 20 + number, at };
            let replies = self.pod_side().replies.last_mut().unwrap();
            replies.tally.count(frame, 35, Novelty::Repeat);
        }
        self
    }

    /// The uplink's follow-ups, translated, at the pod's cable.
    pub fn pod_gets_follow_ups(mut self) -> Self {
        let follow_ups = self.primary().follow_ups.clone();
        self.pod_side().follow_ups = follow_ups;
        self
    }

    /// A packet to the client's socket that opens an exchange of its own.
    pub fn asks_the_client(mut self) -> Self {
        let client = Endpoint::new(self.family.device(), 41_226);
        self.exchange.client = Endpoint::new(self.family.node(), 40_001);
        self.primary().asked = Some(client);
        self
    }

    /// A device list joins the addresses of both families.
    pub fn listed(mut self) -> Self {
        let addresses = super::Family::BOTH.map(super::Family::device).to_vec();
        self.devices = vec![DeviceEntry { name: "switch-7".to_owned(), addresses }];
        self
    }

    /// What the first request asks to write.
    pub fn writes(mut self, file: &str) -> Self {
        let request = TftpRequest { file: file.to_owned(), ..TftpRequest::default() };
        let message = TftpMessage::WriteRequest(Box::new(request));
        self.primary().steps[0].said = Said::Tftp(message);
        self
    }
}

fn seconds_after_start((from, until): (i64, i64)) -> (Timestamp, Timestamp) {
    let at = |seconds: i64| {
        Timestamp::from_nanoseconds(START.as_nanoseconds() + seconds * 1_000_000_000)
    };
    (at(from), at(until))
}
