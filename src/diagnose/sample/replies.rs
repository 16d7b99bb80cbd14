//! Who answers, and what the answers say.

use std::net::IpAddr;
use std::time::Duration;

use super::Sample;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{
    ErrorAnswer, LateChange, Novelty, Origin, PayloadReplies, Replies, Tally,
};
use crate::model::finding::Confidence;
use crate::model::protocol::Protocol;

impl Sample {
    pub fn reply(mut self, from: IpAddr, port: u16, origin: Origin, packets: u64) -> Self {
        let awaits_follow_up = self.exchange.protocol == Protocol::Tftp;
        let source = Endpoint::new(from, port);
        let mut replies = Replies { source, origin, tally: Tally::NONE, awaits_follow_up };
        for _ in 0..packets {
            let frame = self.tick();
            replies.tally.count(frame, 35, Novelty::New);
        }
        self.primary().replies.push(replies);
        self.primary().unanswered = Tally::NONE;
        self
    }

    /// Repeats the last reply, a second apart.
    pub fn repeat_reply(mut self, repeats: u64) -> Self {
        for _ in 0..repeats {
            self = self.wait_seconds(1);
            let frame = self.tick();
            self.primary().replies.last_mut().unwrap().tally.count(frame, 35, Novelty::Repeat);
        }
        self
    }

    pub fn answered_by_node(self) -> Self {
        let node = self.family.node();
        self.reply(node, 40_001, Origin::OtherAddress(Confidence::Certain), 1).repeat_reply(2)
    }

    pub fn answered_by_vip(self) -> Self {
        let vip = self.family.vip();
        self.reply(vip, 40_001, Origin::Asked, 1)
    }

    pub fn answered_by_agent(self, packets: u64) -> Self {
        let device = self.family.device();
        self.reply(device, 161, Origin::Asked, packets)
    }

    pub fn answered_by_other_address(self, packets: u64) -> Self {
        let other = self.family.other_device();
        self.reply(other, 161, Origin::OtherAddress(Confidence::Certain), packets)
    }

    /// A reply whose request was not captured, repeated once.
    pub fn unknown_reply(self, from: IpAddr, port: u16) -> Self {
        self.reply(from, port, Origin::Unknown, 1).repeat_reply(1)
    }

    /// The answers so far went to this port of the client, which did not ask from it.
    pub fn answered_at_payload_port(mut self, port: u16) -> Self {
        let destination = Endpoint::new(self.exchange.client.address, port);
        let replies = *self.primary().replies.last().unwrap();
        self.primary().payload_replies = Some(PayloadReplies {
            source: replies.source,
            destination,
            packets: replies.tally.packets,
            first: replies.tally.first.unwrap(),
            asks_for_own_port: Some(false),
        });
        self
    }

    /// The last reply came after a pause.
    pub fn late_change(mut self, pause_seconds: u64, was_answered: bool) -> Self {
        let replies = *self.primary().replies.last().unwrap();
        self.primary().late_change = Some(LateChange {
            frame: replies.tally.first.unwrap(),
            source: replies.source,
            pause: Duration::from_secs(pause_seconds),
            was_answered,
        });
        self
    }

    /// The last reply's source says something new.
    pub fn progress(mut self) -> Self {
        let frame = self.tick();
        let view = self.primary();
        view.progress = Some(frame);
        if let Some(replies) = view.replies.last_mut() {
            replies.tally.count(frame, 4, Novelty::New);
        }
        self
    }

    /// The last reply's source says that it fails.
    pub fn error_answer(mut self, words: &str) -> Self {
        let frame = self.tick();
        let replies = self.primary().replies.last_mut().unwrap();
        replies.tally.count(frame, 20, Novelty::New);
        let (source, words) = (replies.source, words.into());
        self.primary().error_answer = Some(ErrorAnswer { frame, source, words });
        self
    }
}
