//! Blocks of `cilium monitor -v`, by their lines.

use super::*;

const LINE: &str = "------------------------------------------------------------------------------";

fn ethernet(kind: &str) -> String {
    format!(
        "Ethernet\t{{Contents=[..14..] Payload=[..54..] SrcMAC=02:00:00:00:00:01 DstMAC=02:00:00:00:00:02 EthernetType={kind} Length=0}}"
    )
}

fn ip(source: &str, destination: &str, carries: &str) -> String {
    if source.contains(':') {
        format!(
            "IPv6\t{{Contents=[..40..] Payload=[..28..] Version=6 TrafficClass=0 FlowLabel=0 Length=28 NextHeader={carries} HopLimit=63 SrcIP={source} DstIP={destination} HopByHop=nil}}"
        )
    } else {
        format!(
            "IPv4\t{{Contents=[..20..] Payload=[..28..] Version=4 IHL=5 TOS=0 Length=48 Id=51911 Flags=DF FragOffset=0 TTL=62 Protocol={carries} Checksum=14061 SrcIP={source} DstIP={destination} Options=[] Padding=[]}}"
        )
    }
}

const UDP: &str = "UDP\t{Contents=[..8..] Payload=[..20..] SrcPort=52539 DstPort=69(tftp) Length=28 Checksum=46317}";
const REMARK: &str = "  Failed to decode layer: No decoder for layer type Payload";
const TO_POD: &str = "CPU 01: MARK 0x328f0a14 FROM 2929 to-endpoint: 62 bytes (62 captured), state established, interface lxc7a02, , identity world->4347, orig-ip 192.0.2.9, to endpoint 2929";
const DROP: &str =
    "CPU 02: MARK 0x0 FROM 173 DROP: 62 bytes, reason Policy denied (L3), identity 5->7479";

/// What blocks tell: `LINE source > destination carries point fate is_reply`.
fn outline(lines: &[&str]) -> Vec<String> {
    let mut blocks = MonitorBlock::default();
    let mut outline = Vec::new();
    let mut note = |ended: Option<EndedBlock>| {
        let Some(EndedBlock { line, event }) = ended else { return };
        outline.push(match event {
            Ok(event) => format!(
                "{line} {} > {} {:?} {} {:?} {:?}",
                event.source.as_text(),
                event.destination.as_text(),
                event.carries,
                event.point,
                event.fate,
                event.is_reply
            ),
            Err(message) => format!("{line} {message}"),
        });
    };
    for (line, text) in (1..).zip(lines) {
        note(blocks.push(line, text).ended);
    }
    note(blocks.end());
    outline
}

/// A client and a pod, and what the monitor prints of a packet between them.
struct Family {
    ends: String,
    frame: String,
    packet: String,
    client: &'static str,
    pod: &'static str,
}

impl Family {
    fn both() -> [Self; 2] {
        [("192.0.2.9", "198.51.100.7", "IPv4"), ("2001:db8::9", "2001:db8:1::7", "IPv6")].map(
            |(client, pod, kind)| {
                let shown = |address: &str, port: u16| {
                    std::net::SocketAddr::new(address.parse().unwrap(), port).to_string()
                };
                Self {
                    ends: format!("{} > {}", shown(client, 52_539), shown(pod, 69)),
                    frame: ethernet(kind),
                    packet: ip(client, pod, "UDP"),
                    client,
                    pod,
                }
            },
        )
    }

    fn forwarded(&self, line: u64) -> String {
        format!("{line} {} Udp to-endpoint Forwarded Some(false)", self.ends)
    }

    fn dropped(&self, line: u64) -> String {
        format!("{line} {} Udp Policy denied (L3) Dropped None", self.ends)
    }
}

