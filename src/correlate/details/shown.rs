//! Which packets of an exchange are kept to be shown, and what is shown of them.

use super::Details;
use crate::correlate::tftp::is_tftp_protocol;
use crate::model::capture::FrameRef;
use crate::model::endpoint::FlowKey;
use crate::model::exchange::{Said, Step};
use crate::model::packet::{Application, Datagram};
use crate::model::protocol::Protocol;
use crate::model::report::StepKind;

/// Packets kept to be shown; the rest is counted.
const MAX_STEPS: usize = 24;
/// As many tell of a transfer that goes as it should.
const MAX_USUAL_STEPS: usize = 8;
/// Beyond these, what a finding may rest on still has room.
const MAX_TELLING_STEPS: usize = 4;

/// Whether a packet is like those before it, as far as showing it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Once packets are left out, it is left out too.
    Usual,
    /// The first of its kind: from another source, to another destination, an
    /// error, or a question asked again.
    Telling,
}

impl Weight {
    /// [`Weight::Telling`] if `condition` holds.
    pub const fn telling_if(condition: bool) -> Self {
        if condition { Self::Telling } else { Self::Usual }
    }
}

impl Details {
    /// Keeps a packet to be shown.
    pub fn step(
        &mut self,
        frame: FrameRef,
        kind: StepKind,
        datagram: &Datagram,
        protocol: Protocol,
        weight: Weight,
    ) {
        if self.has_room(weight) {
            let FlowKey { source, destination, .. } = datagram.flow;
            let step = Step::between(frame, kind, source, destination, said(datagram, protocol));
            self.steps.push_after(step, self.steps_omitted);
        } else {
            self.steps_omitted += 1;
        }
        self.note_time(frame.at);
    }

    pub(super) fn keep_step(&mut self, step: Step, weight: Weight) {
        self.note_time(step.frame.at);
        if self.has_room(weight) {
            self.steps.push_after(step, self.steps_omitted);
        } else {
            self.steps_omitted += 1;
        }
    }

    fn has_room(&self, weight: Weight) -> bool {
        match weight {
            // Once packets are left out, those shown next would seem to follow.
            Weight::Usual => self.steps_omitted == 0 && self.steps.len() < self.most_steps(),
            Weight::Telling => self.steps.len() < MAX_STEPS + MAX_TELLING_STEPS,
        }
    }

    fn most_steps(&self) -> usize {
        if self.is_usual() { MAX_USUAL_STEPS } else { MAX_STEPS }
    }
}

/// What is said of a datagram of which only the ends are known.
pub(super) const DATAGRAM: &str = "datagram";

/// Whether not even its length was told.
pub(super) fn has_no_length(datagram: &Datagram) -> bool {
    datagram.length == 0 && datagram.fingerprint.is_none()
}

/// What a step shows of a datagram.
fn said(datagram: &Datagram, protocol: Protocol) -> Said {
    match &datagram.application {
        Application::Tftp(message) => Said::Tftp(message.clone()),
        Application::Unknown { tftp_shape: Some(message) } if is_tftp_protocol(protocol) => {
            Said::Tftp(message.clone())
        }
        Application::Transaction(transaction) => {
            Said::Message { protocol: transaction.protocol, label: transaction.label }
        }
        // Not even its length was told.
        Application::Plain(_) | Application::Report(_) | Application::Unknown { .. }
            if has_no_length(datagram) =>
        {
            Said::Message { protocol, label: DATAGRAM }
        }
        Application::Plain(_) | Application::Report(_) | Application::Unknown { .. } => {
            Said::Datagram { length: datagram.length }
        }
    }
}
