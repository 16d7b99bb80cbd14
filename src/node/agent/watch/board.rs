//! What is believed of each device: the newest window that showed enough of it decides.
//!
//! A window cuts exchanges at both of its edges. Three rules keep that from
//! showing in a verdict:
//!
//! 1. An `inconclusive` exchange decides only where there is no other, now or before.
//! 2. An exchange whose beginning an earlier window saw is not judged milder for
//!    its rest alone, unless the rest shows that it works.
//! 3. Where packets may have been missed, `unanswered` is no better than
//!    `inconclusive`, and no finding stands on silence.

use std::collections::BTreeMap;
use std::time::Duration;

use super::devices::Devices;
use super::window::Span;
use crate::model::endpoint::Endpoint;
use crate::model::finding::{Cause, Verdict};
use crate::model::report::{Device, DeviceExchange, DeviceFinding, Report};
use crate::model::time::Timestamp;
use crate::node::wire::{WatchedFinding, WatchedState};

/// What is believed, by the number of the device.
#[derive(Debug)]
pub struct Board {
    stale_after: Duration,
    beliefs: BTreeMap<usize, Belief>,
}

#[derive(Debug)]
struct Belief {
    state: WatchedState,
    /// The newest exchange of each client socket.
    sockets: BTreeMap<Endpoint, Judged>,
}

/// An exchange as the windows up to now judge it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Judged {
    first_packet_at: Timestamp,
    last_packet_at: Timestamp,
    verdict: Verdict,
}

impl Board {
    /// Nothing is believed; what nothing confirms for `stale_after` will be forgotten.
    pub fn new(stale_after: Duration) -> Self {
        Self { stale_after, beliefs: BTreeMap::new() }
    }

    /// Takes what a window shows.
    pub fn take(&mut self, report: &Report, devices: &Devices, span: Span) {
        for device in &report.devices {
            let addresses = [&[device.device][..], &device.addresses].concat();
            let Some(number) = devices.find(&addresses) else { continue };
            let before = self.beliefs.remove(&number);
            self.beliefs.insert(number, judge(device, span, before));
        }
        self.forget(span.until);
    }

    /// Forgets what has become stale by `now`.
    pub fn forget(&mut self, now: Timestamp) {
        let stale_after = self.stale_after;
        self.beliefs.retain(|_, belief| now.since(belief.state.judged_at) <= stale_after);
    }

    /// What is believed of the device with this number at `now`.
    pub fn find(&self, number: usize, now: Timestamp) -> Option<&WatchedState> {
        let belief = self.beliefs.get(&number)?;
        (now.since(belief.state.judged_at) <= self.stale_after).then_some(&belief.state)
    }
}

fn judge(device: &Device, span: Span, before: Option<Belief>) -> Belief {
    let known = before.as_ref().map(|belief| &belief.sockets);
    let mut sockets = BTreeMap::<Endpoint, Judged>::new();
    let mut exchanges = BTreeMap::new();
    let (mut decided, mut carried, mut last_packet_at) = (None, None, None);
    for exchange in &device.exchanges {
        let mut judged = Judged {
            first_packet_at: exchange.first_packet_at,
            last_packet_at: exchange.last_packet_at,
            verdict: weigh(exchange.verdict, span),
        };
        last_packet_at = last_packet_at.max(Some(exchange.last_packet_at));
        *exchanges.entry(judged.verdict).or_insert(0) += 1;
        if judged.verdict != Verdict::Inconclusive {
            decided = decided.max(Some(judged.verdict));
        }
        let earlier = known.and_then(|known| known.get(&exchange.client));
        if let Some(earlier) = earlier.filter(|earlier| is_rest(exchange, earlier, span)) {
            judged.first_packet_at = earlier.first_packet_at;
            if hides_more(judged.verdict, earlier.verdict) {
                judged.verdict = earlier.verdict;
                carried = carried.max(Some(earlier.verdict));
            }
        }
        let newest = sockets.entry(exchange.client).or_insert(judged);
        if newest.last_packet_at <= judged.last_packet_at {
            *newest = judged;
        }
    }
    // Those that are only counted all went well.
    let unlisted = device.exchanges.is_empty() && device.exchanges_omitted > 0;
    let decided = if unlisted { Some(weigh(device.verdict, span)) } else { decided };
    let last_packet_at = last_packet_at.unwrap_or(span.until);
    let verdict = decided.max(carried);
    let keeps = |before: &Belief| match verdict {
        // Nothing was seen that decides.
        None => before.state.verdict != Verdict::Inconclusive,
        // What it was judged by goes on.
        Some(verdict) => carried > decided && verdict == before.state.verdict,
    };
    let state = if let Some(Belief { mut state, .. }) = before.filter(keeps) {
        if verdict.is_some() {
            state.judged_at = span.until;
        }
        state.last_packet_at = state.last_packet_at.max(last_packet_at);
        state
    } else {
        let verdict = verdict.unwrap_or(Verdict::Inconclusive);
        state(device, verdict, exchanges, span, last_packet_at)
    };
    Belief { state, sockets }
}

