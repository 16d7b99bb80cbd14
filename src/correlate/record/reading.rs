//! What an exchange shows so far.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::num::{NonZeroU8, NonZeroU16};
use std::time::Duration;

use super::{Flag, Record, STREAM_LIFE};
use crate::correlate::audience::Audience;
use crate::correlate::details::Synopsis;
use crate::correlate::passage::{Header, Passage};
use crate::correlate::repetition::Last;
use crate::correlate::sayings::Heard;
use crate::correlate::signature::{Signature, signature};
use crate::correlate::tftp::{is_tftp, is_tftp_protocol, tftp_shape};
use crate::correlate::transactions::CROSSING;
use crate::model::packet::{Application, Datagram, Packet, TftpMessage};
use crate::model::protocol::Protocol;
use crate::model::time::Timestamp;

impl Record {
    /// What the client said first: the same at every capture point.
    pub fn opening(&self) -> Signature {
        Signature { value: self.opening, basis: self.opening_basis }
    }

    /// Whether what the client said first can be what `other` has for that, though it
    /// reads otherwise: a snap length left less of it, in a tunnel, and only its length tells.
    pub fn opens_cut_as(&self, other: &Self) -> bool {
        (self.flags.has(Flag::OpeningIsCut) || other.flags.has(Flag::OpeningIsCut))
            && self.opening_basis == other.opening_basis
            && self.synopsis.length() == other.synopsis.length()
    }

    /// What the client said first, where that was captured.
    pub fn first_words(&self) -> Option<Signature> {
        self.flags.has(Flag::IsOpenedByClient).then(|| self.opening())
    }

    /// Whether it looks like the rest of `whole`, a transfer that was answered from the port to
    /// which the client speaks here (RFC 1350 section 4).
    pub fn is_rest_of(&self, whole: &Self) -> bool {
        self.is_midway()
            && is_tftp_protocol(whole.protocol)
            && self.asked.is_some_and(|asked| whole.answering_ports().contains(&asked.port))
    }

    /// What is known of all that the client said.
    pub fn heard(&self) -> Heard {
        Heard::new(self.first_words(), self.requests.first.at, &self.sayings)
    }

    /// Notes what the client said in a request. Blocks of a transfer are like those of
    /// any other.
    pub(super) fn note_saying(&mut self, datagram: &Datagram, said: Signature, at: Timestamp) {
        let is_block = is_tftp_protocol(self.protocol)
            && !tftp_shape(datagram).is_some_and(TftpMessage::is_request);
        if is_block {
            return;
        }
        if self.first_words() != Some(said) {
            self.sayings.note(said, self.requests.first.at, at);
        } else if self.requests.packets > 1 {
            self.sayings.note_first_again();
        }
    }

    /// Whether all of it looks like a TFTP transfer whose request was not captured.
    pub fn is_midway(&self) -> bool {
        self.protocol == Protocol::Udp && self.flags.has(Flag::LooksLikeTftp)
    }

    /// The first request and the first answer of a plain exchange.
    pub fn synopsis(&self) -> Synopsis {
        self.synopsis
    }

    /// Whether anything was captured that the client said, or else the server.
    pub fn has_said(&self, is_client: bool) -> bool {
        let followed = || self.details.as_ref().is_some_and(|details| details.has_follow_ups());
        if is_client { self.requests.packets > 0 || followed() } else { self.is_answered() }
    }

    /// Whether any reply was captured.
    pub fn is_answered(&self) -> bool {
        self.answers.packets > 0
            || self.details.as_ref().is_some_and(|details| !details.replies.is_empty())
    }

    /// The first packet of either side, and the last.
    pub fn times(&self) -> (Timestamp, Timestamp) {
        let counted = [self.requests, self.answers];
        let firsts = counted.iter().filter(|count| count.packets > 0).map(|count| count.first.at);
        let details = self.details.as_ref().and_then(|details| details.first_at);
        let first = firsts.chain(details).min().unwrap_or(Timestamp::EPOCH);
        (first, self.last_at().max(first))
    }

    /// The last packet of either side.
    pub fn last_at(&self) -> Timestamp {
        let last = [self.from_client, self.from_server].into_iter().flatten().map(|last| last.at);
        let details = self.details.as_ref().and_then(|details| details.last_at);
        last.chain(details).max().unwrap_or(Timestamp::EPOCH)
    }

