//! ICMP errors: which of them count, and whether the exchange went on after them.

use super::Habit;
use super::talk::{is_end_of_talk, is_hang_up};
use super::tunnel::is_told_of_tunnel;
use crate::model::capture::FrameRef;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{ErrorAnswer, Exchange, FollowUps, IcmpErrors, Replies, Tally, View};
use crate::model::finding::Cause;
use crate::model::packet::IcmpKind;
use crate::model::protocol::Protocol;
use crate::model::report::Quotes;
use std::time::Duration;

/// A sender that was not refused again for this long is heard again. Linux
/// sends at most one ICMP error a second to one destination (`icmp_ratelimit`).
const HEARD_AGAIN: Duration = Duration::from_secs(2);

/// What was said so long before an error was not refused by it: an error comes at once, or,
/// where a host limits them, within some seconds.
const REFUSED_WITHIN: Duration = Duration::from_secs(30);

/// A sender that is told so long after the first time that a packet is too big sends
/// them still.
const TOLD_AGAIN: Duration = Duration::from_secs(1);

/// ICMP errors of one kind, and the view that shows them.
#[derive(Debug, Clone, Copy)]
pub struct SeenErrors<'a> {
    pub view: &'a View,
    pub errors: &'a IcmpErrors,
    pub cause: Cause,
    /// Whether nothing shows that the exchange went on.
    pub ended: bool,
}

impl SeenErrors<'_> {
    /// Port unreachable that quotes a reply: no socket of the client took it.
    #[must_use]
    pub fn refuses_reply(&self) -> bool {
        self.errors.kind == IcmpKind::PortUnreachable && self.errors.quotes == Quotes::Reply
    }

    /// The error of its own protocol with which the server had ended the exchange
    /// before these came.
    #[must_use]
    pub fn follows_error(&self) -> Option<&ErrorAnswer> {
        let answer = self.view.error_answer.as_ref()?;
        let is_over =
            self.errors.quotes == Quotes::FollowUp && is_over_before(self.view, self.errors);
        is_over.then_some(answer)
    }

    /// Whether the client had its answer from another server before it refused one.
    #[must_use]
    pub fn answered_elsewhere(&self) -> bool {
        self.errors.quotes == Quotes::Reply && is_over_before(self.view, self.errors)
    }

    /// Whether they are the end of a talk in `protocol`, which was over.
    #[must_use]
    pub fn is_hang_up(&self, protocol: Protocol) -> bool {
        !self.ended && is_hang_up(self.view, self.errors, protocol)
    }

    /// Whether they may be one: the capture ends too soon after them to tell.
    #[must_use]
    pub fn may_be_hang_up(&self, protocol: Protocol) -> bool {
        self.ended && is_end_of_talk(self.view, self.errors, protocol)
    }

    /// Whether the client said nothing more after them.
    #[must_use]
    pub fn are_last_word(&self) -> bool {
        self.errors.tally.last.is_some_and(|last| !has_sent_after(self.view, last))
    }

    /// Port unreachable for follow-ups to `endpoint` that ended the exchange.
    #[must_use]
    pub fn is_about_follow_up_to(&self, endpoint: Endpoint) -> bool {
        self.ended
            && self.errors.kind == IcmpKind::PortUnreachable
            && self.errors.quotes == Quotes::FollowUp
            && self.errors.quoted_destination == Some(endpoint)
    }
}

/// The errors of the primary view, or else those that another point saw: a
/// node's answer to a pod never crosses the uplink.
pub fn read(exchange: &Exchange, habit: Habit) -> Vec<SeenErrors<'_>> {
    // A group has members that do not listen, and a probe asks for errors.
    let is_deaf = habit == Habit::Tunnel && !is_told_of_tunnel(exchange);
    if is_deaf || matches!(habit, Habit::Group | Habit::Probe) {
        return Vec::new();
    }
    let primary = exchange.primary();
    let own = read_view(primary, exchange.protocol, habit);
    if !own.is_empty() || primary.progress.is_some() {
        return own;
    }
    let mut seen: Vec<SeenErrors<'_>> = exchange
        .others()
        .iter()
        .flat_map(|view| read_view(view, exchange.protocol, habit))
        .collect();
    if habit != Habit::Conversation && !primary.replies.is_empty() {
        seen.clear();
    }
    seen
}

