//! Packets in a block of a TPACKET_V3 ring: the kernel's
//! `include/uapi/linux/if_packet.h`, read from bytes.

use crate::model::time::Timestamp;

/// One packet as the kernel hands it over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RingPacket<'a> {
    /// By this host's clock.
    pub at: Timestamp,
    /// Length on the wire in bytes, without a VLAN tag that the kernel took off.
    pub original_length: u32,
    /// The VLAN tag that the kernel took off: EtherType and control information.
    pub tag: Option<Tag>,
    /// `sll_pkttype`: 0 to this host, 1 broadcast, 2 multicast, 3 to another host, 4 outgoing.
    pub packet_type: u8,
    pub bytes: &'a [u8],
}

/// A VLAN tag (IEEE 802.1Q).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag {
    pub ether_type: u16,
    pub control: u16,
}

/// Offsets in `struct tpacket_block_desc`.
pub const STATUS_OFFSET: usize = 8;
const COUNT_OFFSET: usize = 12;
const FIRST_OFFSET: usize = 16;

/// `sizeof(struct tpacket3_hdr)`, aligned to 16: `struct sockaddr_ll` follows.
const ADDRESS_OFFSET: usize = 48;

/// `TP_STATUS_VLAN_VALID`, `TP_STATUS_VLAN_TPID_VALID`.
const TAG_VALID: u32 = 1 << 4;
const TAG_TYPE_VALID: u32 = 1 << 6;

/// Hands the packets of one block to `take`. A header that points outside the
/// block ends it: that would be a fault of the kernel's.
pub fn read(block: &[u8], take: &mut dyn FnMut(RingPacket<'_>)) {
    let Some(count) = find_u32(block, COUNT_OFFSET) else { return };
    let Some(first) = find_u32(block, FIRST_OFFSET) else { return };
    let mut at = usize::try_from(first).unwrap_or(usize::MAX);
    for _ in 0..count {
        let Some(rest) = block.get(at..) else { return };
        let Some((packet, next)) = find_packet(rest) else { return };
        take(packet);
        if next == 0 {
            return;
        }
        at = at.saturating_add(next);
    }
}

/// The packet whose `struct tpacket3_hdr` begins `bytes`, and the distance to the next.
fn find_packet(bytes: &[u8]) -> Option<(RingPacket<'_>, usize)> {
    let next = usize::try_from(find_u32(bytes, 0)?).ok()?;
    let seconds = find_u32(bytes, 4)?;
    let nanoseconds = find_u32(bytes, 8)?;
    let captured = usize::try_from(find_u32(bytes, 12)?).ok()?;
    let original_length = find_u32(bytes, 16)?;
    let status = find_u32(bytes, 20)?;
    let start = usize::from(find_u16(bytes, 24)?);
    let tag = (status & TAG_VALID != 0).then_some(()).and_then(|()| {
        let control = u16::try_from(find_u32(bytes, 32)? & 0xffff).ok()?;
        let ether_type = if status & TAG_TYPE_VALID != 0 { find_u16(bytes, 36)? } else { 0x8100 };
        Some(Tag { ether_type, control })
    });
    let packet_type = *bytes.get(ADDRESS_OFFSET + 10)?;
    let packet = RingPacket {
        at: Timestamp::from_nanoseconds(
            i64::from(seconds) * 1_000_000_000 + i64::from(nanoseconds),
        ),
        original_length,
        tag,
        packet_type,
        bytes: bytes.get(start..start.checked_add(captured)?)?,
    };
    Some((packet, next))
}

fn find_u32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
}

fn find_u16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_ne_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block with packets of these bytes.
    fn block(packets: &[(&[u8], u32)]) -> Vec<u8> {
        let mut block = vec![0_u8; 48];
        block[12..16].copy_from_slice(&u32::try_from(packets.len()).unwrap().to_ne_bytes());
        block[16..20].copy_from_slice(&48_u32.to_ne_bytes());
        for (bytes, status) in packets {
            let mut packet = vec![0_u8; 82];
            let next = u32::try_from(packet.len() + bytes.len()).unwrap();
            for (at, value) in [
                (0, next),
                (4, 1_732_000_000),
                (8, 5),
                (12, u32::try_from(bytes.len()).unwrap()),
                (16, 1_500),
                (20, *status),
                (24, 82),
                (32, 0x2007),
                (36, 0x88a8),
            ] {
                packet[at..at + 4].copy_from_slice(&value.to_ne_bytes());
            }
            packet[58] = 4;
            packet.extend_from_slice(bytes);
            block.extend_from_slice(&packet);
        }
        block
    }

    #[test]
    fn packets_are_read_with_their_tags() {
        let block = block(&[(b"one", 1), (b"two!", 1 | TAG_VALID), (b"", 1 | 0x50)]);
        let mut found = Vec::new();
        read(&block, &mut |packet| {
            assert_eq!(packet.at.as_nanoseconds(), 1_732_000_000_000_000_005);
            assert_eq!((packet.original_length, packet.packet_type), (1_500, 4));
            found.push((packet.bytes.to_vec(), packet.tag));
        });
        let tag = |ether_type| Some(Tag { ether_type, control: 0x2007 });
        let expected =
            [(b"one".to_vec(), None), (b"two!".to_vec(), tag(0x8100)), (Vec::new(), tag(0x88a8))];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_damaged_block_ends_where_it_is_damaged() {
        let whole = block(&[(b"one", 1), (b"two", 1)]);
        for length in 0..whole.len() {
            let mut found = 0;
            read(&whole[..length], &mut |_| found += 1);
            assert!(found <= 1, "{length}");
        }
        let mut wild = whole;
        wild[48..52].copy_from_slice(&u32::MAX.to_ne_bytes());
        let mut found = 0;
        read(&wild, &mut |_| found += 1);
        assert_eq!(found, 1);
    }
}
