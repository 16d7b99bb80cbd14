//! One socket is no longer served while new sockets are: connection tracking
//! sends it where its first packet was sent once, to a pod that is gone or to
//! no pod at all. Packets keep the entry alive, so it does not end by itself.

mod entry;

use super::crossings::NewFlow;
use super::evidence::{extend, new_flow_reply, new_flow_request};
use super::reading::Reading;
use super::remedies;
use super::verdict::{Part, severity};
use super::wording::{count, fit_title};
use crate::model::conntrack::UNREPLIED_LIFE;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::Tally;
use crate::model::finding::{Cause, Confidence, Evidence, Finding, Verdict};

/// What tells a stale translation from a server that stopped.
#[derive(Debug, Clone, Copy)]
pub struct Stale {
    asked: Endpoint,
    unanswered: Tally,
    /// An exchange that began later and works.
    new_flow: NewFlow,
    pub confidence: Confidence,
}

/// Whether connection tracking shows the old entry, and how sure it is that it
/// does harm.
#[must_use]
pub fn find_entry_confidence(reading: &Reading<'_>) -> Option<Confidence> {
    entry::find_stale_entry(reading).map(|(_, confidence)| confidence)
}

/// Whether a socket is in the way of its own old translation, and how sure that is.
#[must_use]
pub fn find_stale(reading: &Reading<'_>) -> Option<Stale> {
    // The entries meant here are those of a service: the cluster is asked.
    if !reading.exchange.device_is_client() {
        return None;
    }
    let asked = reading.view.asked?;
    let unanswered = reading.view.unanswered;
    let (since, until) = (unanswered.first?, unanswered.last?);
    let was_answered = reading.no_longer_answered().is_some();
    let never_answered = reading.unanswered_request().is_some() && unanswered.packets >= 2;
    if !was_answered && !never_answered {
        return None;
    }
    let flows = reading.crossings.new_flows();
    let exchange = reading.exchange;
    let own = flows.find_same_client(exchange, asked, since, until.at);
    // At the pod: new flows get there, these requests do not.
    let is_at_pod = exchange.pod_view().is_some();
    let is_watched = !is_at_pod && reading.was_pod_listening(&unanswered);
    let at_pod =
        if is_watched { flows.find_at_pod(exchange, asked, since, until.at) } else { None };
    let (new_flow, confidence) = match (own, at_pod, was_answered) {
        (Some(own), Some(_), true) if own.reached_pod => (own, Confidence::Certain),
        (Some(own), Some(_), _) => (own, Confidence::Likely),
        (Some(own), None, true) if !is_at_pod => (own, Confidence::Likely),
        (None, Some(other), true) => (other, Confidence::Likely),
        // The old socket was given up before; its entry was still there, and what is new is
        // translated anew all the same.
        (None, None, true) if is_watched => {
            let own = flows.find_same_client(exchange, asked, until, until.at + UNREPLIED_LIFE)?;
            (own.reached_pod.then_some(own)?, Confidence::Possible)
        }
        _ => return None,
    };
    Some(Stale { asked, unanswered, new_flow, confidence })
}

/// Finds sockets that an old translation leads astray.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    if let Some(finding) = entry::find(reading, verdict) {
        return Some(finding);
    }
    if verdict != Verdict::Unanswered {
        return None;
    }
    let stale = find_stale(reading)?;
    let client = reading.exchange.client;
    let first = Evidence {
        frame: stale.unanswered.first?,
        summary: format!("{client} → {}, the first without an answer", stale.asked),
    };
    let part = severity(verdict, Part::Stopped);
    let mut finding = Finding::new(Cause::StaleTranslation, part, stale.confidence, first);
    finding.title = fit_title([
        format!("{client} gets no answer from {}, new sockets do", stale.asked),
        format!("{client} gets no answer, new sockets do"),
        "An old socket gets no answer, new ones do".to_owned(),
    ]);
    finding.explanation = explain(reading, &stale);
    let last_reply = reading.replies().find_map(|replies| reading.first_reply(replies));
    extend(
        &mut finding,
        [
            last_reply,
            Some(new_flow_request(&stale.new_flow)),
            Some(new_flow_reply(&stale.new_flow)),
        ],
    );
    finding.remedies = remedies::for_stale_translation(reading, stale.asked);
    Some(finding)
}

