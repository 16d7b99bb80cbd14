//! What answers are called with which a server refuses who asks, or what is asked.

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

const ALL: [&str; 11] = [
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

/// Whether an answer that is called so refuses.
#[must_use]
pub fn is_refusal(label: &str) -> bool {
    ALL.contains(&label)
}
