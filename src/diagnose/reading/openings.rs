//! Openings in vain, in protocols whose later answers may come from elsewhere.

use super::Reading;
use crate::model::answers::Answers;
use crate::model::exchange::{AskedAgain, Expectation, PATIENCE, Said, Tally};
use crate::model::finding::Confidence;
use crate::model::protocol::Protocol;

/// Who asks so often was not answered: one packet or two may be lost.
const MANY: u64 = 3;

impl Reading<'_> {
    /// How sure it is that what the client sent to open a conversation got no answer, where
    /// nothing was captured but that, again and again. That the answers of a conversation
    /// may move on does not matter before there is one. Who goes on has been answered, and
    /// then only its own packets are in the capture.
    pub(super) fn unanswered_opening(&self) -> Option<Confidence> {
        let view = self.view;
        let requests = view.requests;
        let first = requests.first?;
        // What opens it is known by its bytes; text does not show them, but of WireGuard the
        // lengths tell, and of IKE tcpdump's words.
        let is_repeated = match self.exchange.protocol.answers() {
            Answers::Requests | Answers::Openings => requests.packets >= MANY,
            Answers::Most => requests.repeats + 1 >= MANY,
            Answers::Some | Answers::Nothing | Answers::Unknown => false,
        };
        let is_told = matches!(self.exchange.protocol, Protocol::Wireguard | Protocol::Ike);
        let is_known = view.has_payloads || is_told;
        let opens_only = is_known
            && view.expectation == Expectation::Answer
            && !view.may_be_answered_elsewhere
            && view.unanswered.packets == requests.packets
            && view.follow_ups.is_empty();
        (is_repeated && opens_only && self.is_silent_for(first, PATIENCE))
            .then_some(Confidence::Likely)
    }

    /// Whether nothing but its pauses say that it is a request: both ports are the service's,
    /// and the text shows no more than lengths. Of NTP its mode is printed.
    pub(super) fn is_request_by_pauses(&self) -> bool {
        let protocol = self.exchange.protocol;
        let ends = self.view.asked.map(|asked| [asked, self.exchange.client]);
        let first = self.view.steps.first();
        protocol != Protocol::Ntp
            && !self.view.has_payloads
            && first.is_some_and(|step| matches!(step.said, Said::Datagram { .. }))
            && ends.is_some_and(|ends| ends.iter().all(|end| protocol.is_served_at(end.port)))
    }

    /// A tunnel's handshake that was answered, and begun again without a word of data: the
    /// initiator did not take the response.
    #[must_use]
    pub fn begins_in_vain(&self) -> Option<AskedAgain> {
        let is_tunnel = self.exchange.protocol == Protocol::Wireguard;
        self.view.asked_again.filter(|_| is_tunnel && self.is_answered())
    }

    /// Whether the `unanswered` requests behind the last answer are those of a relay whose
    /// clients get nothing any more. One socket of a relay asks for all of its clients, and
    /// that some were served does not help the next. Each has to have asked many times: of
    /// two servers that share the clients (RFC 3074) one hears what the other serves, which
    /// is one DISCOVER and one REQUEST a client.
    pub(super) fn is_asked_in_vain_for_clients(&self, unanswered: Tally) -> bool {
        let transactions = unanswered.packets.saturating_sub(unanswered.repeats);
        // In other such protocols who goes away falls silent, and its peer asks on.
        self.exchange.protocol.answers() == Answers::Most
            && self.view.has_payloads
            && self.view.asked.is_some()
            && unanswered.packets >= MANY.saturating_mul(transactions.max(1))
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::exchange::Origin;
    use crate::model::finding::{Cause, Confidence, Verdict};
    use crate::model::packet::IcmpKind;
    use crate::model::protocol::Protocol;
    use crate::model::report::Quotes;

    #[test]
    fn openings_in_vain_are_unanswered() {
        for family in Family::BOTH {
            let opens = |protocol, port| {
                let mut sample = Sample::request(family, protocol, port).repeat_request(3);
                sample.primary().has_payloads = true;
                sample.wait_seconds(5)
            };
            for (protocol, port) in [
                (Protocol::Ike, 500),
                (Protocol::Quic, 443),
                (Protocol::Wireguard, 51_820),
                (Protocol::Stun, 3478),
                (Protocol::Dhcp, 67),
            ] {
                let sample = opens(protocol, port);
                assert_eq!(sample.diagnose().verdict, Verdict::Unanswered, "{protocol} {family:?}");
                let finding = sample.finding(Cause::RequestUnanswered);
                assert_eq!(finding.confidence, Confidence::Likely, "{protocol} {family:?}");
            }
            for (protocol, port) in
                [(Protocol::Nbns, 137), (Protocol::Bacnet, 47_808), (Protocol::Ssdp, 1900)]
            {
                let verdict = opens(protocol, port).diagnose().verdict;
                assert_eq!(verdict, Verdict::Inconclusive, "{protocol} {family:?}");
            }
        }
    }

    #[test]
    fn who_goes_on_was_answered_elsewhere() {
        for family in Family::BOTH {
            let opens = || Sample::request(family, Protocol::Wireguard, 51_820).repeat_request(3);
            let mut goes_on = opens().wait_seconds(5);
            goes_on.primary().unanswered.packets -= 1;
            let mut text = Sample::request(family, Protocol::Quic, 443).repeat_request(3);
            text.primary().has_payloads = false;
            let text = text.wait_seconds(5);
            let answered = opens().reply(family.vip(), 51_820, Origin::ByDesign, 1);
            let cases = [
                ("one direction", goes_on, Verdict::Inconclusive),
                ("text", text, Verdict::Inconclusive),
                ("answered in the end", answered, Verdict::Symmetric),
            ];
            for (name, sample, verdict) in cases {
                assert_eq!(sample.diagnose().verdict, verdict, "{name} {family:?}");
            }
            let once = Sample::request(family, Protocol::Ike, 500).wait_seconds(9);
            assert_eq!(once.diagnose().verdict, Verdict::Inconclusive, "{family:?}");
        }
    }

    #[test]
    fn a_relay_is_no_longer_answered_though_earlier_clients_were() {
        for family in Family::BOTH {
            let later = |protocol, port, packets: u64, clients: u64| {
                let mut sample = Sample::request(family, protocol, port)
                    .reply(family.vip(), port, Origin::ByDesign, 2)
                    .wait_seconds(4);
                for _ in 0..packets {
                    sample = sample.wait_seconds(4).request_again();
                }
                let view = sample.primary();
                view.unanswered.repeats = packets.saturating_sub(clients);
                sample.wait_seconds(9)
            };
            let in_vain = |protocol, port| later(protocol, port, 3, 1);
            let mut text = in_vain(Protocol::Dhcp, 67);
            text.primary().has_payloads = false;
            let mut lost = in_vain(Protocol::Dhcp, 67);
            lost.host_lost_packets = 3;
            let cases = [
                ("three times", in_vain(Protocol::Dhcp, 67), Verdict::Unanswered),
                ("DHCPv6", in_vain(Protocol::Dhcpv6, 547), Verdict::Unanswered),
                ("two clients", later(Protocol::Dhcp, 67, 7, 2), Verdict::Unanswered),
                ("a lease of another server", later(Protocol::Dhcp, 67, 2, 1), Verdict::Symmetric),
                ("leases of another", later(Protocol::Dhcp, 67, 8, 4), Verdict::Symmetric),
                ("releases", later(Protocol::Dhcp, 67, 5, 5), Verdict::Symmetric),
                ("all served", later(Protocol::Dhcp, 67, 0, 0), Verdict::Symmetric),
                ("text", text, Verdict::Symmetric),
                ("losses", lost, Verdict::Inconclusive),
                ("a call that ended", in_vain(Protocol::Stun, 3478), Verdict::Symmetric),
                ("a peer that left", in_vain(Protocol::Wireguard, 51_820), Verdict::Symmetric),
            ];
            for (name, sample, verdict) in cases {
                assert_eq!(sample.diagnose().verdict, verdict, "{name} {family:?}");
                let found = sample.find(Cause::RequestUnanswered);
                let is_told = verdict != Verdict::Symmetric;
                assert_eq!(found.is_some(), is_told, "{name} {family:?}");
                if let Some(finding) = found {
                    assert!(finding.title.contains("then no more"), "{}", finding.title);
                    assert!(finding.explanation.contains("no address left"), "{name}");
                }
            }
        }
    }

    #[test]
    fn a_way_that_fails_where_another_works_is_tried_on_purpose() {
        for family in Family::BOTH {
            let check = || Sample::request(family, Protocol::Stun, 45_500).repeat_request(6);
            let refused = |sample: Sample| {
                sample.icmp(IcmpKind::PortUnreachable, family.vip(), Quotes::Request, 4)
            };
            let works_elsewhere = |mut sample: Sample| {
                sample.primary().answered_elsewhere = sample.primary().requests.first;
                sample
            };
            let cases = [
                ("silent", check().wait_seconds(5), Verdict::Unanswered),
                ("refused", refused(check()), Verdict::Rejected),
                ("silent beside", works_elsewhere(check().wait_seconds(5)), Verdict::OneWay),
                ("refused beside", works_elsewhere(refused(check())), Verdict::OneWay),
            ];
            for (name, sample, verdict) in cases {
                let diagnosis = sample.diagnose();
                assert_eq!(diagnosis.verdict, verdict, "{name} {family:?}");
                let is_fine = verdict == Verdict::OneWay;
                assert_eq!(diagnosis.findings.is_empty(), is_fine, "{name} {family:?}");
            }
        }
    }
}
