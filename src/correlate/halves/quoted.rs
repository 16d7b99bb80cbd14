//! What an ICMP error quotes, where its own point saw nothing of that.
//!
//! Where each direction of a cable has its point, and each side asks the other on one pair of
//! ports, an error is seen beside what its sender asked, and quotes what was said to it:
//! an answer, or a question that only the other point saw. It is about what was said last
//! before it (RFC 792, RFC 4443 section 2.4), whichever point saw that.

use hashbrown::HashMap;

use super::kept::Seen;
use crate::correlate::table::PointTable;
use crate::correlate::table::directed::{Directed, find_role, last_said};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::PointId;
use crate::model::packet::{Content, IcmpError, TransactionRole};
use crate::model::report::Quotes;
use crate::model::time::Timestamp;

/// What was said from one endpoint to another, by whom it was seen and when.
type Saying = (Timestamp, PointId, TransactionRole);

/// Questions and answers by their ends; looked for once an error wants to know.
#[derive(Debug, Default)]
pub struct Said(Option<HashMap<(Endpoint, Endpoint), Vec<Saying>>>);

impl Said {
    /// The sender of what `error` quotes, if that was a question of its own and no answer to
    /// the exchange in `table`, the point that saw the error at `at`.
    pub fn find_asking(
        &mut self,
        kept: &[Seen],
        table: &PointTable,
        error: &IcmpError,
        at: Timestamp,
    ) -> Option<Endpoint> {
        let (flow, part, _) = table.find_quoted(error, at)?;
        if part != Quotes::Reply {
            return None;
        }
        let (source, destination) = (flow.server, flow.client);
        let answered = table.exchanges.get(flow.exchange.position())?;
        // What was seen here tells enough.
        let quoted = Directed { source, destination, role: None, at };
        if last_said(answered, quoted, table.id.capture).is_some() {
            return None;
        }
        let said = self.0.get_or_insert_with(|| index(kept)).get(&(source, destination))?;
        let elsewhere = said.iter().filter(|(_, point, _)| *point != table.id);
        let before = elsewhere.filter(|(said_at, ..)| *said_at <= at);
        let (.., role) = before.max_by_key(|(said_at, ..)| *said_at)?;
        (*role == TransactionRole::Request).then_some(source)
    }
}

fn index(kept: &[Seen]) -> HashMap<(Endpoint, Endpoint), Vec<Saying>> {
    let mut said: HashMap<(Endpoint, Endpoint), Vec<Saying>> = HashMap::new();
    for Seen { point, packet } in kept {
        let Content::Datagram(datagram) = &packet.content else { continue };
        if let Some(role) = find_role(datagram) {
            let ends = (datagram.flow.source, datagram.flow.destination);
            said.entry(ends).or_default().push((packet.at, *point, role));
        }
    }
    said
}
