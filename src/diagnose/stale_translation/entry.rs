//! A stale translation that the connection tracking table shows: the entry
//! itself, and where other entries of the same service lead.

use crate::diagnose::evidence::extend;
use crate::diagnose::reading::{Habit, LedAstray, Reading, elsewhere_evidence, entry_evidence};
use crate::diagnose::remedies;
use crate::diagnose::verdict::{Part, severity};
use crate::diagnose::wording::{count, fit_title};
use crate::model::exchange::ElsewhereSign;
use crate::model::finding::{Cause, Confidence, Evidence, Finding, Verdict};

/// Whether an entry leads the requests of this exchange to a pod where newer
/// ones do not go, and how sure it is that this does harm.
#[must_use]
pub fn find_stale_entry<'a>(reading: &Reading<'a>) -> Option<(LedAstray<'a>, Confidence)> {
    if !reading.exchange.device_is_client() {
        return None;
    }
    let astray = reading.led_astray()?;
    let sign = astray.elsewhere.sign;
    if reading.habit == Habit::OneWay {
        return find_one_way(reading, astray);
    }
    if reading.is_from_table() {
        // The table does not say whether what was answered once still is.
        let was_answered = astray.entry.flow.is_replied;
        if !was_answered && reading.unanswered_request().is_none() {
            return None;
        }
        return match sign {
            ElsewhereSign::IsNewerAndListed => Some((astray, Confidence::Likely)),
            ElsewhereSign::IsNewer => Some((astray, Confidence::Possible)),
            // A listing may leave out pods that share the load.
            ElsewhereSign::IsListed if !was_answered => Some((astray, Confidence::Possible)),
            ElsewhereSign::IsListed | ElsewhereSign::IsTranslated => None,
        };
    }
    let in_vain = reading.no_longer_answered().is_some()
        || (reading.unanswered_request().is_some() && reading.view.unanswered.packets >= 2);
    let confidence =
        if sign == ElsewhereSign::IsListed { Confidence::Likely } else { Confidence::Certain };
    in_vain.then_some((astray, confidence))
}

/// The same where nobody answers: the list of pods has none where the entry leads, and the
/// pod's cable, where it was watched, shows none of the packets. A listing may leave out
/// pods that share the load.
fn find_one_way<'a>(
    reading: &Reading<'a>,
    astray: LedAstray<'a>,
) -> Option<(LedAstray<'a>, Confidence)> {
    let is_unlisted =
        matches!(astray.elsewhere.sign, ElsewhereSign::IsListed | ElsewhereSign::IsNewerAndListed);
    if !is_unlisted || reading.exchange.pod_view().is_some() {
        return None;
    }
    let is_missed = reading.lost_request.is_some();
    Some((astray, if is_missed { Confidence::Likely } else { Confidence::Possible }))
}

/// Finds entries that lead a socket to the wrong pod.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    if !matches!(verdict, Verdict::Unanswered | Verdict::Inconclusive | Verdict::OneWay) {
        return None;
    }
    let (astray, confidence) = find_stale_entry(reading)?;
    let asked = reading.view.asked?;
    let client = reading.exchange.client;
    let part = severity(verdict, Part::Stopped);
    let first = entry_evidence(astray.entry);
    let mut finding = Finding::new(Cause::StaleTranslation, part, confidence, first);
    let (old, new) = (astray.leads_to().address, astray.others_go_to().address);
    finding.title = fit_title([
        format!("{client} is sent on to {old}, new sockets to {new}"),
        format!("An old socket is sent on to {old}, new ones to {new}"),
        "An old socket is sent on to another pod than new ones".to_owned(),
    ]);
    finding.explanation = format!(
        "{} asks {} from {client}. Connection tracking sends these packets on to {}, and newer ones for the same service to {}. {}",
        reading.client_word_first(),
        reading.name(asked.address),
        reading.name(old),
        reading.name(new),
        conclusion(reading, &astray),
    );
    let in_vain = reading.view.unanswered.first.filter(|_| !reading.is_from_table());
    let in_vain = in_vain.map(|frame| Evidence {
        frame,
        summary: format!("{client} → {asked}, the first without an answer"),
    });
    extend(
        &mut finding,
        [
            Some(elsewhere_evidence(astray.elsewhere)),
            in_vain,
            reading.replies().find_map(|replies| reading.first_reply(replies)),
            reading.first_request(),
        ],
    );
    finding.remedies = remedies::for_stale_translation(reading, asked);
    Some(finding)
}

fn conclusion(reading: &Reading<'_>, astray: &LedAstray<'_>) -> String {
    let keeps =
        "Each packet of the socket keeps the old entry alive, so it does not end by itself.";
    let is_unlisted =
        matches!(astray.elsewhere.sign, ElsewhereSign::IsListed | ElsewhereSign::IsNewerAndListed);
    if reading.habit == Habit::OneWay {
        return format!(
            "The inventory lists the second pod and not the first, which is gone if the listing is whole. Nothing of this protocol is answered, so the sender cannot know. {keeps}"
        );
    }
    if !reading.is_from_table() {
        let unanswered = count(reading.view.unanswered.packets, "request");
        return format!("The packets show {unanswered} of this socket in vain. {keeps}");
    }
    let answered = if astray.entry.flow.is_replied {
        "The entry was answered once; a table does not show whether it still is."
    } else {
        "The entry was never answered."
    };
    if is_unlisted {
        format!(
            "The inventory lists the second pod and not the first, which is gone if the listing is whole. {answered} {keeps}"
        )
    } else {
        format!(
            "{answered} If the first pod is gone, this socket is led astray. {keeps} If both pods run, they share the load, and nothing is wrong: the list of pods tells."
        )
    }
}
