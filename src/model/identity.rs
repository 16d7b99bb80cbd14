//! Hashes by which a transaction and its question are recognised again, whether their
//! bytes were captured or a text spells them out.
//!
//! A capture at the node and a pasted `tcpdump` of the pod's cable show one datagram:
//! both readings come to the same number where the text shows as much as the bytes. Where
//! it shows less, or in other words, its number is marked, and says nothing about bytes.

use std::fmt;
use std::hash::Hasher;

use rustc_hash::FxHasher;

/// The mark of a number that was made from a text's own words.
const OF_WORDS: u64 = 1 << 63;

/// Hash of a message's identity or question: its fields in order, each with
/// its length, so that `ab, c` is not `a, bc`.
#[must_use]
pub fn hash_fields(fields: &[&[u8]]) -> u64 {
    let mut hasher = FxHasher::default();
    for field in fields {
        hasher.write(field);
        hasher.write_u32(u32::try_from(field.len()).unwrap_or(u32::MAX));
    }
    hasher.finish() & !OF_WORDS
}

/// The same of words that no bytes have: the names that `tcpdump` gives to numbers, or
/// what stands for an identity that it does not print.
#[must_use]
pub fn hash_words(words: &[&str]) -> u64 {
    let mut hasher = FxHasher::default();
    for word in words {
        hasher.write(word.as_bytes());
        hasher.write_u8(0xff);
    }
    hasher.finish() | OF_WORDS
}

/// Whether a text's number is that of its own words, and none that bytes can have.
#[must_use]
pub const fn is_of_words(number: u64) -> bool {
    number & OF_WORDS != 0
}

/// What one message of DHCP and its answer are about. A client's request has the transaction
/// id of the offer that it takes (RFC 2131 section 4.4.1), and is another question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeasePhase {
    /// BOOTP, or its type was not read.
    Untold = 0,
    Offer,
    Lease,
    Query,
}

/// The bits of a DHCP message's identity that say of which phase it is.
const PHASES: u64 = 3;

/// The identity of a DHCP message from the hash of its transaction id.
#[must_use]
pub const fn identity_in_phase(transaction: u64, phase: LeasePhase) -> u64 {
    transaction & !PHASES | phase as u64
}

/// What all messages have in common by which a client comes to one lease, from the identity
/// of one of them.
#[must_use]
pub const fn lease_of(identity: u64) -> u64 {
    identity & !PHASES
}

/// A DNS question while it is read: the name's labels, then the type. Names compare
/// without case (RFC 1035 section 2.3.3), and some resolvers mix it on purpose.
#[derive(Default)]
pub struct DnsQuestion(FxHasher);

impl fmt::Debug for DnsQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DnsQuestion").finish_non_exhaustive()
    }
}

impl DnsQuestion {
    /// Adds the next label.
    pub fn add_label(&mut self, label: &[u8]) {
        self.0.write_u8(u8::try_from(label.len()).unwrap_or(u8::MAX));
        for byte in label {
            self.0.write_u8(byte.to_ascii_lowercase());
        }
    }

    /// The number of the question for records of this type.
    #[must_use]
    pub fn finish(mut self, kind: u16) -> u64 {
        self.0.write_u16(kind);
        self.0.finish() & !OF_WORDS
    }
}

/// The identity that an NTP timestamp is, from its two halves (RFC 5905 section 6), of
/// which a text prints the second one in nanoseconds, rounded down.
#[must_use]
pub fn hash_ntp_timestamp(seconds: u32, nanoseconds: u32) -> u64 {
    hash_fields(&[&seconds.to_be_bytes(), &nanoseconds.to_be_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_run_together() {
        assert_ne!(hash_fields(&[b"ab", b"c"]), hash_fields(&[b"a", b"bc"]));
        assert_ne!(hash_fields(&[b"abc"]), hash_fields(&[b"abc", b""]));
        assert_ne!(hash_words(&["ab", "c"]), hash_words(&["a", "bc"]));
    }

    #[test]
    fn all_phases_of_a_lease_have_one_transaction() {
        for transaction in [hash_fields(&[&[1, 2, 3, 4]]), hash_words(&["0x1020304"])] {
            let identity = |phase| identity_in_phase(transaction, phase);
            assert_ne!(identity(LeasePhase::Offer), identity(LeasePhase::Lease));
            assert_eq!(
                lease_of(identity(LeasePhase::Offer)),
                lease_of(identity(LeasePhase::Lease))
            );
            assert_eq!(is_of_words(identity(LeasePhase::Query)), is_of_words(transaction));
        }
    }

    #[test]
    fn words_are_never_taken_for_bytes() {
        for text in ["", "R", "1234", ".1.3.6.1.2.1.1.1.0"] {
            assert!(is_of_words(hash_words(&[text])), "{text}");
            assert!(!is_of_words(hash_fields(&[text.as_bytes()])), "{text}");
        }
    }
}