fn explain(reading: &Reading<'_>, stale: &Stale) -> String {
    let client = reading.exchange.client;
    let before = if reading.is_answered() { " It was answered before." } else { "" };
    let at_pod = if stale.new_flow.reached_pod && reading.exchange.pod_view().is_none() {
        " The new flow was seen at the pod's cable; these requests were not."
    } else {
        ""
    };
    let when = if stale.confidence == Confidence::Possible { "Soon after" } else { "Meanwhile" };
    let other = if stale.confidence == Confidence::Possible {
        " Or the server came up just then."
    } else {
        ""
    };
    format!(
        "{} asks {} from {client}: {} in vain.{before} {when} a new flow, from {}, was answered at once.{at_pod} Connection tracking still sends the old socket where it was sent at first, to a pod that is gone or to none; each packet keeps that entry alive.{other}",
        reading.client_word_first(),
        reading.name(stale.asked.address),
        count(stale.unanswered.packets, "request"),
        stale.new_flow.client,
    )
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::exchange::Origin;
    use crate::model::finding::{Cause, Confidence, Verdict};
    use crate::model::protocol::Protocol;

    fn ntp(family: Family) -> Sample {
        Sample::request(family, Protocol::Ntp, 123)
    }

    fn answered(sample: Sample, family: Family) -> Sample {
        sample.reply(family.vip(), 123, Origin::Asked, 1)
    }

    #[test]
    fn an_old_socket_fails_while_new_ones_are_served() {
        for family in Family::BOTH {
            let failing = || {
                let old = answered(ntp(family).with_port(123), family).wait_seconds(10);
                old.request_again().wait_seconds(10).request_again().wait_seconds(5)
            };
            let never = || ntp(family).with_port(123).repeat_request(3).wait_seconds(5);
            let new =
                |begins_at| answered(ntp(family).with_port(50_123).begins_at(begins_at), family);
            let other = |begins_at| {
                let other = ntp(family).with_client(family.other_device(), 50_123);
                answered(other.begins_at(begins_at), family)
            };
            let runs = |sample: Sample| sample.pod_runs(Some((-5, 90)));
            let likely = Some(Confidence::Likely);
            let cases = [
                ("nobody else", failing(), None),
                ("a new socket is served", failing().beside(new(12)), likely),
                (
                    "and seen at the pod",
                    runs(failing()).beside(new(12).pod_answers()),
                    Some(Confidence::Certain),
                ),
                ("another device is served", failing().beside(other(12)), None),
                (
                    "and seen at the pod, another",
                    runs(failing()).beside(other(12).pod_answers()),
                    likely,
                ),
                ("the other was served before", failing().beside(new(5)), None),
                ("the other was served after", failing().beside(new(30)), None),
                (
                    "after, by a pod that was watched",
                    runs(failing()).beside(new(30).pod_answers()),
                    Some(Confidence::Possible),
                ),
                ("long after", runs(failing()).beside(new(60).pod_answers()), None),
                ("never answered: perhaps refused", never().beside(new(2)), None),
                (
                    "never answered, not at the pod",
                    runs(never()).beside(new(2).pod_answers()),
                    likely,
                ),
            ];
            for (name, sample, expected) in cases {
                let judged = sample.judge(Cause::StaleTranslation, |f| f.confidence);
                assert_eq!(judged, (Verdict::Unanswered, expected), "{name} {family:?}");
            }
        }
    }

    #[test]
    fn the_remedy_deletes_this_sockets_entry() {
        for family in Family::BOTH {
            let old = answered(ntp(family).with_port(123), family).wait_seconds(10);
            let old = old.request_again().wait_seconds(10).request_again().wait_seconds(5);
            let new = answered(ntp(family).with_port(50_123).begins_at(12), family);
            let finding = old.beside(new).finding(Cause::StaleTranslation);
            let commands = &finding.remedies[0].commands;
            let name = if family == Family::V4 { "ipv4" } else { "ipv6" };
            let expected = format!(
                "conntrack -D -f {name} -p udp --orig-src {} --sport 123 --orig-dst {} --dport 123",
                family.device(),
                family.vip()
            );
            assert!(commands.contains(&expected), "{commands:?}");
        }
    }
}
