//! ICMP errors that quote packets of an exchange.

use super::{Details, MAX_PARTIES, Weight};
use crate::correlate::repetition::copied_within;
use crate::model::capture::FrameRef;
use crate::model::exchange::{IcmpErrors, Novelty, Said, Step};
use crate::model::packet::IcmpError;
use crate::model::report::{Quotes, StepKind};

impl Details {
    /// Counts the error `whole`, unless it is a second copy of the last one.
    pub fn icmp_error(&mut self, frame: FrameRef, error: IcmpErrors, whole: &IcmpError) {
        let mark = whole.fingerprint.map(|fingerprint| (frame.at, fingerprint));
        let last = std::mem::replace(&mut self.last_icmp_error, mark);
        if let (Some((before, one)), Some((at, other))) = (last, mark)
            && one == other
            && at.distance(before) <= copied_within(whole.from)
        {
            return;
        }
        let index = self.icmp_errors.iter().position(|known| {
            (known.kind, known.from, known.quotes, known.quoted_destination)
                == (error.kind, error.from, error.quotes, error.quoted_destination)
        });
        let index = index.unwrap_or_else(|| {
            if self.icmp_errors.len() < MAX_PARTIES {
                self.icmp_errors.push(error);
            }
            self.icmp_errors.len() - 1
        });
        let tally = &mut self.icmp_errors[index].tally;
        tally.count(frame, 0, Novelty::New);
        let weight = Weight::telling_if(tally.packets == 1);
        let step = Step {
            frame,
            kind: StepKind::IcmpError,
            source: error.from,
            destination: whole.to,
            ports: None,
            said: Said::Icmp { kind: error.kind, quoted_destination: error.quoted_destination },
            omitted_before: 0,
        };
        self.keep_step(step, weight);
    }

    /// Notes that all that errors quote of requests is another part of the exchange.
    pub fn requote(&mut self, part: Quotes) {
        for errors in &mut self.icmp_errors {
            if errors.quotes == Quotes::Request {
                errors.quotes = part;
            }
        }
    }
}
