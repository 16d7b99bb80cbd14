//! The packets of an exchange that are kept to be shown, in few bytes each.

use super::count::Mark;
use crate::model::capture::CaptureId;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{Said, Step};
use crate::model::packet::TftpMessage;
use crate::model::report::StepKind;

/// Steps in order of appearance.
#[derive(Debug, Default)]
pub struct Steps {
    steps: Vec<Kept>,
    /// Who they are from and to; two or three in nearly every exchange.
    parties: Vec<Endpoint>,
}

/// One step.
#[derive(Debug)]
struct Kept {
    frame: Mark,
    kind: StepKind,
    has_ports: bool,
    /// Positions in `parties`.
    source: u8,
    destination: u8,
    said: KeptSaid,
}

/// What is said most, and all else.
#[derive(Debug)]
enum KeptSaid {
    /// Nothing: so many packets are left out before the next step.
    Gap {
        packets: u32,
    },
    Data {
        block: u16,
        length: u32,
    },
    Ack {
        block: u16,
    },
    OptionAck,
    Datagram {
        length: u32,
    },
    Other(Box<Said>),
}

impl Steps {
    /// Steps, without the gaps between them.
    pub fn len(&self) -> usize {
        self.steps.iter().filter(|kept| kept.gap().is_none()).count()
    }

    /// Adds a step of the table's own capture, of which `omitted` packets in all
    /// are left out before it.
    pub fn push_after(&mut self, step: Step, omitted: u64) {
        let told: u64 = self.steps.iter().filter_map(Kept::gap).map(u64::from).sum();
        let gap = u32::try_from(omitted.saturating_sub(told)).unwrap_or(u32::MAX);
        if gap > 0 {
            self.steps.push(Kept {
                frame: Mark::new(step.frame),
                kind: step.kind,
                has_ports: false,
                source: 0,
                destination: 0,
                said: KeptSaid::Gap { packets: gap },
            });
        }
        self.push(step);
    }

    /// Whether the first step is a TFTP write request.
    pub fn begin_with_upload(&self) -> bool {
        self.steps.first().is_some_and(|kept| match &kept.said {
            KeptSaid::Other(said) => matches!(**said, Said::Tftp(TftpMessage::WriteRequest(_))),
            _ => false,
        })
    }

    /// Whether the server sent a whole file in its first block (RFC 1350 section 6).
    pub fn tell_of_one_block(&self) -> bool {
        self.steps.iter().any(|kept| {
            kept.kind == StepKind::Reply
                && matches!(kept.said, KeptSaid::Data { block: 1, length } if length < 512)
        })
    }

    /// Adds a step of the table's own capture.
    pub fn push(&mut self, step: Step) {
        let (source_port, destination_port) = step.ports.unwrap_or_default();
        let source = self.place(Endpoint::new(step.source, source_port));
        let destination = self.place(Endpoint::new(step.destination, destination_port));
        // More parties than steps allow; a step of nobody would be worse than none.
        let (Some(source), Some(destination)) = (source, destination) else { return };
        self.steps.push(Kept {
            frame: Mark::new(step.frame),
            kind: step.kind,
            has_ports: step.ports.is_some(),
            source,
            destination,
            said: KeptSaid::from(step.said),
        });
    }

    /// The steps as they were, of a table of `capture`.
    pub fn to_vec(&self, capture: CaptureId) -> Vec<Step> {
        let mut omitted_before = 0;
        let mut steps = Vec::with_capacity(self.steps.len());
        for kept in &self.steps {
            if let Some(packets) = kept.gap() {
                omitted_before = u64::from(packets);
            } else if let Some(step) = self.step(kept, capture) {
                steps.push(Step { omitted_before, ..step });
                omitted_before = 0;
            }
        }
        steps
    }

    /// Makes steps of one kind steps of another.
    pub fn rename(&mut self, from: StepKind, to: StepKind) {
        for kept in self.steps.iter_mut().filter(|kept| kept.kind == from) {
            kept.kind = to;
        }
    }

    /// Keeps these instead, in the order of their frames.
    pub fn replace(&mut self, mut steps: Vec<Step>) {
        steps.sort_by_key(|step| step.frame.number);
        *self = Self::default();
        let mut omitted = 0;
        for step in steps {
            omitted += step.omitted_before;
            self.push_after(step, omitted);
        }
    }