#[test]
fn the_layers_name_both_ends() {
    for family in Family::both() {
        let (frame, packet) = (family.frame.as_str(), family.packet.as_str());
        let (forwarded, dropped) = (|line| family.forwarded(line), |line| family.dropped(line));
        let spaced = packet.replacen('\t', " ", 1);
        let outer = ip("203.0.113.1", "203.0.113.2", "UDP");
        let tunnel = "UDP\t{Contents=[..8..] Payload=[..70..] SrcPort=40000 DstPort=8472(otv) Length=78 Checksum=0}";
        let vxlan = "VXLAN\t{Contents=[..8..] VNI=7}";
        let cases: [(&str, Vec<&str>, Vec<String>); 6] = [
            (
                "layers first",
                vec![LINE, frame, packet, UDP, REMARK, TO_POD, LINE, frame, packet, UDP, DROP],
                vec![forwarded(2), dropped(8)],
            ),
            (
                "the event first",
                vec![LINE, TO_POD, frame, packet, UDP, LINE, DROP, frame, packet, UDP, REMARK],
                vec![forwarded(2), dropped(7)],
            ),
            (
                "no lines between",
                vec![TO_POD, packet, UDP, DROP, packet, UDP],
                vec![forwarded(1), dropped(4)],
            ),
            (
                "no lines between, layers first",
                vec![packet, UDP, TO_POD, packet, UDP, DROP],
                vec![forwarded(1), dropped(4)],
            ),
            ("a tab became a space", vec![LINE, &spaced, UDP, TO_POD], vec![forwarded(2)]),
            (
                "in a tunnel",
                vec![LINE, TO_POD, frame, &outer, tunnel, vxlan, frame, packet, UDP],
                vec![forwarded(2)],
            ),
        ];
        for (name, lines, expected) in cases {
            assert_eq!(outline(&lines), expected, "{name}");
        }
    }
}

#[test]
fn what_is_no_datagram_is_told_apart() {
    for family in Family::both() {
        let Family { frame, packet, client, pod, .. } = &family;
        let is_v4 = client.contains('.');
        let (version, code) = if is_v4 { ("v4", "Port") } else { ("v6", "PortUnreachable") };
        let icmp = ip(pod, client, &format!("ICMP{version}"));
        let refusal = format!(
            "ICMP{version}\t{{Contents=[..8..] Payload=[..56..] TypeCode=DestinationUnreachable({code}) Checksum=1 Id=0 Seq=0}}"
        );
        let tcp = "TCP\t{Contents=[..20..] SrcPort=5 DstPort=80(http) Seq=1}";
        let debug = "CPU 01: MARK 0x1 FROM 7 DEBUG: 62 bytes, Delivery to ifindex 5";
        let arp = ethernet("ARP");
        let cut = packet.split(" DstIP").next().unwrap();
        let cut_port = UDP.split("(tftp)").next().unwrap();
        let seen = "to-endpoint Forwarded Some(false)";
        let lacks_layers = format!("2 {LACKS_LAYERS}");
        let cases: [(&str, Vec<&str>, Option<String>); 8] = [
            (
                "an ICMP error",
                vec![LINE, frame, &icmp, &refusal, TO_POD],
                Some(format!("2 {pod} > {client} IcmpError(PortUnreachable) {seen}")),
            ),
            (
                "TCP",
                vec![LINE, frame, packet, tcp, TO_POD],
                Some(format!("2 {client} > {pod} Other {seen}")),
            ),
            ("ARP", vec![LINE, &arp, REMARK, TO_POD], None),
            ("notes of the datapath", vec![LINE, debug, frame, packet, UDP], None),
            ("cut before the ports", vec![LINE, TO_POD, frame, packet], Some(lacks_layers.clone())),
            ("cut within the ends", vec![LINE, TO_POD, frame, cut], Some(lacks_layers.clone())),
            ("cut within a port", vec![LINE, TO_POD, packet, cut_port], Some(lacks_layers)),
            ("without its event", vec![LINE, frame, packet, UDP], Some(format!("2 {LACKS_EVENT}"))),
        ];
        for (name, lines, expected) in cases {
            assert_eq!(outline(&lines), Vec::from_iter(expected), "{name}");
        }
    }
}

#[test]
fn blocks_are_known_by_their_first_line() {
    let cases = [
        (ethernet("IPv6"), true),
        (ip("192.0.2.9", "192.0.2.21", "UDP"), true),
        (ip("2001:db8::9", "2001:db8::21", "UDP"), true),
        (TO_POD.to_owned(), true),
        (DROP.to_owned(), true),
        (LINE.to_owned(), false),
        ("CPU 01: [pre-xlate-rev] cgroup_id: 21".to_owned(), false),
        ("IPv4 {the addresses}".to_owned(), false),
        ("UDP is {a=b}".to_owned(), false),
        (String::new(), false),
    ];
    for (text, expected) in cases {
        assert_eq!(begins_block(&text), expected, "{text}");
    }
}
