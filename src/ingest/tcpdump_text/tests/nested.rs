//! Packets in others.

use super::*;

#[test]
fn of_ip_in_ip_the_packet_inside_is_read() {
    expect(
        "07:29:48.1 IP 192.0.2.1 > 192.0.2.2: IP 198.51.100.3.5 > 198.51.100.5.69: UDP, length 4
07:29:48.2 IP (tos 0x0, ttl 64, id 7, offset 0, flags [DF], proto IPIP (4), length 72)
    192.0.2.1 > 192.0.2.2: IP (tos 0x0, ttl 63, id 8, offset 0, flags [DF], proto UDP (17), length 52)
    198.51.100.3.5 > 198.51.100.5.69: [udp sum ok] UDP, length 24
07:29:48.3 IP6 2001:db8::1 > 2001:db8::2: IP6 2001:db8:1::3.5 > 2001:db8:1::5.69: UDP, length 4
07:29:48.4 IP 192.0.2.1 > 192.0.2.2: GREv0, length 84: IP6 2001:db8:1::3.5 > 2001:db8:1::5.69: UDP, length 4
07:29:48.5 IP 192.0.2.1 > 192.0.2.2: IP 198.51.100.3.5 > 198.51.100.5.22: Flags [.], ack 1
07:29:48.6 02:00:00:00:00:12 > 02:00:00:00:00:11, ethertype IPv4 (0x0800), length 66: 192.0.2.1 > 192.0.2.2: 198.51.100.3.5 > 198.51.100.5.69: UDP, length 4
07:29:48.7 02:00:00:00:00:12 > 02:00:00:00:00:11, ethertype IPv4 (0x0800), length 86: 192.0.2.1 > 192.0.2.2: 2001:db8:1::3.5 > 2001:db8:1::5.69: UDP, length 4",
        &[
            "1 198.51.100.3:5 → 198.51.100.5:69 4 in fourinfour 0",
            "2 198.51.100.3:5 → 198.51.100.5:69 24 in fourinfour 0",
            "3 [2001:db8:1::3]:5 → [2001:db8:1::5]:69 4 in sixinsix 0",
            "4 [2001:db8:1::3]:5 → [2001:db8:1::5]:69 4 in gre 0",
            "5 other",
            "6 198.51.100.3:5 → 198.51.100.5:69 4 in fourinfour 0",
            "7 [2001:db8:1::3]:5 → [2001:db8:1::5]:69 4 in sixinfour 0",
        ],
    );
}

#[test]
fn of_a_tunnel_the_packet_inside_is_read() {
    expect(
        "07:29:48.1 IP 192.0.2.1.45149 > 192.0.2.2.8472: OTV, flags [I] (0x08), overlay 0, instance 1
IP 198.51.100.3.5 > 198.51.100.5.6: UDP, length 4
07:29:48.2 IP 192.0.2.1.45149 > 192.0.2.2.4789: VXLAN, flags [I] (0x08), vni 5
ARP, Request who-has 198.51.100.3 tell 198.51.100.5, length 28
07:29:48.3 IP6 2001:db8::1.45149 > 2001:db8::2.6081: Geneve, Flags [none], vni 0xb: IP 198.51.100.3.5 > 198.51.100.5.6: UDP, length 4
07:29:48.4 IP 192.0.2.1.45150 > 192.0.2.2.4789: VXLAN, flags [I] (0x08), vni 5
IP 198.51.100.3.5000 > 198.51.100.5.443: Flags [P.], seq 1:21, ack 1, win 100, length 20
07:29:48.5 IP6 2001:db8::1.45150 > 2001:db8::2.4789: VXLAN, flags [I] (0x08), vni 5
IP6 2001:db8:1::3.5000 > 2001:db8:1::5.443: Flags [S], seq 1000, win 100, length 0
07:29:48.6 IP 192.0.2.1.45150 > 192.0.2.2.4789: VXLAN, flags [I] (0x08), vni 5
IP 198.51.100.3 > 198.51.100.5: ICMP echo request, id 1, seq 1, length 64",
        &[
            "1 198.51.100.3:5 → 198.51.100.5:6 4 in vxlan 1",
            // ARP inside is none of our concern.
            "2 192.0.2.1:45149 → 192.0.2.2:4789 0",
            "3 198.51.100.3:5 → 198.51.100.5:6 4 in geneve 11",
            // A connection inside is, and is no exchange of the tunnel.
            "4 other",
            "5 [2001:db8:1::3]:5000 → [2001:db8:1::5]:443 TCP",
            "6 192.0.2.1:45150 → 192.0.2.2:4789 0",
        ],
    );
}
