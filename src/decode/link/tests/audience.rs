//! To whom a packet goes by its link header.

use super::*;

#[test]
fn the_link_header_tells_to_whom_a_packet_goes() {
    use LinkAudience::{Broadcast, Multicast, One, Unknown};
    let framed = |destination: [u8; 6], tags: &[u16], ether_type| {
        let mut frame = ethernet(tags, ether_type);
        frame[..6].copy_from_slice(&destination);
        frame
    };
    let all = [0xff; 6];
    for ether_type in [0x0800_u16, 0x86dd] {
        let sll = |packet_type: u8| {
            let mut bytes = vec![0, packet_type, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0];
            bytes.extend(ether_type.to_be_bytes());
            [bytes, b"IP".to_vec()].concat()
        };
        let sll2 = |packet_type: u8| {
            let mut bytes = ether_type.to_be_bytes().to_vec();
            bytes.extend([0, 0, 0, 0, 0, 2, 0, 1, packet_type, 6, 2, 0, 0, 0, 0, 1, 0, 0]);
            [bytes, b"IP".to_vec()].concat()
        };
        // A label and the whole frame: the inner header is the one that counts.
        let nested = {
            let mut frame = framed([2, 0, 0, 0, 0, 9], &[], 0x8847);
            frame.truncate(14);
            frame.extend([0, 1, 1, 64, 0, 0, 0, 0]);
            frame.extend(framed(all, &[], ether_type));
            frame
        };
        let cases = [
            ("unicast", LinkType::Ethernet, framed([2, 0, 0, 0, 0, 9], &[], ether_type), One),
            (
                "multicast",
                LinkType::Ethernet,
                framed([1, 0, 0x5e, 0, 0, 9], &[], ether_type),
                Multicast,
            ),
            (
                "a cluster",
                LinkType::Ethernet,
                framed([3, 0xbf, 0, 0, 0, 9], &[], ether_type),
                Multicast,
            ),
            ("broadcast", LinkType::Ethernet, framed(all, &[], ether_type), Broadcast),
            ("tagged", LinkType::Ethernet, framed(all, &[0x8100], ether_type), Broadcast),
            ("in a pseudowire", LinkType::Ethernet, nested, Broadcast),
            ("SLL, to this host", LinkType::LinuxSll, sll(0), One),
            ("SLL, broadcast", LinkType::LinuxSll, sll(1), Broadcast),
            ("SLL, multicast", LinkType::LinuxSll, sll(2), Multicast),
            ("SLL, to another", LinkType::LinuxSll, sll(3), One),
            ("SLL, sent", LinkType::LinuxSll, sll(4), Unknown),
            ("SLL2, broadcast", LinkType::LinuxSll2, sll2(1), Broadcast),
            ("SLL2, multicast", LinkType::LinuxSll2, sll2(2), Multicast),
            ("SLL2, sent", LinkType::LinuxSll2, sll2(4), Unknown),
            ("no header", LinkType::RawIp, b"IP".to_vec(), Unknown),
        ];
        for (name, link_type, frame, expected) in cases {
            let link = parse_link(link_type, &frame).unwrap().unwrap();
            assert_eq!(link.audience, expected, "{name} {ether_type:x}");
        }
    }
}
