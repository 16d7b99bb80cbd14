//! One exchange at one capture point, while its packets come in.

use std::net::IpAddr;

use smallvec::SmallVec;

use super::repetition::Last;
use super::signature::{BelongsToTftp, Signature, signature};
use super::tftp::{awaits_follow_up, is_refusal, is_tftp, is_tftp_protocol, tftp_shape};
use super::transactions::{CROSSING, Transactions};
use crate::model::capture::FrameRef;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{
    AskedAgain, Course, FollowUps, IcmpErrors, Novelty, Origin, Replies, Said, Step, Tally,
};
use crate::model::finding::Confidence;
use crate::model::packet::{Application, Datagram, Packet, TransactionRole};
use crate::model::protocol::Protocol;
use crate::model::report::StepKind;
use crate::model::time::Timestamp;

/// Packets kept to be shown; the rest is counted.
const MAX_STEPS: usize = 24;
/// Sources, destinations and ICMP errors told apart; what is beyond joins the last.
const MAX_PARTIES: usize = 16;

/// One exchange, growing.
#[derive(Debug)]
pub struct Live {
    pub protocol: Protocol,
    pub client: Endpoint,
    pub asked: Option<Endpoint>,
    /// The request went to a multicast group or to all hosts.
    pub group: Audience,
    pub requests: Tally,
    pub unanswered: Tally,
    pub replies: SmallVec<[Replies; 1]>,
    pub follow_ups: SmallVec<[FollowUps; 1]>,
    pub icmp_errors: SmallVec<[IcmpErrors; 0]>,
    pub asked_again: Option<AskedAgain>,
    pub progress: Option<FrameRef>,
    pub steps: Vec<Step>,
    pub steps_omitted: u64,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    pub has_payloads: bool,
    /// What the client said first: the same at every capture point.
    pub opening: Signature,
    /// Every packet so far could be TFTP data or its acknowledgement.
    pub looks_like_tftp: bool,
    pub transactions: Transactions,
    from_client: Option<Last>,
    from_server: Option<Last>,
    /// A TFTP ERROR to somebody else stands beside the transfer, not in it.
    refusal: Option<Last>,
    /// The client said something new to the answerer since the last reply.
    client_news: bool,
    /// The server said something new since the client's last packet.
    server_news: bool,
}

/// To whom a request is addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    One,
    Group,
}

impl Live {
    /// An exchange that `datagram` opens. `asked` is `None` where a reply is
    /// the first packet that was captured.
    pub fn open(
        protocol: Protocol,
        client: Endpoint,
        asked: Option<Endpoint>,
        packet: &Packet,
        datagram: &Datagram,
    ) -> Self {
        let group = match asked {
            Some(asked) if is_group(asked.address) => Audience::Group,
            _ => Audience::One,
        };
        Self {
            protocol,
            client,
            asked,
            group,
            requests: Tally::NONE,
            unanswered: Tally::NONE,
            replies: SmallVec::new(),
            follow_ups: SmallVec::new(),
            icmp_errors: SmallVec::new(),
            asked_again: None,
            progress: None,
            steps: Vec::new(),
            steps_omitted: 0,
            first_at: packet.at,
            last_at: packet.at,
            has_payloads: datagram.fingerprint.is_some(),
            opening: signature(datagram, is_tftp(protocol)),
            looks_like_tftp: tftp_shape(datagram).is_some_and(|message| !message.is_request()),
            transactions: Transactions::default(),
            from_client: None,
            from_server: None,
            refusal: None,
            client_news: false,
            server_news: false,
        }
    }

    /// Whether `datagram`, sent to the address asked, opens another exchange of
    /// the same socket: a TFTP request that is not a repetition.
    pub fn is_over_for(&self, datagram: &Datagram, at: Timestamp) -> bool {
        const IDLE: std::time::Duration = std::time::Duration::from_mins(1);
        let Application::Tftp(message) = &datagram.application else { return false };
        message.is_request()
            && (signature(datagram, BelongsToTftp::Yes) != self.opening
                || at.since(self.last_at) > IDLE)
    }

    /// Whether the client's last packet said the same as `datagram`, up to
    /// `within` ago: then this is that packet, translated and seen again.
    pub fn last_from_client_was(
        &self,
        datagram: &Datagram,
        at: Timestamp,
        within: std::time::Duration,
    ) -> bool {
        let said = signature(datagram, is_tftp(self.protocol));
        said.is_sure()
            && self
                .from_client
                .is_some_and(|last| last.signature == said && at.distance(last.at) <= within)
    }

