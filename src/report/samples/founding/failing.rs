//! The device that keeps to the address it asked.

use super::{HOST, POD, at, clock, evidence, ip, step};
use crate::model::finding::{Cause, Confidence, Remedy, Severity, Verdict};
use crate::model::packet::IcmpKind;
use crate::model::protocol::Protocol;
use crate::model::report::{
    Device, DeviceExchange, DeviceFinding, FollowUpPart, IcmpPart, Quotes, ReplyPart, RequestPart,
    StepKind, Translation,
};

pub(super) fn failing_device() -> Device {
    let filter = "ipv6.addr == 2000::65:119 && (udp.port == 41226 || icmpv6)";
    Device {
        device: ip("2000::65:119"),
        name: None,
        addresses: vec![ip("2000::65:119")],
        verdict: Verdict::Broken,
        headline:
            "It asked the VIP 2000::65:21, was answered by the node 2000::65:13, and sent its \
                   data back to the VIP, where nothing listens."
                .to_owned(),
        device_rule: "the other side belongs to the cluster".to_owned(),
        findings: vec![
            follow_up_finding(filter),
            translated_finding(filter),
            unreachable_finding(filter),
        ],
        exchanges: vec![failing_exchange(filter), pod_exchange()],
        exchanges_omitted: 1,
        error_answers: 0,
    }
}

fn follow_up_finding(filter: &str) -> DeviceFinding {
    DeviceFinding {
        cause: Cause::FollowUpToRequestAddress,
        documentation: Cause::FollowUpToRequestAddress.documentation_path(),
        severity: Severity::Error,
        confidence: Confidence::Certain,
        title: "The device went on at the address it had asked, not at the one that answered".to_owned(),
        explanation: "The node 2000::65:13 answered on port 32991. The device sent its next packet to the \
                      VIP 2000::65:21 on that port. TFTP goes on at the address and port that answered (RFC 1350, \
                      section 4), so nothing listens there, and the node refused the packet three times."
            .to_owned(),
        evidence: vec![
            evidence(2, "11:55:29.401115", "node 2000::65:13:32991 answers 2000::65:119:41226, 35 bytes"),
            evidence(3, "11:55:29.405709", "2000::65:119:41226 → 2000::65:21:32991, 516 bytes"),
            evidence(4, "11:55:29.405745", "ICMPv6 port unreachable from 2000::65:21, quoting port 32991"),
        ],
        remedies: vec![
            Remedy {
                title: "Attach the kernel's TFTP helper to the VIP".to_owned(),
                steps: vec![
                    "The helper makes the answer leave with the VIP's address, for both families and without \
                     touching the device."
                        .to_owned(),
                    "Run this on node3, and on every node that can hold the VIP.".to_owned(),
                    "Delete the old connection tracking entries once, or wait 30 s.".to_owned(),
                ],
                commands: vec![
                    "modprobe -a nf_conntrack_tftp nf_nat_tftp".to_owned(),
                    "ip6tables -t raw -A PREROUTING -d 2000::65:21 -p udp --dport 69 -j CT --helper tftp".to_owned(),
                    "conntrack -D -f ipv6 -p udp --orig-src 2000::65:119".to_owned(),
                ],
            },
            Remedy {
                title: "Let the device answer who answered".to_owned(),
                steps: vec![
                    "Look for a setting on the device that fixes the server's address for the whole transfer.".to_owned(),
                ],
                commands: Vec::new(),
            },
        ],
        display_filter: filter.to_owned(),
    }
}

fn translated_finding(filter: &str) -> DeviceFinding {
    DeviceFinding {
        cause: Cause::ReplySourceTranslated,
        documentation: Cause::ReplySourceTranslated.documentation_path(),
        severity: Severity::Warning,
        confidence: Confidence::Certain,
        title: "The answer left with the node's address".to_owned(),
        explanation: "The pod answered from a new port. Connection tracking saw a new flow, and masquerading gave \
                      it the node's address 2000::65:13 instead of the VIP 2000::65:21."
            .to_owned(),
        evidence: vec![
            evidence(1, "11:55:29.393598", "WRQ \"startup_3346343382.cfg\" to 2000::65:21:69"),
            evidence(2, "11:55:29.401115", "the answer comes from 2000::65:13:32991"),
        ],
        remedies: vec![Remedy {
            title: "Keep the server on the host's network".to_owned(),
            steps: vec![
                "Run the TFTP server with hostNetwork, bound to the VIP, so that no translation happens.".to_owned(),
            ],
            commands: vec!["kubectl -n ss edit daemonset tftpserver-dm".to_owned()],
        }],
        display_filter: filter.to_owned(),
    }
}

