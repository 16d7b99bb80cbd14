//! Exchanges of which the capture missed the beginning, so that nobody is known to have
//! asked: two halves of one, or an answer that was taken for a question.

use super::{Flag, Record};
use crate::correlate::count::{Count, CountWithRepeat};
use crate::correlate::sides::{FollowUpsTo, RepliesFrom};
use crate::correlate::tftp::is_tftp_protocol;
use crate::correlate::unanswered::Unanswered;
use crate::model::capture::CaptureId;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{Course, Expectation, Origin, Step};
use crate::model::finding::Confidence;
use crate::model::packet::IcmpKind;
use crate::model::protocol::Protocol;
use crate::model::report::{Quotes, StepKind};

impl Record {
    /// Whether its packets, of no protocol that we know, were refused by ICMP port
    /// unreachable and never answered: whoever sent them may have been asked before.
    pub fn is_refused_unheard(&self) -> bool {
        self.protocol == Protocol::Udp && self.is_refused() && !self.is_answered()
    }

    /// Whether what the client says is no news to `source`, which speaks from the port at
    /// which the client is refused: of a transfer whose request was not captured.
    pub(super) fn is_deaf(&self, source: Endpoint) -> bool {
        let is_twin =
            |asked: Endpoint| asked.port == source.port && asked.address != source.address;
        self.is_midway() && self.asked.is_some_and(is_twin) && self.is_refused()
    }

    fn is_refused(&self) -> bool {
        self.asked.is_some()
            && self.details.as_ref().is_some_and(|details| {
                details.icmp_errors.iter().any(|errors| {
                    errors.kind == IcmpKind::PortUnreachable && errors.quotes == Quotes::Request
                })
            })
    }

    /// Whether it is the other half of a transfer whose client goes on at `refused`, where
    /// nobody listens: the same port of another address speaks TFTP to the same client, and
    /// the client never answered there.
    pub fn is_unheard_answerer_of(&self, client: Endpoint, refused: Endpoint) -> bool {
        let is_twin =
            |source: Endpoint| source.port == refused.port && source.address != refused.address;
        let Some(asked) = self.asked else {
            return is_tftp_protocol(self.protocol)
                && self.client == client
                && self.details.as_ref().is_some_and(|details| {
                    !details.has_follow_ups()
                        && details.replies.iter().any(|replies| is_twin(replies.source))
                });
        };
        self.protocol == Protocol::Udp
            && self.flags.has(Flag::LooksLikeTftp)
            && asked == client
            && is_twin(self.client)
            && !self.is_answered()
    }

    /// Makes what was taken for requests of a server the answers that they are, in an
    /// exchange of `protocol` whose request was not captured.
    pub fn turn_round(&mut self, protocol: Protocol, capture: CaptureId) {
        let (source, requests) = (self.client, self.requests);
        let _ = self.details(capture);
        let Some(asked) = self.asked.take() else { return };
        (self.client, self.protocol) = (asked, protocol);
        (self.from_server, self.from_client) = (self.from_client.take(), None);
        self.forget_requests();
        let details = self.details(capture);
        if requests.packets > 0 {
            let tally = CountWithRepeat {
                count: requests,
                repeats: std::mem::take(&mut details.repeated_requests),
            };
            let awaits_follow_up = is_tftp_protocol(protocol);
            let origin = Origin::Unknown;
            details.replies.push(RepliesFrom {
                source,
                origin,
                tally,
                awaits_follow_up,
                beside: 0,
            });
            details.note_times(requests.first.at, requests.last.at);
        }
        details.requote(Quotes::Reply);
        details.steps.rename(StepKind::Request, StepKind::Reply);
    }

    /// Joins the other half of a transfer to this one, which is what its client sent to an
    /// address that refused it.
    pub fn join_answerer(&mut self, answerer: &mut Self, capture: CaptureId) {
        if answerer.asked.is_some() {
            answerer.turn_round(Protocol::Tftp, capture);
        }
        let (source, requests) = (self.client, self.requests);
        let own = self.details(capture);
        let other = std::mem::take(answerer.details(capture));
        own.requote(Quotes::FollowUp);
        own.steps.rename(StepKind::Request, StepKind::FollowUp);
        let mut steps: Vec<Step> = own.steps.to_vec(capture);
        steps.extend(other.steps.to_vec(capture));
        own.steps.replace(steps);
        own.steps_omitted += other.steps_omitted;
        own.replies.extend(other.replies);
        own.icmp_errors.extend(other.icmp_errors);
        own.stall = own.stall.take().or(other.stall);
        own.progress = None;
        own.note_times(requests.first.at, requests.last.at);
        for at in other.first_at.into_iter().chain(other.last_at) {
            own.note_times(at, at);
        }
        let tally = CountWithRepeat {
            count: requests,
            repeats: std::mem::take(&mut own.repeated_requests),
        };
        let Some(destination) = self.asked.take() else { return };
        let course = Course::AnswererUnseen;
        self.details(capture).follow_ups.push(FollowUpsTo { source, destination, course, tally });
        self.protocol = Protocol::Tftp;
        self.from_server = answerer.from_server;
        self.forget_requests();
    }

    /// Whether none of its packets says of which transaction it is.
    pub fn has_no_identity(&self) -> bool {
        self.transactions.is_empty() && !self.flags.has(Flag::HasPayloads)
    }

    /// Takes the answers of another exchange, which came before what is asked here, from an
    /// address that is not asked here.
    pub fn take_foregone(&mut self, answers: &mut Self, capture: CaptureId) {
        let own = self.details(capture);
        let other = std::mem::take(answers.details(capture));
        let mut steps: Vec<Step> = own.steps.to_vec(capture);
        steps.extend(other.steps.to_vec(capture));
        own.steps.replace(steps);
        own.steps_omitted += other.steps_omitted;
        own.replies.extend(other.replies.into_iter().map(|replies| RepliesFrom {
            origin: Origin::OtherAddress(Confidence::Possible),
            ..replies
        }));
        for at in other.first_at.into_iter().chain(other.last_at) {
            own.note_times(at, at);
        }
        self.flags.remove(Flag::IsOpenedByClient);
    }

    /// What was counted as requests is something else.
    fn forget_requests(&mut self) {
        (self.requests, self.unanswered) = (Count::NONE, Unanswered::NONE);
        self.expectation = Expectation::Nothing;
        self.flags.remove(Flag::IsOpenedByClient);
    }
}
