//! Packets that the captures themselves lost, or a firewall did not log: what was not
//! seen may be among them.

use super::Reading;
use crate::model::exchange::{Point, PointId};
use crate::model::finding::{Cause, Confidence, Finding};

/// Stands for how many packets a log leaves out: nobody knows.
const ANY_NUMBER: u64 = u64::MAX;

impl Reading<'_> {
    /// Whether the captures lost so many packets that all answers to `packets` may be
    /// among them. Where fewer were lost than were sent in vain, silence is still seen.
    #[must_use]
    pub fn may_have_lost(&self, packets: u64) -> bool {
        let lost = self.lost_packets();
        lost > 0 && lost >= packets
    }

    /// Packets that the captures lost at every point that saw the exchange: the least
    /// of them, for a point that lost none shows what the others did not.
    fn lost_packets(&self) -> u64 {
        let views = self.exchange.views.iter();
        views.map(|view| self.lost_at(view.point)).min().unwrap_or(0)
    }

    fn lost_at(&self, id: PointId) -> u64 {
        let point = self.points.iter().find(|point| point.id == id);
        point.map_or(0, lost_by)
    }

    /// Makes a finding less sure that rests on packets which were not seen, where the
    /// capture says itself that it lost some.
    pub fn weigh_losses(&self, finding: &mut Finding) {
        let lost = match finding.cause {
            // What a datapath says of its own drops needs no capture.
            Cause::RequestUnanswered if self.view.dropped.is_some() => 0,
            Cause::RequestUnanswered | Cause::FollowUpMissing => self.lost_packets(),
            Cause::RequestNotDelivered => self.lost_request.map_or(0, |lost| lost_by(lost.missed)),
            Cause::FollowUpNotDelivered => {
                self.lost_follow_up.map_or(0, |lost| self.lost_at(lost.missed.point))
            }
            Cause::ReplyNotForwarded => {
                self.lost_reply.map_or(0, |lost| self.lost_at(lost.missed.point))
            }
            _ => 0,
        };
        if lost == 0 {
            return;
        }
        finding.confidence = Confidence::Possible;
        let told = if lost == ANY_NUMBER {
            " The capture is a firewall's log. It holds what rules log, often only the first packet of a flow, so what was not seen may have been there.".to_owned()
        } else {
            let packets = if lost == 1 { "a packet".to_owned() } else { format!("{lost} packets") };
            format!(
                " The capture itself lost {packets} there, so what was not seen may have been among them."
            )
        };
        finding.explanation.push_str(&told);
    }
}

const fn lost_by(point: &Point) -> u64 {
    if point.is_log { ANY_NUMBER } else { point.lost_packets }
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::capture::PointKind;
    use crate::model::finding::{Cause, Confidence, Verdict};

    #[test]
    fn silence_in_a_capture_that_lost_packets_proves_little() {
        // lost, requests, verdict, confidence
        let cases = [
            (0, 4, Verdict::Unanswered, Confidence::Certain),
            (1, 4, Verdict::Unanswered, Confidence::Possible),
            (4, 4, Verdict::Inconclusive, Confidence::Possible),
            (5_000, 4, Verdict::Inconclusive, Confidence::Possible),
        ];
        for family in Family::BOTH {
            for (lost, requests, verdict, confidence) in cases {
                let mut sample = Sample::tftp(family).repeat_request(requests - 1).wait_seconds(5);
                sample.host_lost_packets = lost;
                let diagnosis = sample.diagnose();
                let name = format!("{lost} lost of {requests}, {family:?}");
                assert_eq!(diagnosis.verdict, verdict, "{name}");
                let finding = sample.finding(Cause::RequestUnanswered);
                assert_eq!(finding.confidence, confidence, "{name}");
                let is_told = finding.explanation.contains("The capture itself lost");
                assert_eq!(is_told, lost > 0, "{name}");
            }
        }
    }

    #[test]
    fn a_missing_follow_up_may_be_among_what_was_lost() {
        for family in Family::BOTH {
            for (lost, verdict, confidence) in [
                (0, Verdict::Unanswered, Confidence::Certain),
                (90, Verdict::Inconclusive, Confidence::Possible),
            ] {
                let answered = Sample::tftp(family).answered_by_vip().repeat_reply(3);
                let mut sample = answered.at(PointKind::Host);
                sample.host_lost_packets = lost;
                assert_eq!(sample.diagnose().verdict, verdict, "{lost} {family:?}");
                let finding = sample.finding(Cause::FollowUpMissing);
                assert_eq!(finding.confidence, confidence, "{lost} {family:?}");
            }
        }
    }

    #[test]
    fn silence_in_a_log_of_a_firewall_proves_nothing() {
        for family in Family::BOTH {
            let mut sample = Sample::tftp(family).repeat_request(3).wait_seconds(5);
            sample.host_is_log = true;
            assert_eq!(sample.diagnose().verdict, Verdict::Inconclusive, "{family:?}");
            let finding = sample.finding(Cause::RequestUnanswered);
            assert_eq!(finding.confidence, Confidence::Possible);
            assert!(finding.explanation.contains("a firewall's log"), "{}", finding.explanation);
        }
    }
}
