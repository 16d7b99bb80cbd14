//! Packets that the captures themselves lost, that a firewall did not log, or of which the
//! text cannot be read: what was not seen may be among them.

use super::{Habit, Reading};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{Point, PointId};
use crate::model::finding::{Cause, Confidence, Finding};

/// Stands for how many packets a log leaves out: nobody knows.
const ANY_NUMBER: u64 = u64::MAX;

impl Reading<'_> {
    /// Whether the captures miss so many packets that all answers to `packets` may be
    /// among them. Where fewer are missing than were sent in vain, silence is still seen.
    #[must_use]
    pub fn may_have_lost(&self, packets: u64) -> bool {
        let missing = self.missing().packets();
        (missing > 0 && missing >= packets) || self.hiding_filter().is_some()
    }

    /// Whether nothing but the logs of firewalls tells of it.
    #[must_use]
    pub fn is_from_log(&self) -> bool {
        self.missing().lost == ANY_NUMBER
    }

    /// Packets that are missing at every point that saw the exchange: the least of them,
    /// for a point that misses none shows what the others did not.
    fn missing(&self) -> Unseen {
        let views = self.exchange.views.iter();
        let missing = views.map(|view| self.missing_at(view.point));
        missing.min_by_key(|missing| missing.packets()).unwrap_or_default()
    }

    /// Packets that are missing at a point that saw the exchange: of those that nobody could
    /// read only such as may be of the exchange, by what is known of their ends.
    fn missing_at(&self, id: PointId) -> Unseen {
        let Some(point) = self.points.iter().find(|point| point.id == id) else {
            return Unseen::default();
        };
        let all = Unseen::of(point);
        // In other habits answers may come to other ends of the client than that which asked.
        let client = self.exchange.client;
        if all.unread == 0 || self.habit != Habit::Conversation || client.is_unknown() {
            return all;
        }
        Unseen { unread: point.unread.packets_of(&self.client_ends()), ..all }
    }

    /// Packets of the text at the primary point that could not be read, and may be the
    /// client's: their other end is masked, or has a name that nothing explains.
    #[must_use]
    pub fn unread_of_client(&self) -> u64 {
        let point = self.points.iter().find(|point| point.id == self.view.point);
        let point = point.filter(|point| !point.unread.are_cut());
        point.map_or(0, |point| point.unread.packets_of(&self.client_ends()))
    }

    /// The client's end, as all points saw it.
    pub(super) fn client_ends(&self) -> Vec<Endpoint> {
        let client = self.exchange.client;
        let mut ends = vec![client];
        for translation in &self.exchange.translations {
            let (before, after) = (translation.before, translation.after);
            if before == client {
                ends.push(after);
            } else if after == client {
                ends.push(before);
            }
        }
        ends
    }

    /// Makes a finding less sure that rests on packets which were not seen, where the
    /// capture says itself that it lost some, or where some could not be read.
    pub fn weigh_losses(&self, finding: &mut Finding) {
        let missing = match finding.cause {
            // What a datapath says of its own drops needs no capture.
            Cause::RequestUnanswered if self.view.dropped.is_some() => Unseen::default(),
            Cause::RequestUnanswered | Cause::FollowUpMissing => self.missing(),
            Cause::RequestNotDelivered => {
                self.lost_request.map_or_else(Unseen::default, |lost| Unseen::of(lost.missed))
            }
            // They may have got another port on the way than the request had.
            Cause::FollowUpNotDelivered => {
                let missed = self.lost_follow_up.map(|lost| lost.missed.point);
                let point = self.points.iter().find(|point| Some(point.id) == missed);
                point.map_or_else(Unseen::default, Unseen::of)
            }
            Cause::ReplyNotForwarded => self
                .lost_reply
                .map_or_else(Unseen::default, |lost| self.missing_at(lost.missed.point)),
            _ => Unseen::default(),
        };
        if missing.packets() == 0 {
            return;
        }
        finding.confidence = Confidence::Possible;
        finding.explanation.push_str(&missing.sentence());
    }
}

/// Packets of one point that nobody saw, or could read.
#[derive(Debug, Clone, Copy, Default)]
struct Unseen {
    lost: u64,
    unread: u64,
    /// The unread ones are no text, but bytes that end before the ports.
    are_cut: bool,
}

