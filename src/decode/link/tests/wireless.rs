//! IEEE 802.11, behind each header that may stand before it.

use super::*;

#[test]
fn wireless_frames_lead_to_ip() {
    for (ip, ether_type, _) in HEADERS {
        let snap = join(&[&[0xaa, 0xaa, 3, 0, 0, 0], &ether_type.to_be_bytes(), ip]);
        let addresses = [2; 20];
        let plain = |control: u8, flags: u8, more: &[u8]| {
            join(&[&[control, flags, 0, 0], &addresses[..18], &[0x10, 0], more, &snap])
        };
        let unread = |what: &str| Err(format!("what is inside {what} 802.11 frames is not read"));
        let cases = [
            ("to an access point", plain(8, 1, &[]), Ok(true)),
            ("from one", plain(8, 2, &[]), Ok(true)),
            ("between bridges", plain(8, 3, &[2; 6]), Ok(true)),
            ("quality of service", plain(0x88, 1, &[0, 0]), Ok(true)),
            ("and order", plain(0x88, 0x81, &[0, 0, 9, 9, 9, 9]), Ok(true)),
            ("decrypted by the driver", plain(8, 0x41, &[]), Ok(true)),
            ("encrypted", plain(8, 0x41, &[9, 9, 9, 0x20, 0, 0, 0, 0]), unread("encrypted")),
            ("aggregated", plain(0x88, 1, &[0x80, 0, 2, 2, 2, 2]), unread("aggregated")),
            ("null", plain(0x48, 1, &[]), Ok(false)),
            ("beacon", plain(0x80, 0, &[]), Ok(false)),
            ("acknowledgement", vec![0xd4, 0, 0, 0, 2, 2, 2, 2, 2, 2], Ok(false)),
        ];
        for (name, frame, expected) in cases {
            let with = |header: &[u8]| join(&[header, &frame]);
            let mut avs = vec![0x80, 0x21, 0x10, 1, 0, 0, 0, 64];
            avs.resize(64, 0);
            let mut prism = vec![0x44, 0, 0, 0, 144, 0, 0, 0];
            prism.resize(144, 0);
            let radiotap = with(&[0, 0, 9, 0, 2, 0, 0, 0, 0]);
            let ppi = join(&[&[0, 0, 8, 0, 127, 0, 0, 0], &radiotap]);
            let all = [
                (LinkType::Wireless, frame.clone()),
                (LinkType::Radiotap, radiotap),
                (LinkType::Avs, with(&avs)),
                (LinkType::Prism, with(&avs)),
                (LinkType::Prism, with(&prism)),
                (LinkType::Ppi, ppi),
            ];
            for (link_type, frame) in all {
                let found = parse_link(link_type, &frame).map_err(|error| error.to_string());
                let found = found.map(|link| link.map(|link| link.ip.to_vec()));
                let expected = expected.clone().map(|is_ip| is_ip.then(|| ip.to_vec()));
                assert_eq!(found, expected, "{link_type} {name}");
            }
        }
        // Time before flags, and a header of 26 bytes padded to 28.
        let header = [0, 0, 17, 0, 3, 0, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9, 0x20];
        let padded = join(&[&header, &plain(0x88, 1, &[0, 0, 0, 0])]);
        assert_eq!(find_ip(LinkType::Radiotap, &padded).as_deref(), Some(ip));
        let nested = [0, 0, 8, 0, 192, 0, 0, 0].repeat(9);
        assert_eq!(
            parse_link(LinkType::Ppi, &nested).unwrap_err().to_string(),
            "PPI is not supported"
        );
    }
}
