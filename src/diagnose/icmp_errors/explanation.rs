//! What an error about an exchange means, by what it quotes and who sent it.

use super::{between, moved, over};
use crate::diagnose::reading::{Reading, SeenErrors};
use crate::diagnose::wording::count;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::IcmpErrors;
use crate::model::finding::Cause;
use crate::model::packet::IcmpKind;
use crate::model::protocol::Protocol;
use crate::model::report::Quotes;
use crate::model::topology::Role;

/// Explains `packets` errors that are all like `seen`.
pub(super) fn explain(reading: &Reading<'_>, seen: &SeenErrors<'_>, packets: u64) -> String {
    let IcmpErrors { kind, from, quotes, quoted_destination, .. } = *seen.errors;
    if reading.is_refused_by_translator(seen)
        && let Some(pod) = reading.client_at_pod().filter(|pod| *pod != from)
    {
        return format!(
            "{} asked for {}, and sent {} about the {}. The answer comes from a new port, as TFTP has it, and the translation of the request does not cover that port: the node takes the answer for its own, and no socket of its own waits for it.",
            reading.name_first(from),
            reading.name(pod),
            count(packets, &format!("ICMP {} error", kind.as_text())),
            quoted_text(quotes),
        );
    }
    if let Some(text) = between::find_explanation(reading, seen, packets) {
        return text;
    }
    let target = quoted_destination.map_or_else(String::new, |to| format!(" to {to}"));
    let errors = match kind {
        IcmpKind::Other => count(packets, "ICMP error"),
        _ => count(packets, &format!("ICMP {} error", kind.as_text())),
    };
    let mut text = format!(
        "{} sent {errors} about the {}{target}.",
        reading.name_first(from),
        quoted_text(quotes),
    );
    if let Some(why) = over::find_reason(reading, seen) {
        return format!("{text} {why}");
    }
    if let Some(why) = moved::explain(reading, seen) {
        return text + &why;
    }
    let is_tcp = reading.exchange.protocol == Protocol::Tcp;
    text.push_str(match (seen.cause, quotes) {
        (Cause::PortUnreachable, Quotes::Reply) if is_tcp => {
            " TCP itself refuses with a reset: a packet filter on that host rejects the answer, for example because it has not seen the SYN."
        }
        (Cause::PortUnreachable, _) if is_tcp => {
            " TCP itself refuses with a reset: a packet filter on that host rejects the SYN. kube-proxy sets such a rule for the port of a Service that has no endpoint ready; firewalls reject so too."
        }
        (Cause::PortUnreachable, Quotes::Request) => {
            " Nothing listens at the port asked: no server runs there, or no rule sends the port to a pod that is ready."
        }
        (Cause::PortUnreachable, Quotes::FollowUp)
            if moved_to(reading) == quoted_destination && quoted_destination.is_some() =>
        {
            " The client goes on from another of its addresses: the server's socket, or the translation before it, knows the first one only, and refuses what comes from the other."
        }
        (Cause::PortUnreachable, Quotes::FollowUp) if reading.wrong_address.is_some() => {
            " The port belongs to the address that answered; at this address nothing listens on it."
        }
        (Cause::PortUnreachable, Quotes::FollowUp) if !reading.is_answered() => {
            " An answer, which is not in the capture, had named this port. If it came from another address, the client should have gone on there. If it came from this one, the server's socket is gone, or the translation that leads to it is. A capture without a filter on ports and addresses shows who answered."
        }
        (Cause::PortUnreachable, Quotes::FollowUp) => {
            " The server answered from this port and does not receive there: its socket is gone, or the translation that leads to it is."
        }
        (Cause::PortUnreachable, Quotes::Reply) if reading.sender_change_stopped() => {
            " The pod answered to the address that it sees as its client, from a port of its own. The connection tracking there has no entry that leads from this port back to the device, so the answer is taken for one to that host itself, where nothing waits for it."
        }
        (Cause::PortUnreachable, Quotes::Reply) if seen.answered_elsewhere() => {
            " The same socket had asked another server the same, and that one answered first: the client had what it wanted and closed the socket."
        }
        (Cause::PortUnreachable, Quotes::Reply) if reading.is_refused_by_translator(seen) => {
            " The answer comes from a new port, as TFTP has it. Where the node asked for one of its pods, its translation of the request does not cover that port: it takes the answer for its own, and no socket of its own waits for it."
        }
        (Cause::PortUnreachable, Quotes::Reply) if may_be_translator(reading) => {
            " The client's socket did not take the reply: it had closed, for example because it no longer waited. Or this host asked for a container or pod behind it: TFTP answers from a new port, which the translation of the request does not cover."
        }
        (Cause::PortUnreachable, Quotes::Reply)
            if reading.view.asked.is_none() && reading.unread_of_client() > 0 =>
        {
            " Whom the client asked could not be read in the text: if it was another address, a connected socket does not take this reply. Otherwise the socket had closed."
        }
        (Cause::PortUnreachable, Quotes::Reply) => {
            " The client's socket did not take the reply: it had closed, for example because it no longer waited."
        }
        (Cause::HostUnreachable, _) if kind == IcmpKind::TimeExceeded => {
            " The packet had used up its hops (TTL, hop limit) there: routers send it round in a loop, or its sender gave it too few."
        }
        (Cause::HostUnreachable, _) if kind == IcmpKind::Other => {
            " It is of a rare kind: protocol unreachable, as rules of a firewall send it, a source route that failed, or a header that could not be read. Its type and code say which."
        }
        (Cause::HostUnreachable, _) if quoted_destination.is_some_and(|to| to.address == from) => {
            " The address says so itself, so the way to it is open: a rule on its host refuses the packet with this error, or the host sends it on to where it cannot reach, a pod for example."
        }
        (Cause::HostUnreachable, _) => {
            " There is no route, or the next hop does not answer ARP or neighbour solicitations."
        }
        (Cause::AdminProhibited, _) => {
            " A firewall or network policy on that host refuses the packet; it is a rule, not a fault of the path."
        }
        (Cause::PacketTooBig, _) => {
            " The datagram is larger than a link on the way can take, and it may not be fragmented there. The sender has to send less, or to learn the smaller size."
        }
        _ => "",
    });
    text.push_str(over::render_end(reading, seen));
    text
}

/// Whether the client may be a host that asks for others, for all that is known of it.
fn may_be_translator(reading: &Reading<'_>) -> bool {
    reading.exchange.protocol == Protocol::Tftp
        && reading.role_of(reading.exchange.client.address) == Role::Unknown
}

/// Where the client goes on from another of its addresses.
fn moved_to(reading: &Reading<'_>) -> Option<Endpoint> {
    reading.other_source.map(|moved| moved.destination)
}

/// The part of the exchange, as people say it.
pub(super) const fn quoted_text(quotes: Quotes) -> &'static str {
    match quotes {
        Quotes::Request => "request",
        Quotes::Reply => "reply",
        Quotes::FollowUp => "follow-up",
    }
}
