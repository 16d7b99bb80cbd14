//! The case for which the product was made.

mod failing;
mod working;

use std::collections::BTreeMap;
use uuid::Uuid;

use self::failing::failing_device;
use self::working::working_device;
use super::ip;
use crate::model::capture::{CaptureFormat, Clock, PointKind};
use crate::model::endpoint::Endpoint;
use crate::model::finding::Verdict;
use crate::model::report::{Address, Capture, FrameEvidence, Report, Step, StepKind, Summary};
use crate::model::time::Timestamp;
use crate::model::topology::{FactSource, Role};

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
        name: None,
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
