//! What IP headers say of fragments.

use etherparse::{
    IpFragOffset, IpNumber, Ipv6ExtensionSlice, LaxIpSlice, LaxIpv4Slice, LaxIpv6Slice,
};

use super::super::field::saturating_u32;

/// One fragment of an IP packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::decode) struct Fragment<'a> {
    pub identification: u32,
    pub offset: IpFragOffset,
    pub place: FragmentPlace,
    /// What the fragmented bytes begin with. IPv6 may have extension headers
    /// there, and of its fragments only the first is to be believed (RFC 8200
    /// section 4.5).
    pub protocol: IpNumber,
    /// The captured bytes of the fragment, without link-layer padding.
    pub payload: &'a [u8],
    /// Bytes of the fragment that were on the wire.
    pub length: u32,
}

/// Whether fragments follow one, by its "more fragments" flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::decode) enum FragmentPlace {
    Last,
    Earlier,
}

impl Fragment<'_> {
    /// Whether it begins the packet.
    pub fn is_first(&self) -> bool {
        self.offset.value() == 0
    }

    /// Whether a snap length took a part of it.
    pub fn is_cut(&self) -> bool {
        saturating_u32(self.payload.len()) < self.length
    }
}

/// Whether a packet carries a fragment other than the first.
pub(in crate::decode) fn is_later_fragment(slice: &LaxIpSlice<'_>) -> bool {
    match slice {
        LaxIpSlice::Ipv4(v4) => v4.header().fragments_offset().value() != 0,
        LaxIpSlice::Ipv6(v6) => {
            v6.is_payload_fragmented()
                // Not a step further than the header that says so: what follows it may be
                // cut or out of order, and etherparse's iterator does not look.
                && v6.extensions().clone().into_iter().find_map(|extension| match extension {
                    Ipv6ExtensionSlice::Fragment(fragment)
                        if fragment.is_fragmenting_payload() =>
                    {
                        Some(fragment.fragment_offset().value() != 0)
                    }
                    _ => None,
                }) == Some(true)
        }
    }
}

/// The fragment that a packet of `total_bytes` is; `None` where it is whole.
pub(super) fn find_fragment<'a>(
    slice: &LaxIpSlice<'_>,
    bytes: &'a [u8],
    total_bytes: u32,
) -> Option<Fragment<'a>> {
    match slice {
        LaxIpSlice::Ipv4(v4) => find_v4_fragment(v4, bytes, total_bytes),
        LaxIpSlice::Ipv6(v6) => find_v6_fragment(v6, bytes, total_bytes),
    }
}

fn find_v4_fragment<'a>(
    v4: &LaxIpv4Slice<'_>,
    bytes: &'a [u8],
    total_bytes: u32,
) -> Option<Fragment<'a>> {
    let header = v4.header();
    let (offset, has_more) = (header.fragments_offset(), header.more_fragments());
    if offset.value() == 0 && !has_more {
        return None;
    }
    let (payload, length) = split_at_header(bytes, header.slice().len(), total_bytes);
    Some(Fragment {
        identification: header.identification().into(),
        offset,
        place: if has_more { FragmentPlace::Earlier } else { FragmentPlace::Last },
        protocol: header.protocol(),
        payload,
        length,
    })
}

fn find_v6_fragment<'a>(
    v6: &LaxIpv6Slice<'_>,
    bytes: &'a [u8],
    total_bytes: u32,
) -> Option<Fragment<'a>> {
    if !v6.is_payload_fragmented() {
        return None;
    }
    let mut header_bytes = v6.header().slice().len();
    // To the first fragment header, which is there, and no further: see above.
    for extension in v6.extensions().clone() {
        header_bytes += match extension {
            Ipv6ExtensionSlice::HopByHop(header)
            | Ipv6ExtensionSlice::Routing(header)
            | Ipv6ExtensionSlice::DestinationOptions(header) => header.slice().len(),
            Ipv6ExtensionSlice::Authentication(header) => header.slice().len(),
            Ipv6ExtensionSlice::Fragment(header) => {
                let end = header_bytes + header.slice().len();
                let (payload, length) = split_at_header(bytes, end, total_bytes);
                return Some(Fragment {
                    identification: header.identification(),
                    offset: header.fragment_offset(),
                    place: if header.more_fragments() {
                        FragmentPlace::Earlier
                    } else {
                        FragmentPlace::Last
                    },
                    protocol: header.next_header(),
                    payload,
                    length,
                });
            }
        };
    }
    None
}

/// What follows a header: the captured bytes, and how many were on the wire.
fn split_at_header(bytes: &[u8], header_bytes: usize, total_bytes: u32) -> (&[u8], u32) {
    let payload = bytes.get(header_bytes..).unwrap_or_default();
    let length = total_bytes.saturating_sub(saturating_u32(header_bytes));
    let captured =
        usize::try_from(length).map_or(payload, |end| payload.get(..end).unwrap_or(payload));
    (captured, length)
}
