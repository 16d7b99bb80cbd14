//! The device that goes on with who answered.

use super::{HOST, at, clock, evidence, ip, step};
use crate::model::finding::{Cause, Confidence, Severity, Verdict};
use crate::model::protocol::Protocol;
use crate::model::report::{
    Device, DeviceExchange, DeviceFinding, FollowUpPart, ReplyPart, RequestPart, StepKind,
};

pub(super) fn working_device() -> Device {
    let filter = "ip.addr == 192.168.101.254 && (udp.port == 58631 || icmp)";
    let (device, asked, node) =
        ("192.168.101.254:58631", "192.168.65.21:69", "192.168.65.13:56284");
    let request = "WRQ \"running_3346346022.cfg\"";
    let mut steps = vec![step(11, "12:00:02.333324", StepKind::Request, (device, asked), request)];
    let rest = [
        ("12:00:02.350499", StepKind::Reply, "35 bytes"),
        ("12:00:02.373403", StepKind::FollowUp, "516 bytes"),
        ("12:00:02.373603", StepKind::Reply, "4 bytes"),
        ("12:00:02.374613", StepKind::FollowUp, "516 bytes"),
        ("12:00:02.374724", StepKind::Reply, "4 bytes"),
        ("12:00:02.375775", StepKind::FollowUp, "516 bytes"),
    ];
    for (frame, (time, kind, summary)) in (14..).zip(rest) {
        let flow = if kind == StepKind::Reply { (node, device) } else { (device, node) };
        steps.push(step(frame, time, kind, flow, summary));
    }
    Device {
        device: ip("192.168.101.254"),
        name: Some("access-switch-7".to_owned()),
        addresses: vec![ip("192.168.101.254")],
        verdict: Verdict::Tolerated,
        headline: "It asked the VIP 192.168.65.21 and was answered by the node 192.168.65.13; it went on with the node."
            .to_owned(),
        device_rule: "the other side belongs to the cluster".to_owned(),
        findings: vec![DeviceFinding {
            cause: Cause::ReplySourceTranslated,
            documentation: Cause::ReplySourceTranslated.documentation_path(),
            severity: Severity::Info,
            confidence: Confidence::Certain,
            title: "The answer left with the node's address".to_owned(),
            explanation: "This device accepts that, as TFTP allows. Another may not.".to_owned(),
            evidence: vec![evidence(14, "12:00:02.350499", "the answer comes from 192.168.65.13:56284")],
            remedies: Vec::new(),
            display_filter: filter.to_owned(),
        }],
        exchanges: vec![DeviceExchange {
            protocol: Protocol::Tftp,
            verdict: Verdict::Tolerated,
            captures: vec![HOST.to_owned()],
            first_packet_at: clock("12:00:02.333324"),
            last_packet_at: clock("12:00:02.375775"),
            client: at(device),
            client_unknown: false,
            request: Some(RequestPart { destination: at(asked), packets: 1, first: request.to_owned() }),
            replies: vec![ReplyPart { source: at(node), packets: 3, bytes: 43 }],
            follow_ups: vec![FollowUpPart { destination: at(node), packets: 3, bytes: 1_548 }],
            icmp_errors: Vec::new(),
            error_answer: None,
        translations: Vec::new(),
            steps,
            steps_omitted: 0,
            display_filter: filter.to_owned(),
            community_id: None,
        }],
        exchanges_omitted: 0,
        error_answers: 0,
    }
}
