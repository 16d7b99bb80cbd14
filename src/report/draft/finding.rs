//! One cause of a device while exchanges are added to it.

use crate::model::endpoint::Endpoint;
use crate::model::exchange::Exchange;
use crate::model::finding::{Cause, Confidence, Finding, Remedy, Severity, Verdict};
use crate::model::report::{DeviceFinding, FrameEvidence};
use crate::report::exchange_part::Names;
use crate::report::filter::DisplayFilter;

/// Evidence frames listed with a finding.
const MAX_EVIDENCE: usize = 12;

/// Endpoints asked that a finding names beside the one that its words are about.
const OTHERS_MAX: usize = 4;

/// A finding and the verdict of the exchange whose words it has.
#[derive(Debug)]
pub(super) struct FindingDraft {
    finding: DeviceFinding,
    verdict: Verdict,
    /// Whom that exchange asked.
    asked: Option<Endpoint>,
    /// Whom other exchanges with this cause asked.
    others_asked: Vec<Endpoint>,
    /// Lets through the evidence.
    filter: DisplayFilter,
}

impl FindingDraft {
    /// What `exchange`, of this verdict, proves first.
    pub(super) fn new(finding: DeviceFinding, verdict: Verdict, exchange: &Exchange) -> Self {
        Self {
            finding,
            verdict,
            asked: exchange.primary().asked,
            others_asked: Vec::new(),
            filter: DisplayFilter::of(exchange),
        }
    }

    pub(super) const fn cause(&self) -> Cause {
        self.finding.cause
    }

    /// Takes up the same cause of another exchange; `make` words it as a finding of the
    /// device, where that exchange is worse.
    pub(super) fn take(
        &mut self,
        finding: &Finding,
        verdict: Verdict,
        exchange: &Exchange,
        names: Names<'_>,
        make: impl FnOnce() -> DeviceFinding,
    ) {
        let asked = exchange.primary().asked;
        if verdict > self.verdict {
            let better = std::mem::replace(&mut self.finding, make());
            self.verdict = verdict;
            self.take_evidence(better.severity, better.confidence, better.evidence);
            self.filter.take(&DisplayFilter::of(exchange));
            let asked_before = std::mem::replace(&mut self.asked, asked);
            self.note_asked(asked_before);
        } else if self.finding.evidence.len() < MAX_EVIDENCE {
            let evidence = frames(finding, names);
            self.take_evidence(finding.severity, finding.confidence, evidence);
            self.filter.take(&DisplayFilter::of(exchange));
        }
        self.note_asked(asked);
    }

    /// One more than are named are kept, so that it is known that there are more.
    fn note_asked(&mut self, asked: Option<Endpoint>) {
        let Some(asked) = asked else { return };
        if self.others_asked.len() <= OTHERS_MAX && !self.others_asked.contains(&asked) {
            self.others_asked.push(asked);
        }
    }

    pub(super) fn finish(self) -> DeviceFinding {
        let Self { mut finding, asked, others_asked, filter, .. } = self;
        finding.display_filter = filter.render();
        let others = others_asked.iter().filter(|other| asked != Some(**other));
        let others: Vec<String> = others.map(ToString::to_string).collect();
        if !others.is_empty() {
            let named = others[..others.len().min(OTHERS_MAX)].join(", ");
            let more = if others.len() > OTHERS_MAX { " and more" } else { "" };
            finding.explanation.push_str(" The same was seen where this device asked ");
            finding.explanation.push_str(&named);
            finding.explanation.push_str(more);
            finding.explanation.push('.');
        }
        finding
    }

    fn take_evidence(
        &mut self,
        severity: Severity,
        confidence: Confidence,
        evidence: Vec<FrameEvidence>,
    ) {
        let finding = &mut self.finding;
        finding.severity = finding.severity.max(severity);
        finding.confidence = finding.confidence.max(confidence);
        let room = MAX_EVIDENCE.saturating_sub(finding.evidence.len());
        finding.evidence.extend(evidence.into_iter().take(room));
    }
}

fn frames(finding: &Finding, names: Names<'_>) -> Vec<FrameEvidence> {
    let evidence = finding.evidence.iter().take(MAX_EVIDENCE).map(|evidence| {
        let (capture, frame) = names.frame(evidence.frame);
        FrameEvidence { capture, frame, at: evidence.frame.at, summary: evidence.summary.clone() }
    });
    evidence.collect()
}

/// A finding as the report tells it of its device, without its display filter.
pub(super) fn device_finding(
    finding: &Finding,
    names: Names<'_>,
    remedies: Vec<Remedy>,
) -> DeviceFinding {
    DeviceFinding {
        cause: finding.cause,
        documentation: finding.cause.documentation_path(),
        severity: finding.severity,
        confidence: finding.confidence,
        title: finding.title.clone(),
        explanation: finding.explanation.clone(),
        evidence: frames(finding, names),
        remedies,
        display_filter: String::new(),
    }
}
