//! Which header a frame begins with.

use std::fmt;

/// A link-layer header type, as registered at tcpdump.org/linktypes.html.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkType {
    /// 0: BSD loopback, address family in the capturing host's byte order.
    Null,
    /// 1
    Ethernet,
    /// 9: PPP, with or without its HDLC address and control bytes (RFC 1662).
    Ppp,
    /// 50: PPP in HDLC-like framing, or Cisco HDLC.
    PppHdlc,
    /// 51: PPPoE sessions without their Ethernet header.
    PppEthernet,
    /// 101, and the values 12 and 14 that some systems write: no link header. 12
    /// is [`LinkType::Loop`] on OpenBSD.
    RawIp,
    /// 104: Cisco HDLC.
    CiscoHdlc,
    /// 105: IEEE 802.11.
    Wireless,
    /// 107: Frame Relay (RFC 2427, or Cisco's encapsulation).
    FrameRelay,
    /// 108: like [`LinkType::Null`], in network byte order.
    Loop,
    /// 109: what OpenBSD's and FreeBSD's IPsec hands on (`tcpdump -i enc0`).
    Enc,
    /// 113: `tcpdump -i any` of older versions.
    LinuxSll,
    /// 117: what the firewall `pf` logged (`tcpdump -i pflog0`).
    Pflog,
    /// 119: IEEE 802.11 behind Prism's header, or that of AVS.
    Prism,
    /// 127: IEEE 802.11 behind radiotap's header.
    Radiotap,
    /// 163: IEEE 802.11 behind the header of AVS.
    Avs,
    /// 178: Ethernet as Juniper's devices capture it.
    JuniperEthernet,
    /// 192: a header before another link type, that of 802.11 mostly.
    Ppi,
    /// 197: records of Endace's capture cards, headers included.
    Erf,
    /// 204, and 166 of older programs: PPP behind a byte that tells the direction.
    PppWithDirection,
    /// 219: MPLS labels without the header before them.
    Mpls,
    /// 226: what Solaris' IP hands on (`snoop -I`).
    Ipnet,
    /// 228
    Ipv4,
    /// 229
    Ipv6,
    /// 239: what Linux's firewall logged (`tcpdump -i nflog`).
    Nflog,
    /// 258: Apple's `tcpdump -i pktap`, a header before another link type.
    Pktap,
    /// 276: `tcpdump -i any`, with the interface's index.
    LinuxSll2,
    /// 281: Ethernet with a Broadcom switch chip's tag behind the addresses.
    BroadcomTag,
    /// 282: Ethernet behind a Broadcom switch chip's tag.
    BroadcomPrepended,
    /// 284: Ethernet with a Marvell switch chip's tag behind the addresses.
    MarvellTag,
    /// 285: the same tag, behind an Ethernet type of its own.
    MarvellTypedTag,
    /// Any other registered or private value.
    Other(u16),
}

impl LinkType {
    /// Whether it is a firewall's log: what its rules log, and of a flow often the first
    /// packet only. What is not there may have been on the wire all the same.
    #[must_use]
    pub const fn is_log(self) -> bool {
        matches!(self, Self::Pflog | Self::Nflog)
    }
}

impl From<u16> for LinkType {
    fn from(value: u16) -> Self {
        match value {
            0 => Self::Null,
            1 => Self::Ethernet,
            9 => Self::Ppp,
            50 => Self::PppHdlc,
            51 => Self::PppEthernet,
            12 | 14 | 101 => Self::RawIp,
            104 => Self::CiscoHdlc,
            105 => Self::Wireless,
            107 => Self::FrameRelay,
            108 => Self::Loop,
            109 => Self::Enc,
            113 => Self::LinuxSll,
            117 => Self::Pflog,
            119 => Self::Prism,
            127 => Self::Radiotap,
            163 => Self::Avs,
            178 => Self::JuniperEthernet,
            192 => Self::Ppi,
            197 => Self::Erf,
            166 | 204 => Self::PppWithDirection,
            219 => Self::Mpls,
            226 => Self::Ipnet,
            228 => Self::Ipv4,
            229 => Self::Ipv6,
            239 => Self::Nflog,
            258 => Self::Pktap,
            276 => Self::LinuxSll2,
            281 => Self::BroadcomTag,
            282 => Self::BroadcomPrepended,
            284 => Self::MarvellTag,
            285 => Self::MarvellTypedTag,
            other => Self::Other(other),
        }
    }
}

