//! What tells of harm: lost fragments, ICMP errors, questions asked again and neighbours that
//! do not show up.

use std::net::IpAddr;

use super::Sample;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{AskedAgain, Discarded, IcmpErrors, LostParts, Novelty, Tally};
use crate::model::finding::Confidence;
use crate::model::neighbour::Unresolved;
use crate::model::packet::IcmpKind;
use crate::model::report::Quotes;

impl Sample {
    /// Replies of which only the first fragment was seen.
    pub fn lost_replies(mut self, datagrams: u64) -> Self {
        let frame = self.tick();
        let source = self.exchange.views[0].asked.unwrap();
        let destination = self.exchange.client;
        self.primary().lost_replies = Some(LostParts {
            source,
            destination,
            datagrams,
            frame,
            received_bytes: 1_480,
            total_bytes: Some(4_028),
        });
        self
    }

    /// Packets of the client to `destination` of which only the first fragment was seen.
    pub fn lost_requests(mut self, destination: Endpoint, datagrams: u64) -> Self {
        let frame = self.tick();
        let source = self.exchange.client;
        self.primary().lost_requests = Some(LostParts {
            source,
            destination,
            datagrams,
            frame,
            received_bytes: 1_480,
            total_bytes: Some(4_108),
        });
        self
    }

    pub fn asked_again(mut self, asked: u64, confidence: Confidence) -> Self {
        let frame = self.tick();
        self.primary().asked_again = Some(AskedAgain { frame, times: asked, confidence });
        self
    }

    pub fn discarded(mut self, times: u64) -> Self {
        let frame = self.tick();
        self.primary().discarded = Some(Discarded { frame, times });
        self
    }

    pub fn icmp(mut self, kind: IcmpKind, from: IpAddr, quotes: Quotes, packets: u64) -> Self {
        let quoted_destination = match quotes {
            Quotes::Request => self.primary().asked,
            Quotes::Reply => Some(self.exchange.client),
            Quotes::FollowUp => self.primary().follow_ups.first().map(|sent| sent.destination),
        };
        let mut tally = Tally::NONE;
        for _ in 0..packets {
            let frame = self.tick();
            tally.count(frame, 0, Novelty::New);
        }
        let errors = IcmpErrors { kind, from, quotes, quoted_destination, tunnel: None, tally };
        self.primary().icmp_errors.push(errors);
        self
    }

    /// Port unreachable for a follow-up, from where it was sent to.
    pub fn refused_follow_up(mut self, at: IpAddr, port: u16) -> Self {
        self = self.icmp(IcmpKind::PortUnreachable, at, Quotes::FollowUp, 2);
        let quoted = Some(Endpoint::new(at, port));
        self.primary().icmp_errors.last_mut().unwrap().quoted_destination = quoted;
        self
    }

    /// `asker` looks for `address` at the uplink, a second apart, in vain.
    pub fn asks_for(mut self, address: IpAddr, asker: IpAddr, tries: u64) -> Self {
        let first = self.tick();
        let mut last = first;
        for _ in 1..tries {
            self = self.wait_seconds(1);
            last = self.tick();
        }
        self.unresolved.push(Unresolved { address, asker, tries, first, last });
        self
    }
}
