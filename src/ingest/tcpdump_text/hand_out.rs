//! What is handed out of a packet whose last line was read.

use super::fragments::Taken;
use super::hand_out_rows::RowsEnd;
use super::pending::{Outcome, Pending};
use super::{Run, Sink};
use crate::ingest::{Event, NamedPacket};
use crate::model::capture::Frame;
use crate::model::endpoint::FlowKey;
use crate::model::hop::HopMarks;
use crate::model::packet::{
    Application, Content, Datagram, Dropped, Dropper, LinkAudience, Packet, Tunnel,
};
use crate::model::time::Timestamp;

impl Run {
    pub(super) fn settle_pending(&mut self, sink: Sink<'_>) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        let (frame, at) = (pending.frame, pending.at);
        if self.fragments.has_long()
            && let Some(whole) = self.fragments.settle_long(pending.find_later_fragment().as_ref())
        {
            sink(Event::Packet(whole));
        }
        self.hand_out_lost(Some(at), sink);
        // The bytes of a blocked packet do not tell that it was.
        if let Some(dumped) = pending.find_dumped(self.origin.link_type)
            && pending.blocked.is_none()
        {
            self.hand_out_rows(RowsEnd::Here, sink);
            sink(Event::Frame(Frame {
                number: frame,
                at,
                interface: pending.interface,
                link_type: dumped.link_type,
                direction: pending.direction,
                original_length: dumped.original_length,
                bytes: dumped.bytes,
            }));
            return;
        }
        let (outcome, tunnel) = pending.read_innermost(&self.origin);
        if pending.is_row() {
            self.take_row(&pending, outcome, sink);
            return;
        }
        self.hand_out_rows(RowsEnd::Here, sink);
        match outcome {
            Outcome::Content(content) => self.hand_out(&pending, content, tunnel, sink),
            Outcome::Named { datagram, source, destination } => {
                if let Some(message) = pending.find_stand_in(&datagram.flow) {
                    self.faults.report(pending.line, message, sink);
                }
                let datagram = self.dialogs.check(self.questions.check(datagram));
                let content = match pending.blocked.clone() {
                    Some(reason) => {
                        let by = Dropper::PacketFilter;
                        Content::Dropped(Box::new(Dropped { datagram, by, reason }))
                    }
                    None => Content::Datagram(datagram),
                };
                let packet = packet(&pending, content, tunnel);
                let named = (source, destination, Vec::new());
                hand_out_named(&pending, packet, named, sink);
            }
            Outcome::NamedError { error, source, destination, quoted } => {
                let packet = packet(&pending, Content::IcmpError(error), tunnel);
                hand_out_named(&pending, packet, (source, destination, quoted), sink);
            }
            // Only rows are such, which were taken before.
            Outcome::Unported(_) => sink(Event::OtherPacket { frame, at: Some(at) }),
            Outcome::Cut(flow) => self.hand_out_cut(&pending, flow, sink),
            Outcome::Other => {
                sink(Event::OtherPacket { frame, at: Some(at) });
                self.hand_out_fragment(&pending, sink);
            }
            Outcome::Fault(message) => self.hand_out_fault(&pending, message, at, sink),
        }
    }

    fn hand_out(
        &mut self,
        pending: &Pending,
        content: Content,
        tunnel: Option<Tunnel>,
        sink: Sink<'_>,
    ) {
        let content = match content {
            Content::Datagram(datagram) => {
                self.last_flow = Some(datagram.flow);
                if let Some(message) = pending.find_stand_in(&datagram.flow) {
                    self.faults.report(pending.line, message, sink);
                }
                let datagram = self.dialogs.check(self.questions.check(datagram));
                if let Some(reason) = pending.blocked.clone() {
                    let by = Dropper::PacketFilter;
                    let content = Content::Dropped(Box::new(Dropped { datagram, by, reason }));
                    sink(Event::Packet(packet(pending, content, tunnel)));
                    return;
                }
                let fragment = pending.find_first_fragment(&datagram);
                // In a tunnel the outer packet may be in parts, and the inner length says nothing.
                if let Some(fragment) = fragment.filter(|_| tunnel.is_none()) {
                    let first = packet(pending, Content::Datagram(datagram.clone()), tunnel);
                    if !self.fragments.begin(first, datagram, fragment) {
                        sink(Event::OtherPacket { frame: pending.frame, at: Some(pending.at) });
                    }
                    return;
                }
                Content::Datagram(datagram)
            }
            other @ (Content::IcmpError(_)
            | Content::FragmentsLost(_)
            | Content::Discarded(_)
            | Content::Dropped(_)
            | Content::Neighbour(_)
            | Content::Segment(_)) => other,
        };
        sink(Event::Packet(packet(pending, content, tunnel)));
    }

