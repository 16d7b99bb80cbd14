//! What the filter of a capture kept out of it: silence there is none.

use super::{Habit, Reading};
use crate::model::capture::CaptureFilter;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::View;
use crate::model::protocol::Protocol;

impl<'a> Reading<'a> {
    /// The filter of the capture, where only requests are there and the captures at all
    /// points that show them would not have shown an answer.
    #[must_use]
    pub fn hiding_filter(&self) -> Option<&'a CaptureFilter> {
        let view = self.view;
        let asks = matches!(self.habit, Habit::Conversation | Habit::MovesByDesign)
            && view.requests.first.is_some()
            && view.dropped.is_none()
            && self.lost_request.is_none()
            && self.errors.is_empty();
        let is_heard = |view: &View| {
            !view.replies.is_empty() || !view.follow_ups.is_empty() || view.lost_replies.is_some()
        };
        if !asks || self.exchange.views.iter().any(is_heard) {
            return None;
        }
        // RFC 1350 section 4: a server answers from a port of its choice.
        let is_random = self.exchange.protocol == Protocol::Tftp;
        self.filter_at_all(|filter, client, asked| {
            filter.hides_answers(client, asked, Some(asked.port).filter(|_| !is_random))
        })
    }

    /// The filter of the capture, where it would have shown no ICMP error at any point.
    #[must_use]
    pub fn filter_without_errors(&self) -> Option<&'a CaptureFilter> {
        self.filter_at_all(CaptureFilter::hides_errors)
    }

    /// The filter at the primary point, if `hides` holds of those at all points.
    fn filter_at_all(
        &self,
        hides: impl Fn(&CaptureFilter, Endpoint, Endpoint) -> bool,
    ) -> Option<&'a CaptureFilter> {
        let ends = self.client_ends();
        let filter_at = |view: &View| {
            let point = self.points.iter().find(|point| point.id == view.point)?;
            let (filter, asked) = (point.filter.as_ref()?, view.asked?);
            ends.iter().any(|client| hides(filter, *client, asked)).then_some(filter)
        };
        let others = self.exchange.others();
        filter_at(self.view).filter(|_| others.iter().all(|view| filter_at(view).is_some()))
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::capture::{CaptureFilter, Condition, End, Side};
    use crate::model::finding::{Cause, Verdict};
    use crate::model::packet::IcmpKind;
    use crate::model::protocol::Protocol;
    use crate::model::report::Quotes;

    #[test]
    fn silence_that_a_filter_made_proves_nothing() {
        for family in Family::BOTH {
            let end = |side, address| Condition::End(side, End::Network(address));
            let device = || family.device().into();
            let filtered = |mut sample: Sample, condition| {
                sample.host_filter =
                    Some(CaptureFilter { text: "the filter".to_owned(), condition });
                sample
            };
            let asks = |protocol, port| {
                Sample::request(family, protocol, port).repeat_request(3).wait_seconds(5)
            };
            let snmp = || asks(Protocol::Ntp, 123);
            let one_way = || end(Side::Source, device());
            let both = || end(Side::Either, device());
            let port = |port| Condition::End(Side::Either, End::Ports(port..=port));
            let refused =
                || snmp().icmp(IcmpKind::PortUnreachable, family.vip(), Quotes::Request, 1);
            let cases = [
                ("one way", filtered(snmp(), one_way()), Verdict::Inconclusive),
                ("both ways", filtered(snmp(), both()), Verdict::Unanswered),
                ("its port", filtered(snmp(), port(123)), Verdict::Unanswered),
                ("none", snmp(), Verdict::Unanswered),
                ("another's", filtered(snmp(), port(53)), Verdict::Unanswered),
                ("refused", filtered(refused(), one_way()), Verdict::Rejected),
                ("a transfer", filtered(asks(Protocol::Tftp, 69), port(69)), Verdict::Inconclusive),
                ("QUIC", filtered(asks(Protocol::Quic, 443), one_way()), Verdict::Inconclusive),
                ("QUIC, both", filtered(asks(Protocol::Quic, 443), both()), Verdict::Unanswered),
            ];
            for (name, sample, verdict) in cases {
                assert_eq!(sample.diagnose().verdict, verdict, "{name} {family:?}");
                let found = sample.find(Cause::OneDirectionCaptured);
                let is_told = verdict == Verdict::Inconclusive;
                assert_eq!(found.is_some(), is_told, "{name} {family:?}");
                if let Some(finding) = found {
                    let told = &finding.explanation;
                    assert!(told.contains("`the filter`"), "{name} {family:?}: {told}");
                }
            }
            let by_port = filtered(snmp(), port(123)).finding(Cause::RequestUnanswered);
            assert!(by_port.explanation.contains("shows no ICMP error"), "{family:?}");
            let open = filtered(snmp(), both()).finding(Cause::RequestUnanswered);
            assert!(open.explanation.contains("no datagram and no ICMP error"), "{family:?}");
        }
    }
}
