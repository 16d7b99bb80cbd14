//! What answers are called, and which of these names say that the server refuses who
//! asks, or what is asked, or fails.
//!
//! Only what the asker must take for a failure counts. That there is no such name,
//! that a password is asked for, or that the one called is busy, are answers like
//! any other.

use super::protocol::Protocol;

/// What DNS responses are called, by their response code, in tcpdump's spelling.
pub mod dns_label {
    pub const RESPONSE: &str = "response";
    pub const FORMAT_ERROR: &str = "FormErr";
    pub const SERVER_FAILURE: &str = "ServFail";
    pub const NO_SUCH_NAME: &str = "NXDomain";
    pub const NOT_IMPLEMENTED: &str = "NotImp";
    pub const REFUSED: &str = "Refused";
    pub const NOT_AUTHORITATIVE: &str = "NotAuth";
}

/// Reports of SNMP agents, by the counters that they name: SNMP-USER-BASED-SM-MIB
/// (RFC 3414), SNMP-MPD-MIB (RFC 3412) and SNMP-TARGET-MIB (RFC 3413).
pub mod snmp_label {
    pub const UNSUPPORTED_LEVEL: &str = "usmStatsUnsupportedSecLevels";
    pub const UNKNOWN_USER: &str = "usmStatsUnknownUserNames";
    pub const WRONG_DIGEST: &str = "usmStatsWrongDigests";
    pub const DECRYPTION_ERROR: &str = "usmStatsDecryptionErrors";
    pub const UNKNOWN_SECURITY_MODEL: &str = "snmpUnknownSecurityModels";
    pub const UNKNOWN_HANDLER: &str = "snmpUnknownPDUHandlers";
    pub const UNAVAILABLE_CONTEXT: &str = "snmpUnavailableContexts";
    pub const UNKNOWN_CONTEXT: &str = "snmpUnknownContexts";
}

/// Refusals of RADIUS (RFC 2865 section 4.3, RFC 5176 section 2).
pub mod radius_label {
    pub const ACCESS_REJECT: &str = "Access-Reject";
    pub const DISCONNECT_NAK: &str = "Disconnect-NAK";
    pub const COA_NAK: &str = "CoA-NAK";
}

/// Answers that refuse by their type. No two protocols share a name here.
const REFUSALS: [&str; 11] = [
    snmp_label::UNSUPPORTED_LEVEL,
    snmp_label::UNKNOWN_USER,
    snmp_label::WRONG_DIGEST,
    snmp_label::DECRYPTION_ERROR,
    snmp_label::UNKNOWN_SECURITY_MODEL,
    snmp_label::UNKNOWN_HANDLER,
    snmp_label::UNAVAILABLE_CONTEXT,
    snmp_label::UNKNOWN_CONTEXT,
    radius_label::ACCESS_REJECT,
    radius_label::DISCONNECT_NAK,
    radius_label::COA_NAK,
];

/// DNS response codes that tell of a failure (RFC 1035 section 4.1.1, RFC 2136 section 2.2).
/// That there is no such name is an answer like any other.
const DNS: [&str; 5] = [
    dns_label::FORMAT_ERROR,
    dns_label::SERVER_FAILURE,
    dns_label::NOT_IMPLEMENTED,
    dns_label::REFUSED,
    dns_label::NOT_AUTHORITATIVE,
];

/// Error statuses of SNMP responses (RFC 3416 section 3; 1 to 5 by RFC 1157), by
/// number. `noSuchName` is missing: a walk by version 1 ends with it.
const SNMP: [(i64, &str); 17] = [
    (1, "tooBig"),
    (3, "badValue"),
    (4, "readOnly"),
    (5, "genErr"),
    (6, "noAccess"),
    (7, "wrongType"),
    (8, "wrongLength"),
    (9, "wrongEncoding"),
    (10, "wrongValue"),
    (11, "noCreation"),
    (12, "inconsistentValue"),
    (13, "resourceUnavailable"),
    (14, "commitFailed"),
    (15, "undoFailed"),
    (16, "authorizationError"),
    (17, "notWritable"),
    (18, "inconsistentName"),
];

