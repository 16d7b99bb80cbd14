//! What the filter of a capture kept out of it: silence there is none.

use super::{Habit, Reading};
use crate::model::capture::{CaptureFilter, PointKind};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::View;
use crate::model::protocol::Protocol;
use crate::model::topology::Role;

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
        let by_address = || self.filter_by_address().filter(|_| self.may_answer_elsewhere());
        self.filter_of_all_answers().or_else(by_address)
    }

    /// The filter of the capture, where it would have shown no answer at all at any point.
    pub fn filter_of_all_answers(&self) -> Option<&'a CaptureFilter> {
        self.filter_at_all(|filter, _, client, asked| {
            filter.hides_answers(client, asked, self.answer_port(asked))
        })
    }

    /// The filter of the capture, where it would have shown no answer from another address
    /// than the one asked at any point.
    #[must_use]
    pub fn filter_by_address(&self) -> Option<&'a CaptureFilter> {
        // The pod itself answers at its cable, before anything is translated.
        let is_pods = |view: &View, asked: Endpoint| {
            view.kind == PointKind::Pod && self.role_of(asked.address) == Role::Pod
        };
        self.filter_at_all(|filter, view, client, asked| {
            !is_pods(view, asked)
                && filter.hides_other_answers(client, asked, self.answer_port(asked))
        })
    }

    /// Whether the client takes an answer from anywhere, so that one that was not shown may
    /// have served it: a TFTP client learns its server's port from the answer (RFC 1350
    /// section 4), and many take its address from there as well.
    const fn may_answer_elsewhere(&self) -> bool {
        matches!(self.exchange.protocol, Protocol::Tftp)
    }

    /// The port from which whom `asked` names answers; `None` where nobody foresees it.
    fn answer_port(&self, asked: Endpoint) -> Option<u16> {
        // RFC 1350 section 4: a server answers from a port of its choice.
        Some(asked.port).filter(|_| self.exchange.protocol != Protocol::Tftp)
    }

    /// The filter of the capture, where it would have shown no ICMP error at any point.
    #[must_use]
    pub fn filter_without_errors(&self) -> Option<&'a CaptureFilter> {
        self.filter_at_all(|filter, _, client, asked| filter.hides_errors(client, asked))
    }

    /// The filter at the primary point, if `hides` holds of those at all points.
    fn filter_at_all(
        &self,
        hides: impl Fn(&CaptureFilter, &View, Endpoint, Endpoint) -> bool,
    ) -> Option<&'a CaptureFilter> {
        let ends = self.client_ends();
        let filter_at = |view: &View| {
            let point = self.points.iter().find(|point| point.id == view.point)?;
            let (filter, asked) = (point.filter.as_ref()?, view.asked?);
            ends.iter().any(|client| hides(filter, view, *client, asked)).then_some(filter)
        };
        let others = self.exchange.others();
        filter_at(self.view).filter(|_| others.iter().all(|view| filter_at(view).is_some()))
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::capture::{CaptureFilter, Condition, End, Side};
    use crate::model::finding::{Cause, Confidence, Verdict};
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
            let of_service = || end(Side::Either, family.vip().into());
            let transfer = filtered(asks(Protocol::Tftp, 69), of_service());
            assert_eq!(transfer.diagnose().verdict, Verdict::Inconclusive, "{family:?}");
            let finding = transfer.finding(Cause::OneDirectionCaptured);
            let told = &finding.explanation;
            assert!(told.contains("from another address"), "{family:?}: {told}");
            let command = format!("'host {} and not tcp'", family.device());
            assert!(finding.remedies[0].commands[0].ends_with(&command), "{family:?}");
            // Who asks for both has seen what a node sends.
            let with_node =
                Condition::Any(vec![of_service(), end(Side::Either, family.node().into())]);
            let transfer = filtered(asks(Protocol::Tftp, 69), with_node);
            assert_eq!(transfer.diagnose().verdict, Verdict::Unanswered, "{family:?}");
            let asked = filtered(snmp(), of_service());
            assert_eq!(asked.diagnose().verdict, Verdict::Unanswered, "{family:?}");
            let finding = asked.finding(Cause::RequestUnanswered);
            assert_eq!(finding.confidence, Confidence::Likely, "{family:?}");
            let told = &finding.explanation;
            assert!(told.contains("from another address"), "{family:?}: {told}");
            assert!(finding.remedies[0].commands[0].ends_with(&command), "{family:?}");
            let open = snmp().finding(Cause::RequestUnanswered);
            assert_eq!(open.confidence, Confidence::Certain, "{family:?}");
            let by_port = filtered(snmp(), port(123)).finding(Cause::RequestUnanswered);
            assert!(by_port.explanation.contains("shows no ICMP error"), "{family:?}");
            let open = filtered(snmp(), both()).finding(Cause::RequestUnanswered);
            assert!(open.explanation.contains("no datagram and no ICMP error"), "{family:?}");
        }
    }
}