/// The name that `tcpdump` and Wireshark print.
impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Null => "NULL",
            Self::Ethernet => "EN10MB",
            Self::Ppp => "PPP",
            Self::PppHdlc => "PPP_SERIAL",
            Self::PppEthernet => "PPP_ETHER",
            Self::RawIp => "RAW",
            Self::CiscoHdlc => "C_HDLC",
            Self::Wireless => "IEEE802_11",
            Self::FrameRelay => "FRELAY",
            Self::Loop => "LOOP",
            Self::Enc => "ENC",
            Self::LinuxSll => "LINUX_SLL",
            Self::Pflog => "PFLOG",
            Self::Prism => "PRISM_HEADER",
            Self::Radiotap => "IEEE802_11_RADIO",
            Self::Avs => "IEEE802_11_AVS",
            Self::JuniperEthernet => "JUNIPER_ETHER",
            Self::Ppi => "PPI",
            Self::Erf => "ERF",
            Self::PppWithDirection => "PPP_WITH_DIR",
            Self::Mpls => "MPLS",
            Self::Ipnet => "IPNET",
            Self::Ipv4 => "IPV4",
            Self::Ipv6 => "IPV6",
            Self::Nflog => "NFLOG",
            Self::Pktap => "PKTAP",
            Self::LinuxSll2 => "LINUX_SLL2",
            Self::BroadcomTag => "DSA_TAG_BRCM",
            Self::BroadcomPrepended => "DSA_TAG_BRCM_PREPEND",
            Self::MarvellTag => "DSA_TAG_DSA",
            Self::MarvellTypedTag => "DSA_TAG_EDSA",
            Self::Other(value @ 147..=162) => return write!(f, "USER{}", value - 147),
            Self::Other(value) => match find_registered_name(*value) {
                Some(name) => name,
                None => return write!(f, "link type {value}"),
            },
        };
        f.write_str(name)
    }
}

/// The registered name of a link type that we do not read, for those that
/// people have captures of.
const fn find_registered_name(value: u16) -> Option<&'static str> {
    Some(match value {
        6 => "IEEE802",
        8 => "SLIP",
        10 => "FDDI",
        100 => "ATM_RFC1483",
        106 => "ATM_CLIP",
        122 => "IP_OVER_FC",
        123 => "SUNATM",
        138 => "APPLE_IP_OVER_IEEE1394",
        140 => "MTP2",
        141 => "MTP3",
        142 => "SCCP",
        143 => "DOCSIS",
        144 => "LINUX_IRDA",
        165 => "BACNET_MS_TP",
        177 => "LINUX_LAPD",
        187 => "BLUETOOTH_HCI_H4",
        189 => "USB_LINUX",
        195 => "IEEE802_15_4_WITHFCS",
        201 => "BLUETOOTH_HCI_H4_WITH_PHDR",
        220 => "USB_LINUX_MMAPPED",
        224 => "FC_2",
        227 => "CAN_SOCKETCAN",
        230 => "IEEE802_15_4_NOFCS",
        240 => "NETANALYZER",
        242 => "IPOIB",
        247 => "INFINIBAND",
        248 => "SCTP",
        249 => "USBPCAP",
        251 => "BLUETOOTH_LE_LL",
        252 => "WIRESHARK_UPPER_PDU",
        253 => "NETLINK",
        254 => "BLUETOOTH_LINUX_MONITOR",
        256 => "BLUETOOTH_LE_LL_WITH_PHDR",
        272 => "NORDIC_BLE",
        274 => "ETHERNET_MPACKET",
        277 => "DPAUXMON",
        278 => "DOCSIS31_XRA31",
        283 => "IEEE802_15_4_TAP",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_types_are_named_as_registered() {
        let cases = [
            (1, "EN10MB"),
            (9, "PPP"),
            (50, "PPP_SERIAL"),
            (104, "C_HDLC"),
            (105, "IEEE802_11"),
            (107, "FRELAY"),
            (109, "ENC"),
            (117, "PFLOG"),
            (127, "IEEE802_11_RADIO"),
            (146, "link type 146"),
            (147, "USER0"),
            (162, "USER15"),
            (163, "IEEE802_11_AVS"),
            (178, "JUNIPER_ETHER"),
            (192, "PPI"),
            (197, "ERF"),
            (204, "PPP_WITH_DIR"),
            (219, "MPLS"),
            (226, "IPNET"),
            (239, "NFLOG"),
            (258, "PKTAP"),
            (281, "DSA_TAG_BRCM"),
            (282, "DSA_TAG_BRCM_PREPEND"),
            (284, "DSA_TAG_DSA"),
            (285, "DSA_TAG_EDSA"),
            (9999, "link type 9999"),
        ];
        for (value, expected) in cases {
            assert_eq!(LinkType::from(value).to_string(), expected, "{value}");
        }
    }
}
