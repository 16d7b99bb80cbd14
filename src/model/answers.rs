//! What of each protocol is answered, and whether from elsewhere.

use super::protocol::Protocol;

/// What of a protocol is answered, and so what silence means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// Each request is, and is sent again until then.
    Requests,
    /// What opens a conversation is, and is sent again until then: RFC 7296 section 2.1,
    /// RFC 9002 section 6.2, WireGuard's whitepaper section 6.1. Of what follows nobody
    /// who has no keys can tell.
    Openings,
    /// Requests are, but for those that only tell something: a release, for one (RFC 2131
    /// section 4.4.6, RFC 8415 section 18.2.7).
    Most,
    /// Who is meant answers, and it may be that nobody is.
    Some,
    Nothing,
    /// Tunnels, and what is not known.
    Unknown,
}

impl Protocol {
    /// What of it is answered.
    #[must_use]
    pub const fn answers(self) -> Answers {
        match self {
            Self::Tftp
            | Self::Dns
            | Self::Snmp
            | Self::SnmpInform
            | Self::Ntp
            | Self::Radius
            | Self::Sip
            | Self::Coap
            | Self::Stun
            | Self::Tcp => Answers::Requests,
            Self::Ike | Self::Quic | Self::Wireguard => Answers::Openings,
            Self::Dhcp | Self::Dhcpv6 => Answers::Most,
            Self::Mdns | Self::Llmnr | Self::Nbns | Self::Ssdp | Self::Bacnet => Answers::Some,
            Self::Syslog
            | Self::NetFlow
            | Self::Ipfix
            | Self::Sflow
            | Self::Statsd
            | Self::SnmpTrap
            | Self::Bfd => Answers::Nothing,
            Self::Teredo | Self::Vxlan | Self::Geneve | Self::GtpU | Self::Udp => Answers::Unknown,
        }
    }

    /// Whether the protocol expects no answer at all.
    #[must_use]
    pub const fn is_one_way(self) -> bool {
        matches!(self.answers(), Answers::Nothing)
    }

    /// Whether each request is answered, and its answer is known for one when it is read.
    #[must_use]
    pub const fn expects_answer(self) -> bool {
        matches!(self.answers(), Answers::Requests)
    }

    /// Whether every request goes to the server that the client is set to, and none to where
    /// an answer came from: a question and its answer are all there is (RFC 1035 section
    /// 4.2.1, RFC 3417 section 3.1, RFC 5905 section 8, RFC 2865 section 2.4).
    #[must_use]
    pub const fn asks_whom_it_is_set_to(self) -> bool {
        matches!(self, Self::Dns | Self::Snmp | Self::SnmpInform | Self::Ntp | Self::Radius)
    }

    /// Whether an answer may come from another host, or go on with one, by
    /// design: discovery, relays, migration, overlays. No asymmetry is claimed of these.
    #[must_use]
    pub const fn moves_by_design(self) -> bool {
        matches!(
            self,
            Self::Mdns
                | Self::Llmnr
                | Self::Nbns
                | Self::Ssdp
                | Self::Dhcp
                | Self::Dhcpv6
                | Self::Bacnet
                | Self::Ike
                | Self::Stun
                | Self::Quic
                | Self::Wireguard
                | Self::Teredo
                | Self::Vxlan
                | Self::Geneve
                | Self::GtpU
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_table_says_what_silence_means() {
        let cases = [
            (Protocol::Dns, Answers::Requests, true, false),
            (Protocol::Stun, Answers::Requests, true, false),
            (Protocol::Ike, Answers::Openings, false, false),
            (Protocol::Dhcp, Answers::Most, false, false),
            (Protocol::Ssdp, Answers::Some, false, false),
            (Protocol::Syslog, Answers::Nothing, false, true),
            (Protocol::Udp, Answers::Unknown, false, false),
            (Protocol::Vxlan, Answers::Unknown, false, false),
        ];
        for (protocol, answers, expects_answer, is_one_way) in cases {
            assert_eq!(protocol.answers(), answers, "{protocol}");
            assert_eq!(protocol.expects_answer(), expects_answer, "{protocol}");
            assert_eq!(protocol.is_one_way(), is_one_way, "{protocol}");
        }
    }
}
