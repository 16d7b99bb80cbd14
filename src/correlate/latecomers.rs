//! What a capture that began late shows of exchanges that another one shows from their
//! beginning.
//!
//! A capture at the pod may begin between what a server says and what that answers. Its
//! first packet is the server's then, which looks like a question of its own, or like an
//! answer that nobody asked for; and what the client asks next opens an exchange beside it.
//! Who listened at the device's side from before tells what it is: whoever asked from a
//! socket is answered there (RFC 768: a socket has one owner), and a translation leaves the
//! port alone where it can. All of it was counted there, as an answer.

use std::time::Duration;

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::join::{TIME_APART, distance_from_device};
use super::record::{ExchangeIndex, Flag, Record};
use super::table::PointTable;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::Point;
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;

/// Exchanges of one client socket that are looked at, the latest first.
const MAX_CANDIDATES: usize = 64;

/// Points that are looked at beside one; of more, the first.
const MAX_POINTS: usize = 64;
/// What begins so long after its point did is not in the middle of anything: common clients
/// give up within a minute (RFC 2131 section 4.1, RFC 5080 section 2.2.1).
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Takes away what only seems to be an exchange, for its point began to listen in the middle
/// of one that is whole at another point: no further from the device, or else with what
/// follows at the own point. `points` are those of the tables.
pub fn take_away(tables: &mut [PointTable], points: &[Point]) {
    let mut gone: Vec<(usize, ExchangeIndex)> = Vec::new();
    let mut asked = AskedBy::default();
    for (number, table) in tables.iter().enumerate() {
        let Some((began, _)) = table.observed else { continue };
        let distance = |table: usize| distance_from_device(points[table].kind);
        let earlier = find_earlier(tables, number, began);
        if earlier.is_empty() {
            continue;
        }
        for (position, record) in table.exchanges.iter().enumerate() {
            if record.is_vacant() || record.times().0 > began + LONGEST_PAUSE {
                continue;
            }
            let found = record.find_as_answers();
            let (Some(answers), Some(index)) = (found, ExchangeIndex::new(position)) else {
                continue;
            };
            let sibling = find_sibling(table, index, &answers);
            let is_part = answers.is_reversed || sibling.is_some();
            let goes_on_here = sibling == Some(Sibling::OfTheSame);
            let moment = |other: usize| Moment {
                began,
                may_be_translated: distance(other) != distance(number),
            };
            let is_near = |other: usize| goes_on_here || distance(other) <= distance(number);
            let is_whole_there = |other: &usize| {
                is_part && is_near(*other) && answers.are_at(&tables[*other], moment(*other))
            };
            let mut is_translated_there = || {
                let mut known = asked.of(&answers, tables).iter();
                known.any(|(other, place)| {
                    let whole = &tables[*other].exchanges[*place];
                    earlier.contains(other)
                        && is_near(*other)
                        && whole.ends_with_answer_of(record)
                        && answers.are_of(whole, moment(*other))
                })
            };
            if earlier.iter().any(is_whole_there)
                || (answers.may_be_translated && is_translated_there())
            {
                gone.push((number, index));
            }
        }
    }
    for (number, index) in gone {
        let table = &mut tables[number];
        table.clients.remove(&table.hasher, &mut table.exchanges, index);
        table.discard(index);
    }
}

/// The other points that listened before this one began to.
fn find_earlier(tables: &[PointTable], number: usize, began: Timestamp) -> SmallVec<[usize; 2]> {
    let is_earlier = |other: &usize| {
        *other != number && tables[*other].observed.is_some_and(|(first, _)| first < began)
    };
    (0..tables.len()).filter(is_earlier).take(MAX_POINTS).collect()
}

/// What was asked of whom, from which port: a translation mostly leaves that alone.
#[derive(Debug, Default)]
struct AskedBy(Option<HashMap<(Endpoint, u16), Places>>);

/// Tables, and places there.
type Places = SmallVec<[(usize, usize); 1]>;

impl AskedBy {
    /// The exchanges of which these may be answers, under whatever client address.
    fn of(&mut self, answers: &Answers<'_>, tables: &[PointTable]) -> &[(usize, usize)] {
        let known = self.0.get_or_insert_with(|| Self::index(tables));
        let places = answers.server.and_then(|server| known.get(&(server, answers.client.port)));
        places.map_or(&[], SmallVec::as_slice)
    }

    fn index(tables: &[PointTable]) -> HashMap<(Endpoint, u16), Places> {
        let mut known: HashMap<(Endpoint, u16), Places> = HashMap::new();
        for (number, table) in tables.iter().enumerate() {
            for (place, record) in table.exchanges.iter().enumerate() {
                let Some(asked) = record.asked.filter(|_| !record.is_vacant()) else { continue };
                let places = known.entry((asked, record.client.port)).or_default();
                if places.len() < MAX_CANDIDATES {
                    places.push((number, place));
                }
            }
        }
        known
    }
}

