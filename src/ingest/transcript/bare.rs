//! Text that no command introduces, known by its shape.

use super::shape::Shape;
use crate::ingest::complaint::{self, Program};
use crate::ingest::flow_events::find_program;
use crate::ingest::hex_dump::begins_dumps;
use crate::ingest::netfilter_log::begins_log;
use crate::ingest::netscreen::begins_trace;
use crate::ingest::server_log::find_failure;
use crate::ingest::tcpdump_text::looks_like_packet;
use crate::model::capture::CaptureFormat;

/// What a line begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bare {
    Netscreen,
    /// A packet of tcpdump, or of a program whose lines are like its.
    Packet,
    Flows(CaptureFormat),
    Inventory(Shape),
    /// Nothing: a server tells of a failure.
    Failure,
    /// A program tells of answers that it threw away.
    Complaint(Program),
    /// Linux' netfilter logs packets.
    Netfilter,
    HexDumps,
}

/// What begins with this line; `None` for prose.
pub(super) fn find_bare(text: &str) -> Option<Bare> {
    if begins_trace(text) {
        return Some(Bare::Netscreen);
    }
    if looks_like_packet(text) {
        return Some(Bare::Packet);
    }
    if let Some(format) = find_program(text) {
        return Some(Bare::Flows(format));
    }
    if let Some(shape) = Shape::find_bare(text) {
        return Some(Bare::Inventory(shape));
    }
    if find_failure(text).is_some() {
        return Some(Bare::Failure);
    }
    if let Some(program) = complaint::find_program(text) {
        return Some(Bare::Complaint(program));
    }
    if begins_log(text) {
        return Some(Bare::Netfilter);
    }
    begins_dumps(text).then_some(Bare::HexDumps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_are_told_from_prose() {
        let cases = [
            (
                "05707.0: ethernet0/0(i) len=60:020000000001->020000000002/0800",
                Some(Bare::Netscreen),
            ),
            ("12:00:00.000001 IP 192.0.2.1.5 > 192.0.2.2.69: UDP, length 4", Some(Bare::Packet)),
            ("0.545306 port1 in 192.0.2.1.5 -> 192.0.2.2.69: udp 4", Some(Bare::Packet)),
            ("0.545306 port1 in 2001:db8::1.5 -> 2001:db8::2.69: udp 4", Some(Bare::Packet)),
            ("2: eth0    inet 192.0.2.1/24 scope global", Some(Bare::Inventory(Shape::IpAddr))),
            ("; <<>> DiG 9.18.28 <<>> @192.0.2.1 example.com", Some(Bare::Complaint(Program::Dig))),
            (
                "TCP/UDP: Incoming packet rejected from [AF_INET]192.0.2.2:1194[2], expected peer address: [AF_INET]192.0.2.1:1194",
                Some(Bare::Complaint(Program::Openvpn)),
            ),
            (
                "kernel: a IN=eth0 OUT= SRC=192.0.2.1 DST=192.0.2.2 LEN=32 TOS=0x00 PREC=0x00 TTL=64 ID=7 PROTO=UDP SPT=5 DPT=69 LEN=12",
                Some(Bare::Netfilter),
            ),
            ("0000  02 00 00 00 00 02 02 00 00 00 00 01 08 00 45 00", Some(Bare::HexDumps)),
            (
                "Frame 1: 62 bytes on wire (496 bits), 62 bytes captured (496 bits)",
                Some(Bare::HexDumps),
            ),
            ("0000  02 00 00 00", None),
            ("0010  02 00 00 00 00 02 02 00 00 00 00 01 08 00 45 00", None),
            ("the firewall printed bgroup0(i) len=60", None),
            ("It took 0.545306 s from 192.0.2.1 -> 192.0.2.2: too long", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(find_bare(text), expected, "{text}");
        }
    }
}