/// Final responses of SIP with which a server refuses or fails (RFC 3261 section 21).
/// Missing are those that ask for another try (401, 407, 423 …) and those that tell of
/// the one called, not of the server (480, 486, 487, 603 …).
const SIP: [(u16, &str); 22] = [
    (400, "400 Bad Request"),
    (402, "402 Payment Required"),
    (403, "403 Forbidden"),
    (404, "404 Not Found"),
    (405, "405 Method Not Allowed"),
    (406, "406 Not Acceptable"),
    (408, "408 Request Timeout"),
    (413, "413 Request Entity Too Large"),
    (414, "414 Request-URI Too Long"),
    (415, "415 Unsupported Media Type"),
    (416, "416 Unsupported URI Scheme"),
    (420, "420 Bad Extension"),
    (482, "482 Loop Detected"),
    (483, "483 Too Many Hops"),
    (488, "488 Not Acceptable Here"),
    (500, "500 Server Internal Error"),
    (501, "501 Not Implemented"),
    (502, "502 Bad Gateway"),
    (503, "503 Service Unavailable"),
    (504, "504 Server Time-out"),
    (505, "505 Version Not Supported"),
    (513, "513 Message Too Large"),
];

/// The words of an SNMP response with this error status; `None` where it is no failure.
#[must_use]
pub fn find_snmp_failure(error_status: i64) -> Option<&'static str> {
    SNMP.iter().find(|(status, _)| *status == error_status).map(|(_, words)| *words)
}

/// The words of an SNMP response whose error status tcpdump prints by this name.
#[must_use]
pub fn find_snmp_failure_named(name: &str) -> Option<&'static str> {
    SNMP.iter().find(|(_, words)| *words == name).map(|(_, words)| *words)
}

/// The words of a SIP response with this status to a request of `method`; `None`
/// where it is no failure.
///
/// Whoever asks for `OPTIONS` wants to know whether somebody is there: any answer says
/// so, except that of a server that is out of service. Only a registrar that knows no
/// such user refuses with 404; else it tells of the one called.
#[must_use]
pub fn find_sip_failure(status: u16, method: &str) -> Option<&'static str> {
    let counts = match (status, method) {
        (503, _) => true,
        (_, "OPTIONS") => false,
        (404, method) => method == "REGISTER",
        _ => true,
    };
    SIP.iter().find(|(known, _)| counts && *known == status).map(|(_, words)| *words)
}

/// Whether an answer of `protocol` that is called so says that the server refuses or fails.
pub(super) fn is_failure(protocol: Protocol, label: &str) -> bool {
    let fails = match protocol {
        Protocol::Dns => DNS.contains(&label),
        Protocol::Snmp | Protocol::SnmpInform => find_snmp_failure_named(label).is_some(),
        Protocol::Sip => SIP.iter().any(|(_, words)| *words == label),
        _ => false,
    };
    fails || REFUSALS.contains(&label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_refusals_are_failures() {
        let snmp = [(0, None), (2, None), (5, Some("genErr")), (18, Some("inconsistentName"))];
        for (status, words) in snmp {
            assert_eq!(find_snmp_failure(status), words, "{status}");
            assert!(words.is_none_or(|words| is_failure(Protocol::Snmp, words)), "{status}");
        }
        assert_eq!(find_snmp_failure(19), None);
        assert_eq!(find_snmp_failure(-1), None);
        assert_eq!(find_snmp_failure_named("noSuchName"), None);
        assert!(!is_failure(Protocol::Snmp, "Response"));
        let sip = [
            (403, "REGISTER", Some("403 Forbidden")),
            (404, "REGISTER", Some("404 Not Found")),
            (404, "INVITE", None),
            (404, "OPTIONS", None),
            (405, "OPTIONS", None),
            (405, "SUBSCRIBE", Some("405 Method Not Allowed")),
            (503, "OPTIONS", Some("503 Service Unavailable")),
            (500, "INVITE", Some("500 Server Internal Error")),
            (401, "REGISTER", None),
            (407, "INVITE", None),
            (423, "REGISTER", None),
            (486, "INVITE", None),
            (487, "INVITE", None),
            (603, "INVITE", None),
            (200, "INVITE", None),
            (302, "INVITE", None),
            (0, "", None),
        ];
        for (status, method, words) in sip {
            assert_eq!(find_sip_failure(status, method), words, "{status} {method}");
            assert!(words.is_none_or(|words| is_failure(Protocol::Sip, words)), "{status}");
        }
        assert!(!is_failure(Protocol::Sip, "response"));
        for (label, fails) in [(dns_label::REFUSED, true), (dns_label::NO_SUCH_NAME, false)] {
            assert_eq!(is_failure(Protocol::Dns, label), fails, "{label}");
        }
        assert!(is_failure(Protocol::Radius, radius_label::ACCESS_REJECT));
        assert!(!is_failure(Protocol::Radius, "Access-Challenge"));
    }
}
