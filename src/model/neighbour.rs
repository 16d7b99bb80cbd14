//! Questions for a neighbour's link-layer address, and who did not answer them.

use std::net::IpAddr;

use super::capture::FrameRef;

/// A message of ARP (RFC 826) or of IPv6 neighbour discovery (RFC 4861).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NeighbourMessage {
    /// An ARP request, or a neighbour solicitation. Probes for one's own address
    /// (RFC 5227, RFC 4862 section 5.4) expect silence and are none.
    Question { asker: IpAddr, wanted: IpAddr },
    /// An ARP reply or announcement, or a neighbour advertisement: somebody has `address`.
    Answer { address: IpAddr },
}

/// An address for which a point saw questions and no sign that it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unresolved {
    pub address: IpAddr,
    pub asker: IpAddr,
    /// Questions at some distance from each other: a copy of one is not counted.
    pub tries: u64,
    pub first: FrameRef,
    pub last: FrameRef,
}
