//! Words that no client says twice: they tell one exchange, captured by two clocks, from
//! two that are alike.
//!
//! What a client says again and again comes round in every capture, and between any two
//! captures all devices' rounds lie equally far apart: a multiple of the period. A time
//! request without a timestamp (RFC 4330 section 5 asks no more of a client), a heartbeat
//! and a poll under one identity prove nothing. A transaction's identity is made so that it
//! does not come again soon (RFC 5452 section 4.3, RFC 3411 section 4.1.1), and several
//! different things, each said once, have a course of their own. A transfer's identifier is
//! its client's port, which is drawn by chance (RFC 1350 section 4, RFC 6056 section 3.3)
//! where the system hands it out; boot loaders begin at one port each time, some in the
//! thousands, and scripts name theirs.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::correlate::record::Record;
use crate::correlate::sayings::is_at_one_pace;
use crate::correlate::signature::Basis;
use crate::correlate::tftp::is_tftp_protocol;
use crate::correlate::transactions::CROSSING;
use crate::model::protocol::FIRST_EPHEMERAL_PORT;
use crate::model::time::Timestamp;

/// What two sightings of one client have in common that is said once only, as a number;
/// `None` where it may be said any number of times.
pub fn find_said_once(one: &Record, other: &Record) -> Option<u64> {
    let opening = one.opening();
    let is_identity = opening == other.opening() && opening.basis == Basis::Meaning;
    // The name of a file is none: a boot loader asks for it each time.
    if is_tftp_protocol(one.protocol) {
        let is_drawn = one.client.port >= FIRST_EPHEMERAL_PORT;
        return (is_drawn && is_identity).then_some(u64::from(one.client.port));
    }
    if says_again(one) || says_again(other) {
        return None;
    }
    let lags_ns = one.heard().lags_ns(&other.heard());
    (is_at_one_pace(&lags_ns) || is_identity).then_some(opening.value)
}

/// Whether one point shows a server's answers from a port of its choice, and the other,
/// which saw none of them, what the client sends to that port as soon as they had come
/// (RFC 1350 section 4).
pub fn is_followed_as_answered(one: &Record, other: &Record) -> bool {
    let is_both = |followed: &Record, answered: &Record| {
        let (Some(sent), Some(heard)) = (&followed.details, &answered.details) else {
            return false;
        };
        let after = |record: &Record, at: Timestamp| at.since(record.requests.first.at);
        let is_one = |to: u16, sent_at: Timestamp| {
            let mut replies = heard.replies.iter();
            replies.any(|replies| {
                let answers = after(answered, replies.tally.count.first.at);
                let follows = after(followed, sent_at);
                replies.source.port == to && answers.abs_diff(follows) <= CROSSING
            })
        };
        let is_chosen = |port: u16| followed.asked.is_some_and(|asked| asked.port != port);
        is_tftp_protocol(followed.protocol)
            && followed.requests.packets > 0
            && answered.requests.packets > 0
            && !followed.is_answered()
            && sent.follow_ups.iter().any(|sent| {
                let port = sent.destination.port;
                is_chosen(port) && is_one(port, sent.tally.count.first.at)
            })
    };
    is_both(one, other) || is_both(other, one)
}

/// How much later than `one` the client of `other` was heard, in ns: the median of what both
/// heard, or else, where both begin with the same, of that.
pub fn find_lag_ns(one: &Record, other: &Record) -> Option<i64> {
    let lags_ns = one.heard().lags_ns(&other.heard());
    let same_opening = one.opening() == other.opening() && one.opening().is_sure();
    let median_ns = lags_ns.get(lags_ns.len() / 2).copied();
    median_ns.or_else(|| same_opening.then(|| find_distance_ns(one, other)))
}

/// How much later `other` began, in ns.
pub fn find_distance_ns(one: &Record, other: &Record) -> i64 {
    other.times().0.ahead_of_ns(one.times().0)
}

/// Whether the client said anything twice, or nothing by which that could be told.
pub fn says_again(record: &Record) -> bool {
    let heard = record.heard();
    let is_all_known = !heard.has_more();
    heard.came_again() || (is_all_known && record.requests.packets as usize > heard.len())
}

/// What each of several things that were said once is worth: what many clients say alike
/// is none's own.
#[derive(Debug, Default)]
pub struct Speakers(BTreeMap<u64, Option<IpAddr>>);

impl Speakers {
    /// Notes that a client says `said`.
    pub fn note(&mut self, said: u64, client: IpAddr) {
        let speaker = self.0.entry(said).or_insert(Some(client));
        if speaker.is_some_and(|known| known != client) {
            *speaker = None;
        }
    }

    /// Whether only one client says `said`.
    pub fn has_one(&self, said: u64) -> bool {
        self.0.get(&said).is_some_and(Option::is_some)
    }
}
