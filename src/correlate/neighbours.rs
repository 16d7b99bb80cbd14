//! Neighbours that are asked for at one capture point, until they show up.

use std::net::IpAddr;
use std::time::Duration;

use hashbrown::HashMap;
use smallvec::{SmallVec, smallvec};

use crate::model::capture::FrameRef;
use crate::model::neighbour::{NeighbourMessage, Unresolved};
use crate::model::time::Timestamp;

/// Addresses asked for at once. A scan of a network asks for more, once each.
const MAX_ADDRESSES: usize = 4_096;
/// Hosts told apart that ask for one address.
const MAX_ASKERS: usize = 4;
/// Hosts ask again after a second (RFC 4861 section 10, Linux' `retrans_time_ms`);
/// what comes sooner is a copy.
const NEXT_TRY: Duration = Duration::from_millis(200);
/// Asked once and not again for so long: given up, or part of a scan.
const GIVEN_UP: Duration = Duration::from_secs(10);
/// Room is looked for this seldom, by packet time.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// Who is asked for and has not shown up.
#[derive(Debug, Default)]
pub struct Neighbours {
    questions: HashMap<IpAddr, SmallVec<[Unresolved; 1]>>,
    swept_at: Option<Timestamp>,
    observed: Option<(Timestamp, Timestamp)>,
}

impl Neighbours {
    /// Takes a message that this point saw.
    pub fn take(&mut self, message: NeighbourMessage, frame: FrameRef) {
        let (first, last) = self.observed.get_or_insert((frame.at, frame.at));
        *first = (*first).min(frame.at);
        *last = (*last).max(frame.at);
        match message {
            NeighbourMessage::Answer { address } => {
                self.questions.remove(&address);
            }
            NeighbourMessage::Question { asker, wanted } => {
                // Who asks is there.
                self.questions.remove(&asker);
                self.ask(asker, wanted, frame);
            }
        }
    }

    /// The first and the last message.
    pub fn observed(&self) -> Option<(Timestamp, Timestamp)> {
        self.observed
    }

    /// All that are still waited for, by address and asker.
    pub fn unresolved(&self) -> Vec<Unresolved> {
        let mut all: Vec<Unresolved> = self.questions.values().flatten().copied().collect();
        all.sort_unstable_by_key(|unresolved| (unresolved.address, unresolved.asker));
        all
    }

    fn ask(&mut self, asker: IpAddr, address: IpAddr, frame: FrameRef) {
        let question = Unresolved { address, asker, tries: 1, first: frame, last: frame };
        if let Some(known) = self.questions.get_mut(&address) {
            match known.iter().position(|known| known.asker == asker) {
                Some(position) if frame.at.since(known[position].last.at) >= NEXT_TRY => {
                    known[position].tries += 1;
                    known[position].last = frame;
                }
                None if known.len() < MAX_ASKERS => known.push(question),
                Some(_) | None => {}
            }
            return;
        }
        if self.questions.len() >= MAX_ADDRESSES {
            self.sweep(frame.at);
        }
        if self.questions.len() < MAX_ADDRESSES {
            self.questions.insert(address, smallvec![question]);
        }
    }

    /// Forgets who was asked for once, some time ago.
    fn sweep(&mut self, now: Timestamp) {
        if self.swept_at.is_some_and(|swept| now.since(swept) < SWEEP_EVERY) {
            return;
        }
        self.swept_at = Some(now);
        self.questions.retain(|_, known| {
            known.iter().any(|known| known.tries > 1 || now.since(known.last.at) < GIVEN_UP)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::capture::CaptureId;

    fn frame(number: u64, at_ms: i64) -> FrameRef {
        let at = Timestamp::from_nanoseconds(at_ms * 1_000_000);
        FrameRef { capture: CaptureId(0), number, at }
    }

    fn families() -> [(IpAddr, IpAddr, IpAddr); 2] {
        [("192.0.2.4", "192.0.2.77", "192.0.2.9"), ("2001:db8::4", "2001:db8::77", "2001:db8::9")]
            .map(|(one, two, three)| {
                (one.parse().unwrap(), two.parse().unwrap(), three.parse().unwrap())
            })
    }

    #[test]
    fn who_shows_up_is_no_longer_waited_for() {
        for (node, device, other) in families() {
            let question = |asker, wanted| NeighbourMessage::Question { asker, wanted };
            let ask = question(node, device);
            let cases = [
                ("asked three times", vec![(ask, 0), (ask, 1_000), (ask, 2_000)], Some(3)),
                ("copies", vec![(ask, 0), (ask, 1), (ask, 1_000), (ask, 1_001)], Some(2)),
                (
                    "answered",
                    vec![(ask, 0), (NeighbourMessage::Answer { address: device }, 1)],
                    None,
                ),
                ("asks itself later", vec![(ask, 0), (question(device, other), 900)], None),
                (
                    "lost again",
                    vec![(ask, 0), (NeighbourMessage::Answer { address: device }, 1), (ask, 9_000)],
                    Some(1),
                ),
            ];
            for (name, messages, expected) in cases {
                let mut neighbours = Neighbours::default();
                for (number, (message, at_ms)) in (1..).zip(messages) {
                    neighbours.take(message, frame(number, at_ms));
                }
                let found = neighbours.unresolved();
                let tries = found.iter().find(|found| found.address == device);
                assert_eq!(tries.map(|found| found.tries), expected, "{name} {device}");
            }
        }
    }

    #[test]
    fn a_scan_is_bounded_and_does_not_hide_who_is_asked_for_again() {
        for (node, device, _) in families() {
            let mut neighbours = Neighbours::default();
            for number in 0..20_000_u16 {
                let at_ms = i64::from(number) * 10;
                let wanted: IpAddr = match device {
                    IpAddr::V4(_) => {
                        IpAddr::from([10, 0, number.to_be_bytes()[0], number.to_be_bytes()[1]])
                    }
                    IpAddr::V6(_) => IpAddr::from([0x2001, 0xdb8, 1, 0, 0, 0, 0, number]),
                };
                let scan = NeighbourMessage::Question { asker: node, wanted };
                neighbours.take(scan, frame(u64::from(number) + 1, at_ms));
                if at_ms % 1_000 == 0 && at_ms <= 3_000 {
                    let ask = NeighbourMessage::Question { asker: node, wanted: device };
                    neighbours.take(ask, frame(u64::from(number) + 1, at_ms));
                }
            }
            let found = neighbours.unresolved();
            assert!(found.len() <= MAX_ADDRESSES);
            assert!(found.iter().any(|found| found.address == device && found.tries == 4));
            assert!(found.iter().all(|found| found.address == device || found.tries == 1));
        }
    }
}