    /// Whether the client's last packet said the same as `datagram`, up to
    /// `within` ago: then this can be that packet, translated and seen again.
    pub fn passage_of_last(
        &self,
        packet: &Packet,
        datagram: &Datagram,
        within: Duration,
    ) -> Option<Passage> {
        let said = signature(datagram, is_tftp(self.protocol));
        let last = self.from_client.filter(|last| packet.at.distance(last.at) <= within)?;
        let (before, now) = (last.header(), Header::of(packet));
        let passage = before.passage_to(now);
        let is_alike = said.is_sure() && last.says(said, datagram);
        // In a tunnel a snap length leaves less of it.
        let is_marked = datagram.is_cut && passage == Passage::PassedOn && before.has_mark_of(now);
        (is_alike || is_marked).then_some(passage)
    }

    /// Hops that the client's last packet could still take: the more, the nearer is its
    /// sender. Zero where unknown.
    pub fn client_hop_limit(&self) -> u8 {
        self.from_client.and_then(|last| last.hop_limit()).map_or(0, NonZeroU8::get)
    }

    /// Whether the last answer came through a tunnel.
    pub fn is_answered_through_tunnel(&self) -> bool {
        self.from_server.is_some_and(|last| last.is_tunnelled())
    }

    /// When the endpoint asked answered itself for the first time.
    pub fn own_answer_at(&self) -> Option<Timestamp> {
        let asked = self.asked?;
        if self.answers.packets > 0 {
            return Some(self.answers.first.at);
        }
        // TFTP goes on from a port of the server's choice.
        let replies = self.details.iter().flat_map(|details| &details.replies);
        let own = replies.filter(|replies| replies.source.address == asked.address);
        own.map(|replies| replies.tally.count.first.at).min()
    }

    /// Whether `datagram` answers one of the exchange's transactions, where it names one.
    pub fn is_answered_by(&self, datagram: &Datagram) -> bool {
        match &datagram.application {
            Application::Transaction(answer) => self.transactions.knows(answer.identity),
            Application::Tftp(_)
            | Application::Plain(_)
            | Application::Report(_)
            | Application::Unknown { .. } => true,
        }
    }

    /// Whether the client asked, or asked again, after `at`.
    pub fn asked_since(&self, at: Timestamp) -> bool {
        self.requests.packets > 0 && self.requests.last.at.since(at) >= CROSSING
    }

    /// Whether the server said anything at `at` or later.
    pub fn is_heard_since(&self, at: Timestamp) -> bool {
        self.from_server.is_some_and(|last| { last.at } >= at)
    }

    /// Whether the client spoke again after so long a pause that the translation
    /// of what was said before it may be forgotten, and was not answered yet.
    pub fn asks_after_pause(&self) -> bool {
        self.from_server.is_some_and(|last| {
            let waiting = self.unanswered.asked_since(last.at, self.requests.last);
            waiting.is_some_and(|waiting| waiting.first.at.since(last.at) >= STREAM_LIFE)
        })
    }

    /// Whether the client asked since the last answer, and waits.
    pub fn asks_since_reply(&self) -> bool {
        self.from_server
            .is_some_and(|last| self.unanswered.asked_since(last.at, self.requests.last).is_some())
    }

    /// Whether `address` was asked, or has answered before: who answers each request
    /// from a port of its own, or is given one by a translation, is told by its address.
    pub fn knows_answerer(&self, address: IpAddr) -> bool {
        let mut replies = self.details.iter().flat_map(|details| &details.replies);
        self.asked.is_some_and(|asked| asked.address == address)
            || replies.any(|replies| replies.source.address == address)
    }

    /// The addresses that answered.
    pub fn answerers(&self) -> BTreeSet<IpAddr> {
        let own = self.asked.filter(|_| self.answers.packets > 0).map(|asked| asked.address);
        let replies = self.details.iter().flat_map(|details| &details.replies);
        own.into_iter().chain(replies.map(|replies| replies.source.address)).collect()
    }

    /// The ports that answered.
    pub fn answering_ports(&self) -> BTreeSet<u16> {
        let own = self.asked.filter(|_| self.answers.packets > 0).map(|asked| asked.port);
        let replies = self.details.iter().flat_map(|details| &details.replies);
        own.into_iter().chain(replies.map(|replies| replies.source.port)).collect()
    }

    /// Whether both are transfers that were answered, each from other ports of the
    /// server's choice (RFC 1350 section 4): then they are two.
    pub fn is_answered_otherwise(&self, other: &Self) -> bool {
        if !is_tftp_protocol(self.protocol) {
            return false;
        }
        let (ports, ports_there) = (self.answering_ports(), other.answering_ports());
        !ports.is_empty() && !ports_there.is_empty() && ports.is_disjoint(&ports_there)
    }

