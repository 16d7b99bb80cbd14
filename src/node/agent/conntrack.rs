//! UDP entries of the connection tracking table, by ctnetlink.

use std::io;
use std::net::IpAddr;

use netlink_packet_core::{
    NLA_TYPE_MASK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload, Nla,
    NlaBuffer, NlasIterator,
};
use netlink_packet_netfilter::conntrack::{
    ConntrackAttribute, ConntrackMessage, IPTuple, ProtoTuple, Protocol, Status, Tuple,
};
use netlink_packet_netfilter::{
    NetfilterHeader, NetfilterMessage, NetfilterMessageInner, NetfilterProtoFamily,
};
use netlink_sys::protocols::NETLINK_NETFILTER;
use netlink_sys::{Socket, SocketAddr};

use crate::model::conntrack::{TrackedCount, TrackedFlow};
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::time::Timestamp;

// Of `enum ctattr_type` in the kernel's nfnetlink_conntrack.h: what the crate leaves as bytes.
const CTA_HELP: u16 = 5;
const CTA_COUNTERS_ORIG: u16 = 9;
const CTA_COUNTERS_REPLY: u16 = 10;
const CTA_TIMESTAMP: u16 = 20;
/// First member of each of the nested attributes above: name, packets, start.
const FIRST: u16 = 1;
/// Second member of the counters: bytes.
const SECOND: u16 = 2;

/// The kernel fills at most 32 KiB at once.
const BUFFER_BYTES: usize = 64 << 10;

/// Why the table cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the connection tracking table cannot be asked for")]
    Socket(#[source] io::Error),
    /// `EINVAL` and `EOPNOTSUPP` come from a kernel without the module.
    #[error(
        "the kernel did not list its connection tracking table; load the modules nf_conntrack and nf_conntrack_netlink"
    )]
    Refused(#[source] io::Error),
    #[error("the kernel's answer about connection tracking cannot be read: {0}")]
    Answer(String),
}

/// UDP entries, and how many more there are.
#[derive(Debug, Default)]
pub struct Listing {
    pub flows: Vec<TrackedFlow>,
    pub omitted: u64,
}

/// Reads the UDP entries of both families; those in which `device` is an
/// address of either direction, where one is named. More than `limit` are counted.
///
/// It blocks for as long as the kernel needs: some 100 ms for a full table.
///
/// # Errors
///
/// Where the kernel does not let us, or has no such table.
pub fn read(device: Option<IpAddr>, limit: usize) -> Result<Listing, Error> {
    read_those(&|flow| device.is_none_or(|device| names(flow, device)), limit)
}

/// Reads the UDP entries of both families that `is_wanted` chooses, like [`read`].
///
/// # Errors
///
/// Where the kernel does not let us, or has no such table.
pub fn read_those(
    is_wanted: &dyn Fn(&TrackedFlow) -> bool,
    limit: usize,
) -> Result<Listing, Error> {
    let mut listing = Listing::default();
    for family in [NetfilterProtoFamily::IPv4, NetfilterProtoFamily::IPv6] {
        dump(family, &mut |flow| {
            if !is_wanted(&flow) {
                return;
            }
            if listing.flows.len() < limit {
                listing.flows.push(flow);
            } else {
                listing.omitted += 1;
            }
        })?;
    }
    Ok(listing)
}

fn names(flow: &TrackedFlow, address: IpAddr) -> bool {
    [flow.original, flow.expected_reply]
        .iter()
        .any(|way| way.source.address == address || way.destination.address == address)
}

/// Hands all UDP entries of one family to `take`.
fn dump(family: NetfilterProtoFamily, take: &mut dyn FnMut(TrackedFlow)) -> Result<(), Error> {
    let mut socket = Socket::new(NETLINK_NETFILTER).map_err(Error::Socket)?;
    socket.bind_auto().map_err(Error::Socket)?;
    socket.connect(&SocketAddr::new(0, 0)).map_err(Error::Socket)?;

    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    let request = NetfilterMessage::new(
        NetfilterHeader::new(family, 0, 0),
        ConntrackMessage::Get(Vec::new()),
    );
    let mut request = NetlinkMessage::new(header, NetlinkPayload::from(request));
    request.finalize();
    let mut bytes = vec![0; request.buffer_len()];
    request.serialize(&mut bytes);
    socket.send(&bytes, 0).map_err(Error::Socket)?;

    let mut buffer = Vec::with_capacity(BUFFER_BYTES);
    loop {
        buffer.clear();
        socket.recv(&mut buffer, 0).map_err(Error::Socket)?;
        if read_answer(&buffer, take)? {
            return Ok(());
        }
    }
}

