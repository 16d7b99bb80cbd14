//! How an exchange went.

use super::named_ends::may_hide_change;
use super::reading::{Habit, Reading};
use super::stale_translation::find_entry_confidence;
use crate::model::finding::{Severity, Verdict};

/// Says how an exchange went. The first rule that holds decides:
///
/// 1. Nobody answers one-way protocols, tunnels and probes: `one_way`; an ICMP
///    error against a one-way protocol, or against an overlay's outer datagrams, is `rejected`.
///    A tunnel's server that answers from its second address is `tolerated`.
/// 2. Groups and protocols that move by design are never asymmetric:
///    `symmetric` where something answered, and `unanswered` where nothing did but
///    what opens such a conversation was sent again and again; so are a DHCP relay's
///    requests for later clients, though earlier ones were served.
///    So is a tunnel's handshake that begins again and again though it is answered
///    `inconclusive`.
/// 3. An address or port changed, and the exchange stopped because of it: `broken`.
/// 4. The request, or one whole direction, is not in the capture: `inconclusive`. So is what
///    the capture's own filter does not show, and an answer from another address that only
///    its time relates to the request, of a server that the client is set to as well.
/// 5. An ICMP error after which nothing went on: `rejected`; `inconclusive` where a call
///    may have ended with it, and the capture ends too soon after that to tell.
/// 6. No reply that could be used: `unanswered` where its receiver says that fragments
///    did not arrive, where silence was observed, where several requests of
///    one client, from a socket each, did not get to the pod as others did,
///    or where another point saw a reply that was lost; else `inconclusive`.
///    Where the capture lost as many packets as were sent, silence was not observed;
///    so it is in the two rules that follow.
/// 7. Follow-ups to the answerer repeated in vain, or lost between two points,
///    requests that are no longer answered though earlier ones were, or that were
///    passed over among others, or a transfer that went on and then came to a halt:
///    `unanswered`.
/// 8. A reply that wants a follow-up and got none: `unanswered` where the
///    device's side was watched and the reply was repeated; else several
///    explanations remain, `inconclusive`.
/// 9. An address or port changed and nothing shows a failure: `tolerated`.
/// 10. The reply was lost between two points, before the client: `unanswered`.
/// 11. The client asks again and again though it is answered: `inconclusive`,
///     for what happens beyond this point is not in the capture. So is a table's
///     entry that was answered once and leads elsewhere than newer ones, a text
///     without times that ends with packets that nobody answers, and a refused packet
///     whose end has a name, which may hide that its address changed.
/// 12. Everything else is `symmetric`.
#[must_use]
pub fn judge(reading: &Reading<'_>) -> Verdict {
    if reading.habit != Habit::Conversation {
        return judge_habit(reading);
    }
    if reading.change_stopped() || reading.client_stopped() || reading.sender_change_stopped() {
        return Verdict::Broken;
    }
    let begins_midway = reading.view.asked.is_none() || reading.is_answered_before();
    let is_untold = begins_midway || reading.is_answered_by_another_server();
    if is_untold || reading.is_one_directional() {
        return Verdict::Inconclusive;
    }
    if reading.is_rejected() {
        let is_in_doubt = reading.may_have_hung_up();
        return if is_in_doubt { Verdict::Inconclusive } else { Verdict::Rejected };
    }
    if reading.missed_parts().is_some() {
        return Verdict::Unanswered;
    }
    if !reading.is_answered() {
        let is_seen =
            reading.view.dropped.is_some() || !reading.may_have_lost(reading.view.requests.packets);
        let silent = reading.unanswered_request().is_some() || reading.lost_reply.is_some();
        return if silent && is_seen { Verdict::Unanswered } else { Verdict::Inconclusive };
    }
    if let Some(in_vain) = packets_in_vain(reading) {
        let is_seen = !reading.may_have_lost(in_vain);
        return if is_seen { Verdict::Unanswered } else { Verdict::Inconclusive };
    }
    if let Some(reply) = reading.unfollowed_reply() {
        let watched = reading.is_on_device_side()
            && reply.tally.repeats > 0
            && !reading.may_have_lost(reply.tally.packets);
        return if watched { Verdict::Unanswered } else { Verdict::Inconclusive };
    }
    if reading.has_asymmetry() {
        // Whether it went on after the error may be among what the capture lost.
        let is_in_doubt = !reading.errors.is_empty() && reading.may_have_lost(1);
        return if is_in_doubt { Verdict::Inconclusive } else { Verdict::Tolerated };
    }
    if reading.lost_reply.is_some() {
        return Verdict::Unanswered;
    }
    let may_go_on_elsewhere = reading.asks_in_vain().is_some() || may_be_stale(reading);
    if may_go_on_elsewhere || reading.ends_in_doubt() || may_hide_change(reading) {
        return Verdict::Inconclusive;
    }
    Verdict::Symmetric
}

