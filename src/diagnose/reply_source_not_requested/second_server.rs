//! A Teredo server answers the router solicitation of a client with the cone bit from its
//! second address (RFC 4380 section 5.2.1): whether that arrives tells the client what its
//! NAT lets through. The address is another one, and meant to be.

use crate::diagnose::evidence::extend;
use crate::diagnose::reading::{Habit, Reading};
use crate::diagnose::wording::fit_title;
use crate::model::exchange::{Origin, Replies};
use crate::model::finding::{Cause, Confidence, Finding, Severity};

impl<'a> Reading<'a> {
    /// The answer of a tunnel's server from an address that was not asked.
    #[must_use]
    pub fn second_server(&self) -> Option<&'a Replies> {
        let is_second =
            |replies: &&Replies| replies.origin == Origin::OtherAddress(Confidence::Certain);
        self.view.replies.iter().find(is_second).filter(|_| self.habit == Habit::Tunnel)
    }
}

/// Tells of it.
pub fn find(reading: &Reading<'_>) -> Option<Finding> {
    let reply = reading.second_server()?;
    let asked = reading.view.asked?.address;
    let source = reply.source.address;
    let first = reading.first_reply(reply)?;
    let mut finding =
        Finding::new(Cause::ReplySourceNotRequested, Severity::Info, Confidence::Certain, first);
    finding.title = fit_title([
        format!("{asked} was asked, {source} answered, to test the NAT"),
        "The answer came from the server's second address".to_owned(),
    ]);
    finding.explanation = format!(
        "{} asked {}, and {} answered with the same nonce. A Teredo server has two addresses, and answers from the other one where the client asks it to test the NAT (RFC 4380 section 5.2.1). It is meant so: if it arrives, the NAT lets strangers through.",
        reading.client_word_first(),
        reading.name(asked),
        reading.name(source),
    );
    extend(&mut finding, [reading.first_request()]);
    Some(finding)
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::exchange::{Course, Origin};
    use crate::model::finding::{Cause, Confidence, Severity, Verdict};
    use crate::model::protocol::Protocol;

    #[test]
    fn a_tunnels_server_may_answer_from_its_second_address() {
        for family in Family::BOTH {
            let second = family.other_device();
            let sample = |protocol, port, origin| {
                let asked = Sample::request(family, protocol, port);
                asked.reply(second, port, origin, 1).follow_up(
                    family.vip(),
                    port,
                    Course::ToAnswerer,
                    1,
                )
            };
            let certain = Origin::OtherAddress(Confidence::Certain);
            let cases = [
                ("the same nonce", sample(Protocol::Teredo, 3544, certain), Verdict::Tolerated),
                (
                    "the address asked",
                    sample(Protocol::Teredo, 3544, Origin::Asked),
                    Verdict::OneWay,
                ),
                (
                    "nothing but time",
                    sample(Protocol::Teredo, 3544, Origin::OtherAddress(Confidence::Likely)),
                    Verdict::OneWay,
                ),
            ];
            for (name, sample, verdict) in cases {
                assert_eq!(sample.diagnose().verdict, verdict, "{name} {family:?}");
                let finding = sample.find(Cause::ReplySourceNotRequested);
                let severity = finding.map(|finding| finding.severity);
                let is_told = verdict == Verdict::Tolerated;
                assert_eq!(severity, is_told.then_some(Severity::Info), "{name} {family:?}");
            }
        }
    }
}
