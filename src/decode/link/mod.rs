//! Link layers, down to the IP header.
//!
//! | file | reads |
//! |---|---|
//! | `ether_type` | Ethernet, tags, PPPoE, and what an Ethernet type leads to |
//! | `wireless` | 802.11 and the headers that drivers write before it |
//! | `nsh` | the header of service function chains |
//! | `mpls` | label stacks and the Ethernet frames in them |
//! | `ppp` | PPP, Cisco HDLC, Frame Relay |
//! | `cooked` | headers that operating systems make up: SLL, SLL2, loopback |
//! | `arp` | ARP, where a frame carries no IP |
//! | `wrapped` | headers around another header: NFLOG, PKTAP, Juniper's |
//! | `logged` | what BSD's packet filter logged, with its verdict |
//! | `erf` | records of capture cards |
//! | `switch_tag` | tags of switch chips, between a frame's addresses and its type |

mod arp;
mod cooked;
mod erf;
mod ether_type;
mod logged;
mod mpls;
mod nsh;
mod ppp;
mod switch_tag;
mod wireless;
mod wrapped;

use super::DecodeError;
use crate::model::capture::{Direction, LinkType};
use crate::model::packet::LinkAudience;

pub(super) use arp::find_arp;
pub(super) use ether_type::{parse_ether_type, parse_ethernet};
pub(super) use logged::Logged;
pub(super) use mpls::parse_mpls;
pub(super) use nsh::parse_nsh;
pub(super) use ppp::parse_ppp;
pub(super) use wireless::{parse_swapped_wireless, parse_wireless};

/// Tags, labels and session headers that are followed; more than any network nests.
const MAX_HEADERS: u8 = 16;

/// What a link layer says of the packet it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link<'a> {
    /// The bytes from the IP header on.
    pub ip: &'a [u8],
    /// See [`Carried::segment`].
    pub segment: u64,
    pub audience: LinkAudience,
    /// Set by headers that operating systems make up only.
    pub direction: Option<Direction>,
    /// The capturing kernel's interface index (SLL2, NFLOG, IPNET).
    pub kernel_interface: Option<u32>,
    /// What a firewall says of the packet.
    pub logged: Option<Logged<'a>>,
}

impl<'a> Link<'a> {
    const fn bare(ip: &'a [u8]) -> Self {
        Self {
            ip,
            segment: 0,
            audience: LinkAudience::Unknown,
            direction: None,
            kernel_interface: None,
            logged: None,
        }
    }
}

impl<'a> From<Carried<'a>> for Link<'a> {
    fn from(carried: Carried<'a>) -> Self {
        Self { segment: carried.segment, audience: carried.audience, ..Self::bare(carried.ip) }
    }
}

/// An IP packet behind link headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Carried<'a> {
    /// The bytes from the IP header on.
    pub ip: &'a [u8],
    /// VLAN ids, labels and session ids, folded into one number: tells networks
    /// apart that use the same addresses. Zero where there are none.
    pub segment: u64,
    /// To whom the innermost of these headers is addressed.
    pub audience: LinkAudience,
}

/// What was passed on the way to IP.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    segment: u64,
    headers: u8,
    audience: LinkAudience,
}

impl Way {
    pub const START: Self = Self { segment: 0, headers: 0, audience: LinkAudience::Unknown };

    /// One header further; `None` where there are more than any network nests.
    pub fn past(self, id: u32) -> Option<Self> {
        (self.headers < MAX_HEADERS).then(|| Self {
            segment: self.segment.wrapping_mul(0x0100_0000_01b3) ^ (u64::from(id) + 1),
            headers: self.headers + 1,
            ..self
        })
    }

    /// The same way, behind a header that is addressed to `audience`.
    pub const fn to(self, audience: LinkAudience) -> Self {
        Self { audience, ..self }
    }

    pub const fn leads_to(self, ip: &[u8]) -> Carried<'_> {
        Carried { ip, segment: self.segment, audience: self.audience }
    }
}

/// Takes the link layer off; `None` where it does not carry IP.
///
/// # Errors
///
/// Where the link type is unknown or its header, or one behind it, is cut.
pub(super) fn parse_link(
    link_type: LinkType,
    bytes: &[u8],
) -> Result<Option<Link<'_>>, DecodeError> {
    let carried = match link_type {
        LinkType::Ethernet => match ether_type::find_plain(bytes) {
            Some(carried) => Ok(Some(carried)),
            None => parse_ethernet(bytes, Way::START),
        },
        LinkType::Ppp => parse_ppp(bytes, Way::START),
        LinkType::PppHdlc => ppp::parse_ppp_or_cisco(bytes),
        LinkType::CiscoHdlc => ppp::parse_cisco_hdlc(bytes),
        LinkType::FrameRelay => ppp::parse_frame_relay(bytes),
        LinkType::LinuxSll => return cooked::parse_sll(bytes),
        LinkType::LinuxSll2 => return cooked::parse_sll2(bytes),
        LinkType::PppWithDirection => return ppp::parse_ppp_with_direction(bytes),
        LinkType::Nflog => return wrapped::parse_nflog(bytes),
        LinkType::Pktap => return wrapped::parse_pktap(bytes),
        LinkType::Pflog => return logged::parse_pflog(bytes),
        LinkType::Enc => return cooked::parse_enc(bytes),
        LinkType::Ipnet => return cooked::parse_ipnet(bytes),
        LinkType::Erf => erf::parse_erf(bytes),
        LinkType::Mpls => parse_mpls(bytes, Way::START),
        LinkType::BroadcomTag | LinkType::MarvellTag => switch_tag::parse_inside(bytes, 4),
        LinkType::BroadcomPrepended => switch_tag::parse_before(bytes),
        LinkType::MarvellTypedTag => switch_tag::parse_inside(bytes, 8),
        LinkType::PppEthernet => ether_type::parse_pppoe(bytes, Way::START),
        LinkType::Wireless => parse_wireless(bytes, Way::START),
        LinkType::Radiotap => wireless::parse_radiotap(bytes),
        LinkType::Prism | LinkType::Avs => wireless::parse_prism_or_avs(bytes),
        LinkType::Ppi => return wireless::parse_ppi(bytes),
        LinkType::JuniperEthernet => return wrapped::parse_juniper_ethernet(bytes),
        LinkType::RawIp => return Ok(Some(cooked::find_raw(bytes))),
        LinkType::Ipv4 | LinkType::Ipv6 => return Ok(Some(Link::bare(bytes))),
        LinkType::Null => return cooked::parse_loopback("NULL", bytes),
        LinkType::Loop => return cooked::parse_loopback("LOOP", bytes),
        LinkType::Other(_) if wrapped::is_private_pktap(link_type, bytes) => {
            return wrapped::parse_pktap(bytes);
        }
        LinkType::Other(_) => return Err(DecodeError::UnsupportedLinkType(link_type)),
    };
    Ok(carried?.map(Link::from))
}

fn after_header<'a>(
    layer: &'static str,
    bytes: &'a [u8],
    required_bytes: usize,
) -> Result<&'a [u8], DecodeError> {
    bytes.get(required_bytes..).ok_or(DecodeError::Cut {
        layer,
        required_bytes,
        found_bytes: bytes.len(),
    })
}

#[cfg(test)]
mod tests;
