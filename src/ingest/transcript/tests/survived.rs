//! Any bytes at all, and known lines in any order: nothing panics, and what begins ends.

use proptest::prelude::*;

use super::super::*;
use super::*;

#[test]
fn bytes_that_are_no_text_are_survived() {
    let mut bytes = b"\xff\xfe prose \xe4\xb8\n".to_vec();
    bytes.extend_from_slice(PACKET.as_bytes());
    let mut packets = 0;
    read_text(&mut bytes.as_slice(), &mut |event| {
        packets += u32::from(matches!(event, Event::Packet(_)));
    })
    .unwrap();
    assert_eq!(packets, 1);
}

proptest! {
    #[test]
    fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = read_text(&mut bytes.as_slice(), &mut |_| {});
    }

    #[test]
    fn no_shuffle_of_known_lines_panics_or_loses_the_balance(
        order in proptest::collection::vec(0..LINES.len(), 0..40),
    ) {
        let text: Vec<&str> = order.into_iter().map(|at| LINES[at]).collect();
        let (mut begun, mut ended) = (0, 0);
        let _ = read_text(&mut text.join("\n").as_bytes(), &mut |event| match event {
            Event::CaptureBegins(_) => {
                assert_eq!(begun, ended);
                begun += 1;
            }
            Event::CaptureEnds => ended += 1,
            Event::Packet(_)
            | Event::NamedPacket(_)
            | Event::Frame(_)
            | Event::OtherPacket { .. }
            | Event::Interface(_)
            | Event::Dropped { .. }
        | Event::Unread { .. }
            | Event::Listened { .. }
            | Event::Note(_) => {
                assert_eq!(begun, ended + 1);
            }
            Event::Fault(_) | Event::Inventory(_) | Event::Fact(_) | Event::ServerLog(_) => {}
        });
        assert_eq!(begun, ended);
    }
}

const LINES: &[&str] = &[
    PACKET,
    PACKET6,
    "",
    "...",
    "12",
    "prose",
    ";; reply from unexpected source: 192.0.2.2#53, expected 192.0.2.1#53",
    "Nov  8 07:19:25.894: 192.0.2.9:5000 (world) -> default/tftp-0:69 (ID:4) to-endpoint FORWARDED (UDP)",
    "Nov  8 07:19:25.994: 198.51.100.7:69 <> 192.0.2.9:5000 Policy denied DROPPED (UDP)",
    "xx drop (Policy denied) flow 0x0 to endpoint 0, identity 2->4: [::1]:5 -> [::2]:69 udp",
    "in.tftpd[9]: tftpd: read: Connection refused",
    "EVENTS LOST: HUBBLE_RING_BUFFER CPU(0) 12",
    "[root@node3 ~]# tcpdump -n -i eth0",
    "[root@node3 ~]# ip addr",
    "$ kubectl get pod -o json",
    "listening on eth0, link-type EN10MB (Ethernet), capture size 262144 bytes",
    "2: eth0: <UP> mtu 1500",
    "    inet 192.0.2.1/24 scope global eth0",
    "{",
    "[{\"ifname\":\"a\"}]",
    "}",
    "\t0x0000:  4500 0020 0001 0000 4011 f6c9 c000 0201  E.......@.......",
    "07:29:48.6 IP (tos 0x0, ttl 63, id 10208, offset 0, flags [DF], proto UDP (17), length 63)",
    "    192.0.2.13.32991 > 192.0.2.9.41226: SIP, length: 35",
    "\tContent-Length: 99",
    "0 packets captured",
    "07:29:48.1 IP a > b: UDP, length 4",
    "[pod/a-0/tcpdump] 07:29:48.1 IP 192.0.2.1.5 > 192.0.2.2.69: UDP, length 4",
    "[pod/b-0/tcpdump] 07:29:48.1 IP6 2001:db8::1.5 > 2001:db8::2.69: UDP, length 4",
    "[pod/c-0/app] state > ready",
    "node3: 07:29:48.2 IP 192.0.2.1.5 > 192.0.2.2.69: UDP, length 4",
    "node4: 07:29:48.3 IP 192.0.2.2.69 > 192.0.2.1.5: UDP, length 4",
    "tftp server IP6 2001:db8::1.5 > 2001:db8::2.69: UDP, length 4",
    "Nov 08 07:29:48 node3 tcpdump[1]: listening on eth0, link-type EN10MB (Ethernet)",
    "The answer: 07:29:48.654684 IP 192.0.2.1.5000 > 192.0.2.2.69: UDP, length 4",
    "See 07:29:48.654684 IP6 2001:db8::1.5000 > 2001:db8::2.69: UDP, length 4 there",
    "12\t07:29:48.4 IP 192.0.2.1.5 > 192.0.2.2.69: UDP, len",
    "gth 4",
];