/// What else a socket does at the same point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sibling {
    Other,
    /// It is answered by the same server, or has errors about its answers.
    OfTheSame,
}

/// Another exchange of the socket there, which says more of it.
fn find_sibling(
    table: &PointTable,
    index: ExchangeIndex,
    answers: &Answers<'_>,
) -> Option<Sibling> {
    let client = table.exchanges[index.position()].client;
    let own = table.clients.exchanges(&table.hasher, &table.exchanges, client);
    let others = own.filter(|(other, _)| *other != index).take(MAX_CANDIDATES);
    let siblings = others.map(|(_, other)| {
        let is_of_server = match answers.server {
            Some(server) => other.is_answered_from(server),
            None => other.has_errors_of(answers.record),
        };
        if is_of_server && !answers.is_reversed { Sibling::OfTheSame } else { Sibling::Other }
    });
    siblings.max()
}

/// Where and when something came late.
#[derive(Debug, Clone, Copy)]
struct Moment {
    /// When its point began to listen.
    began: Timestamp,
    /// The other point is nearer to the device, or further from it, so that there may be a
    /// translation between the two.
    may_be_translated: bool,
}

/// A record, read as if its first packet had been an answer.
#[derive(Debug, Clone, Copy)]
struct Answers<'a> {
    record: &'a Record,
    /// Who was answered, and by whom.
    client: Endpoint,
    server: Option<Endpoint>,
    /// What was said to the client, and what it said.
    heard: u32,
    said: u32,
    /// It was taken for a question of the server.
    is_reversed: bool,
    /// The client may have another address at other points: all that there is is an answer.
    may_be_translated: bool,
}

impl Record {
    /// Reads it as answers to what was asked before, if it may be that.
    fn find_as_answers(&self) -> Option<Answers<'_>> {
        let [asked, heard, followed] = self.packets_by_kind();
        let Some(client) = self.asked else {
            let details = self.details.as_deref()?;
            let server = match details.replies.as_slice() {
                // Nothing but errors about answers, which do not say of whom.
                [] if !details.icmp_errors.is_empty() => None,
                [only] => Some(only.source),
                _ => return None,
            };
            return (asked == 0).then_some(Answers {
                record: self,
                client: self.client,
                server,
                heard,
                said: followed,
                is_reversed: false,
                may_be_translated: self.is_reply_alone(),
            });
        };
        // Nothing that was read says that it is a question.
        let may_be = self.protocol == Protocol::Udp && followed == 0;
        let plain = self.details.iter().all(|details| details.replies.is_empty());
        (may_be && plain).then_some(Answers {
            record: self,
            client,
            server: Some(self.client),
            heard: asked,
            said: heard,
            is_reversed: true,
            may_be_translated: false,
        })
    }

    /// Whether `server` answered it.
    fn is_answered_from(&self, server: Endpoint) -> bool {
        let mut replies = self.details.iter().flat_map(|details| &details.replies);
        (self.asked == Some(server) && self.answers.packets > 0)
            || replies.any(|replies| replies.source == server)
    }

    /// Whether at least as many errors of each kind were seen of it as of `other`.
    fn has_errors_of(&self, other: &Self) -> bool {
        let errors = |record: &Self| {
            let details = record.details.iter().flat_map(|details| &details.icmp_errors);
            details.map(|errors| (errors.kind, errors.tally.packets)).collect::<Vec<_>>()
        };
        let (own, other) = (errors(self), errors(other));
        other.iter().all(|(kind, packets)| {
            let same = own.iter().filter(|(own, _)| own == kind);
            same.map(|(_, packets)| packets).sum::<u64>() >= *packets
        })
    }
}

impl Answers<'_> {
    /// Whether `table` shows them, and what they answer, which was asked before its point
    /// began to listen.
    fn are_at(&self, table: &PointTable, moment: Moment) -> bool {
        let own = table.clients.exchanges(&table.hasher, &table.exchanges, self.client);
        own.take(MAX_CANDIDATES).any(|(_, whole)| self.are_of(whole, moment))
    }

    fn are_of(&self, whole: &Record, moment: Moment) -> bool {
        let Some(asked) = whole.asked else { return false };
        let [requests, replies, follow_ups] = whole.packets_by_kind();
        let speaks = self.server.is_none_or(|server| {
            let is_port =
                asked.port == server.port || whole.answering_ports().contains(&server.port);
            is_port && (moment.may_be_translated || whole.knows_answerer(server.address))
        });
        let was_asked_before = requests > 0 && { whole.requests.first.at } < moment.began;
        let (first, last) = self.record.times();
        let (whole_first, whole_last) = whole.times();
        was_asked_before
            && whole.flags.has(Flag::IsOpenedByClient)
            && speaks
            && replies >= self.heard
            && requests.saturating_add(follow_ups) > self.said
            && first + TIME_APART >= whole_first
            && whole_last + TIME_APART >= last
            && whole.has_errors_of(self.record)
    }
}
