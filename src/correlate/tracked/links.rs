//! Which entries belong to a request: replies from new ports, which are flows
//! of their own to the kernel, and what the client sent after them.

use smallvec::SmallVec;

use super::index::{Index, Position};
use crate::model::endpoint::Endpoint;
use crate::model::protocol::Protocol;
use crate::model::topology::{Role, Topology};

/// A request with what belongs to it.
#[derive(Debug)]
pub struct Linked {
    pub request: Position,
    /// Flows that the server opened to the client's socket, or to the one that
    /// stands for it behind a translation.
    pub replies: Vec<Position>,
    /// Flows from the client's socket to the address asked, at the port of a reply.
    pub follow_ups: Vec<Position>,
}

/// Finds what belongs to `request`.
pub fn find(index: &Index, request: Position, protocol: Protocol, topology: &Topology) -> Linked {
    let replies = replies(index, request, protocol, topology);
    let follow_ups = follow_ups(index, request, protocol, &replies);
    Linked { request, replies, follow_ups }
}

/// The request from `client` to whose reply the kernel gave the source `source`.
pub fn request_of_reply(index: &Index, client: Endpoint, source: Endpoint) -> Option<Position> {
    let reply = index.to(client).find(|reply| index[*reply].flow.translated_source() == source)?;
    let pod = index[reply].flow.original.source.address;
    let mut requests = index.from(client).filter(|request| {
        let flow = &index[*request].flow;
        flow.is_destination_translated() && flow.translated_destination().address == pod
    });
    // Of two nobody can say which was answered.
    requests.next().filter(|_| requests.next().is_none())
}

/// The server's flows to the very socket that asked it. Where the client's port
/// is a service's own, others have reason to write to it: devices send traps
/// from the port at which they are polled.
fn replies(
    index: &Index,
    request: Position,
    protocol: Protocol,
    topology: &Topology,
) -> Vec<Position> {
    let asking = &index[request].flow;
    let client = asking.original.source;
    let talks_back = protocol.expects_answer() && !protocol.moves_by_design();
    if !talks_back || may_be_service(client.port, protocol) {
        return Vec::new();
    }
    let server = asking.translated_destination();
    let seen_as = asking.translated_source();
    let also = (seen_as != client).then_some(client);
    let towards = index.to(seen_as).chain(also.into_iter().flat_map(|end| index.to(end)));
    let is_reply = |position: &Position| {
        let flow = &index[*position].flow;
        let source = flow.original.source;
        if *position == request || source == server {
            return false;
        }
        // A server on the node itself, which answers from another of its addresses.
        let is_own = !asking.is_replied
            && asking.is_untranslated()
            && protocol == Protocol::Tftp
            && topology.role_of(source.address) == Role::Node;
        source.address == server.address || is_own
    };
    let mut found: Vec<Position> = towards.filter(is_reply).collect();
    found.extend(answered_apart(index, request, protocol));
    found.sort_unstable();
    found.dedup();
    found
}

/// Flows from the very endpoint that was asked to the very socket that asked it, which the
/// kernel takes for new ones, and so gives another source.
///
/// A reply is one of its request's entry, whose tuple it fits, unless it comes before that
/// entry is confirmed, or untranslated beside it: then its own tuple clashes with the entry's,
/// and source NAT makes it unique by another port (`nf_nat_used_tuple`).
pub fn answered_apart(
    index: &Index,
    request: Position,
    protocol: Protocol,
) -> SmallVec<[Position; 1]> {
    let asking = &index[request].flow;
    let (client, asked) = (asking.original.source, asking.original.destination);
    if !protocol.expects_answer() || protocol.moves_by_design() || protocol == Protocol::Tftp {
        return SmallVec::new();
    }
    let is_answer = |position: &Position| {
        let flow = &index[*position].flow;
        *position != request
            && flow.original.source == asked
            && flow.translated_destination() == client
            && flow.translated_source() != asked
            && !flow.is_replied
    };
    index.to(client).filter(is_answer).collect()
}

/// Whether a socket with this port, which asks in `protocol`, is likely a service's. Above
/// 32767 clients of most systems get theirs; boot loaders, which ask for files, and older
/// systems take any from 1024 on.
fn may_be_service(port: u16, protocol: Protocol) -> bool {
    const FIRST_OF_LOADERS: u16 = 1024;
    let is_of_client = protocol == Protocol::Tftp && port >= FIRST_OF_LOADERS;
    Protocol::is_only_for_servers(port) && !is_of_client
}

fn follow_ups(
    index: &Index,
    request: Position,
    protocol: Protocol,
    replies: &[Position],
) -> Vec<Position> {
    let asking = &index[request].flow;
    let asked = asking.original.destination;
    let answered_at = |port: u16| {
        replies.iter().any(|reply| {
            let left = index[*reply].flow.translated_source();
            left.port == port && left.address != asked.address
        })
    };
    let is_follow_up = |position: &Position| {
        let flow = &index[*position].flow;
        let to = flow.original.destination;
        if *position == request || to.address != asked.address || to.port == asked.port {
            return false;
        }
        // Of a filtered listing the reply may be missing; the follow-up tells of it.
        let unseen = replies.is_empty()
            && protocol == Protocol::Tftp
            && !flow.is_replied
            && flow.is_untranslated()
            && Protocol::of_port(to.port).is_none();
        answered_at(to.port) || unseen
    };
    let sent = index.from(asking.original.source);
    if protocol.expects_answer() { sent.filter(is_follow_up).collect() } else { Vec::new() }
}
