//! One exchange at one capture point, while its packets come in.

use smallvec::SmallVec;

use super::signature::{BelongsToTftp, Signature, signature};
use crate::model::capture::FrameRef;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{
    AskedAgain, Course, FollowUps, IcmpErrors, Novelty, Origin, Replies, Said, Step, Tally,
};
use crate::model::finding::Confidence;
use crate::model::packet::{Application, Datagram, Packet, TftpMessage, TransactionRole};
use crate::model::protocol::Protocol;
use crate::model::report::StepKind;
use crate::model::time::Timestamp;

/// Packets kept to be shown; the rest is counted.
const MAX_STEPS: usize = 24;
/// Sources, destinations and ICMP errors told apart; what is beyond joins the last.
const MAX_PARTIES: usize = 16;
/// Transactions of one exchange that can be open or be asked again.
const MAX_PENDING: usize = 8;
/// A repetition this soon after the reply was on its way before the reply came.
const CROSSING: std::time::Duration = std::time::Duration::from_millis(50);
/// The same question under a new identity counts as asked again within this time.
const SAME_QUESTION: std::time::Duration = std::time::Duration::from_secs(30);

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
    pending: SmallVec<[Pending; 1]>,
    from_client: Option<Last>,
    from_server: Option<Last>,
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

/// A transaction that may still be answered, or asked again.
#[derive(Debug, Clone, Copy)]
struct Pending {
    identity: u64,
    question: Option<u64>,
    answered_at: Option<Timestamp>,
}

/// The last packet of one side, to recognise a repetition or a copy.
#[derive(Debug, Clone, Copy)]
struct Last {
    at: Timestamp,
    peer: Endpoint,
    signature: Signature,
    length: u32,
    ip_identification: Option<u16>,
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
            pending: SmallVec::new(),
            from_client: None,
            from_server: None,
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
        if self.from_server.is_some_and(|before| before.is_copied_by(&last)) {
            return;
        }
        let novelty = match self.from_server {
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
        self.from_server = Some(last);
        self.unanswered = Tally::NONE;
        self.answer_transaction(datagram, packet.at);
        for follow_ups in &mut self.follow_ups {
            if follow_ups.destination == source && follow_ups.course == Course::AnswererUnseen {
                follow_ups.course = Course::ToAnswerer;
            }
        }
        self.step(frame, StepKind::Reply, datagram);
    }

    /// Counts an ICMP error about this exchange.
    pub fn icmp_error(&mut self, frame: FrameRef, error: IcmpErrors) {
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
            destination: self.client.address,
            ports: None,
            said: Said::Icmp { kind: error.kind, quoted_destination: error.quoted_destination },
        });
    }

    /// Whether a transaction with this identity is known here, and was answered or not.
    pub fn has_pending(&self, identity: u64) -> bool {
        self.pending.iter().any(|pending| pending.identity == identity)
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
        let same = self.pending.iter().find(|pending| pending.identity == transaction.identity);
        if let Some(answered_at) = same.map(|pending| pending.answered_at) {
            if answered_at.is_some_and(|answered| frame.at.since(answered) >= CROSSING) {
                self.note_asked_again(frame, Confidence::Certain);
            }
            return Some(Novelty::Repeat);
        }
        // A resolver that took the answer would not ask the same again so soon.
        // Pollers do: their questions are the same every time.
        let asks_same = self.protocol == Protocol::Dns
            && self.pending.iter().any(|pending| {
                pending.question.is_some()
                    && pending.question == transaction.question
                    && pending.answered_at.is_some_and(|answered| {
                        (CROSSING..=SAME_QUESTION).contains(&frame.at.since(answered))
                    })
            });
        if asks_same {
            self.note_asked_again(frame, Confidence::Likely);
        }
        if self.pending.len() == MAX_PENDING {
            self.pending.remove(0);
        }
        self.pending.push(Pending {
            identity: transaction.identity,
            question: transaction.question,
            answered_at: None,
        });
        Some(Novelty::New)
    }

    fn answer_transaction(&mut self, datagram: &Datagram, at: Timestamp) {
        let Application::Transaction(transaction) = &datagram.application else { return };
        if let Some(pending) =
            self.pending.iter_mut().find(|pending| pending.identity == transaction.identity)
        {
            pending.answered_at.get_or_insert(at);
        }
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

impl Last {
    fn new(packet: &Packet, datagram: &Datagram, peer: Endpoint, signature: Signature) -> Self {
        Self {
            at: packet.at,
            peer,
            signature,
            length: datagram.length,
            ip_identification: packet.ip_identification,
        }
    }

    /// Whether `later` is this very datagram, captured twice: a mirror port, or
    /// a bridge and its port under one interface. A sender that repeats itself
    /// gives its packet another IPv4 identification, and waits longer.
    fn is_copied_by(&self, later: &Self) -> bool {
        let within = match (self.ip_identification, later.ip_identification) {
            (Some(before), Some(now)) if before == now => std::time::Duration::from_millis(100),
            (Some(_), Some(_)) => return false,
            _ => std::time::Duration::from_millis(1),
        };
        self.signature.is_sure()
            && self.signature == later.signature
            && self.length == later.length
            && self.peer == later.peer
            && later.at.distance(self.at) <= within
    }

    /// Whether `later` says the same again. Where only lengths are known, or
    /// payloads that may be alike on purpose, news from the other side in
    /// between makes it a new message.
    fn says_again(&self, later: &Self, news_between: bool) -> bool {
        self.signature == later.signature
            && self.length == later.length
            && (self.signature.basis == super::signature::Basis::Meaning || !news_between)
    }
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

/// Whether the sender of this reply waits for the client: everything of TFTP
/// but an error (RFC 1350 section 2). Text does not show what it is, but a
/// datagram from the server's TID is one of these.
fn awaits_follow_up(datagram: &Datagram) -> bool {
    !is_refusal(datagram)
}

/// A TFTP ERROR ends a transfer (RFC 1350 section 7): it is not progress.
fn is_refusal(datagram: &Datagram) -> bool {
    matches!(tftp_shape(datagram), Some(TftpMessage::Error { .. }))
}

/// The TFTP reading of a datagram, whoever vouches for it.
pub fn tftp_shape(datagram: &Datagram) -> Option<&TftpMessage> {
    match &datagram.application {
        Application::Tftp(message) => Some(message),
        Application::Unknown { tftp_shape } => tftp_shape.as_ref(),
        Application::Transaction(_) | Application::Plain(_) => None,
    }
}

/// Whether an exchange is a TFTP transfer.
pub fn is_tftp_protocol(protocol: Protocol) -> bool {
    protocol == Protocol::Tftp
}

fn is_tftp(protocol: Protocol) -> BelongsToTftp {
    if is_tftp_protocol(protocol) { BelongsToTftp::Yes } else { BelongsToTftp::No }
}

/// Multicast, or the limited broadcast address (RFC 919).
pub fn is_group(address: std::net::IpAddr) -> bool {
    address.is_multicast() || matches!(address, std::net::IpAddr::V4(v4) if v4.is_broadcast())
}
