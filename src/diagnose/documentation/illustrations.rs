//! A conversation that shows each cause, one that only looks like it, and where to
//! read on.
//!
//! The conversations are terminal sessions, as an engineer would paste them. Tests
//! run them through the whole pipeline: the first has the cause, the second has not.

use super::references::{
    ARP, FRAGILE, GUIDE, HOST_UDP, ICMP, ICMP6, IPV4, IPV6, MTU, MTU6, NAT, ND, NTP, ROUTER, RPORT,
    Reference, SELECT, SIP, SNMP_UDP, SYSLOG, T_OPT, T_SIZE, T_TID, TEMPORARY,
};
use crate::model::finding::Cause;

/// What illustrates one cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CauseIllustration {
    /// A terminal session whose packets prove the cause.
    pub session: &'static str,
    /// What is easily taken for it, in words.
    pub near_miss: &'static str,
    /// A session of that: the cause is not found in it.
    pub near_miss_session: &'static str,
    /// What the cause follows from.
    pub references: &'static [Reference],
    /// What is often found beside it, or is the other explanation.
    pub related: &'static [Cause],
}

macro_rules! illustrate {
    ($token:literal, $near_miss:literal, [$($reference:ident),+], [$($related:ident),+]) => {
        CauseIllustration {
            session: include_str!(concat!("sessions/", $token, ".txt")),
            near_miss: $near_miss,
            near_miss_session: include_str!(concat!("sessions/", $token, "-near-miss.txt")),
            references: &[$($reference),+],
            related: &[$(Cause::$related),+],
        }
    };
}