    /// Requests, replies and follow-ups.
    pub fn packets_by_kind(&self) -> [u32; 3] {
        let replies = self.details.iter().flat_map(|details| &details.replies);
        let follow_ups = self.details.iter().flat_map(|details| &details.follow_ups);
        let replies = replies.map(|replies| replies.tally.count.packets);
        let follow_ups = follow_ups.map(|follow_ups| follow_ups.tally.count.packets);
        [
            self.requests.packets,
            replies.fold(self.answers.packets, u32::saturating_add),
            follow_ups.fold(0, u32::saturating_add),
        ]
    }

    /// Whether the replies, other than plain ones, came as often at both points, and the
    /// first and the last of them as long after the request.
    pub fn is_answered_at_pace_of(&self, other: &Self) -> bool {
        let pace = |record: &Self| {
            let replies = record.details.as_ref()?.replies.as_slice();
            let counts = || replies.iter().map(|replies| replies.tally.count);
            let first = counts().map(|count| { count.first }.at).min()?;
            let last = counts().map(|count| { count.last }.at).max()?;
            let asked_at = record.requests.first.at;
            let packets = counts().map(|count| count.packets).fold(0, u32::saturating_add);
            Some((packets, first.since(asked_at), last.since(asked_at)))
        };
        let both = pace(self).zip(pace(other));
        both.is_some_and(|((packets, first, last), (packets_there, first_there, last_there))| {
            packets == packets_there
                && first.abs_diff(first_there) <= CROSSING
                && last.abs_diff(last_there) <= CROSSING
        })
    }

    /// Whether the last packets of both sides, as far as both points saw them, have one
    /// IPv4 identification each at both. Where a side's are all alike, or both sides'
    /// are, they tell nothing.
    pub fn ends_as(&self, other: &Self) -> bool {
        let mark = |last: Option<Last>| last.and_then(|last| last.header().identification);
        let own = (mark(self.from_client), mark(self.from_server));
        if own.0 == own.1 {
            return false;
        }
        let is_same = |own: Option<NonZeroU16>, there: Option<NonZeroU16>| {
            own.zip(there).map(|(own, there)| own == there && own != NonZeroU16::MIN)
        };
        let client = is_same(own.0, mark(other.from_client));
        match is_same(own.1, mark(other.from_server)) {
            Some(is_same) => is_same,
            None => client == Some(true),
        }
    }

    /// Whether the server's last words at both points are the same.
    pub fn ends_with_answer_of(&self, other: &Self) -> bool {
        self.from_server.zip(other.from_server).is_some_and(|(own, there)| own.says_as(&there))
    }

    /// Whether both points saw as many packets of one side, and two as the last: they carry
    /// two IPv4 identifications, which one packet never does (RFC 6864 section 4; RFC 791
    /// section 3.2: who passes it on leaves that as it is).
    pub fn ends_otherwise(&self, other: &Self) -> bool {
        let ([asked, replied, followed], [asked_there, replied_there, followed_there]) =
            (self.packets_by_kind(), other.packets_by_kind());
        let differ = |own: Option<Last>, there: Option<Last>| {
            let mark = |last: Option<Last>| last?.header().identification;
            mark(own).zip(mark(there)).is_some_and(|(own, there)| own != there)
        };
        let is_as_much_asked =
            asked.saturating_add(followed) == asked_there.saturating_add(followed_there);
        (is_as_much_asked && differ(self.from_client, other.from_client))
            || (replied == replied_there && differ(self.from_server, other.from_server))
    }

    /// Whether all that was seen are replies of one endpoint to a request that was not.
    pub fn is_reply_alone(&self) -> bool {
        self.asked.is_none()
            && self.requests.packets == 0
            && self.details.as_ref().is_some_and(|details| {
                details.replies.len() == 1
                    && details.follow_ups.is_empty()
                    && details.icmp_errors.is_empty()
            })
    }

    pub fn has_lost_replies(&self) -> bool {
        self.details.as_ref().is_some_and(|details| details.lost_replies.is_some())
    }

    /// Whether nothing of it needs to be told: every request was answered by
    /// the endpoint asked, or its protocol wants no answer.
    pub fn is_unremarkable(&self) -> bool {
        if self.audience == Audience::Group {
            return false;
        }
        if let Some(details) = &self.details {
            let transferred = details.is_usual() && details.progress.is_some();
            return is_tftp_protocol(self.protocol) && self.asked.is_some() && transferred;
        }
        let is_over = self.unanswered.is_empty() || self.protocol.is_one_way();
        let went_well = self.answers.packets > 0 || self.protocol.is_one_way();
        is_over && went_well
    }
}
