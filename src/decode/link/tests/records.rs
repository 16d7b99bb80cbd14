//! Records that hold a frame, or name its link type, by themselves.

use super::*;

#[test]
fn logged_packets_are_found_in_both_byte_orders() {
    for (ip, ..) in HEADERS {
        let length = u8::try_from(ip.len()).unwrap() + 4;
        // A header of the log, a prefix of 5 bytes with its padding, the packet.
        let little = [
            &[2, 0, 0, 1, 8, 0, 1, 0, 8, 0, 1, 0, 9, 0, 10, 0, b'p', b'r', b'e', b':', 0, 0, 0, 0],
            [length, 0, 9, 0].as_slice(),
            ip,
        ]
        .concat();
        let big = [
            &[2, 0, 0, 1, 0, 8, 0, 1, 8, 0, 1, 0, 0, 9, 0, 10, b'p', b'r', b'e', b':', 0, 0, 0, 0],
            [0, length, 0, 9].as_slice(),
            ip,
        ]
        .concat();
        for bytes in [little, big] {
            assert_eq!(parse_link(LinkType::Nflog, &bytes).unwrap().unwrap().ip, ip);
            for end in 0..bytes.len() - ip.len() {
                let error = parse_link(LinkType::Nflog, &bytes[..end]).unwrap_err();
                assert!(matches!(error, DecodeError::Cut { layer: "NFLOG", .. }), "{error}");
            }
        }
        let damaged = [2, 0, 0, 1, 3, 0, 1, 0];
        let error = parse_link(LinkType::Nflog, &damaged).unwrap_err().to_string();
        assert_eq!(
            error,
            "NFLOG header is damaged: an attribute of 3 bytes is shorter than its header"
        );
        let bridge = [7, 0, 0, 1, length, 0, 9, 0];
        assert_eq!(parse_link(LinkType::Nflog, &bridge), Ok(None));
    }
}

#[test]
fn the_header_of_pktap_names_the_link_type() {
    let header = |record: u8, link_type: u16, flags: u8| {
        let mut bytes = vec![0; 108];
        (bytes[0], bytes[4], bytes[36]) = (108, record, flags);
        bytes[8..10].copy_from_slice(&link_type.to_le_bytes());
        bytes
    };
    for (ip, ether_type, _) in HEADERS {
        let frame = [&ADDRESSES, ether_type.to_be_bytes().as_slice(), ip].concat();
        let bytes = [header(1, 1, 1), frame].concat();
        let link = parse_link(LinkType::Pktap, &bytes).unwrap().unwrap();
        assert_eq!((link.ip, link.direction), (ip, Some(Direction::In)));
        let bytes = [header(1, 12, 2), ip.to_vec()].concat();
        let link = parse_link(LinkType::Pktap, &bytes).unwrap().unwrap();
        assert_eq!((link.ip, link.direction), (ip, Some(Direction::Out)));
        let bytes = [header(2, 1, 1), ip.to_vec()].concat();
        assert_eq!(parse_link(LinkType::Pktap, &bytes), Ok(None));
        let bytes = [header(1, 258, 1), ip.to_vec()].concat();
        let error = parse_link(LinkType::Pktap, &bytes).unwrap_err().to_string();
        assert_eq!(error, "PKTAP is not supported");
    }
}