/// What illustrates a cause.
#[must_use]
#[expect(clippy::too_many_lines, reason = "an arm per cause, each a few lines of data")]
pub const fn illustration(cause: Cause) -> CauseIllustration {
    match cause {
        Cause::FollowUpToRequestAddress => illustrate!(
            "follow_up_to_request_address",
            "The answer comes from another address, and the client goes on there. That is reply_source_translated alone, and TFTP allows it.",
            [T_TID, T_OPT, HOST_UDP],
            [ReplySourceTranslated, PortUnreachable, FollowUpMissing, FamiliesDiffer]
        ),
        Cause::FollowUpToRequestPort => illustrate!(
            "follow_up_to_request_port",
            "The client repeats its request to the port asked before the first answer is there, and then goes on at the port that answered. A repeated request belongs at port 69.",
            [T_TID, T_OPT],
            [FollowUpToRequestAddress, ReplyPortTranslated, RequestUnanswered]
        ),
        Cause::ReplyIgnored => illustrate!(
            "reply_ignored",
            "The client repeats itself before the answer is there, and is content with the late one; a minute later its next round has an identity of its own. The answers are late, not ignored.",
            [HOST_UDP, SNMP_UDP],
            [ReplyRejected, ReplySourceNotRequested, ReplySourceTranslated, ReplyPortTranslated]
        ),
        Cause::ReplyRejected => illustrate!(
            "reply_rejected",
            "The refused answer comes from the address asked, after the client stopped waiting: that is port_unreachable, and no address had changed.",
            [ICMP, ICMP6, HOST_UDP],
            [ReplyIgnored, PortUnreachable, ReplySourceNotRequested]
        ),
        Cause::ReplyToPayloadAddress => illustrate!(
            "reply_to_payload_address",
            "The Via header names another port here too, but the request asks with rport for an answer to where it came from, and gets it there.",
            [SIP, RPORT],
            [ReplyIgnored, ReplyPortTranslated, RequestUnanswered]
        ),
        Cause::ClientSourceChanged => illustrate!(
            "client_source_changed",
            "Two devices use the same port by chance. Each has a request of its own, and each transfer goes on.",
            [T_TID, SELECT, TEMPORARY],
            [UnexpectedOwnSource, SenderTranslated]
        ),
        Cause::MappingExpired => illustrate!(
            "mapping_expired",
            "The pause is as long, but the answer had another source before it already: the translation does it always, and that is reply_source_translated alone.",
            [NAT, NTP],
            [ReplySourceTranslated, ReplyPortTranslated, StaleTranslation]
        ),
        Cause::ReplySourceTranslated => illustrate!(
            "reply_source_translated",
            "The answer comes from another address of the responder itself, and nothing shows a translation: that is reply_source_not_requested.",
            [T_TID, NAT],
            [FollowUpToRequestAddress, ReplySourceNotRequested, ReplyIgnored, SenderTranslated]
        ),
        Cause::ReplySourceNotRequested => illustrate!(
            "reply_source_not_requested",
            "One client socket asks both addresses, and each answers its own question. The transaction's identity keeps them apart.",
            [HOST_UDP, SNMP_UDP],
            [ReplyIgnored, ReplyRejected, ReplySourceTranslated]
        ),
        Cause::ReplyPortTranslated => illustrate!(
            "reply_port_translated",
            "A TFTP server answers every request from a new port: the protocol wants it so.",
            [NAT, T_TID],
            [ReplyIgnored, FollowUpToRequestPort, StaleTranslation]
        ),
        Cause::FragmentsLost => illustrate!(
            "fragments_lost",
            "A filter for one port hides all later fragments, which have no ports; the client asks its next question a minute later under a new identity, so it was content with what it got.",
            [FRAGILE, IPV4, IPV6],
            [PacketTooBig, ReplyIgnored, RequestUnanswered]
        ),
        Cause::StaleTranslation => illustrate!(
            "stale_translation",
            "A new socket of the same device is not answered either: then the server stopped, and no old translation is to blame.",
            [NAT, NTP],
            [RequestUnanswered, RequestNotTranslated, RequestNotDelivered]
        ),
        Cause::RequestNotTranslated => illustrate!(
            "request_not_translated",
            "The pod's own cable shows the request, and the refusal comes from the pod: it was translated, and nothing listens in the pod. From the host alone the two look the same.",
            [ICMP, ICMP6],
            [PortUnreachable, StaleTranslation, RequestNotDelivered]
        ),
        Cause::RequestNotDelivered => illustrate!(
            "request_not_delivered",
            "The request is at both points and the pod does not answer: nothing was lost between them.",
            [NAT],
            [RequestUnanswered, ReplyNotForwarded, FollowUpNotDelivered, RequestNotTranslated]
        ),
        Cause::FollowUpNotDelivered => illustrate!(
            "follow_up_not_delivered",
            "The follow-up is at both points, and the server goes on.",
            [T_TID, NAT],
            [FollowUpMissing, RequestNotDelivered, ReplyNotForwarded]
        ),
        Cause::ReplyNotForwarded => illustrate!(
            "reply_not_forwarded",
            "The server gives no answer at its own cable, so there is nothing that could have been forwarded.",
            [NAT],
            [RequestNotDelivered, FollowUpNotDelivered, RequestUnanswered]
        ),
        Cause::NeighbourUnresolved => illustrate!(
            "neighbour_unresolved",
            "The device answers when the node looks for it, so the requests leave the node. That no answer comes is request_unanswered.",
            [ARP, ND, ROUTER],
            [HostUnreachable, RequestUnanswered, RequestNotDelivered]
        ),
        Cause::SenderTranslated => illustrate!(
            "sender_translated",
            "Both points show the device as the sender: nothing was translated.",
            [NAT, SNMP_UDP, SYSLOG],
            [ReplySourceTranslated, UnexpectedOwnSource, ClientSourceChanged]
        ),
        Cause::UnexpectedOwnSource => illustrate!(
            "unexpected_own_source",
            "The node asks from its own address, though it holds the service's address as well.",
            [SELECT, TEMPORARY],
            [SenderTranslated, ClientSourceChanged, RequestUnanswered]
        ),
        Cause::PortUnreachable => illustrate!(
            "port_unreachable",
            "A traceroute ends with this error: it sent to a port where nothing listens, on purpose.",
            [ICMP, ICMP6, HOST_UDP],
            [RequestNotTranslated, ReplyRejected, FollowUpToRequestAddress]
        ),
        Cause::HostUnreachable => illustrate!(
            "host_unreachable",
            "The error of the same type says that a filter forbids it: the route and the neighbour are there, and the cause is admin_prohibited.",
            [ICMP, ICMP6, ROUTER, ARP, ND],
            [AdminProhibited, RequestUnanswered]
        ),
        Cause::AdminProhibited => illustrate!(
            "admin_prohibited",
            "The error says that the host cannot be reached and names no filter: a route or the next hop is missing, which is host_unreachable.",
            [ICMP, ICMP6, ROUTER],
            [HostUnreachable, RequestNotDelivered, RequestUnanswered]
        ),
        Cause::PacketTooBig => illustrate!(
            "packet_too_big",
            "A large block is lost once and gets through when it is repeated. No router said that it is too large, so it was not.",
            [MTU, MTU6, T_SIZE],
            [FragmentsLost, FollowUpMissing, RetransmissionsRecovered]
        ),
        Cause::RequestUnanswered => illustrate!(
            "request_unanswered",
            "The first request is lost and the second one is answered: that is retransmissions_recovered.",
            [GUIDE],
            [RequestNotDelivered, RequestNotTranslated, StaleTranslation, OneDirectionCaptured]
        ),
        Cause::FollowUpMissing => illustrate!(
            "follow_up_missing",
            "The client goes on, and the transfer is seen at the pod as well.",
            [T_TID],
            [FollowUpToRequestAddress, FollowUpNotDelivered, ReplySourceTranslated]
        ),
        Cause::FamiliesDiffer => illustrate!(
            "families_differ",
            "Two devices, two files: one works by IPv4, the other fails by IPv6. Nothing says that they are the same device, so what differs may be the device.",
            [SELECT, T_TID],
            [FollowUpToRequestAddress, ReplySourceTranslated]
        ),
        Cause::OneDirectionCaptured => illustrate!(
            "one_direction_captured",
            "Both directions are there: the answer comes from the node, and the client goes on with it.",
            [T_TID],
            [RequestUnanswered, FollowUpMissing]
        ),
        Cause::RetransmissionsRecovered => illustrate!(
            "retransmissions_recovered",
            "Each block is sent once and acknowledged. Blocks of one transfer are as long as each other; their numbers tell them from repetitions.",
            [T_TID, GUIDE],
            [RequestUnanswered, FragmentsLost]
        ),
    }
}
