//! Packets that did not arrive whole, or at all: fragments are missing, or a host
//! between dropped them.

use super::Details;
use crate::model::capture::FrameRef;
use crate::model::endpoint::FlowKey;
use crate::model::exchange::{DroppedPackets, LostParts};
use crate::model::packet::{Dropped, FragmentsLost};
use crate::model::report::Quotes;

impl Details {
    /// Counts a datagram of the server of which fragments are missing.
    pub fn reply_lost(&mut self, frame: FrameRef, flow: FlowKey, lost: &FragmentsLost) {
        count_parts(&mut self.lost_replies, frame, flow, lost);
        self.note_time(frame.at);
    }

    /// Counts a datagram of the client of which fragments are missing.
    pub fn request_lost(&mut self, frame: FrameRef, flow: FlowKey, lost: &FragmentsLost) {
        count_parts(&mut self.lost_requests, frame, flow, lost);
        self.note_time(frame.at);
    }

    /// Counts dropped packets; of several kinds the first is told.
    pub fn dropped(&mut self, frame: FrameRef, dropped: &Dropped, part: Quotes) {
        self.note_time(frame.at);
        let FlowKey { source, destination, .. } = dropped.datagram.flow;
        let known = self.dropped.get_or_insert_with(|| {
            Box::new(DroppedPackets {
                frame,
                source,
                destination,
                part,
                by: dropped.by,
                reason: dropped.reason.clone(),
                packets: 0,
            })
        });
        if known.part == part && known.reason == dropped.reason {
            known.packets += 1;
        }
    }
}

fn count_parts(
    counted: &mut Option<Box<LostParts>>,
    frame: FrameRef,
    flow: FlowKey,
    lost: &FragmentsLost,
) {
    let known = counted.get_or_insert_with(|| {
        Box::new(LostParts {
            source: flow.source,
            destination: flow.destination,
            datagrams: 0,
            frame,
            received_bytes: lost.received_bytes,
            total_bytes: lost.total_bytes,
        })
    });
    known.datagrams += 1;
}
