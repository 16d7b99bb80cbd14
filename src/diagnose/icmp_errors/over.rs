//! Errors about an exchange that was over, or that had gone well until then.

use crate::diagnose::reading::{Habit, Reading, SeenErrors};
use crate::diagnose::wording::times;
use crate::model::finding::Cause;
use crate::model::packet::IcmpKind;
use crate::model::protocol::Protocol;
use crate::model::report::Quotes;

/// Why the errors came, where what was said before them tells it.
pub(super) fn find_reason(reading: &Reading<'_>, seen: &SeenErrors<'_>) -> Option<String> {
    if let Some(answer) = seen.follows_error() {
        return Some(format!(
            "{} had ended the transfer before, with {}: nothing waits for more there, and the error does no harm. Why the transfer failed is in those words.",
            reading.name_first(answer.source.address),
            answer.words,
        ));
    }
    let answers = times(reading.view.reply_packets());
    if seen.is_hang_up(reading.exchange.protocol) {
        return Some(format!(
            "It had answered {answers}, until just before, and has closed its socket: so ends a call or a game when one side leaves, and the other soon stops as well.",
        ));
    }
    if seen.may_be_hang_up(reading.exchange.protocol) {
        return Some(format!(
            "It had answered {answers}, until just before. Now nothing listens there: the server has stopped, or the rule is gone that sends the port to a pod that is ready, or one side has left a call or a game. The capture ends too soon after it to tell by whether the other side asks on.",
        ));
    }
    let refuses_request = seen.ended
        && (seen.cause, seen.errors.quotes) == (Cause::PortUnreachable, Quotes::Request)
        && !matches!(reading.exchange.protocol, Protocol::Tcp | Protocol::Tftp)
        && reading.has_expected_reply();
    refuses_request.then(|| {
        format!(
            "The port asked had answered {answers} before. Now nothing listens there: the server has stopped, or the rule is gone that sends the port to a pod that is ready.{}",
            render_end(reading, seen),
        )
    })
}

/// That the exchange went on after the errors, if it did, with a space before it.
pub(super) fn render_end(reading: &Reading<'_>, seen: &SeenErrors<'_>) -> &'static str {
    if seen.ended {
        let is_elsewhere = seen.view.point.as_captured() != reading.view.point.as_captured();
        return if is_elsewhere {
            " The errors were seen at another capture point only."
        } else {
            ""
        };
    }
    match reading.habit {
        _ if seen.errors.kind == IcmpKind::PacketTooBig && seen.are_last_word() => {
            " Nothing was sent after it: whether the sender sends less from then on is not in the capture."
        }
        Habit::OneWay | Habit::Tunnel => " Later packets were not refused.",
        _ if seen.answered_elsewhere() => "",
        _ => " The exchange went on all the same.",
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::exchange::Origin;
    use crate::model::finding::{Cause, Verdict};
    use crate::model::packet::IcmpKind;
    use crate::model::protocol::Protocol;
    use crate::model::report::Quotes;

    #[test]
    fn a_hang_up_is_where_nobody_asks_the_same_again() {
        for family in Family::BOTH {
            let talk = |turns: u64, heard| {
                let mut sample = Sample::request(family, Protocol::Udp, 7_777);
                for _ in 1..turns {
                    sample = sample.request_again();
                }
                sample.reply(family.vip(), 7_777, Origin::Asked, heard)
            };
            let refused = |sample: Sample, quotes| {
                let from = sample.exchange.views[0].asked.unwrap().address;
                sample.icmp(IcmpKind::PortUnreachable, from, quotes, 1)
            };
            let refused_talk = || refused(talk(12, 12).request_again(), Quotes::Request);
            let ends = || refused_talk().request_again();
            let hung_up = || ends().wait_seconds(6);
            let farewell = |mut sample: Sample| {
                let view = sample.primary();
                (view.requests.repeats, view.requests.first_repeat) = (1, view.requests.last);
                sample
            };
            let told = refused(talk(12, 30).request_again(), Quotes::Request);
            let mut text = told.repeat_request(2).wait_seconds(6);
            text.primary().has_payloads = false;
            let cases = [
                ("one side left", hung_up(), Verdict::Symmetric),
                ("a farewell at once", farewell(ends()).wait_seconds(6), Verdict::Symmetric),
                ("of one length in text", text, Verdict::Symmetric),
                (
                    "the same is asked on",
                    ends().repeat_request(2).wait_seconds(6),
                    Verdict::Rejected,
                ),
                ("the capture ends", ends(), Verdict::Inconclusive),
                ("the capture ends soon", ends().wait_seconds(4), Verdict::Inconclusive),
                ("asked on for long", ends().wait_seconds(10).request_again(), Verdict::Rejected),
                (
                    "never much of a talk",
                    refused(talk(4, 4).request_again(), Quotes::Request),
                    Verdict::Rejected,
                ),
            ];
            for (name, sample, verdict) in cases {
                assert_eq!(sample.diagnose().verdict, verdict, "{name} {family:?}");
                let finding = sample.finding(Cause::PortUnreachable);
                let is_call = finding.explanation.contains("ends a call");
                assert_eq!(is_call, verdict == Verdict::Symmetric, "{name} {family:?}");
                assert_eq!(finding.remedies.is_empty(), is_call, "{name} {family:?}");
            }
            // What was sent again and never answered was not mended.
            let unheard = farewell(ends()).wait_seconds(6);
            assert_eq!(unheard.find(Cause::RetransmissionsRecovered), None, "{family:?}");
        }
    }
}