fn read_view(view: &View, protocol: Protocol, habit: Habit) -> Vec<SeenErrors<'_>> {
    view.icmp_errors
        .iter()
        .filter_map(|errors| {
            let cause = cause_of(errors.kind);
            let last = errors.tally.last.or(errors.tally.first)?;
            errors.tally.first?;
            let ended = match habit {
                _ if errors.kind == IcmpKind::ReassemblyTimeExceeded => {
                    parts_are_missed(view, errors)
                }
                _ if errors.kind == IcmpKind::PacketTooBig
                    && is_size_learned(view, errors, habit) =>
                {
                    false
                }
                Habit::OneWay | Habit::Tunnel => !is_heard_again(&view.requests, last),
                // Protocols that move try several ways; one answer is enough, unless they
                // refuse it each time that they ask.
                Habit::MovesByDesign => {
                    view.replies.is_empty() || (view.requests.packets > 1 && refuses_all(view))
                }
                // A SYN-ACK that is sent again says that its client did not go on.
                _ if protocol == Protocol::Tcp && errors.quotes == Quotes::Reply => true,
                _ => !goes_on_after(view, errors, last) && !is_hang_up(view, errors, protocol),
            };
            Some(SeenErrors { view, errors, cause, ended })
        })
        .collect()
}

/// The cause that stands for a kind.
const fn cause_of(kind: IcmpKind) -> Cause {
    match kind {
        IcmpKind::PortUnreachable => Cause::PortUnreachable,
        IcmpKind::HostUnreachable
        | IcmpKind::NetworkUnreachable
        | IcmpKind::TimeExceeded
        | IcmpKind::Other => Cause::HostUnreachable,
        IcmpKind::AdminProhibited => Cause::AdminProhibited,
        IcmpKind::PacketTooBig => Cause::PacketTooBig,
        IcmpKind::ReassemblyTimeExceeded => Cause::FragmentsLost,
    }
}

/// Whether a host's waiting for fragments in vain did lasting harm. It says so half a
/// minute or more after the datagram (RFC 791 section 3.2, RFC 8200 section 4.5), so what
/// came before the error may well have come after the datagram that it is about.
fn parts_are_missed(view: &View, errors: &IcmpErrors) -> bool {
    match errors.quotes {
        // What was asked after it waits for another reason, if for any, and an answer that
        // came after it says that what was lost was asked again.
        Quotes::Request => {
            let open = view.unanswered.first;
            let is_older = open.zip(errors.tally.last);
            view.replies.is_empty()
                || is_older.is_some_and(|(asked, told)| view.is_after(told, asked))
        }
        Quotes::FollowUp => view.progress.is_none() || view.stall.is_some(),
        Quotes::Reply => {
            view.progress.is_none()
                && (view.asked_again.is_some() || errors.tally.packets >= view.reply_packets())
        }
    }
}

/// Whether the sender may know by these errors what fits. Routers send one for each packet
/// that is too big, and its kernel keeps the size (RFC 1191 section 3, RFC 8201 section
/// 4): who is told the same some time later has not learned it.
fn is_size_learned(view: &View, errors: &IcmpErrors, habit: Habit) -> bool {
    let (Some(first), Some(last)) = (errors.tally.first, errors.tally.last) else { return false };
    let is_told_again = last.at.since(first.at) >= TOLD_AGAIN;
    match habit {
        Habit::OneWay | Habit::Tunnel => !is_told_again || has_sent_after(view, last),
        Habit::Conversation => !is_told_again && !view.replies.is_empty(),
        Habit::MovesByDesign | Habit::Group | Habit::Probe => false,
    }
}

/// Whether anything of the client comes after `frame`.
fn has_sent_after(view: &View, frame: FrameRef) -> bool {
    last_sent(view).any(|sent| view.is_after(sent, frame))
}

/// The client's last packet.
pub(super) fn find_last_sent(view: &View) -> Option<FrameRef> {
    last_sent(view).max_by_key(|frame| view.time_of(*frame))
}

