//! Labels, sessions and serial lines between a link header and IP.

use super::*;

#[test]
fn labels_and_sessions_lead_to_ip() {
    for (ip, ether_type, ppp) in HEADERS {
        let ether_type = ether_type.to_be_bytes();
        let frame = [&ADDRESSES, ether_type.as_slice(), ip].concat();
        let pppoe: &[u8] = &[0x11, 0, 0, 9, 0, 6];
        let wired = frame.clone();
        let cisco: &[u8] = &[0x6c, 0x9c, 0xed, 0xaa, 0xbb, 1];
        let mac_like_v4: &[u8] = &[0x4c, 0x0f, 0xcf, 0xaa, 0xbb, 1];
        let pseudowire = |mac: &[u8]| join(&[&[0, 1, 1, 64], mac, &frame[6..], &[0; 40]]);
        let tag_in_wire =
            join(&[&[0, 1, 1, 64], cisco, &ADDRESSES[6..], &[0x81, 0, 0, 7], &frame[12..]]);
        let cases: [(&str, u16, Vec<u8>, bool); 31] = [
            ("VN-Tag", 0x8926, join(&[&[0x80, 1, 0, 0], &ether_type, ip]), true),
            ("E-Tag", 0x893f, join(&[&[0, 1, 0, 2, 0, 0], &ether_type, ip]), true),
            ("HSR", 0x892f, join(&[&[0, 0x34, 0, 1], &ether_type, ip]), true),
            ("metadata", 0x8909, join(&[&[1, 1, 0, 1, 0, 0x10], &ether_type, ip]), true),
            ("metadata, version", 0x8909, join(&[&[2, 1, 0, 1, 0, 0x10], &ether_type, ip]), false),
            ("backbone", 0x88e7, join(&[&[0, 0, 0, 7], &wired]), true),
            ("backbone, tags", 0x88a8, join(&[&[0, 7, 0x88, 0xe7, 0, 0, 0, 7], &wired]), true),
            (
                "functions",
                0x894f,
                join(&[&[0x0f, 0xc2, 1, if ppp == 0x21 { 1 } else { 2 }, 0, 0, 9, 9], ip]),
                true,
            ),
            (
                "functions, frame",
                0x894f,
                join(&[&[0x0f, 0xc3, 2, 3, 0, 0, 9, 9, 1, 2, 3, 4], &wired]),
                true,
            ),
            ("functions, version", 0x894f, join(&[&[0x4f, 0xc2, 1, 3, 0, 0, 9, 9], &wired]), false),
            (
                "functions, too short",
                0x894f,
                join(&[&[0x0f, 0xc1, 1, 3, 0, 0, 9, 9], &wired]),
                false,
            ),
            ("LLC", 40, join(&[&[6, 6, 3], ip]), true),
            ("pseudowire to 6c", 0x8847, pseudowire(cisco), true),
            ("pseudowire to 4c", 0x8847, pseudowire(mac_like_v4), true),
            ("pseudowire to 6c, tag", 0x8847, tag_in_wire, true),
            ("one label", 0x8847, join(&[&[0, 1, 1, 64], ip]), true),
            ("multicast label", 0x8848, join(&[&[0, 1, 1, 64], ip]), true),
            ("three labels", 0x8847, join(&[&[0, 1, 0, 64, 0, 2, 0, 64, 0, 3, 1, 64], ip]), true),
            ("labels in a tag", 0x8100, join(&[&[0, 7, 0x88, 0x47, 0, 1, 1, 64], ip]), true),
            ("frame", 0x8847, join(&[&[0, 1, 1, 64], &frame]), true),
            ("frame, control word", 0x8847, join(&[&[0, 1, 1, 64], &[0; 4], &frame]), true),
            ("no IP", 0x8847, join(&[&[0, 1, 1, 64, 0x10, 0, 0, 1], &[0xee; 40]]), false),
            (
                "too many labels",
                0x8847,
                join(&[&[0, 1, 0, 64].repeat(16), &[0, 1, 1, 64], ip]),
                false,
            ),
            ("PPPoE", 0x8864, join(&[pppoe, &[0, ppp], ip]), true),
            ("PPPoE, short protocol", 0x8864, join(&[pppoe, &[ppp], ip]), true),
            ("PPPoE in a tag", 0x88a8, join(&[&[0, 7, 0x88, 0x64], pppoe, &[0, ppp], ip]), true),
            ("PPPoE, labels", 0x8864, join(&[pppoe, &[2, 0x81, 0, 1, 1, 64], ip]), true),
            ("PPPoE, LCP", 0x8864, join(&[pppoe, &[0xc0, 0x21], ip]), false),
            ("PPPoE, not a session", 0x8864, join(&[&[0x11, 9, 0, 9, 0, 6, 0, ppp], ip]), false),
            ("PPPoE discovery", 0x8863, join(&[pppoe, &[0, ppp], ip]), false),
            ("SNAP", 40, join(&[&[0xaa, 0xaa, 3, 0, 0, 0], &ether_type, ip]), true),
        ];
        for (name, outer, payload, carries_ip) in cases {
            let frame = join(&[&ADDRESSES, &outer.to_be_bytes(), &payload]);
            let found = find_ip(LinkType::Ethernet, &frame).map(|mut found| {
                assert!(found.split_off(ip.len()).iter().all(|byte| *byte == 0), "{name}");
                found
            });
            assert_eq!(found, carries_ip.then(|| ip.to_vec()), "{name} {ip:x?}");
        }
    }
}

