//! Known ports that a client was given by chance.
//!
//! Systems hand out ports from 1024 on: BSD and Windows up to 5000 for long (Windows until
//! 2008), boot loaders up to 4095, translations all there are (RFC 6056 section 2). A dozen
//! of those are registered. At such a source port the payload decides whether it is the
//! service that speaks; at a destination the port does, for somebody chose to ask it.

use super::{Payload, coap, dns_entry, has_message_shape, shape, stun, telemetry, teredo};
use crate::decode::field::{find_u8, find_u16, find_u32};
use crate::model::protocol::{FIRST_UNPRIVILEGED_PORT, Protocol};

/// RFC 4303 sections 2.1 to 2.4: SPI, sequence number, and at least a word with the
/// trailer; all of it is padded to whole words.
const ESP_WORD_BYTES: u32 = 4;
const LEAST_ESP_BYTES: u32 = 12;
/// RFC 5880 section 4.1.
const BFD_VERSION: u8 = 1;

/// Whether what reads as a message of `protocol`, whose `port` is, is one for certain enough.
///
/// Some protocols take nearly any bytes for a message: a header of DNS has no field that
/// tells it from others. Where its port may be a client's by chance, all that the protocol
/// fixes has to fit. For DNS that holds in both directions: a server answers such a client
/// at its port.
pub(super) fn is_message_at(payload: &Payload<'_>, port: u16, protocol: Protocol) -> bool {
    let is_sender = port == payload.source_port;
    let other = if is_sender { payload.destination_port } else { payload.source_port };
    if port < FIRST_UNPRIVILEGED_PORT || protocol.is_served_at(other) {
        return true;
    }
    match protocol {
        Protocol::Dns | Protocol::Mdns | Protocol::Llmnr => dns_entry::may_begin(payload),
        Protocol::Radius => !is_sender || !payload.is_whole() || shape::has_radius(payload),
        Protocol::Coap => !is_sender || !payload.is_whole() || coap::has_parts_to_the_end(payload),
        _ => true,
    }
}

/// Whether `port`, which is `protocol`'s, is the sender's by chance: it is the source, the
/// destination is none of the protocol's, and the payload is none of its messages. What
/// the protocols that are read say was found before.
pub(super) fn is_port_of_client(payload: &Payload<'_>, port: u16, protocol: Protocol) -> bool {
    port == payload.source_port
        && port >= FIRST_UNPRIVILEGED_PORT
        && !protocol.is_served_at(payload.destination_port)
        && !may_come_from_service(payload, protocol)
}

/// Whether the protocol's service may have sent this, for all that was captured of it.
fn may_come_from_service(payload: &Payload<'_>, protocol: Protocol) -> bool {
    let bytes = payload.captured;
    let Some(first) = find_u8(bytes, 0) else { return true };
    let begins_with = |version: fn(u16) -> bool| find_u16(bytes, 0).is_none_or(version);
    match protocol {
        Protocol::Dns | Protocol::Mdns | Protocol::Llmnr => dns_entry::may_begin(payload),
        // What else they say is read.
        Protocol::Radius | Protocol::Coap => !payload.is_whole(),
        Protocol::Sip => !payload.is_whole() || has_message_shape(protocol, payload),
        Protocol::Stun => !payload.is_whole() || stun::is_channel_data(payload),
        Protocol::Ssdp => [&b"HTTP/1"[..], b"NOTIFY", b"M-SEAR"]
            .iter()
            .any(|word| bytes.starts_with(&word[..word.len().min(bytes.len())])),
        Protocol::Ike => may_be_nat_traversal(payload),
        // Cisco's versions.
        Protocol::NetFlow => begins_with(|version| matches!(version, 1 | 5..=9)),
        // RFC 7011 section 3.1.
        Protocol::Ipfix => begins_with(|version| version == 10),
        Protocol::Sflow => find_u32(bytes, 0).is_none_or(|version| matches!(version, 2 | 4 | 5)),
        Protocol::Statsd => !payload.is_whole() || telemetry::is_statsd(bytes),
        Protocol::Bfd => {
            let length = find_u8(bytes, 3).map(u32::from);
            first >> 5 == BFD_VERSION && length.is_none_or(|length| length == payload.length)
        }
        Protocol::Teredo => teredo::may_be_teredo(payload),
        // 3GPP TS 29.281 section 5.1: version 1, and GTP, not its accounting.
        Protocol::GtpU => first & 0xf0 == 0x30,
        // What is sent to their port comes from another: RFC 7348 section 5, RFC 8926
        // section 3.3.
        Protocol::Vxlan | Protocol::Geneve => false,
        Protocol::Tftp
        | Protocol::Nbns
        | Protocol::Snmp
        | Protocol::SnmpTrap
        | Protocol::SnmpInform
        | Protocol::Syslog
        | Protocol::Ntp
        | Protocol::Dhcp
        | Protocol::Dhcpv6
        | Protocol::Quic
        | Protocol::Wireguard
        | Protocol::Bacnet
        | Protocol::Udp
        | Protocol::Tcp => true,
    }
}

