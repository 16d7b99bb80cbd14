//! Answers that a client gets as they were sent, though its request was translated.

use super::Record;
use super::flags::Flag;
use crate::correlate::count::CountWithRepeat;
use crate::correlate::passage::{Header, Passage};
use crate::correlate::sides::RepliesFrom;
use crate::correlate::signature::signature;
use crate::correlate::tftp::is_tftp;
use crate::model::capture::{CaptureId, Direction};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{AskedAgain, Origin, Step};
use crate::model::finding::Confidence;
use crate::model::packet::{Datagram, Packet};
use crate::model::report::{Quotes, StepKind};
use std::time::Duration;

/// A host passes a packet on within this time.
const ON_ITS_WAY: Duration = Duration::from_millis(100);

impl Record {
    /// Whether `datagram`, from the server to the client, is its last answer once more, which
    /// a host passed on as it was.
    pub fn is_answer_passed_on(&self, packet: &Packet, datagram: &Datagram) -> bool {
        let said = signature(datagram, is_tftp(self.protocol));
        let last = self.from_server.filter(|last| packet.at.distance(last.at) <= ON_ITS_WAY);
        let Some(last) = last.filter(|last| said.is_sure() && last.says(said, datagram)) else {
            return false;
        };
        let (before, now) = (last.header(), Header::of(packet));
        let is_hop_on = before.hop_limit.zip(now.hop_limit).is_some_and(|(one, two)| two < one);
        let went_through =
            (before.direction, now.direction) == (Some(Direction::In), Some(Direction::Out));
        before.passage_to(now) == Passage::PassedOn && (is_hop_on || went_through)
    }

    /// Takes what was said in `copy`, which is this request behind its translation, and what
    /// came of it. There it stays as well.
    pub fn take_answers_of(&mut self, copy: &mut Self, capture: CaptureId) {
        let Some(asked) = self.asked else { return };
        let (answerer, answers) = (copy.asked, copy.answers);
        let by_design = self.protocol.moves_by_design();
        let origin_of = |source: Endpoint| {
            if by_design {
                Origin::ByDesign
            } else if source.address == asked.address {
                Origin::OtherPort(Confidence::Certain)
            } else {
                Origin::OtherAddress(Confidence::Certain)
            }
        };
        let other = copy.details(capture);
        let (repeated, repeated_answers) =
            (self.details(capture).repeated_requests, other.repeated_answers);
        let own = self.details(capture);
        let plain = answerer.filter(|_| answers.packets > 0).map(|source| RepliesFrom {
            source,
            origin: origin_of(source),
            tally: CountWithRepeat { count: answers, repeats: repeated_answers },
            awaits_follow_up: false,
            beside: 0,
        });
        let others = other.replies.iter().map(|replies| RepliesFrom {
            origin: origin_of(replies.source),
            beside: 0,
            ..*replies
        });
        own.replies.extend(plain.into_iter().chain(others));
        own.follow_ups.extend(other.follow_ups.iter().copied());
        let of_answers = other.icmp_errors.iter().filter(|errors| errors.quotes != Quotes::Request);
        own.icmp_errors.extend(of_answers.copied());
        own.reset = other.reset;
        own.lost_replies.clone_from(&other.lost_replies);
        own.stall.clone_from(&other.stall);
        own.error_answer.clone_from(&other.error_answer);
        own.progress = other.progress;
        own.retries = other.retries.take();
        // What was asked again is told of as the client sent it.
        let first_answer = own.replies.iter().map(|replies| replies.tally.count.first.at).min();
        own.asked_again = other.asked_again.as_deref().map(|again| {
            let sent = repeated.first(capture).filter(|sent| Some(sent.at) > first_answer);
            Box::new(AskedAgain { frame: sent.unwrap_or(again.frame), ..*again })
        });
        let counted = |tally: &CountWithRepeat| u64::from(tally.count.packets);
        let packets: u64 = own.replies.iter().map(|replies| counted(&replies.tally)).sum::<u64>()
            + own.follow_ups.iter().map(|sent| counted(&sent.tally)).sum::<u64>()
            + own.icmp_errors.iter().map(|errors| errors.tally.packets).sum::<u64>();
        let told = other.steps.to_vec(capture).into_iter();
        let told: Vec<Step> = told.filter(|step| step.kind != StepKind::Request).collect();
        let omitted = packets.saturating_sub(u64::try_from(told.len()).unwrap_or(0));
        let mut steps: Vec<Step> = own.steps.to_vec(capture);
        steps.extend(told.into_iter().map(|step| Step { omitted_before: 0, ..step }));
        own.steps.replace(steps);
        own.steps_omitted += omitted;
        for at in other.first_at.into_iter().chain(other.last_at) {
            own.note_times(at, at);
        }
        if answers.packets > 0 {
            let [first, last] = [answers.first, answers.last];
            own.note_times(first.at, last.at);
        }
        self.from_server = copy.from_server;
        self.flags.add_if(Flag::ServerNews, copy.flags.has(Flag::ServerNews));
        self.unanswered.answer_all();
    }
}
