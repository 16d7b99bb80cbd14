//! The case for which the product was made.

use std::collections::BTreeMap;
use uuid::Uuid;

use crate::model::capture::{CaptureFormat, Clock, PointKind};
use crate::model::endpoint::Endpoint;
use crate::model::finding::{Cause, Confidence, Remedy, Severity, Verdict};
use crate::model::packet::IcmpKind;
use crate::model::protocol::Protocol;
use crate::model::report::{
    Address, Capture, Device, DeviceExchange, DeviceFinding, FollowUpPart, FrameEvidence, IcmpPart,
    Quotes, ReplyPart, Report, RequestPart, Step, StepKind, Summary, Translation,
};
use crate::model::time::Timestamp;
use crate::model::topology::{FactSource, Role};

use super::ip;

const HOST: &str = "node3/eth0";
const POD: &str = "node3/cali928cc4cd898";

fn at(text: &str) -> Endpoint {
    text.parse::<std::net::SocketAddr>().unwrap().into()
}

/// A time of day, `hh:mm:ss.ffffff`.
fn clock(text: &str) -> Timestamp {
    format!("1970-01-01T{text}Z").parse::<jiff::Timestamp>().map_or(Timestamp::EPOCH, |time| {
        Timestamp::from_nanoseconds(i64::try_from(time.as_nanosecond()).unwrap())
    })
}

fn step(frame: u64, time: &str, kind: StepKind, flow: (&str, &str), summary: &str) -> Step {
    let (source, destination) = (at(flow.0), at(flow.1));
    let is_udp = kind != StepKind::IcmpError;
    Step {
        capture: HOST.to_owned(),
        frame,
        at: clock(time),
        kind,
        source: source.address,
        destination: destination.address,
        source_port: is_udp.then_some(source.port),
        destination_port: is_udp.then_some(destination.port),
        summary: summary.to_owned(),
        omitted_before: 0,
    }
}

fn evidence(frame: u64, time: &str, summary: &str) -> FrameEvidence {
    FrameEvidence { capture: HOST.to_owned(), frame, at: clock(time), summary: summary.to_owned() }
}

/// The case for which the product was made: one node, two devices, two families.
pub(crate) fn founding() -> Report {
    Report {
        id: Uuid::from_u128(0x0190_2f3e_7a10_7c3a_9d55_0000_0000_0001),
        title: "founding-incident.txt".to_owned(),
        created_at: Timestamp::from_seconds(1_732_000_000),
        verdict: Verdict::Broken,
        headline: "2000::65:119 asked the VIP 2000::65:21, was answered by the node 2000::65:13, \
                   and sent its data back to the VIP, where nothing listens."
            .to_owned(),
        summary: Summary {
            devices: 2,
            verdicts: BTreeMap::from([(Verdict::Broken, 1), (Verdict::Tolerated, 1)]),
        },
        captures: vec![
            capture(HOST, PointKind::Host, (17, 3), ("11:55:29.393598", "12:00:02.375775")),
            Capture {
                warnings: vec![
                    "line 88: '...' is not a tcpdump line; 1 line was skipped".to_owned(),
                ],
                ..capture(POD, PointKind::Pod, (17, 0), ("07:29:48.654684", "08:19:34.418414"))
            },
        ],
        addresses: addresses(),
        addresses_omitted: 0,
        devices_omitted: 0,
        devices: vec![failing_device(), working_device()],
    }
}

fn capture(name: &str, point: PointKind, packets: (u64, u64), times: (&str, &str)) -> Capture {
    Capture {
        name: name.to_owned(),
        format: CaptureFormat::TcpdumpText,
        point,
        node: Some("node3".to_owned()),
        interface: name.split_once('/').map(|(_, interface)| interface.to_owned()),
        link_types: vec!["EN10MB".to_owned()],
        clock: Clock::TimeOfDay,
        packets: packets.0,
        datagrams: packets.0 - packets.1,
        icmp_errors: packets.1,
        bytes: 0,
        first_packet_at: Some(clock(times.0)),
        last_packet_at: Some(clock(times.1)),
        clock_offset_us: None,
        clock_offset_error_us: None,
        continues: None,
        tunnels: Vec::new(),
        tracked_entries: 0,
        warnings: Vec::new(),
    }
}

fn addresses() -> Vec<Address> {
    let row = |address: &str, role, pod: Option<&str>, source, reason: &str| Address {
        address: ip(address),
        role,
        node: (role != Role::Device).then(|| "node3".to_owned()),
        pod: pod.map(str::to_owned),
        source,
        reason: reason.to_owned(),
    };
    let pod = Some("ss/tftpserver-dm-vmgtf");
    vec![
        row(
            "2000::65:21",
            Role::Vip,
            None,
            FactSource::IpAddr,
            "/128 and deprecated on eth0 beside 2000::65:13/64",
        ),
        row(
            "192.168.65.21",
            Role::Vip,
            None,
            FactSource::IpAddr,
            "/32 on eth0 beside 192.168.65.13/16",
        ),
        row(
            "2000::65:13",
            Role::Node,
            None,
            FactSource::IpAddr,
            "the widest prefix on eth0: 2000::65:13/64",
        ),
        row(
            "192.168.65.13",
            Role::Node,
            None,
            FactSource::IpAddr,
            "the widest prefix on eth0: 192.168.65.13/16",
        ),
        row(
            "177.177.135.16",
            Role::Pod,
            pod,
            FactSource::Kubernetes,
            "kubectl get pod lists it on node3",
        ),
        row(
            "fd00:177:177:0:7bf3:bb28:910a:873c",
            Role::Pod,
            None,
            FactSource::Packets,
            "the inner endpoint at the pod's interface cali928cc4cd898",
        ),
        row("2000::65:119", Role::Device, None, FactSource::Packets, "the TFTP client"),
        row("192.168.101.254", Role::Device, None, FactSource::Packets, "the TFTP client"),
    ]
}

fn failing_device() -> Device {
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

fn working_device() -> Device {
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
