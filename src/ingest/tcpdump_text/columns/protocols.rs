//! Which protocols of Wireshark's column are carried by UDP.

/// As the column calls them, by the alphabet. Versions of DTLS are told by their beginning.
const DATAGRAM_PROTOCOLS: [&str; 62] = [
    "ASF",
    "BACnet",
    "BACnet-APDU",
    "BFD Control",
    "BOOTP",
    "BROWSER",
    "BVLC",
    "CAPWAP-Control",
    "CAPWAP-Data",
    "CFLOW",
    "CHARGEN",
    "CLASSIC-STUN",
    "CLDAP",
    "CoAP",
    "DAYTIME",
    "DB-LSP-DISC",
    "DHCP",
    "DHCPv6",
    "DISCARD",
    "DNS",
    "GELF",
    "Geneve",
    "GQUIC",
    "GTP",
    "HSRP",
    "IAX2",
    "IPMI",
    "ISAKMP",
    "L2TP",
    "LLMNR",
    "LWAPP",
    "MDNS",
    "MEGACO",
    "MGCP",
    "NAT-PMP",
    "NBDS",
    "NBNS",
    "NTP",
    "OpenVPN",
    "PCP",
    "PTPv2",
    "QUIC",
    "RADIUS",
    "RIP",
    "RIPng",
    "RIPv2",
    "RMCP",
    "RTCP",
    "RTP",
    "sFlow",
    "SIP",
    "SNMP",
    "SRVLOC",
    "SSDP",
    "STUN",
    "Syslog",
    "TEREDO",
    "TFTP",
    "UDP",
    "UDPENCAP",
    "VXLAN",
    "WireGuard",
];

/// These may come without UDP: only where ports are printed it carries them.
const SOMETIMES_DATAGRAM_PROTOCOLS: [&str; 4] = ["ECHO", "ESP", "GLBP", "KRB5"];

/// Whether what the column names can be carried by UDP (RFC 3948 of ESP).
pub(super) fn may_be_datagram_protocol(column: &str) -> bool {
    SOMETIMES_DATAGRAM_PROTOCOLS.iter().any(|known| column.eq_ignore_ascii_case(known))
}

/// Whether what the column names is carried by UDP: `SIP/SDP` is SIP.
pub(super) fn is_datagram_protocol(column: &str) -> bool {
    let name = column.split('/').next().unwrap_or(column);
    name.starts_with("DTLS")
        || DATAGRAM_PROTOCOLS.iter().any(|known| name.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_carrier_is_told_by_the_name() {
        for (column, expected) in [
            ("TFTP", true),
            ("SIP/SDP", true),
            ("DTLSv1.2", true),
            ("wireguard", true),
            ("BFD Control", true),
            ("ESP", false),
            ("TCP", false),
            ("TLSv1.3", false),
            ("HTTP", false),
            ("", false),
        ] {
            assert_eq!(is_datagram_protocol(column), expected, "{column}");
        }
    }
}
