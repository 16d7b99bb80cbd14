//! Bytes below a line: frames, and dumps that are none.

use super::*;

#[test]
fn dumps_become_frames_even_where_names_are_printed() {
    expect(
        "07:29:48.1 IP gateway.5000 > other.tftp: UDP, length 4
\t0x0000:  4500 0020 0001 0000 4011 f6c9 c000 0201  E.......@.......
\t0x0010:  c000 0202 1388 0045 000c 0000 0004 0000  .......E........
07:29:48.2 IP 192.0.2.1.5000 > 192.0.2.2.69: UDP, length 4",
        &["frame 1 RAW 32", "2 192.0.2.1:5000 → 192.0.2.2:69 4"],
    );
    expect(
        "07:29:48.1 IP6 gateway.5000 > other.tftp: UDP, length 4
\t0x0000:  6000 0000 000c 1140 2001 0db8 0000 0000
\t0x0010:  0000 0000 0000 0001 2001 0db8 0000 0000
\t0x0020:  0000 0000 0000 0002 1388 0045 000c 0000
\t0x0030:  0004 0000
07:29:48.2 IP6 2001:db8::1.5000 > 2001:db8::2.69: UDP, length 4",
        &["frame 1 RAW 52", "2 [2001:db8::1]:5000 → [2001:db8::2]:69 4"],
    );
}

/// RADIUS' state, printed by `-vv`: it begins like an IPv4 or IPv6 header.
#[test]
fn dumps_of_attributes_are_no_packets() {
    let attribute = "\t  State Attribute (24), length: 42, Value: EEEE
\t    0x0000:  4545 4545 4545 4545 4545 4545 4545 4545
\t    0x0010:  4545 4545 4545 4545 4545 4545 4545 4545
\t    0x0020:  4545 4545 4545 4545";
    let attribute6 = attribute.replace("4545", "6565");
    for (attribute, head, one, two) in [
        (
            attribute,
            "IP (tos 0x0, ttl 64, id 7, offset 0, flags [DF], proto UDP (17), length 128)\n    ",
            "192.0.2.9.40700",
            "192.0.2.21.1812",
        ),
        (
            attribute6.as_str(),
            "IP6 (hlim 64, next-header UDP (17) payload length: 108) ",
            "2001:db8::9.40700",
            "2001:db8::21.1812",
        ),
    ] {
        let line = format!("07:29:48.1 {head}{one} > {two}: RADIUS, length: 100\n");
        let socket = if one.contains(':') {
            "1 [2001:db8::9]:40700 → [2001:db8::21]:1812 100"
        } else {
            "1 192.0.2.9:40700 → 192.0.2.21:1812 100"
        };
        expect(&format!("{line}{attribute}"), &[socket]);
        // A paste without tabs: its addresses are not those of the line.
        expect(&format!("{line}{}", attribute.replace('\t', "        ")), &[socket]);
    }
}