/// A verdict by what this window can prove.
fn weigh(verdict: Verdict, span: Span) -> Verdict {
    match verdict {
        Verdict::Unanswered if span.has_gap => Verdict::Inconclusive,
        other => other,
    }
}

/// Whether this is what the window shows of an exchange that began before it.
fn is_rest(exchange: &DeviceExchange, earlier: &Judged, span: Span) -> bool {
    earlier.first_packet_at < span.from
        && exchange.first_packet_at > earlier.first_packet_at
        && exchange.first_packet_at <= earlier.last_packet_at
}

/// Whether the rest of an exchange shows less of it than was known.
fn hides_more(rest: Verdict, earlier: Verdict) -> bool {
    match rest {
        // That there was something.
        Verdict::Inconclusive => earlier != rest,
        // That it failed, but not why.
        Verdict::Unanswered | Verdict::Rejected => earlier > rest,
        // That it goes on, but not that an address had changed.
        Verdict::Symmetric | Verdict::OneWay => earlier == Verdict::Tolerated,
        Verdict::Tolerated | Verdict::Broken => false,
    }
}

/// Whether silence is what proves a cause.
const fn is_silence(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::RequestUnanswered
            | Cause::FollowUpMissing
            | Cause::RequestNotDelivered
            | Cause::FollowUpNotDelivered
            | Cause::ReplyNotForwarded
            | Cause::FragmentsLost
            | Cause::NeighbourUnresolved
    )
}

fn state(
    device: &Device,
    verdict: Verdict,
    exchanges: BTreeMap<Verdict, u64>,
    span: Span,
    last_packet_at: Timestamp,
) -> WatchedState {
    let headline = if verdict == device.verdict {
        device.headline.clone()
    } else {
        render_mixture(&exchanges)
    };
    let findings = device.findings.iter().filter(|one| !(span.has_gap && is_silence(one.cause)));
    let finding = |finding: &DeviceFinding| WatchedFinding {
        cause: finding.cause,
        severity: finding.severity,
        confidence: finding.confidence,
        title: finding.title.clone(),
        evidence: u64::try_from(finding.evidence.len()).unwrap_or(u64::MAX),
    };
    WatchedState {
        verdict,
        headline,
        judged_at: span.until,
        last_packet_at,
        exchanges,
        findings: findings.map(finding).collect(),
    }
}

/// A headline where the report's is about an exchange that the window cut.
fn render_mixture(exchanges: &BTreeMap<Verdict, u64>) -> String {
    let parts = exchanges.iter().rev().map(|(verdict, count)| format!("{count} {verdict}"));
    format!("exchanges by verdict: {}", parts.collect::<Vec<_>>().join(", "))
}
