//! What each cause means, in the words of its documentation page.
//!
//! Examples use RFC 5737 and RFC 3849 addresses: 192.0.2.7 is the device,
//! 198.51.100.10 the VIP, 198.51.100.4 a node, 203.0.113.16 the pod.

use crate::model::finding::Cause;

mod addresses;
mod delivery;
mod icmp;
mod illustrations;
mod references;
mod silence;
mod translation;

pub use illustrations::{CauseIllustration, illustration};
pub use references::Reference;

/// The documentation of one cause; plain text, without markup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CauseDocumentation {
    /// What happened, for someone who has not met the word.
    pub meaning: &'static str,
    /// Packets that show it, one a line: `source → destination  what it says`.
    pub example: &'static str,
    /// What has to be in the captures before it is reported, and how sure it then is.
    pub proof: &'static str,
    /// What would show that it is something else.
    pub disproof: &'static str,
    /// What is usually changed. A finding's own remedies have the commands.
    pub remedy_summary: &'static str,
}

/// What a cause means.
#[must_use]
pub const fn documentation(cause: Cause) -> CauseDocumentation {
    match cause {
        Cause::FollowUpToRequestAddress => addresses::FOLLOW_UP_TO_REQUEST_ADDRESS,
        Cause::FollowUpToRequestPort => addresses::FOLLOW_UP_TO_REQUEST_PORT,
        Cause::ReplyIgnored => addresses::REPLY_IGNORED,
        Cause::ReplyRejected => addresses::REPLY_REJECTED,
        Cause::ReplyToPayloadAddress => addresses::REPLY_TO_PAYLOAD_ADDRESS,
        Cause::MappingExpired => translation::MAPPING_EXPIRED,
        Cause::ClientSourceChanged => addresses::CLIENT_SOURCE_CHANGED,
        Cause::ReplySourceNotRequested => addresses::REPLY_SOURCE_NOT_REQUESTED,
        Cause::FamiliesDiffer => addresses::FAMILIES_DIFFER,
        Cause::ReplySourceTranslated => translation::REPLY_SOURCE_TRANSLATED,
        Cause::ReplyPortTranslated => translation::REPLY_PORT_TRANSLATED,
        Cause::StaleTranslation => translation::STALE_TRANSLATION,
        Cause::RequestNotTranslated => translation::REQUEST_NOT_TRANSLATED,
        Cause::SenderTranslated => translation::SENDER_TRANSLATED,
        Cause::UnexpectedOwnSource => translation::UNEXPECTED_OWN_SOURCE,
        Cause::RequestNotDelivered => delivery::REQUEST_NOT_DELIVERED,
        Cause::FollowUpNotDelivered => delivery::FOLLOW_UP_NOT_DELIVERED,
        Cause::ReplyNotForwarded => delivery::REPLY_NOT_FORWARDED,
        Cause::NeighbourUnresolved => delivery::NEIGHBOUR_UNRESOLVED,
        Cause::FragmentsLost => delivery::FRAGMENTS_LOST,
        Cause::PortUnreachable => icmp::PORT_UNREACHABLE,
        Cause::HostUnreachable => icmp::HOST_UNREACHABLE,
        Cause::AdminProhibited => icmp::ADMIN_PROHIBITED,
        Cause::PacketTooBig => icmp::PACKET_TOO_BIG,
        Cause::RequestUnanswered => silence::REQUEST_UNANSWERED,
        Cause::FollowUpMissing => silence::FOLLOW_UP_MISSING,
        Cause::OneDirectionCaptured => silence::ONE_DIRECTION_CAPTURED,
        Cause::RetransmissionsRecovered => silence::RETRANSMISSIONS_RECOVERED,
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn texts(cause: Cause) -> [&'static str; 5] {
        let CauseDocumentation { meaning, example, proof, disproof, remedy_summary } =
            documentation(cause);
        [meaning, example, proof, disproof, remedy_summary]
    }

    #[test]
    fn every_cause_has_a_text_of_its_own() {
        let mut meanings: Vec<&str> = Cause::ALL.map(|cause| documentation(cause).meaning).to_vec();
        meanings.sort_unstable();
        meanings.dedup();
        assert_eq!(meanings.len(), Cause::ALL.len());
        for cause in Cause::ALL {
            let [meaning, example, proof, disproof, remedy] = texts(cause);
            for prose in [meaning, proof, disproof, remedy] {
                assert!(prose.len() > 60 && prose.ends_with('.'), "{cause}: {prose}");
                assert!(!prose.contains('\n') && !prose.contains("  "), "{cause}: {prose}");
            }
            assert!(example.lines().count() >= 2, "{cause}: {example}");
            assert!(example.lines().all(|line| line.contains(" → ")), "{cause}: {example}");
        }
    }

    #[test]
    fn examples_use_addresses_that_are_nobodys() {
        let ours = ["192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:"];
        for text in Cause::ALL.into_iter().flat_map(texts) {
            let words = text.split(|c: char| !(c.is_ascii_hexdigit() || matches!(c, '.' | ':')));
            for word in words.map(|word| word.trim_matches(['.', ':'])) {
                let bare = word.rsplit_once(':').map_or(word, |(address, _)| address);
                let is_address = [word, bare].iter().any(|word| word.parse::<IpAddr>().is_ok());
                assert!(!is_address || ours.iter().any(|net| word.starts_with(net)), "{word}");
            }
        }
    }
}
