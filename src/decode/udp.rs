//! UDP headers (RFC 768).

use super::DecodeError;
use super::app::{self, Payload};
use super::field::find_u16;
use super::fingerprint::find_fingerprint;
use super::ip::IpPacket;
use crate::model::endpoint::{Endpoint, FlowKey};
use crate::model::packet::Datagram;

const HEADER_BYTES: u32 = 8;

/// Reads the header of the datagram that `packet` carries. Ports are enough:
/// where a snap length cut the UDP length field, or a jumbogram (RFC 2675) left
/// it zero, the IP header's length counts. A length field below 8 is an empty payload.
///
/// # Errors
///
/// Where the ports are cut.
pub(super) fn parse_payload<'a>(packet: &IpPacket<'a>) -> Result<Payload<'a>, DecodeError> {
    let (Some(source_port), Some(destination_port)) =
        (find_u16(packet.payload, 0), find_u16(packet.payload, 2))
    else {
        return Err(DecodeError::Cut {
            layer: "UDP",
            required_bytes: 4,
            found_bytes: packet.payload.len(),
        });
    };
    let datagram_bytes = match find_u16(packet.payload, 4) {
        None | Some(0) => packet.length,
        Some(declared_bytes) => declared_bytes.into(),
    };
    let length = datagram_bytes.saturating_sub(HEADER_BYTES);
    let captured = packet.payload.get(8..).unwrap_or_default();
    let captured = usize::try_from(length)
        .map_or(captured, |length| captured.get(..length).unwrap_or(captured));
    let is_to_group = packet.destination.is_multicast();
    Ok(Payload { source_port, destination_port, length, captured, is_to_group })
}

/// The datagram that `packet` carries, whose header was read as `payload`.
pub(super) fn read_datagram(packet: &IpPacket<'_>, payload: &Payload<'_>) -> Datagram {
    Datagram {
        flow: FlowKey::udp(
            Endpoint::new(packet.source, payload.source_port),
            Endpoint::new(packet.destination, payload.destination_port),
        ),
        length: payload.length,
        fingerprint: find_fingerprint(payload.captured, payload.length),
        is_cut: !payload.is_whole(),
        application: app::read_application(payload),
    }
}

#[cfg(test)]
mod tests {
    use crate::model::hop::HopMarks;
    use etherparse::IpNumber;

    use super::*;

    #[test]
    fn length_is_by_the_udp_header_where_it_is_there() {
        let cases: [(&str, &[u8], u32, u32, bool); 9] = [
            ("whole", &[0xc0, 0, 0xc0, 1, 0, 12, 0, 0, 1, 2, 3, 4], 12, 4, true),
            ("trailing bytes", &[0xc0, 0, 0xc0, 1, 0, 10, 0, 0, 1, 2, 3, 4], 12, 2, true),
            ("payload cut", &[0xc0, 0, 0xc0, 1, 2, 4, 0, 0, 1, 2, 3, 4], 516, 508, true),
            ("payload not captured", &[0xc0, 0, 0xc0, 1, 2, 4, 0, 0], 516, 508, false),
            ("first fragment", &[0xc0, 0, 0xc0, 1, 8, 8, 0, 0, 1, 2, 3, 4], 1480, 2048, true),
            ("empty", &[0xc0, 0, 0xc0, 1, 0, 8, 0, 0], 8, 0, true),
            ("ports alone", &[0xc0, 0, 0xc0, 1], 516, 508, false),
            ("jumbo", &[0xc0, 0, 0xc0, 1, 0, 0, 0, 0, 1, 2, 3, 4], 70_008, 70_000, true),
            ("length too small", &[0xc0, 0, 0xc0, 1, 0, 7, 0, 0, 1], 9, 0, true),
        ];
        for addresses in [["192.0.2.1", "198.51.100.7"], ["2001:db8::1", "2001:db8::7"]] {
            for (name, payload, ip_payload_bytes, length, has_fingerprint) in cases {
                let packet = IpPacket {
                    source: addresses[0].parse().unwrap(),
                    destination: addresses[1].parse().unwrap(),
                    protocol: IpNumber::UDP,
                    payload,
                    length: ip_payload_bytes,
                    identification: None,
                    hop_marks: HopMarks::UNKNOWN,
                    fragment: None,
                };
                let datagram = read_datagram(&packet, &parse_payload(&packet).unwrap());
                assert_eq!(datagram.length, length, "{name}");
                assert_eq!(datagram.fingerprint.is_some(), has_fingerprint, "{name}");
                assert_eq!(datagram.flow.source, Endpoint::new(packet.source, 0xc000));
                assert_eq!(datagram.flow.destination, Endpoint::new(packet.destination, 0xc001));

                let cut = IpPacket { payload: &payload[..3], ..packet };
                let error = parse_payload(&cut).unwrap_err().to_string();
                assert_eq!(error, "UDP header needs 4 bytes, 3 are there");
            }
        }
    }
}
