//! One client socket's conversation, as a pure function from step to packet.

use std::net::SocketAddr;

use crate::network;
use crate::payload::{self, Snmp};
use crate::random::draw_below;

const MS: u64 = 1_000_000;
/// How long senders wait before they repeat.
const PATIENCE: u64 = 3_000 * MS;

/// What a dialogue is about. The last three are the asymmetric ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    TftpWrite,
    TftpRead,
    SnmpPoll,
    SnmpTrap,
    SnmpInform,
    Dns,
    /// An answer in two IPv4 fragments.
    DnsFragmented,
    Syslog,
    Netflow,
    Ntp,
    /// A port on which nobody listens: ICMP.
    ClosedPort,
    /// The node answers, the device goes on at the VIP: it breaks.
    FollowUpToVip,
    /// The node answers, the device goes on there: it works.
    NodeAnswers,
    /// The node answers, the device does not hear it and asks again.
    ReplyIgnored,
}

/// How large the messages are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    Usual,
    Small,
}

/// A dialogue before its first packet.
#[derive(Debug, Clone, Copy)]
pub struct Dialogue {
    pub script: Script,
    pub device: u64,
    /// Counted over all dialogues.
    pub number: u64,
    /// Counted within the device: makes its client port.
    pub round: u64,
    pub size: Size,
    pub seed: u64,
}

/// One packet of a dialogue.
pub struct Step {
    pub source: SocketAddr,
    pub destination: SocketAddr,
    pub payload: Vec<u8>,
    pub kind: StepKind,
    /// Nanoseconds until the next step; `None` after the last.
    pub next_ns: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepKind {
    Datagram,
    /// An ICMP error about the datagram, from its destination.
    Unreachable,
}

impl Dialogue {
    /// The packet at `step`, counted from 0; there is one until a step says
    /// that it is the last.
    pub fn step(&self, step: u64) -> Step {
        let is_v6 = network::is_v6(self.device);
        let client_port = 10_000 + (self.round % 50_000) as u16;
        let device = SocketAddr::new(network::device(self.device), client_port);
        let vip = |port| SocketAddr::new(network::vip(is_v6), port);
        let node = |port| SocketAddr::new(network::node(is_v6), port);
        let tid = 32_768 + self.below(1, 28_000) as u16;
        let soon = MS + self.below(100 + step, 2 * MS);
        let identity = (self.number & 0xffff_ffff) as u32 + (step / 2) as u32;
        let (is_answer, rounds) = (step % 2 == 1, 1 + self.below(2, 4));
        let next_round = |gap| {
            if is_answer { (step / 2 + 1 < rounds).then_some(gap) } else { Some(soon) }
        };
        let host = format!("host{}", self.number % 1_000_000);
        let to_server = |port, payload, next_ns| Step {
            source: device,
            destination: vip(port),
            payload,
            kind: StepKind::Datagram,
            next_ns,
        };
        let answered = |server, payload, next_ns| {
            let (source, destination) = if is_answer { (server, device) } else { (device, server) };
            Step { source, destination, payload, kind: StepKind::Datagram, next_ns }
        };
        match self.script {
            Script::TftpWrite => self.tftp(step, device, vip(69), vip(tid), Transfer::Write),
            Script::TftpRead => self.tftp(step, device, vip(69), vip(tid), Transfer::Read),
            Script::NodeAnswers => self.tftp(step, device, vip(69), node(tid), Transfer::Write),
            Script::FollowUpToVip => self.broken_tftp(step, device, tid),
            Script::SnmpPoll => {
                let pod = network::poller(is_v6, self.number);
                let pod = SocketAddr::new(pod, 10_000 + (self.number / 64 % 50_000) as u16);
                let agent = SocketAddr::new(device.ip(), 161);
                let (source, destination) = if is_answer { (agent, pod) } else { (pod, agent) };
                let payload = if is_answer {
                    payload::snmp(Snmp::Response, identity, self.length(60, 1_200))
                } else {
                    payload::snmp(Snmp::Get, identity, 0)
                };
                let kind = StepKind::Datagram;
                Step { source, destination, payload, kind, next_ns: next_round(20 * MS) }
            }
            Script::SnmpInform => {
                let kind = if is_answer { Snmp::Response } else { Snmp::Inform };
                let payload = payload::snmp(kind, identity, self.length(20, 200));
                answered(vip(162), payload, next_round(200 * MS))
            }
            Script::SnmpTrap => {
                to_server(162, payload::snmp(Snmp::Trap, identity, self.length(50, 350)), None)
            }
            Script::Dns | Script::DnsFragmented => {
                let length = match self.script {
                    Script::DnsFragmented if !is_v6 => 2_400,
                    _ => self.length(1, 400),
                };
                let payload = payload::dns(identity as u16, &host, is_answer.then_some(length));
                answered(vip(53), payload, next_round(3 * MS))
            }
            Script::ReplyIgnored => {
                let answer = is_answer.then_some(20);
                let payload = payload::dns(self.number as u16, &host, answer);
                let server = if is_answer { node(53) } else { vip(53) };
                let gap = if is_answer { PATIENCE } else { soon };
                answered(server, payload, (step < 5).then_some(gap))
            }
            Script::Syslog => {
                let gap = (step < 4 * rounds).then_some(50 * MS);
                to_server(514, payload::syslog(self.length(60, 360)), gap)
            }
            Script::Netflow => {
                let gap = (step < 2 * rounds).then_some(100 * MS);
                to_server(2055, payload::netflow(self.length(1_300, 100)), gap)
            }
            Script::Ntp => {
                let payload = payload::ntp(self.below(3, u64::MAX), is_answer);
                answered(vip(123), payload, (!is_answer).then_some(soon))
            }
            Script::ClosedPort => {
                let next_ns = (!is_answer).then_some(MS / 10);
                let kind = if is_answer { StepKind::Unreachable } else { StepKind::Datagram };
                let payload = b"is anybody there?".to_vec();
                Step { source: device, destination: vip(9_999), payload, kind, next_ns }
            }
        }
    }

