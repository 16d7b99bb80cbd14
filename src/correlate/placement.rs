//! Follow-ups that were captured before the first answer was, which says where they went.
//!
//! A capture may miss the answer, or write it after what it led to: packets of two
//! processors' queues are not in order. All that is known of such a follow-up is its
//! destination, until an answer comes.

use super::details::Details;
use super::record::Record;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{Course, Origin};
use crate::model::finding::Confidence;
use crate::model::packet::Datagram;

impl Record {
    /// The course of a follow-up, where an answer has said it in the meantime.
    pub(super) fn placed_course(&self, datagram: &Datagram, course: Course) -> Course {
        let details = self.details.as_ref().filter(|_| course == Course::AnswererUnseen);
        let (source, destination) = (datagram.flow.source, datagram.flow.destination);
        let known = details.and_then(|details| {
            let mut known = details.follow_ups.iter();
            known.find(|known| (known.source, known.destination) == (source, destination))
        });
        known.map_or(course, |known| known.course)
    }

    /// The origin of replies from where follow-ups go, of which none was captured before.
    pub(super) fn origin_of_followed(&self, server: Endpoint) -> Origin {
        let mut replies = self.details.iter().flat_map(|details| &details.replies);
        match (replies.find(|replies| replies.source == server), self.asked) {
            (Some(known), _) => known.origin,
            (None, Some(asked)) if asked.address != server.address => {
                Origin::OtherAddress(Confidence::Likely)
            }
            (None, _) => Origin::Asked,
        }
    }

    /// Places follow-ups by a reply from `source`. Says whether all that there are
    /// turn out to have gone astray: then the client had not gone on with who answers.
    pub(super) fn places_all_astray(&mut self, source: Endpoint, origin: Origin) -> bool {
        let (asked, details) = (self.asked, self.details.as_mut());
        asked.zip(details).is_some_and(|(asked, details)| {
            details.place_follow_ups(asked, source, origin)
                && details.follow_ups.iter().all(|known| is_astray(known.course))
        })
    }
}

impl Details {
    /// Whether the client went on with who answered.
    pub(super) fn has_followed_answerer(&self) -> bool {
        self.follow_ups.iter().any(|known| known.course == Course::ToAnswerer)
    }

    /// Says whether any follow-up turns out to have gone astray.
    fn place_follow_ups(&mut self, asked: Endpoint, source: Endpoint, origin: Origin) -> bool {
        let mut strays = false;
        for known in &mut self.follow_ups {
            if known.course != Course::AnswererUnseen || known.destination == source {
                continue;
            }
            let keeps_address = Endpoint::new(asked.address, source.port);
            if known.destination == asked && source.port != asked.port {
                known.course = Course::ToAskedPort;
            } else if origin.is_changed() && known.destination == keeps_address {
                known.course = Course::ToAskedAddress;
            }
            strays |= is_astray(known.course);
        }
        strays
    }
}

const fn is_astray(course: Course) -> bool {
    matches!(course, Course::ToAskedAddress | Course::ToAskedPort)
}