    /// Hands out the datagram that a later fragment completes.
    fn hand_out_fragment(&mut self, pending: &Pending, sink: Sink<'_>) {
        let Some(fragment) = pending.find_later_fragment() else { return };
        if let Taken::Whole(packet) = self.fragments.add(&fragment, pending.at) {
            sink(Event::Packet(*packet));
        }
    }

    /// Hands out the datagrams that were waited for in vain until `now`, or till the end.
    pub(super) fn hand_out_lost(&mut self, now: Option<Timestamp>, sink: Sink<'_>) {
        if now.is_none()
            && let Some(whole) = self.fragments.settle_long(None)
        {
            sink(Event::Packet(whole));
        }
        while let Some(packet) = self.fragments.take_lost(now) {
            sink(Event::Packet(packet));
        }
    }

    /// A line that ends behind the addresses does not say that it is UDP. It is
    /// read so where the run's last datagram went between the same sockets.
    fn hand_out_cut(&mut self, pending: &Pending, flow: FlowKey, sink: Sink<'_>) {
        let matches = self.last_flow.is_some_and(|last| last == flow || last == flow.reversed());
        if !matches {
            let message = "ends behind the addresses, where the protocol and length should follow; paste the whole line";
            self.hand_out_fault(pending, message.to_owned(), pending.at, sink);
            return;
        }
        let message = "ends behind the addresses; taken for UDP of unknown length, as the line before between these sockets";
        self.faults.report(pending.line, message.to_owned(), sink);
        let application = Application::Unknown { tftp_shape: None };
        let datagram = Datagram { flow, length: 0, fingerprint: None, is_cut: false, application };
        self.hand_out(pending, Content::Datagram(datagram), None, sink);
    }

    fn hand_out_fault(
        &mut self,
        pending: &Pending,
        message: String,
        at: Timestamp,
        sink: Sink<'_>,
    ) {
        self.faults.report(pending.line, message, sink);
        sink(Event::OtherPacket { frame: pending.frame, at: Some(at) });
        if pending.is_ip() {
            sink(Event::Unread { interface: pending.interface });
        }
    }
}

fn hand_out_named(
    pending: &Pending,
    packet: Packet,
    (source, destination, quoted): (Option<String>, Option<String>, Vec<String>),
    sink: Sink<'_>,
) {
    let (line, is_ipv6) = (pending.line, Some(pending.is_ipv6()));
    sink(Event::NamedPacket(NamedPacket { packet, line, source, destination, quoted, is_ipv6 }));
}

pub(super) fn packet(pending: &Pending, content: Content, tunnel: Option<Tunnel>) -> Packet {
    // `-v` prints the outer header's fields; those of an inner one are not kept.
    let (ip_identification, hop_marks) = match tunnel {
        None => (pending.identification().filter(|id| *id != 0), pending.hop_marks()),
        Some(_) => (None, HopMarks::UNKNOWN),
    };
    Packet {
        direction: pending.direction,
        link_audience: if tunnel.is_none() { pending.link_audience } else { LinkAudience::Unknown },
        tunnel,
        ip_identification,
        hop_marks,
        ..Packet::without_headers(pending.frame, pending.at, pending.interface, content)
    }
}