impl Unseen {
    const fn of(point: &Point) -> Self {
        let lost = if point.is_log { ANY_NUMBER } else { point.lost_packets };
        Self { lost, unread: point.unread.packets(), are_cut: point.unread.are_cut() }
    }

    const fn packets(self) -> u64 {
        self.lost.saturating_add(self.unread)
    }

    fn sentence(self) -> String {
        let some = |packets: u64| match packets {
            1 => "a packet".to_owned(),
            more => format!("{more} packets"),
        };
        match self {
            Self { lost: ANY_NUMBER, .. } => {
                " The capture is a firewall's log. It holds what rules log, often only the first packet of a flow, so what was not seen may have been there.".to_owned()
            }
            Self { lost: 0, unread, are_cut: true } => {
                format!(
                    " The snap length cut the ports off {} there, so what was not seen may be among them.",
                    some(unread)
                )
            }
            Self { lost: 0, unread, .. } => {
                format!(
                    " The text of {} there was not read, so what was not seen may be among them.",
                    some(unread)
                )
            }
            Self { lost, unread: 0, .. } => {
                format!(
                    " The capture itself lost {} there, so what was not seen may have been among them.",
                    some(lost)
                )
            }
            Self { lost, unread, .. } => {
                format!(
                    " The capture itself lost {} there, and {} could not be read, so what was not seen may have been among them.",
                    some(lost),
                    some(unread)
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::capture::PointKind;
    use crate::model::endpoint::{Endpoint, FlowKey};
    use crate::model::finding::{Cause, Confidence, Verdict};
    use crate::model::packet::{Application, Content, Datagram, Packet};
    use crate::model::time::Timestamp;

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
    fn silence_in_a_text_with_unread_packets_proves_little() {
        // unread, requests, verdict, confidence
        let cases = [
            (0, 4, Verdict::Unanswered, Confidence::Certain),
            (1, 4, Verdict::Unanswered, Confidence::Possible),
            (4, 4, Verdict::Inconclusive, Confidence::Possible),
        ];
        for family in Family::BOTH {
            for (unread, requests, verdict, confidence) in cases {
                let mut sample = Sample::tftp(family).repeat_request(requests - 1).wait_seconds(5);
                for _ in 0..unread {
                    sample.host_unread.note();
                }
                let name = format!("{unread} unread of {requests}, {family:?}");
                assert_eq!(sample.diagnose().verdict, verdict, "{name}");
                let finding = sample.finding(Cause::RequestUnanswered);
                assert_eq!(finding.confidence, confidence, "{name}");
                let is_told = finding.explanation.contains("was not read");
                assert_eq!(is_told, unread > 0, "{name}");
            }
        }
    }

    #[test]
    fn unread_packets_between_others_prove_nothing_against_silence() {
        for family in Family::BOTH {
            let client = Endpoint::new(family.device(), 41_226);
            let (named, other) = (Endpoint::unknown(client.address), family.other_device());
            let cases = [
                ("another's", Endpoint::new(other, 41_226), Verdict::Unanswered),
                ("another port's", Endpoint::new(client.address, 514), Verdict::Unanswered),
                ("its own", client, Verdict::Inconclusive),
                ("a named one's", Endpoint { port: 41_226, ..named }, Verdict::Inconclusive),
                ("anybody's", named, Verdict::Inconclusive),
            ];
            for (name, destination, verdict) in cases {
                let mut sample = Sample::tftp(family).repeat_request(3).wait_seconds(5);
                let flow = FlowKey::udp(Endpoint { port: 69, ..named }, destination);
                let datagram = Datagram {
                    flow,
                    length: 4,
                    fingerprint: None,
                    is_cut: false,
                    application: Application::Unknown { tftp_shape: None },
                };
                let at = Timestamp::from_seconds(1);
                let packet = Packet::without_headers(1, at, 0, Content::Datagram(datagram));
                for _ in 0..4 {
                    sample.host_unread.note_packet(&packet);
                }
                assert_eq!(sample.diagnose().verdict, verdict, "{name} {family:?}");
                let finding = sample.finding(Cause::RequestUnanswered);
                let is_told = finding.explanation.contains("was not read");
                assert_eq!(is_told, verdict == Verdict::Inconclusive, "{name} {family:?}");
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
