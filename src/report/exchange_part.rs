//! One exchange as the report tells it.

use super::community_id::community_id;
use super::filter::DisplayFilter;
use crate::model::capture::{CaptureId, FrameRef};
use crate::model::exchange::{Exchange, Point, PointId, View};
use crate::model::finding::Verdict;
use crate::model::parts::CaptureParts;
use crate::model::report::{
    Capture, DeviceExchange, FollowUpPart, IcmpPart, ReplyPart, RequestPart, Step, StepKind,
    Translation,
};

/// Names captures and points for the report.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    pub captures: &'a [Capture],
    pub parts: &'a CaptureParts,
    pub points: &'a [Point],
}

impl Names<'_> {
    /// The name of the capture that holds a frame, and its number there.
    pub fn frame(&self, frame: FrameRef) -> (String, u64) {
        let placed = self.parts.place(frame);
        (self.capture(placed.capture), placed.number)
    }

    fn capture(&self, id: CaptureId) -> String {
        usize::try_from(id.0)
            .ok()
            .and_then(|index| self.captures.get(index))
            .map(|capture| capture.name.clone())
            .unwrap_or_default()
    }

    /// Two points, or the one table that states a translation.
    fn between(&self, from: PointId, to: PointId) -> String {
        if from == to {
            return format!("{}, by connection tracking", self.capture(from.capture));
        }
        format!("{} → {}", self.point(from), self.point(to))
    }

    /// `host@node3/eth0`; the capture's name where nothing else is known.
    fn point(&self, id: PointId) -> String {
        let Some(point) = self.points.iter().find(|point| point.id == id) else {
            return self.capture(id.capture);
        };
        if point.node.is_none() && point.interface.is_none() {
            return format!("{} ({})", point.kind.as_token(), point.capture_name);
        }
        crate::model::capture::CapturePoint {
            kind: point.kind,
            node: point.node.clone(),
            interface: point.interface.clone(),
        }
        .to_string()
    }
}

/// The exchange as seen nearest to the device; ICMP errors from wherever they were seen.
pub fn exchange_part(exchange: &Exchange, verdict: Verdict, names: Names<'_>) -> DeviceExchange {
    let view = exchange.primary();
    let with_errors = exchange.views.iter().find(|view| !view.icmp_errors.is_empty());
    let mut captures: Vec<String> = Vec::new();
    for view in &exchange.views {
        let whole = view.steps.is_empty().then(|| names.capture(view.point.capture));
        for name in view.steps.iter().map(|step| names.frame(step.frame).0).chain(whole) {
            if !captures.contains(&name) {
                captures.push(name);
            }
        }
    }
    DeviceExchange {
        protocol: exchange.protocol,
        verdict,
        captures,
        first_packet_at: view.first_at,
        last_packet_at: view.last_at,
        client: exchange.client,
        client_unknown: exchange.client.is_unknown(),
        request: request_part(view),
        replies: view
            .replies
            .iter()
            .map(|replies| ReplyPart {
                source: replies.source,
                packets: replies.tally.packets,
                bytes: replies.tally.bytes,
            })
            .collect(),
        follow_ups: view
            .follow_ups
            .iter()
            .map(|follow_ups| FollowUpPart {
                destination: follow_ups.destination,
                packets: follow_ups.tally.packets,
                bytes: follow_ups.tally.bytes,
            })
            .collect(),
        icmp_errors: with_errors
            .map(|view| view.icmp_errors.as_slice())
            .unwrap_or_default()
            .iter()
            .map(|error| IcmpPart {
                kind: error.kind,
                from: error.from,
                quotes: error.quotes,
                quoted_destination: error.quoted_destination,
                packets: error.tally.packets,
            })
            .collect(),
        error_answer: view.error_answer.as_ref().map(|answer| answer.words.to_string()),
        translations: exchange
            .translations
            .iter()
            .map(|translation| Translation {
                between: names.between(translation.from, translation.to),
                before: translation.before,
                after: translation.after,
            })
            .collect(),
        steps: view.steps.iter().map(|step| step_part(step, names)).collect(),
        steps_omitted: view.steps_omitted,
        display_filter: DisplayFilter::of(exchange).render(),
        community_id: view
            .asked
            .filter(|_| !exchange.client.is_unknown())
            .map(|asked| community_id(exchange.protocol.transport(), exchange.client, asked)),
    }
}

fn request_part(view: &View) -> Option<RequestPart> {
    let destination = view.asked?;
    let first = view.steps.iter().find(|step| step.kind == StepKind::Request);
    Some(RequestPart {
        destination,
        packets: view.requests.packets,
        first: first.map(|step| step.said.to_string()).unwrap_or_default(),
    })
}

fn step_part(step: &crate::model::exchange::Step, names: Names<'_>) -> Step {
    let (capture, frame) = names.frame(step.frame);
    Step {
        capture,
        frame,
        at: step.frame.at,
        kind: step.kind,
        source: step.source,
        destination: step.destination,
        source_port: step.ports.map(|(source, _)| source),
        destination_port: step.ports.map(|(_, destination)| destination),
        summary: step.said.to_string(),
        omitted_before: step.omitted_before,
    }
}
