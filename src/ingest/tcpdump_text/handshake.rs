//! TCP handshakes as tcpdump prints them. Of segments with SYN, and of resets
//! without ACK, it prints the numbers as they are; others count from the first.

use super::address::parse_endpoint;
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::segment::{Segment, SegmentKind};

/// Reads `Flags [S], seq 1000, …`, `Flags [S.], seq 7, ack 1001, …` and `Flags
/// [R], seq 1001, …` between two sides; `None` for all other lines, and where a
/// side is a host's name.
#[must_use]
pub fn find_segment(source: &str, destination: &str, summary: &str) -> Option<Segment> {
    let (_, rest) = summary.split_once("Flags [")?;
    let (flags, rest) = rest.split_once(']')?;
    let (is_syn, is_reset) = (flags.contains('S'), flags.contains('R'));
    if !is_syn && !is_reset {
        return None;
    }
    let is_acknowledged = flags.contains('.');
    let acknowledges = if is_acknowledged { Some(find_number(rest, "ack ")?) } else { None };
    let kind = match (is_reset, acknowledges) {
        (true, acknowledges) => {
            SegmentKind::Reset { sequence: find_number(rest, "seq ")?, acknowledges }
        }
        (false, Some(acknowledges)) => SegmentKind::SynAck { acknowledges },
        (false, None) => SegmentKind::Syn { awaits: find_number(rest, "seq ")?.wrapping_add(1) },
    };
    let side = |text| {
        let side = parse_endpoint(text).ok()?;
        Some(Endpoint::new(side.address, side.port?))
    };
    Some(Segment { flow: FlowKey::tcp(side(source)?, side(destination)?), kind })
}

/// The number behind `name`; of a range its beginning.
fn find_number(text: &str, name: &str) -> Option<u32> {
    let (_, rest) = text.split_once(name)?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handshakes_are_read() {
        let syn = SegmentKind::Syn { awaits: 1_001 };
        let syn_ack = SegmentKind::SynAck { acknowledges: 1_001 };
        let reset = |sequence, acknowledges| SegmentKind::Reset { sequence, acknowledges };
        let cases = [
            ("Flags [S], seq 1000, win 64240, options [mss 1460], length 0", Some(syn)),
            ("Flags [SEW], cksum 0x1 (correct), seq 1000, win 64240, length 0", Some(syn)),
            ("Flags [S], seq 1000:1100, win 64240, length 100", Some(syn)),
            ("Flags [S.], seq 7, ack 1001, win 65160, length 0", Some(syn_ack)),
            ("Flags [R], seq 1001, win 0, length 0", Some(reset(1_001, None))),
            ("Flags [R.], seq 0, ack 1001, win 0, length 0", Some(reset(0, Some(1_001)))),
            ("Flags [P.], seq 1:5, ack 1, win 9, length 4", None),
            ("Flags [.], ack 1, win 9, length 0", None),
            ("Flags [S], seq 99999999999, win 1", None),
            ("UDP, length 4", None),
        ];
        let sides = [
            ("192.0.2.7.41226", "198.51.100.10.443"),
            ("2001:db8::7.41226", "2001:db8:100::10.443"),
        ];
        for (source, destination) in sides {
            for (summary, expected) in cases {
                let found = find_segment(source, destination, summary);
                assert_eq!(found.map(|segment| segment.kind), expected, "{summary}");
                assert!(found.is_none_or(|segment| segment.flow.destination.port == 443));
            }
            assert_eq!(find_segment(source, "web.example.https", "Flags [S], seq 1"), None);
        }
    }
}