fn unreachable_finding(filter: &str) -> DeviceFinding {
    DeviceFinding {
        cause: Cause::PortUnreachable,
        documentation: Cause::PortUnreachable.documentation_path(),
        severity: Severity::Error,
        confidence: Confidence::Certain,
        title: "The VIP refused the follow-up three times".to_owned(),
        explanation: "2000::65:21 sent 3 ICMPv6 errors. Each quotes the follow-up to port 32991."
            .to_owned(),
        evidence: vec![evidence(
            4,
            "11:55:29.405745",
            "ICMPv6 port unreachable from 2000::65:21, quoting port 32991",
        )],
        remedies: Vec::new(),
        display_filter: filter.to_owned(),
    }
}

fn failing_exchange(filter: &str) -> DeviceExchange {
    let (device, node) = ("[2000::65:119]:41226", "[2000::65:13]:32991");
    let (asked, stray) = ("[2000::65:21]:69", "[2000::65:21]:32991");
    let request = "WRQ \"startup_3346343382.cfg\"";
    let mut steps = vec![step(1, "11:55:29.393598", StepKind::Request, (device, asked), request)];
    let rounds = [
        (2, "11:55:29.401115", "11:55:29.405709", "11:55:29.405745"),
        (5, "11:55:32.404514", "11:55:32.406399", "11:55:32.406432"),
        (8, "11:55:35.407644", "11:55:35.409423", "11:55:35.409463"),
    ];
    for (frame, replied, followed, refused) in rounds {
        let error = "ICMP port unreachable: [2000::65:21]:32991";
        steps.push(step(frame, replied, StepKind::Reply, (node, device), "35 bytes"));
        steps.push(step(frame + 1, followed, StepKind::FollowUp, (device, stray), "516 bytes"));
        steps.push(step(frame + 2, refused, StepKind::IcmpError, (stray, device), error));
    }
    DeviceExchange {
        protocol: Protocol::Tftp,
        verdict: Verdict::Broken,
        captures: vec![HOST.to_owned()],
        first_packet_at: clock("11:55:29.393598"),
        last_packet_at: clock("11:55:35.409463"),
        client: at(device),
        client_unknown: false,
        request: Some(RequestPart {
            destination: at(asked),
            packets: 1,
            first: request.to_owned(),
        }),
        replies: vec![ReplyPart { source: at(node), packets: 3, bytes: 105 }],
        follow_ups: vec![FollowUpPart { destination: at(stray), packets: 3, bytes: 1_548 }],
        icmp_errors: vec![IcmpPart {
            kind: IcmpKind::PortUnreachable,
            from: ip("2000::65:21"),
            quotes: Quotes::FollowUp,
            quoted_destination: Some(at(stray)),
            packets: 3,
        }],
        error_answer: None,
        translations: Vec::new(),
        steps,
        steps_omitted: 0,
        display_filter: filter.to_owned(),
        community_id: Some("1:wCb3OG7yAFWelaUydu0D+125CLM=".to_owned()),
    }
}

fn pod_exchange() -> DeviceExchange {
    let (device, pod) = ("[2000::65:119]:41217", "[fd00:177:177:0:7bf3:bb28:910a:873c]:38680");
    let asked = "[fd00:177:177:0:7bf3:bb28:910a:873c]:69";
    let request = "WRQ \"running_3346210712.cfg\"";
    let mut steps = vec![step(8, "08:14:31.913637", StepKind::Request, (device, asked), request)];
    let replies = ["08:14:31.925400", "08:14:34.928820", "08:14:37.931610", "08:14:40.933541"];
    for (frame, time) in (9..).zip(replies) {
        steps.push(step(frame, time, StepKind::Reply, (pod, device), "35 bytes"));
    }
    for step in &mut steps {
        step.capture = POD.to_owned();
    }
    DeviceExchange {
        protocol: Protocol::Tftp,
        verdict: Verdict::Inconclusive,
        captures: vec![POD.to_owned()],
        first_packet_at: clock("08:14:31.913637"),
        last_packet_at: clock("08:14:40.933541"),
        client: at(device),
        client_unknown: false,
        request: Some(RequestPart {
            destination: at(asked),
            packets: 1,
            first: request.to_owned(),
        }),
        replies: vec![ReplyPart { source: at(pod), packets: 4, bytes: 140 }],
        follow_ups: Vec::new(),
        icmp_errors: Vec::new(),
        error_answer: None,
        translations: vec![Translation {
            between: "host@node3/eth0 → pod@node3/cali928cc4cd898".to_owned(),
            before: at("[2000::65:21]:69"),
            after: at(asked),
        }],
        steps,
        steps_omitted: 0,
        display_filter: "ipv6.addr == 2000::65:119 && (udp.port == 41217 || icmpv6)".to_owned(),
        community_id: None,
    }
}
