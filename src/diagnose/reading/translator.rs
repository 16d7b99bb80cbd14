//! A host that put its own address into a request, and then takes the answer for its own.

use super::{Reading, SeenErrors};
use crate::model::endpoint::Endpoint;
use crate::model::protocol::Protocol;

impl Reading<'_> {
    /// The client's end before it was translated, if the host whose address it got refused
    /// the answer: its connection tracking did not lead the answer back to the client, so
    /// that its own stack got it, where no socket waits.
    ///
    /// The same of TFTP, whose answer comes from a new port, is
    /// [`is_refused_by_translator`](Self::is_refused_by_translator).
    #[must_use]
    pub fn untranslated_back(&self, seen: &SeenErrors<'_>) -> Option<Endpoint> {
        let from = seen.errors.from;
        if self.exchange.protocol == Protocol::Tftp || !seen.ended || !seen.refuses_reply() {
            return None;
        }
        let client = self.exchange.client;
        self.exchange.translations.iter().find_map(|translation| {
            let (before, after) = (translation.before, translation.after);
            // Of the client's ends: the others are of whom it asked.
            if after != client || before.address == client.address {
                return None;
            }
            if before.address == from {
                return Some(client);
            }
            let seen_at = |id| self.exchange.views.iter().find(|view| view.point == id);
            let (far, near) = (seen_at(translation.from)?, seen_at(translation.to)?);
            let (first, last) = (far.requests.first?, near.requests.first?);
            let is_first = far.point.capture == near.point.capture && first.number < last.number;
            (client.address == from && is_first).then_some(before)
        })
    }
}
