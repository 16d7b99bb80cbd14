//! What is handed out of the rows of Wireshark's packet list.

use super::columns::WITHOUT_PORTS;
use super::hand_out::packet;
use super::pending::{Outcome, Pending};
use super::rows::Held;
use super::{Run, Sink};
use crate::ingest::Event;
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::packet::{Content, Datagram};

/// Whether further rows may tell the ports of those that are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsEnd {
    Here,
    Later,
}

impl Run {
    /// Takes the row that `pending` is.
    pub(super) fn take_row(&mut self, pending: &Pending, outcome: Outcome, sink: Sink<'_>) {
        let (packet, unported) = match outcome {
            Outcome::Content(content) => (Some(packet(pending, content, None)), None),
            Outcome::Unported(unported) => {
                let flow = FlowKey::udp(
                    Endpoint::new(unported.source, 0),
                    Endpoint::new(unported.destination, 0),
                );
                let application = unported.application.clone();
                let length = unported.length;
                let datagram =
                    Datagram { flow, length, fingerprint: None, is_cut: false, application };
                (Some(packet(pending, Content::Datagram(datagram), None)), Some(*unported))
            }
            Outcome::Fault(message) => {
                self.faults.report(pending.line, message, sink);
                (None, None)
            }
            Outcome::Named { .. }
            | Outcome::NamedError { .. }
            | Outcome::Cut(_)
            | Outcome::Other => (None, None),
        };
        let (line, frame, at) = (pending.line, pending.frame, pending.at);
        self.rows.push(Held { line, frame, at, packet, unported });
        self.hand_out_rows(RowsEnd::Later, sink);
    }

    /// Hands out the rows whose ports are as well known as they will ever be.
    pub(super) fn hand_out_rows(&mut self, end: RowsEnd, sink: Sink<'_>) {
        while let Some(row) = self.rows.take(end == RowsEnd::Here) {
            let Some(packet) = row.packet else {
                if row.unported.is_some() {
                    self.faults.report(row.line, WITHOUT_PORTS.to_owned(), sink);
                }
                sink(Event::OtherPacket { frame: row.frame, at: Some(row.at) });
                continue;
            };
            let content = match packet.content {
                Content::Datagram(datagram) => {
                    self.tell_of_ports(row.line, &datagram.flow, sink);
                    let datagram = self.dialogs.check(self.questions.check(datagram));
                    Content::Datagram(datagram)
                }
                other => other,
            };
            sink(Event::Packet(crate::model::packet::Packet { content, ..packet }));
        }
    }

    /// Says once that ports are missing.
    fn tell_of_ports(&mut self, line: u64, flow: &FlowKey, sink: Sink<'_>) {
        let lacks = flow.source.port == 0 || flow.destination.port == 0;
        if lacks && !std::mem::replace(&mut self.lacks_ports, true) {
            let message = "is a row of Wireshark's packet list without ports: that of the protocol is taken for the server's, and 0 stands for a port that no row names; export the packets as pcapng to be sure";
            self.faults.report(line, message.to_owned(), sink);
        }
    }
}