/// Reads the messages of one datagram; whether the last of the dump was among them.
fn read_answer(mut bytes: &[u8], take: &mut dyn FnMut(TrackedFlow)) -> Result<bool, Error> {
    while !bytes.is_empty() {
        let message = NetlinkMessage::<NetfilterMessage>::deserialize(bytes)
            .map_err(|error| Error::Answer(error.to_string()))?;
        let length = usize::try_from(message.header.length).unwrap_or(usize::MAX);
        match message.payload {
            NetlinkPayload::Done(_) => return Ok(true),
            NetlinkPayload::Error(error) if error.code.is_some() => {
                return Err(Error::Refused(error.to_io()));
            }
            NetlinkPayload::InnerMessage(NetfilterMessage {
                inner: NetfilterMessageInner::Conntrack(ConntrackMessage::New(attributes)),
                ..
            }) => {
                if let Some(flow) = read_flow(&attributes) {
                    take(flow);
                }
            }
            _ => {}
        }
        // Messages begin at multiples of four (NLMSG_ALIGN).
        let next = length.checked_next_multiple_of(4).unwrap_or(usize::MAX).max(4);
        bytes = bytes.get(next..).unwrap_or(&[]);
    }
    Ok(false)
}

/// One entry; `None` where it is not UDP.
fn read_flow(attributes: &[ConntrackAttribute]) -> Option<TrackedFlow> {
    let (mut original, mut expected_reply) = (None, None);
    let mut status = Status::empty();
    let (mut helper, mut expires_in_s, mut at) = (None, None, None);
    let (mut original_count, mut reply_count) = (None, None);
    for attribute in attributes {
        match attribute {
            ConntrackAttribute::CtaTupleOrig(tuple) => original = Some(read_tuple(tuple)?),
            ConntrackAttribute::CtaTupleReply(tuple) => expected_reply = Some(read_tuple(tuple)?),
            ConntrackAttribute::CtaStatus(bits) => status = *bits,
            ConntrackAttribute::CtaTimeout(seconds) => expires_in_s = Some(*seconds),
            // The crate leaves the mark of nested attributes in the kind.
            ConntrackAttribute::Other(other) => match other.kind() & NLA_TYPE_MASK {
                CTA_HELP => {
                    helper = find_member(other, FIRST).and_then(|name| read_name(&name));
                }
                CTA_COUNTERS_ORIG => original_count = read_count(other),
                CTA_COUNTERS_REPLY => reply_count = read_count(other),
                CTA_TIMESTAMP => {
                    let start = find_member(other, FIRST).and_then(read_u64);
                    let start = start.and_then(|start| i64::try_from(start).ok());
                    at = start.map(Timestamp::from_nanoseconds);
                }
                _ => {}
            },
            _ => {}
        }
    }
    Some(TrackedFlow {
        original: original?,
        expected_reply: expected_reply?,
        is_replied: status.contains(Status::SeenReply),
        is_assured: status.contains(Status::Assured),
        helper,
        expires_in_s,
        original_count,
        reply_count,
        zone: None,
        event: None,
        at,
    })
}

fn read_tuple(tuple: &[Tuple]) -> Option<FlowKey> {
    let (mut source, mut destination) = (None, None);
    let (mut source_port, mut destination_port) = (None, None);
    let mut is_udp = false;
    for part in tuple {
        match part {
            Tuple::Ip(parts) => {
                for part in parts {
                    match part {
                        IPTuple::SourceAddress(address) => source = Some(*address),
                        IPTuple::DestinationAddress(address) => destination = Some(*address),
                        _ => {}
                    }
                }
            }
            Tuple::Proto(parts) => {
                for part in parts {
                    match part {
                        ProtoTuple::Protocol(protocol) => is_udp = *protocol == Protocol::Udp,
                        ProtoTuple::SourcePort(port) => source_port = Some(*port),
                        ProtoTuple::DestinationPort(port) => destination_port = Some(*port),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    let flow = FlowKey::udp(
        Endpoint::new(source?, source_port?),
        Endpoint::new(destination?, destination_port?),
    );
    is_udp.then_some(flow)
}

fn read_count(attribute: &impl Nla) -> Option<TrackedCount> {
    let packets = find_member(attribute, FIRST).and_then(read_u64)?;
    let bytes = find_member(attribute, SECOND).and_then(read_u64)?;
    Some(TrackedCount { packets, bytes })
}

/// The value of the member `kind` of a nested attribute.
fn find_member(attribute: &impl Nla, kind: u16) -> Option<Vec<u8>> {
    let mut value = vec![0; attribute.value_len()];
    attribute.emit_value(&mut value);
    NlasIterator::new(value.as_slice())
        .filter_map(Result::ok)
        .find(|member: &NlaBuffer<&[u8]>| member.kind() == kind)
        .map(|member| member.value().to_vec())
}

fn read_u64(value: Vec<u8>) -> Option<u64> {
    value.try_into().ok().map(u64::from_be_bytes)
}

/// A string of the kernel's, up to its NUL.
fn read_name(value: &[u8]) -> Option<String> {
    let text = value.split(|byte| *byte == 0).next()?;
    String::from_utf8(text.to_vec()).ok().filter(|name| !name.is_empty())
}