    /// Counts a packet from the client to the endpoint that it asked.
    pub fn request(&mut self, packet: &Packet, frame: FrameRef, datagram: &Datagram) {
        let Some(novelty) =
            self.note_client(packet, datagram, datagram.flow.destination, Reach::Server)
        else {
            return;
        };
        let repeats_question = self.track_transaction(frame, datagram);
        let novelty = repeats_question.unwrap_or(novelty);
        self.requests.count(frame, datagram.length, novelty);
        self.unanswered.count(frame, datagram.length, novelty);
        if novelty == Novelty::Repeat && repeats_question.is_none() {
            self.note_asked_again(frame, Confidence::Certain);
        }
        self.step(frame, StepKind::Request, datagram);
    }

    /// Counts a packet from the client that follows a reply.
    pub fn follow_up(
        &mut self,
        packet: &Packet,
        frame: FrameRef,
        datagram: &Datagram,
        course: Course,
    ) {
        let reach = match course {
            Course::ToAskedAddress | Course::ToAskedPort | Course::FromOtherSource => Reach::Nobody,
            Course::ToAnswerer | Course::AnswererUnseen => Reach::Server,
        };
        let (source, destination) = (datagram.flow.source, datagram.flow.destination);
        let Some(novelty) = self.note_client(packet, datagram, destination, reach) else { return };
        let known = self
            .follow_ups
            .iter()
            .position(|known| known.destination == destination && known.source == source);
        let index = known.unwrap_or_else(|| {
            if self.follow_ups.len() < MAX_PARTIES {
                self.follow_ups.push(FollowUps { source, destination, course, tally: Tally::NONE });
            }
            self.follow_ups.len() - 1
        });
        self.follow_ups[index].tally.count(frame, datagram.length, novelty);
        self.step(frame, StepKind::FollowUp, datagram);
    }

    /// Counts a packet from a server to the client.
    pub fn reply(&mut self, packet: &Packet, frame: FrameRef, datagram: &Datagram, origin: Origin) {
        let source = datagram.flow.source;
        let said = signature(datagram, is_tftp(self.protocol));
        let last = Last::new(packet, datagram, source, said);
        let slot = if is_refusal(datagram) { &mut self.refusal } else { &mut self.from_server };
        let before = slot.replace(last);
        if before.is_some_and(|before| before.is_copied_by(&last)) {
            return;
        }
        let novelty = match before {
            Some(before) if before.says_again(&last, self.client_news) => Novelty::Repeat,
            _ => Novelty::New,
        };
        self.touch(packet.at, datagram);
        let gone_on = self.follow_ups.iter().any(|follow_ups| follow_ups.tally.packets > 0)
            || (!is_tftp_protocol(self.protocol) && self.client_news && !self.replies.is_empty());
        let index =
            self.replies.iter().position(|known| known.source == source).unwrap_or_else(|| {
                if self.replies.len() < MAX_PARTIES {
                    self.replies.push(Replies {
                        source,
                        origin,
                        tally: Tally::NONE,
                        awaits_follow_up: false,
                    });
                }
                self.replies.len() - 1
            });
        let replies = &mut self.replies[index];
        replies.awaits_follow_up |= is_tftp_protocol(self.protocol) && awaits_follow_up(datagram);
        replies.tally.count(frame, datagram.length, novelty);
        if novelty == Novelty::New {
            self.server_news = true;
            self.client_news = false;
            if gone_on && !is_refusal(datagram) {
                self.progress.get_or_insert(frame);
            }
        }
        self.unanswered = Tally::NONE;
        if let Application::Transaction(transaction) = &datagram.application {
            self.transactions.answer(transaction.identity, packet.at);
        }
        for follow_ups in &mut self.follow_ups {
            if follow_ups.destination == source && follow_ups.course == Course::AnswererUnseen {
                follow_ups.course = Course::ToAnswerer;
            }
        }
        self.step(frame, StepKind::Reply, datagram);
    }