    fn place(&mut self, party: Endpoint) -> Option<u8> {
        let known = self.parties.iter().position(|known| *known == party);
        let place = known.unwrap_or_else(|| {
            if self.parties.is_empty() {
                // The client, whom it asked, and who answered: few have more.
                self.parties.reserve_exact(3);
            }
            self.parties.push(party);
            self.parties.len() - 1
        });
        u8::try_from(place).ok()
    }

    fn step(&self, kept: &Kept, capture: CaptureId) -> Option<Step> {
        let source = self.parties.get(usize::from(kept.source))?;
        let destination = self.parties.get(usize::from(kept.destination))?;
        Some(Step {
            frame: kept.frame.frame(capture),
            kind: kept.kind,
            source: source.address,
            destination: destination.address,
            ports: kept.has_ports.then_some((source.port, destination.port)),
            said: kept.said.said()?,
            omitted_before: 0,
        })
    }
}

impl Kept {
    const fn gap(&self) -> Option<u32> {
        if let KeptSaid::Gap { packets } = self.said { Some(packets) } else { None }
    }
}

impl From<Said> for KeptSaid {
    fn from(said: Said) -> Self {
        match said {
            Said::Tftp(TftpMessage::Data { block, length }) => Self::Data { block, length },
            Said::Tftp(TftpMessage::Ack { block }) => Self::Ack { block },
            Said::Tftp(TftpMessage::OptionAck) => Self::OptionAck,
            Said::Datagram { length } => Self::Datagram { length },
            other => Self::Other(Box::new(other)),
        }
    }
}

impl KeptSaid {
    /// `None` for a gap.
    fn said(&self) -> Option<Said> {
        Some(match self {
            Self::Gap { .. } => return None,
            Self::Data { block, length } => {
                Said::Tftp(TftpMessage::Data { block: *block, length: *length })
            }
            Self::Ack { block } => Said::Tftp(TftpMessage::Ack { block: *block }),
            Self::OptionAck => Said::Tftp(TftpMessage::OptionAck),
            Self::Datagram { length } => Said::Datagram { length: *length },
            Self::Other(said) => Said::clone(said),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::model::capture::FrameRef;
    use crate::model::packet::{IcmpKind, TftpRequest};
    use crate::model::protocol::Protocol;
    use crate::model::time::Timestamp;

    #[test]
    fn steps_come_back_as_they_were() {
        let capture = CaptureId(3);
        let addresses = [["192.0.2.1", "198.51.100.7"], ["2001:db8::1", "2001:db8::7"]];
        for [client, server] in
            addresses.map(|pair| pair.map(|text| text.parse::<IpAddr>().unwrap()))
        {
            let request = TftpRequest { file: "startup.cfg".to_owned(), ..TftpRequest::default() };
            let said = [
                Said::Tftp(TftpMessage::WriteRequest(Box::new(request))),
                Said::Tftp(TftpMessage::OptionAck),
                Said::Tftp(TftpMessage::Data { block: 1, length: 512 }),
                Said::Tftp(TftpMessage::Ack { block: 1 }),
                Said::Tftp(TftpMessage::Error { code: 3, message: "Disk full".into() }),
                Said::Datagram { length: 70_000 },
                Said::Message { protocol: Protocol::Dns, label: "query A" },
                Said::Icmp {
                    kind: IcmpKind::PortUnreachable,
                    quoted_destination: Some(Endpoint::new(server, 69)),
                },
            ];
            let steps: Vec<Step> = (1_u16..)
                .zip(said)
                .map(|(number, said)| Step {
                    frame: FrameRef {
                        capture,
                        number: number.into(),
                        at: Timestamp::from_seconds(number.into()),
                    },
                    kind: if number % 2 == 1 { StepKind::Request } else { StepKind::Reply },
                    source: if number % 2 == 1 { client } else { server },
                    destination: if number % 2 == 1 { server } else { client },
                    ports: (number < 8).then_some((number, 69)),
                    said,
                    omitted_before: if number == 5 || number == 7 { 3 } else { 0 },
                })
                .collect();
            let mut kept = Steps::default();
            let mut omitted = 0;
            for step in &steps {
                omitted += step.omitted_before;
                kept.push_after(step.clone(), omitted);
            }
            assert_eq!(kept.len(), steps.len());
            assert_eq!(kept.to_vec(capture), steps);
        }
    }

    #[test]
    fn a_step_stays_small() {
        assert!(size_of::<Kept>() <= 32, "{} bytes", size_of::<Kept>());
    }
}