/// RFC 3948 section 2: IKE behind four zeros, ESP, or the one byte that keeps a
/// translation alive.
fn may_be_nat_traversal(payload: &Payload<'_>) -> bool {
    match payload.captured {
        [0xff] | [0, 0, 0, 0, ..] => true,
        _ => payload.length >= LEAST_ESP_BYTES && payload.length.is_multiple_of(ESP_WORD_BYTES),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{cut, read_application, whole};
    use super::*;
    use crate::model::packet::Application;

    /// A game server's query, which is no message of any protocol here.
    const QUERY: &[u8] = b"\xff\xff\xff\xffTSource Engine Query\0";

    #[test]
    fn a_port_is_its_clients_where_the_payload_is_no_message_of_it() {
        let unknown = Application::Unknown { tftp_shape: None };
        // A counter and flags, RTP, a length behind a type, and two protocols of text.
        let payloads: [&[u8]; 7] = [
            QUERY,
            b"\0\0\0\x01\0\0\0\x07\0\0\0\0\0\x01\x02\x03\0\x01\x02\x03",
            b"\0\0\x80\x01\0\0\0\x07\0\0\0\0\0\x01\x02\x03\0\x01\x02\x03",
            b"\x80\x60\0\x01\0\0\x03\xe8\x11\x22\x33\x44voice of somebody",
            b"\x01\x07\0\x18\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x05",
            b"get key1 and key2, please",
            b"GET key1 OF shelf7, please",
        ];
        for port in [
            1645, 1812, 1900, 2055, 2152, 3478, 3544, 3784, 3799, 4739, 4789, 5060, 5353, 5355,
            5683, 6081, 6343, 8125, 8472, 9995,
        ] {
            for payload in payloads {
                let text = payload.escape_ascii();
                let read = read_application(&whole(port, 27_015, payload));
                assert_eq!(read, unknown, "{text} from {port}");
                // Somebody chose to ask that port.
                let read = read_application(&whole(27_015, port, payload));
                assert_ne!(read, unknown, "{text} to {port}");
            }
        }
        // Its ESP may have any bytes, in whole words.
        assert_eq!(read_application(&whole(4500, 27_015, QUERY)), unknown);
        assert_ne!(read_application(&whole(27_015, 4500, QUERY)), unknown);
        // Below 1024 no client is given one.
        assert_ne!(read_application(&whole(161, 27_015, QUERY)), unknown);
    }

    /// Behind an origin indication an IPv6 header with nothing behind it (RFC 4380
    /// section 5.1.1, section 2.8).
    const BUBBLE: &[u8] = b"\0\0\xff\xff\x3f\xff\xfd\xf6\x60\0\0\0\0\0\x3b\x15\xfe\x80\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xfe\xfe\x80\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xfe";

    #[test]
    fn what_may_be_the_services_is_left_to_it() {
        let bfd = [&[0x20, 0x40, 3, 24][..], &[9; 20]].concat();
        let esp = [&b"\xc0\0\0\x07\0\0\0\x01"[..], &[0x5a; 40]].concat();
        let cases: [(&str, u16, &[u8], Protocol); 11] = [
            ("NetFlow", 2055, b"\0\x09\0\x01", Protocol::NetFlow),
            ("IPFIX", 4739, b"\0\x0a\0\x10", Protocol::Ipfix),
            ("sFlow", 6343, b"\0\0\0\x05\0\0\0\x01", Protocol::Sflow),
            ("StatsD", 8125, b"app.up:1|c", Protocol::Statsd),
            ("BFD", 3784, &bfd, Protocol::Bfd),
            ("Teredo", 3544, BUBBLE, Protocol::Teredo),
            ("GTP-U", 2152, b"\x32\x02\0\x06\0\0\0\0", Protocol::GtpU),
            ("an answer", 1900, b"HTTP/1.1 200 OK\r\n\r\n", Protocol::Ssdp),
            ("ESP", 4500, &esp, Protocol::Ike),
            ("IKE", 4500, b"\0\0\0\0initiato", Protocol::Ike),
            ("a channel", 3478, b"\x40\x01\0\x04\x80\0\0\x01", Protocol::Stun),
        ];
        for (name, port, bytes, protocol) in cases {
            assert!(!is_port_of_client(&whole(port, 50_000, bytes), port, protocol), "{name}");
        }
        // What was not captured may be anything, and between two of its ports it is its own.
        assert!(!is_port_of_client(&cut(1812, 50_000, b"\xff", 90), 1812, Protocol::Radius));
        assert!(!is_port_of_client(&cut(2055, 50_000, b"", 90), 2055, Protocol::NetFlow));
        assert!(!is_port_of_client(&whole(1812, 1813, QUERY), 1812, Protocol::Radius));
    }

    #[test]
    fn messages_of_services_above_1024_are_read() {
        let question = b"\x07example\x03net\0\0\x01\0\x01";
        let dns = |flags: [u8; 2]| {
            [&[0, 9, flags[0], flags[1], 0, 1, 0, 0, 0, 0, 0, 0][..], question].concat()
        };
        let (query, answer) = (dns([1, 0]), dns([0x81, 0x83]));
        let refusal = b"\0\x09\x81\x85\0\0\0\0\0\0\0\0";
        let record = [
            &b"\0\0\x84\0\0\0\0\x01\0\0\0\0\x04room\x05local\0\0\x01\x80\x01"[..],
            &[0, 0, 0, 120, 0, 4, 192, 0, 2, 7],
        ]
        .concat();
        let radius = b"\x03\x07\0\x1a0123456789abcdef\x12\x06well";
        let coap = b"\x62\x45\0\x07\xaa\xbb\xc0\xff22.5";
        let padded = [&radius[..], &[0; 8]].concat();
        let cases: [(u16, u16, &[u8], Protocol); 10] = [
            (5353, 40_000, &answer, Protocol::Dns),
            (40_000, 5353, &query, Protocol::Dns),
            (5353, 40_000, refusal, Protocol::Dns),
            // Without the question: not as RFC 6762 section 6.7 wants it.
            (5353, 40_000, &record, Protocol::Dns),
            (5355, 40_000, &answer, Protocol::Llmnr),
            (40_000, 5355, &query, Protocol::Llmnr),
            (1812, 40_000, radius, Protocol::Radius),
            (1812, 40_000, &padded, Protocol::Radius),
            (5683, 40_000, coap, Protocol::Coap),
            (5683, 40_000, b"\x60\0\0\x07", Protocol::Coap),
        ];
        for (source, destination, bytes, protocol) in cases {
            let read = read_application(&whole(source, destination, bytes));
            let Application::Transaction(transaction) = read else { panic!("{source}: {read:?}") };
            assert_eq!(transaction.protocol, protocol, "{source} to {destination}");
        }
        // A snap length leaves enough to tell, or not.
        let head = answer.get(..20).unwrap();
        let Application::Transaction(_) = read_application(&cut(5353, 40_000, head, 80)) else {
            panic!("not read")
        };
        let counter = [0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 1, 2, 3, 0, 1];
        let unknown = Application::Unknown { tftp_shape: None };
        assert_eq!(read_application(&cut(5353, 40_000, &counter, 80)), unknown);
    }

    #[test]
    fn a_transfer_may_come_from_any_port() {
        use crate::model::packet::TftpMessage::Data;
        let data =
            |block: [u8; 2], fill: u8| [&[0, 3, block[0], block[1]][..], &[fill; 512]].concat();
        for port in [3544, 5353, 5355, 5683] {
            for (block, number) in [([0, 1], 1), ([1, 0], 256), ([0x81, 0x80], 0x8180)] {
                for fill in [0, b'#', 0xff] {
                    let read = read_application(&whole(port, 40_000, &data(block, fill)));
                    let tftp_shape = Some(Data { block: number, length: 512 });
                    assert_eq!(read, Application::Unknown { tftp_shape }, "{port} {fill}");
                }
            }
        }
    }

    #[test]
    fn the_other_port_speaks_where_the_first_is_the_clients() {
        let ipfix = [&b"\0\x0a\0\x20\x66\0\0\0\0\0\0\x01\0\0\0\x01"[..], &[0; 16]].concat();
        let read = read_application(&whole(2055, 4739, &ipfix));
        assert_eq!(read, Application::Report(Protocol::Ipfix));
    }
}
