//! Packets that BSD's packet filter logged: `pflog(4)`.

use super::super::DecodeError;
use super::super::field::{find_u8, find_u32};
use super::cooked::is_internet_family;
use super::{Link, after_header};
use crate::model::capture::Direction;
use crate::model::packet_filter::FilterRule;

const LAYER: &str = "PFLOG";
/// Of the oldest header that is met: it ends in the direction.
const MIN_HEADER_BYTES: u8 = 45;
/// From here on the header also names processes, and the direction stands behind them.
const MIN_HEADER_WITH_PROCESSES_BYTES: u8 = 61;

/// `PF_DROP` of `net/pfvar.h`.
const DROPPED: u8 = 1;

/// What a firewall says of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::decode) struct Logged<'a> {
    /// The interface at which it stood.
    pub interface: Option<&'a str>,
    /// The rule that decided, where it was blocked.
    pub blocking_rule: Option<FilterRule<'a>>,
}

/// Link type 117: length 1 (without the padding to four bytes), address family 1,
/// action 1, reason 1, interface name 16, anchor name 16, rule 4, rule in the anchor
/// 4, then the direction, before which newer systems write two users and processes of
/// 4 bytes each. Behind it they have more, which the length tells.
///
/// # Errors
///
/// Where the header is cut or shorter than any.
pub(super) fn parse_pflog(bytes: &[u8]) -> Result<Option<Link<'_>>, DecodeError> {
    after_header(LAYER, bytes, 1)?;
    let length = find_u8(bytes, 0).unwrap_or_default();
    if length < MIN_HEADER_BYTES {
        let message = format!("at least {MIN_HEADER_BYTES} bytes were expected, it has {length}");
        return Err(DecodeError::Damaged { layer: LAYER, message });
    }
    let payload = after_header(LAYER, bytes, usize::from(length).next_multiple_of(4))?;
    if !find_u8(bytes, 1).is_some_and(|family| is_internet_family(family.into())) {
        return Ok(None);
    }
    let direction_at = if length < MIN_HEADER_WITH_PROCESSES_BYTES { 44 } else { 60 };
    let direction = match find_u8(bytes, direction_at) {
        Some(1) => Some(Direction::In),
        Some(2) => Some(Direction::Out),
        _ => None,
    };
    let is_blocked = find_u8(bytes, 2) == Some(DROPPED);
    let logged = Logged {
        interface: find_name(bytes.get(4..20).unwrap_or_default()),
        blocking_rule: find_rule(bytes).filter(|_| is_blocked),
    };
    Ok(Some(Link { direction, logged: Some(logged), ..Link::bare(payload) }))
}

fn find_rule(bytes: &[u8]) -> Option<FilterRule<'_>> {
    let anchor = find_name(bytes.get(20..36)?);
    Some(FilterRule::new(find_u32(bytes, 36)?, anchor, find_u32(bytes, 40)?))
}

/// A name that zeros fill up.
fn find_name(field: &[u8]) -> Option<&str> {
    let name = field.split(|byte| *byte == 0).next()?;
    let is_name = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    std::str::from_utf8(name).ok().filter(|_| is_name)
}
