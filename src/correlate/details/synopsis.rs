//! What is kept of a plain exchange, until something is out of the ordinary.

use super::shown::{DATAGRAM, has_no_length};
use crate::model::capture::FrameRef;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{Said, Step};
use crate::model::packet::{Application, Datagram};
use crate::model::protocol::Protocol;
use crate::model::report::StepKind;

/// What the first packets of a plain exchange said, in few bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, packed)]
pub struct Synopsis {
    /// The request's name; empty where we know none.
    label: &'static str,
    length: Length,
    answer_length: Length,
    protocol: Protocol,
}

impl Synopsis {
    pub fn of(datagram: &Datagram) -> Self {
        let (label, protocol) = match &datagram.application {
            Application::Transaction(transaction) => (transaction.label, transaction.protocol),
            Application::Plain(protocol) | Application::Report(protocol)
                if has_no_length(datagram) =>
            {
                (DATAGRAM, *protocol)
            }
            Application::Unknown { .. } if has_no_length(datagram) => (DATAGRAM, Protocol::Udp),
            Application::Tftp(_)
            | Application::Plain(_)
            | Application::Report(_)
            | Application::Unknown { .. } => ("", Protocol::Udp),
        };
        Self { label, length: Length::of(datagram), answer_length: Length::NONE, protocol }
    }

    /// Notes what the first answer is.
    pub const fn note_answer(&mut self, datagram: &Datagram) {
        self.answer_length = Length::of(datagram);
    }

    /// Payload bytes of the request.
    pub const fn length(self) -> u32 {
        self.length.bytes()
    }

    /// Payload bytes of the answer.
    pub const fn answer_length(self) -> u32 {
        self.answer_length.bytes()
    }

    /// The step that shows the request.
    pub fn request(self, frame: FrameRef, client: Endpoint, asked: Endpoint) -> Step {
        let said = self.said(self.label, self.length());
        Step::between(frame, StepKind::Request, client, asked, said)
    }

    /// The step that shows the answer.
    pub fn answer(self, frame: FrameRef, asked: Endpoint, client: Endpoint) -> Step {
        let said = self.said("answer", self.answer_length());
        Step::between(frame, StepKind::Reply, asked, client, said)
    }

    fn said(self, label: &'static str, length: u32) -> Said {
        if { self.label }.is_empty() {
            Said::Datagram { length }
        } else {
            Said::Message { protocol: self.protocol, label }
        }
    }
}

/// Payload bytes of a datagram, in three bytes: more than any frame holds that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Length([u8; 3]);

impl Length {
    const NONE: Self = Self([0; 3]);

    const fn of(datagram: &Datagram) -> Self {
        match datagram.length.to_le_bytes() {
            [low, middle, high, 0] => Self([low, middle, high]),
            _ => Self([u8::MAX; 3]),
        }
    }

    const fn bytes(self) -> u32 {
        let [low, middle, high] = self.0;
        u32::from_le_bytes([low, middle, high, 0])
    }
}