    /// Counts an ICMP error about this exchange, sent to `to`.
    pub fn icmp_error(&mut self, frame: FrameRef, error: IcmpErrors, to: IpAddr) {
        self.last_at = self.last_at.max(frame.at);
        let index = self.icmp_errors.iter().position(|known| {
            (known.kind, known.from, known.quotes, known.quoted_destination)
                == (error.kind, error.from, error.quotes, error.quoted_destination)
        });
        let index = index.unwrap_or_else(|| {
            if self.icmp_errors.len() < MAX_PARTIES {
                self.icmp_errors.push(error);
            }
            self.icmp_errors.len() - 1
        });
        self.icmp_errors[index].tally.count(frame, 0, Novelty::New);
        self.keep_step(Step {
            frame,
            kind: StepKind::IcmpError,
            source: error.from,
            destination: to,
            ports: None,
            said: Said::Icmp { kind: error.kind, quoted_destination: error.quoted_destination },
        });
    }

    /// Notes a client's packet; `None` where it is a second copy of the last one.
    fn note_client(
        &mut self,
        packet: &Packet,
        datagram: &Datagram,
        peer: Endpoint,
        reach: Reach,
    ) -> Option<Novelty> {
        let said = signature(datagram, is_tftp(self.protocol));
        let last = Last::new(packet, datagram, peer, said);
        if self.from_client.is_some_and(|before| before.is_copied_by(&last)) {
            return None;
        }
        let novelty = match self.from_client {
            Some(before) if before.says_again(&last, self.server_news) => Novelty::Repeat,
            _ => Novelty::New,
        };
        self.touch(packet.at, datagram);
        self.from_client = Some(last);
        if novelty == Novelty::New {
            self.server_news = false;
            self.client_news |= reach == Reach::Server;
        }
        Some(novelty)
    }

    /// Follows transaction identities; says whether the request repeats one,
    /// where the protocol tells.
    fn track_transaction(&mut self, frame: FrameRef, datagram: &Datagram) -> Option<Novelty> {
        let Application::Transaction(transaction) = &datagram.application else { return None };
        if transaction.role != TransactionRole::Request {
            return Some(Novelty::New);
        }
        let asked = self.transactions.ask(transaction, frame.at);
        if let Some(confidence) = asked.after_answer {
            self.note_asked_again(frame, confidence);
        }
        Some(asked.novelty)
    }

    /// The client repeated itself although a reply had come.
    fn note_asked_again(&mut self, frame: FrameRef, confidence: Confidence) {
        let answered = self.from_server.is_some_and(|last| frame.at.since(last.at) >= CROSSING);
        if self.replies.is_empty() || !answered {
            return;
        }
        match &mut self.asked_again {
            Some(again) => again.times += 1,
            None => self.asked_again = Some(AskedAgain { frame, times: 1, confidence }),
        }
    }

    fn touch(&mut self, at: Timestamp, datagram: &Datagram) {
        self.last_at = self.last_at.max(at);
        self.has_payloads |= datagram.fingerprint.is_some();
        self.looks_like_tftp &= tftp_shape(datagram).is_some_and(|message| !message.is_request());
    }

    fn step(&mut self, frame: FrameRef, kind: StepKind, datagram: &Datagram) {
        if self.steps.len() >= MAX_STEPS {
            self.steps_omitted += 1;
            return;
        }
        let (source, destination) = (datagram.flow.source, datagram.flow.destination);
        self.keep_step(Step {
            frame,
            kind,
            source: source.address,
            destination: destination.address,
            ports: Some((source.port, destination.port)),
            said: said(datagram, self.protocol),
        });
    }

    fn keep_step(&mut self, step: Step) {
        if self.steps.len() >= MAX_STEPS {
            self.steps_omitted += 1;
        } else {
            self.steps.push(step);
        }
    }
}

/// Whether a client's packet can have reached the server that answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Server,
    Nobody,
}

/// What a step shows of a datagram.
fn said(datagram: &Datagram, protocol: Protocol) -> Said {
    match &datagram.application {
        Application::Tftp(message) => Said::Tftp(message.clone()),
        Application::Unknown { tftp_shape: Some(message) } if is_tftp_protocol(protocol) => {
            Said::Tftp(message.clone())
        }
        Application::Transaction(transaction) => {
            Said::Message { protocol: transaction.protocol, label: transaction.label }
        }
        Application::Plain(_) | Application::Unknown { .. } => {
            Said::Datagram { length: datagram.length }
        }
    }
}

/// Multicast, or the limited broadcast address (RFC 919).
pub fn is_group(address: std::net::IpAddr) -> bool {
    address.is_multicast() || matches!(address, std::net::IpAddr::V4(v4) if v4.is_broadcast())
}
