//! Ports that tcpdump prints by name when it runs without `-n`.

use crate::model::identity::hash_words;

/// UDP service names as `/etc/services` of the usual systems has them.
const SERVICES: &[(&str, u16)] = &[
    ("afs3-bos", 7007),
    ("afs3-callback", 7001),
    ("afs3-fileserver", 7000),
    ("afs3-prserver", 7002),
    ("afs3-vlserver", 7003),
    ("amanda", 10080),
    ("asf-rmcp", 623),
    ("avt-profile-1", 5004),
    ("avt-profile-2", 5005),
    ("bacnet", 47808),
    ("bfd-control", 3784),
    ("bfd-echo", 3785),
    ("bgp", 179),
    ("biff", 512),
    ("bootpc", 68),
    ("bootps", 67),
    ("chargen", 19),
    ("cisco-ipsla", 1167),
    ("coap", 5683),
    ("coaps", 5684),
    ("comsat", 512),
    ("datametrics", 1645),
    ("daytime", 13),
    ("dhcpv6-client", 546),
    ("dhcpv6-server", 547),
    ("dhcp-failover", 647),
    ("discard", 9),
    ("dns", 53),
    ("domain", 53),
    ("domain-s", 853),
    ("echo", 7),
    ("epmap", 135),
    ("geneve", 6081),
    ("gtp-control", 2123),
    ("gtp-user", 2152),
    ("hostmon", 5355),
    ("hsrp", 1985),
    ("http", 80),
    ("https", 443),
    ("iax", 4569),
    ("ipfix", 4739),
    ("ipp", 631),
    ("ipsec-msft", 4500),
    ("ipsec-nat-t", 4500),
    ("isakmp", 500),
    ("kerberos", 88),
    ("kerberos-sec", 88),
    ("kpasswd", 464),
    ("l2f", 1701),
    ("l2tp", 1701),
    ("ldap", 389),
    ("llmnr", 5355),
    ("loc-srv", 135),
    ("mdns", 5353),
    ("megaco-h248", 2944),
    ("mgcp-callagent", 2727),
    ("mgcp-gateway", 2427),
    ("microsoft-ds", 445),
    ("mobileip-agent", 434),
    ("ms-sql-m", 1434),
    ("multicast-ping", 9903),
    ("nameserver", 42),
    ("nat-pmp", 5351),
    ("nat-t-ike", 4500),
    ("ndmp", 10000),
    ("netbios-dgm", 138),
    ("netbios-ns", 137),
    ("netbios-ssn", 139),
    ("nfs", 2049),
    ("nntp", 119),
    ("ntalk", 518),
    ("ntp", 123),
    ("openvpn", 1194),
    ("otv", 8472),
    ("ptp-event", 319),
    ("ptp-general", 320),
    ("qotd", 17),
    ("radacct", 1813),
    ("radius", 1812),
    ("radius-acct", 1813),
    ("radius-dynauth", 3799),
    ("rip", 520),
    ("ripng", 521),
    ("rmcp", 623),
    ("route", 520),
    ("router", 520),
    ("rtsp", 554),
    ("sa-msg-port", 1646),
    ("sflow", 6343),
    ("sip", 5060),
    ("sip-tls", 5061),
    ("snmp", 161),
    ("snmp-trap", 162),
    ("snmptrap", 162),
    ("ssdp", 1900),
    ("ssh", 22),
    ("stun", 3478),
    ("sunrpc", 111),
    ("svrloc", 427),
    ("syslog", 514),
    ("syslog-tls", 6514),
    ("talk", 517),
    ("teredo", 3544),
    ("tftp", 69),
    ("time", 37),
    ("timed", 525),
    ("turn", 3478),
    ("upnp", 1900),
    ("vxlan", 4789),
    ("who", 513),
    ("whois++", 63),
    ("ws-discovery", 3702),
    ("wsd", 3702),
    ("xdmcp", 177),
    ("zabbix-agent", 10050),
    ("zabbix-trapper", 10051),
    ("zeroconf", 5353),
];

/// The port with this number or service name.
#[must_use]
pub fn find_port(text: &str) -> Option<u16> {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return text.parse().ok();
    }
    SERVICES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, port)| *port)
}

/// Above the ports that Linux gives to clients (`net.ipv4.ip_local_port_range`).
const FIRST_STAND_IN: u16 = 61_001;

/// The port with this number or service name; of a name that we do not know, a port that
/// stands for it: the same one each time, and no service's. It has to be one by its place,
/// and names have letters, digits and hyphens (RFC 6335 section 5.1).
#[must_use]
pub fn find_port_or_stand_in(text: &str) -> Option<u16> {
    find_port(text).or_else(|| find_stand_in(text))
}

/// Whether a port may stand for a name.
#[must_use]
pub const fn is_stand_in(port: u16) -> bool {
    port >= FIRST_STAND_IN
}

/// The port that stands for a service's name that we do not know.
#[must_use]
pub fn find_stand_in(name: &str) -> Option<u16> {
    const LONGEST: usize = 32;
    let has_letter = name.bytes().any(|byte| byte.is_ascii_alphabetic());
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_+".contains(&byte));
    // `xxxxx`: blanked by the poster.
    let is_masked = name.bytes().all(|byte| byte.eq_ignore_ascii_case(&b'x'));
    if !has_letter || !is_name || is_masked || name.len() > LONGEST || find_port(name).is_some() {
        return None;
    }
    let span = u64::from(u16::MAX - FIRST_STAND_IN) + 1;
    let offset = hash_words(&[&name.to_ascii_lowercase()]) % span;
    u16::try_from(offset).ok().map(|offset| FIRST_STAND_IN + offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_have_numbers_and_names() {
        let cases = [
            ("41226", Some(41226)),
            ("tftp", Some(69)),
            ("snmp-trap", Some(162)),
            ("TFTP", Some(69)),
            ("65536", None),
            ("nonsense", None),
            ("", None),
        ];
        for (text, port) in cases {
            assert_eq!(find_port(text), port, "{text}");
        }
    }

    #[test]
    fn a_port_stands_for_each_name_that_is_not_known() {
        let stand_in = |name| find_port_or_stand_in(name).filter(|port| *port >= FIRST_STAND_IN);
        let (one, two) = (stand_in("sightline").unwrap(), stand_in("3com-tsmux").unwrap());
        assert_ne!(one, two);
        assert_eq!(stand_in("SIGHTLINE"), Some(one));
        for text in ["", "70000", "xxxxx", "n/a", "two words"] {
            assert_eq!(find_port_or_stand_in(text), None, "{text}");
        }
        assert_eq!(find_port_or_stand_in("tftp"), Some(69));
    }
}
