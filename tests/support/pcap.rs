//! Captures of bare IP packets.

/// A pcap file of link type 101, a second between any two packets.
pub fn pcap(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 0x0004_0000, 101] {
        bytes.extend(word.to_le_bytes());
    }
    for (second, packet) in (1_732_000_000_u32..).zip(packets) {
        let length = u32::try_from(packet.len()).unwrap();
        for word in [second, 0, length, length] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(packet);
    }
    bytes
}