#[test]
fn a_labelled_packet_that_looks_like_a_frame_stays_one() {
    // The sources 8.0.69.1 and 2001:db8:8100:800:4500:: hold what would be types of a frame.
    let mut v4 = vec![0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 8, 0, 0x45, 1, 192, 0, 2, 9];
    let sum: u32 = v4.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
    let checksum = !u16::try_from((sum & 0xffff) + (sum >> 16)).unwrap();
    v4[10..12].copy_from_slice(&checksum.to_be_bytes());
    v4.extend([0; 8]);
    let mut v6 = vec![0x60, 0, 0, 0, 0, 8, 17, 64, 0x20, 1, 0xd, 0xb8, 0x86, 0xdd, 0x60, 0];
    v6.extend([0; 32]);
    for ip in [v4, v6] {
        let labelled = join(&[&ADDRESSES, &[0x88, 0x47, 0, 1, 1, 64], &ip]);
        assert_eq!(find_ip(LinkType::Ethernet, &labelled), Some(ip));
    }
}

#[test]
fn headers_of_routers_and_sessions_lead_to_ip() {
    for (ip, ether_type, ppp) in HEADERS {
        let frame = join(&[&ADDRESSES, &ether_type.to_be_bytes(), ip]);
        let magic: &[u8] = b"MGC";
        let cases = [
            ("bare", join(&[magic, &[0], &frame]), Some(Direction::Out)),
            ("received", join(&[magic, &[0x81, 0, 3, 1, 1, 4], &frame]), Some(Direction::In)),
            ("no frame", join(&[magic, &[0x83, 0, 0, 2, 0, 0, 0], ip]), Some(Direction::In)),
            ("no magic", join(&[b"MGX", &[0], &frame]), None),
        ];
        for (name, bytes, direction) in cases {
            let link = parse_link(LinkType::JuniperEthernet, &bytes).unwrap();
            assert_eq!(link.map(|link| link.ip), direction.map(|_| ip), "{name}");
            assert_eq!(link.and_then(|link| link.direction), direction, "{name}");
        }
        let session = join(&[&[0x11, 0, 0, 9, 0, 6, 0, ppp], ip]);
        assert_eq!(find_ip(LinkType::PppEthernet, &session).as_deref(), Some(ip));
    }
}

#[test]
fn serial_lines_lead_to_ip() {
    use LinkType::{CiscoHdlc, FrameRelay, Ppp, PppHdlc, PppWithDirection};
    for (ip, ether_type, ppp) in HEADERS {
        let nlpid = if ether_type == 0x0800 { 0xcc } else { 0x8e };
        let ether_type = ether_type.to_be_bytes();
        let snap: &[u8] = &[0x18, 0x41, 3, 0, 0x80, 0, 0, 0];
        let cases: [(LinkType, Vec<u8>, bool); 15] = [
            (Ppp, join(&[&[0xff, 3, 0, ppp], ip]), true),
            (Ppp, join(&[&[0, ppp], ip]), true),
            (Ppp, join(&[&[ppp], ip]), true),
            (Ppp, join(&[&[0xff, 3, 0xc0, 0x21], ip]), false),
            (PppHdlc, join(&[&[0xff, 3, 0, ppp], ip]), true),
            (PppHdlc, join(&[&[0x0f, 0], &ether_type, ip]), true),
            (PppHdlc, join(&[&[0x8f, 0, 0x80, 0x35], ip]), false),
            (CiscoHdlc, join(&[&[0x8f, 0], &ether_type, ip]), true),
            (PppWithDirection, join(&[&[0, 0xff, 3, 0, ppp], ip]), true),
            (PppWithDirection, join(&[&[1, 0, ppp], ip]), true),
            (FrameRelay, join(&[&[0x18, 0x41, 3, nlpid], ip]), true),
            (FrameRelay, join(&[&[0x18, 0x40, 0x40, 0x41, 3, nlpid], ip]), true),
            (FrameRelay, join(&[&[0x18, 0x41], &ether_type, ip]), true),
            (FrameRelay, join(&[snap, &ether_type, ip]), true),
            (FrameRelay, join(&[&[0x18, 0x40, 0x40, 0x40, 3, nlpid], ip]), false),
        ];
        for (link_type, frame, carries_ip) in cases {
            let found = find_ip(link_type, &frame);
            assert_eq!(found, carries_ip.then(|| ip.to_vec()), "{link_type} {frame:x?}");
        }
        let received = [&[0, 0xff, 3, 0, ppp], ip].concat();
        let link = parse_link(PppWithDirection, &received).unwrap().unwrap();
        assert_eq!(link.direction, Some(Direction::In));
    }
}