    /// A transfer from its request to its last block, asked at `asked` and
    /// served from `server`.
    fn tftp(
        &self,
        step: u64,
        device: SocketAddr,
        asked: SocketAddr,
        server: SocketAddr,
        transfer: Transfer,
    ) -> Step {
        let soon = MS + self.below(100 + step, 2 * MS);
        let blocks = 1 + self.below(2, 12);
        let file = format!("device{}.cfg", self.device);
        // A write begins with block 1, a read with the acknowledgement of the options.
        let block = step / 2;
        let is_from_device = step.is_multiple_of(2);
        let sends_data = is_from_device == (transfer == Transfer::Write);
        let payload = match (step, transfer) {
            (0, Transfer::Write) => payload::tftp_request(2, &file),
            (0, Transfer::Read) => payload::tftp_request(1, &file),
            (1, _) => payload::tftp_options(),
            _ if sends_data => {
                let length = match self.size {
                    Size::Small => 16,
                    Size::Usual if block < blocks => 1_400,
                    Size::Usual => 700,
                };
                payload::tftp_block(block as u16, length)
            }
            (_, Transfer::Write) => payload::tftp_acknowledgement(block as u16),
            (_, Transfer::Read) => payload::tftp_acknowledgement(block as u16 - 1),
        };
        let destination = if step == 0 { asked } else { server };
        let (source, destination) =
            if is_from_device { (device, destination) } else { (server, device) };
        let end = match transfer {
            Transfer::Write => 2 * blocks + 1,
            Transfer::Read => 2 * blocks + 2,
        };
        let next_ns = (step < end).then_some(soon);
        Step { source, destination, payload, kind: StepKind::Datagram, next_ns }
    }

    /// The founding case: the node answers, the device writes to the VIP.
    fn broken_tftp(&self, step: u64, device: SocketAddr, tid: u16) -> Step {
        let is_v6 = device.is_ipv6();
        let vip = SocketAddr::new(network::vip(is_v6), tid);
        let node = SocketAddr::new(network::node(is_v6), tid);
        let first = |next_ns| Step {
            source: device,
            destination: SocketAddr::new(vip.ip(), 69),
            payload: payload::tftp_request(2, &format!("device{}.cfg", self.device)),
            kind: StepKind::Datagram,
            next_ns,
        };
        let block = |kind, next_ns| Step {
            source: device,
            destination: vip,
            payload: payload::tftp_block(1, if self.size == Size::Small { 16 } else { 1_400 }),
            kind,
            next_ns,
        };
        match step {
            0 => first(Some(MS)),
            2 => block(StepKind::Datagram, Some(MS / 10)),
            3 => block(StepKind::Unreachable, Some(PATIENCE)),
            _ => Step {
                source: node,
                destination: device,
                payload: payload::tftp_options(),
                kind: StepKind::Datagram,
                next_ns: match step {
                    1 => Some(MS),
                    2..7 => Some(PATIENCE),
                    _ => None,
                },
            },
        }
    }

    fn length(&self, least: u64, more: u64) -> usize {
        match self.size {
            Size::Small => 8,
            Size::Usual => (least + self.below(4, more)) as usize,
        }
    }

    fn below(&self, purpose: u64, bound: u64) -> u64 {
        draw_below(self.seed, self.number, purpose, bound)
    }
}

/// Which way the blocks of a TFTP transfer go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transfer {
    Write,
    Read,
}
