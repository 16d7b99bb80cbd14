//! How many different requests a client made: who asks the same again does not always do
//! so with the same bytes.

use super::Reading;
use crate::model::protocol::Protocol;

impl Reading<'_> {
    /// How many different requests there are, none of which was answered. A question under
    /// a new transaction id is the same request, as resolvers and pollers send it again.
    /// Where the protocol does not tell, and of a table's entry, all are taken for one.
    #[must_use]
    pub fn different_requests(&self) -> u64 {
        // Requests of NTP differ by the time at which they are sent (RFC 5905 section 8).
        let is_one =
            self.exchange.protocol == Protocol::Ntp || !self.exchange.protocol.expects_answer();
        if is_one || self.is_from_table() {
            return 1;
        }
        let requests = self.view.requests;
        let by_identity = requests.packets.saturating_sub(requests.repeats);
        let most = if self.view.open_questions > 0 { self.view.open_questions } else { u64::MAX };
        by_identity.min(most).max(1)
    }

    /// Whether any request asks what one before it asked.
    pub(super) fn asks_again(&self) -> bool {
        self.view.requests.packets > self.different_requests()
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::finding::{Cause, Confidence};
    use crate::model::protocol::Protocol;

    #[test]
    fn a_question_under_a_new_identity_is_asked_again() {
        for family in Family::BOTH {
            let asks = |protocol, port, open_questions| {
                let sample = Sample::request(family, protocol, port);
                let mut sample = sample.wait_seconds(5).request_again().wait_seconds(5);
                sample = sample.request_again();
                sample.primary().open_questions = open_questions;
                sample.wait_seconds(5).finding(Cause::RequestUnanswered)
            };
            let cases = [
                (Protocol::Dns, 53, 1, "sent 3 times, no answer", Confidence::Likely),
                (Protocol::Dns, 53, 2, "sent 3 times in all, no answer", Confidence::Likely),
                (Protocol::Dns, 53, 3, "3 DNS requests to", Confidence::Possible),
                (Protocol::Snmp, 161, 1, "sent 3 times, no answer", Confidence::Likely),
                (Protocol::Ntp, 123, 3, "sent 3 times, no answer", Confidence::Likely),
            ];
            for (protocol, port, questions, title, confidence) in cases {
                let finding = asks(protocol, port, questions);
                let told = &finding.title;
                assert!(told.contains(title), "{protocol}, {questions}: {told}");
                assert_eq!(finding.confidence, confidence, "{protocol}, {questions}");
            }
        }
    }
}
