//! A request that connection tracking shows untranslated, and that nobody
//! answered: no ICMP error is needed to say so.

use crate::diagnose::evidence::extend;
use crate::diagnose::reading::{Habit, Reading, elsewhere_evidence, entry_evidence};
use crate::diagnose::remedies;
use crate::diagnose::verdict::{Part, severity};
use crate::diagnose::wording::fit_title;
use crate::model::exchange::TrackedPart;
use crate::model::finding::{Cause, Confidence, Finding, Severity, Verdict};
use crate::model::topology::{FactSource, Role};

/// The entry of an unanswered request that leads to no pod though it should.
#[must_use]
pub fn find_untranslated_entry<'a>(reading: &Reading<'a>) -> Option<(&'a TrackedPart, Confidence)> {
    let entry = reading.request_entry()?;
    if !matches!(reading.habit, Habit::Conversation | Habit::OneWay)
        || !reading.exchange.device_is_client()
        || reading.is_answered()
        || entry.flow.is_replied
        || entry.flow.is_destination_translated()
    {
        return None;
    }
    let asked = reading.view.asked.filter(|asked| *asked == entry.flow.original.destination)?;
    if entry.elsewhere.is_some() {
        return Some((entry, Confidence::Certain));
    }
    // A process on the node may serve an address that only looks like a service's.
    let belief = reading.topology.find(asked.address)?;
    if reading.habit == Habit::OneWay {
        return None;
    }
    let is_service = matches!(belief.role, Role::Vip | Role::Service);
    (is_service && belief.source == FactSource::Kubernetes).then_some((entry, Confidence::Likely))
}

/// Finds them where nothing else says more.
pub fn find(reading: &Reading<'_>, verdict: Verdict) -> Option<Finding> {
    let is_one_way = reading.habit == Habit::OneWay;
    let is_silent = verdict == Verdict::Unanswered && reading.unanswered_request().is_some();
    if !is_silent && !is_one_way {
        return None;
    }
    let (entry, confidence) = find_untranslated_entry(reading)?;
    let asked = entry.flow.original.destination;
    // What nobody answers is lost without a sign.
    let part = if is_one_way { Severity::Error } else { severity(verdict, Part::Stopped) };
    let first = entry_evidence(entry);
    let mut finding = Finding::new(Cause::RequestNotTranslated, part, confidence, first);
    finding.title = fit_title([
        format!("Requests to {asked} reach the node and no pod"),
        "Requests reach the node and no pod".to_owned(),
    ]);
    let others = entry.elsewhere.as_deref().map_or_else(
        || "Kubernetes names it as a service's address, so a rule should send it on: there is no endpoint that is ready, no rule for this port and family, or the entry is older than the rule.".to_owned(),
        |elsewhere| {
            format!(
                "Others that ask the same endpoint are sent on to {}: this entry is older than the rule, or the rule does not cover this sender.",
                elsewhere.flow.translated_destination()
            )
        },
    );
    let expected = if is_one_way { ", as nothing of this protocol is" } else { "" };
    finding.explanation = format!(
        "{} asked {} at port {}. Connection tracking translates neither end of that flow, and it was never answered{expected}. {others}",
        reading.client_word_first(),
        reading.name(asked.address),
        asked.port,
    );
    extend(
        &mut finding,
        [entry.elsewhere.as_deref().map(elsewhere_evidence), reading.first_request()],
    );
    finding.remedies = remedies::for_untranslated_request(reading, asked);
    Some(finding)
}