/// How many packets were sent in vain, where the exchange stopped because of them.
fn packets_in_vain(reading: &Reading<'_>) -> Option<u64> {
    let follow_ups = reading.unanswered_follow_up().map(|follow_ups| follow_ups.tally.packets);
    let undelivered = reading.lost_follow_up.map(|lost| lost.follow_ups.tally.packets);
    let requests = reading.no_longer_answered().map(|tally| tally.packets);
    let stalled = reading.stalled().map(|stall| stall.repeats);
    let passed_over = reading.passed_over().map(|(tally, _)| tally.packets);
    follow_ups.or(undelivered).or(requests).or(passed_over).or(stalled)
}

/// The table alone shows an old entry beside newer ones that lead elsewhere.
fn may_be_stale(reading: &Reading<'_>) -> bool {
    reading.is_from_table() && find_entry_confidence(reading).is_some()
}

fn judge_habit(reading: &Reading<'_>) -> Verdict {
    match reading.habit {
        Habit::OneWay | Habit::Tunnel if reading.is_rejected() => Verdict::Rejected,
        Habit::Tunnel if reading.second_server().is_some() => Verdict::Tolerated,
        Habit::Group if reading.is_answered() => Verdict::Symmetric,
        Habit::OneWay | Habit::Tunnel | Habit::Probe | Habit::Group => Verdict::OneWay,
        Habit::MovesByDesign | Habit::Conversation => {
            if reading.is_rejected() {
                Verdict::Rejected
            } else if let Some(unanswered) = reading.no_longer_answered() {
                let is_seen = !reading.may_have_lost(unanswered.packets);
                if is_seen { Verdict::Unanswered } else { Verdict::Inconclusive }
            } else if reading.begins_in_vain().is_some() {
                Verdict::Inconclusive
            } else if reading.is_answered() && reading.view.asked.is_some() {
                Verdict::Symmetric
            } else if reading.unanswered_request().is_some()
                && !reading.may_have_lost(reading.view.requests.packets)
            {
                Verdict::Unanswered
            } else {
                Verdict::Inconclusive
            }
        }
    }
}

/// How much a finding matters in an exchange that went so.
#[must_use]
pub const fn severity(verdict: Verdict, part: Part) -> Severity {
    match (verdict, part) {
        (Verdict::Symmetric, _) => Severity::Info,
        (Verdict::Broken | Verdict::Rejected | Verdict::Unanswered, Part::Stopped) => {
            Severity::Error
        }
        _ => Severity::Warning,
    }
}

/// What part a finding has in the exchange's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// It is why the exchange stopped.
    Stopped,
    /// It was there, and something else stopped the exchange, or nothing did.
    Present,
}

impl Part {
    /// [`Part::Stopped`] if `condition` holds.
    #[must_use]
    pub const fn stopped_if(condition: bool) -> Self {
        if condition { Self::Stopped } else { Self::Present }
    }
}
