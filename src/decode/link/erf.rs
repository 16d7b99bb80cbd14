//! Records of Endace's capture cards (ERF), as pcap files hold them, too.

use super::super::DecodeError;
use super::super::field::find_u8;
use super::{Carried, Way, after_header, parse_ethernet, ppp};

const LAYER: &str = "ERF";
const HEADER_BYTES: usize = 16;
const EXTENSION_BYTES: usize = 8;
/// More than any card writes.
const MAX_EXTENSIONS: usize = 16;
/// In the type, and in the first byte of an extension header: another one follows.
const HAS_EXTENSION: u8 = 0x80;

/// Follows a record to IP: time 8, type 1, flags 1, length 2, a counter or colour 2,
/// length on the wire 2, extension headers, and what the type says.
///
/// # Errors
///
/// Where the header, or one behind it, is cut, and where the type is one that may
/// carry IP in a way that is not read.
pub(super) fn parse_erf(bytes: &[u8]) -> Result<Option<Carried<'_>>, DecodeError> {
    let mut payload = after_header(LAYER, bytes, HEADER_BYTES)?;
    let kind = find_u8(bytes, 8).unwrap_or_default();
    let mut has_more = kind & HAS_EXTENSION != 0;
    for _ in 0..MAX_EXTENSIONS {
        if !has_more {
            break;
        }
        let rest = after_header(LAYER, payload, EXTENSION_BYTES)?;
        has_more = find_u8(payload, 0).is_some_and(|first| first & HAS_EXTENSION != 0);
        payload = rest;
    }
    match kind & !HAS_EXTENSION {
        // Ethernet, alone or with a colour, a stream and a hash in the counter's place;
        // two bytes of offset and padding stand before the frame.
        2 | 11 | 16 | 20 => parse_ethernet(after_header(LAYER, payload, 2)?, Way::START),
        // The same of PPP or Cisco HDLC.
        1 | 10 | 15 | 19 => ppp::parse_ppp_or_cisco(payload),
        // HDLC of one of several channels, which four bytes tell.
        5 | 17 => ppp::parse_ppp_or_cisco(after_header(LAYER, payload, 4)?),
        22 | 23 => Ok(Some(Way::START.leads_to(payload))),
        // ATM.
        3 | 4 | 7 | 9 | 12 | 18 => Err(DecodeError::Unread("what is inside ERF records of ATM")),
        // Counters, raw links, Infiniband, what the card says of itself.
        _ => Ok(None),
    }
}