/// The client's last packets to each whom it spoke to.
fn last_sent(view: &View) -> impl Iterator<Item = FrameRef> {
    let follow_ups = view.follow_ups.iter().map(|follow_ups| follow_ups.tally.last);
    follow_ups.chain([view.requests.last]).flatten()
}

/// Whether packets after the last error show that it did no lasting harm.
fn goes_on_after(view: &View, errors: &IcmpErrors, last: FrameRef) -> bool {
    // It was over before: what came after it is left over.
    if is_over_before(view, errors) {
        return true;
    }
    let refuses = errors.kind == IcmpKind::PortUnreachable && errors.quotes == Quotes::Reply;
    if refuses && refuses_all(view) {
        return false;
    }
    let is_later = |tally: &Tally| tally.last.is_some_and(|frame| view.is_after(frame, last));
    let reply_after = view.replies.iter().any(|Replies { tally, .. }| is_later(tally));
    let client_after = view.follow_ups.iter().any(|FollowUps { tally, .. }| is_later(tally));
    if view.progress.is_some_and(|frame| view.is_after(frame, last)) {
        return true;
    }
    match errors.quotes {
        Quotes::Request => reply_after,
        Quotes::FollowUp => reply_after && client_after && view.progress.is_some(),
        Quotes::Reply if errors.kind == IcmpKind::PortUnreachable => has_used_a_reply(view, errors),
        Quotes::Reply => {
            let awaited = view.replies.iter().any(|replies| replies.awaits_follow_up);
            reply_after && (client_after || !awaited)
        }
    }
}

/// Whether the exchange had ended before the first of these errors: the server
/// had said that it ends it (RFC 1350 section 7), or the client had its answer
/// from another server that it asked as well.
fn is_over_before(view: &View, errors: &IcmpErrors) -> bool {
    let is_before = |frame: FrameRef| errors.tally.first.is_some_and(|f| view.is_after(f, frame));
    match errors.quotes {
        Quotes::Request => false,
        Quotes::FollowUp => {
            view.error_answer.as_ref().is_some_and(|answer| is_before(answer.frame))
        }
        Quotes::Reply => {
            errors.kind == IcmpKind::PortUnreachable
                && view.answered_elsewhere.is_some_and(is_before)
        }
    }
}

/// A client closes its socket when it has its answer, and then refuses late
/// copies. Where it went on, or where more replies came than were refused, it
/// had used one. Servers that repeat an awaited reply say the contrary: rate
/// limits leave fewer errors than replies. What other endpoints said long before is not
/// what it refuses.
fn has_used_a_reply(view: &View, errors: &IcmpErrors) -> bool {
    if view.progress.is_some() || view.follow_up_packets() > 0 {
        return true;
    }
    let awaited = view.replies.iter().any(|replies| replies.awaits_follow_up);
    !awaited && view.asked_again.is_none() && refusable_packets(view, errors) > errors.tally.packets
}

/// Replies from endpoints that still spoke when the errors came: hosts send an error as soon
/// as they get what it is about (RFC 1122 section 3.2.2.1).
fn refusable_packets(view: &View, errors: &IcmpErrors) -> u64 {
    let may_be_refused = |tally: &Tally| {
        let both = tally.last.zip(errors.tally.first);
        both.is_none_or(|(spoke, refused)| {
            view.time_of(refused).since(view.time_of(spoke)) <= REFUSED_WITHIN
        })
    };
    let tallies = view.replies.iter().map(|replies| &replies.tally);
    tallies.filter(|tally| may_be_refused(tally)).map(|tally| tally.packets).sum()
}

/// Whether the client refused every reply that came: there was as much of ICMP
/// port unreachable about replies as there were replies.
pub fn refuses_all(view: &View) -> bool {
    let refused = view.icmp_errors.iter().filter(|errors| {
        errors.kind == IcmpKind::PortUnreachable && errors.quotes == Quotes::Reply
    });
    let refused: u64 = refused.map(|errors| errors.tally.packets).sum();
    refused > 0 && refused >= view.reply_packets()
}

fn is_heard_again(requests: &Tally, last: FrameRef) -> bool {
    requests.last.is_some_and(|frame| frame.at.since(last.at) > HEARD_AGAIN)
}
