//! Where the client goes on.

use std::net::IpAddr;

use super::Sample;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{Course, FollowUps, Novelty, Stall, Tally};

impl Sample {
    pub fn follow_up(self, to: IpAddr, port: u16, course: Course, packets: u64) -> Self {
        let source = self.exchange.client;
        self.follow_up_on(source, Endpoint::new(to, port), course, packets)
    }

    pub fn follow_up_from(self, from: IpAddr, to: IpAddr, port: u16, packets: u64) -> Self {
        let source = Endpoint::new(from, self.exchange.client.port);
        self.follow_up_on(source, Endpoint::new(to, port), Course::FromOtherSource, packets)
    }

    fn follow_up_on(
        mut self,
        source: Endpoint,
        destination: Endpoint,
        course: Course,
        packets: u64,
    ) -> Self {
        let mut tally = Tally::NONE;
        for _ in 0..packets {
            let frame = self.tick();
            tally.count(frame, 516, Novelty::New);
        }
        self.primary().follow_ups.push(FollowUps { source, destination, course, tally });
        self
    }

    /// Repeats the last follow-up, a second apart.
    pub fn repeat_follow_up(mut self, repeats: u64) -> Self {
        for _ in 0..repeats {
            self = self.wait_seconds(1);
            let frame = self.tick();
            self.primary().follow_ups.last_mut().unwrap().tally.count(frame, 516, Novelty::Repeat);
        }
        self
    }

    /// The last follow-up is repeated at the end, a second apart.
    pub fn stalls(mut self, repeats: u64) -> Self {
        for _ in 0..repeats {
            self = self.wait_seconds(1);
            let frame = self.tick();
            let sent = self.primary().follow_ups.last_mut().unwrap();
            sent.tally.count(frame, 516, Novelty::Repeat);
            let (source, destination) = (sent.source, sent.destination);
            let known = self.primary().stall;
            let first = known.map_or(frame, |known| known.first);
            let repeats = known.map_or(0, |known| known.repeats) + 1;
            self.primary().stall = Some(Stall { repeats, first, last: frame, source, destination });
        }
        self
    }
}
