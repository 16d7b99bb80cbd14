//! What connection tracking says of a request that nobody answered, and what a
//! table cannot say.

use crate::diagnose::reading::Reading;
use crate::model::endpoint::Endpoint;
use crate::model::protocol::Protocol;
use crate::model::topology::Role;

/// The explanation where the table is all there is.
pub fn explain(reading: &Reading<'_>, asked: Endpoint, often: &str) -> String {
    let mut sentences = vec![format!(
        "{} asked {} {often}, and the entry was never answered.",
        reading.client_word_first(),
        reading.name(asked.address),
    )];
    if let Some(way) = way(reading) {
        sentences.push(way);
    }
    sentences.push(
        "A table does not show whether an ICMP error came, or where a packet was lost; and an entry without an answer lives for 30 s after the last packet, so older ones are gone.".to_owned(),
    );
    let may_be_filtered =
        reading.exchange.protocol == Protocol::Tftp && reading.stranded_reply().is_none();
    if may_be_filtered {
        sentences.push(
            "TFTP answers from a new port, which is an entry of its own: if the listing was filtered by address or port, it may be missing here.".to_owned(),
        );
    }
    sentences.join(" ")
}

/// What an entry adds to the packets, with a space before it.
pub fn beside(reading: &Reading<'_>) -> String {
    way(reading).map(|way| format!(" {way}")).unwrap_or_default()
}

/// Where the kernel sends the request, and whether the pod answered it.
fn way(reading: &Reading<'_>) -> Option<String> {
    let flow = &reading.request_entry()?.flow;
    let pod = flow.translated_destination();
    let sent = if flow.is_destination_translated() {
        format!("Connection tracking sends the request on to {}", reading.name(pod.address))
    } else if flow.is_source_translated() {
        format!(
            "Connection tracking leaves the destination of the request as it is, and sends it out with the source {}",
            flow.translated_source()
        )
    } else {
        let whose = match reading.role_of(flow.original.destination.address) {
            Role::Node | Role::Vip => "it is for the node itself",
            Role::Unknown => "it is for the node itself, or passed on as it is",
            Role::Device
            | Role::Pod
            | Role::Service
            | Role::Multicast
            | Role::Broadcast
            | Role::External => "it is passed on as it is",
        };
        format!("Connection tracking does not translate the request: {whose}")
    };
    Some(match reading.stranded_reply() {
        Some(reply) => format!(
            "{sent}. The pod did answer, from {} to {}, which stands for the client there; nothing leads this answer on.",
            reply.flow.original.source, reply.flow.original.destination
        ),
        None => format!("{sent}."),
    })
}
