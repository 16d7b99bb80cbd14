//! Words for the values that reports show again and again.

use std::net::IpAddr;

use crate::model::finding::Verdict;
use crate::model::packet::IcmpKind;
use crate::model::report::Device;
use crate::model::topology::{FactSource, Role};

/// A verdict for readers; a trait, because templates reach values through references.
pub(crate) trait VerdictWords {
    /// One sentence for someone who has never seen the word used so.
    fn meaning(&self) -> &'static str;

    /// A sign beside the word, so that colour is not the only difference.
    fn sign(&self) -> &'static str;
}

impl VerdictWords for Verdict {
    fn meaning(&self) -> &'static str {
        match self {
            Self::Broken => {
                "An address or port changed on the way, and the exchange stopped because of it."
            }
            Self::Rejected => "An ICMP error ended the exchange. No address had changed.",
            Self::Unanswered => {
                "Something was sent that needs an answer, and no usable answer came."
            }
            Self::Inconclusive => "The capture does not show enough to say.",
            Self::Tolerated => {
                "An address or port changed on the way, and nothing shows that it did harm."
            }
            Self::OneWay => "No answer is due: the protocol has none, or a group was asked.",
            Self::Symmetric => {
                "Replies came from the address asked, follow-ups went to the address that replied."
            }
        }
    }

    fn sign(&self) -> &'static str {
        match self {
            Self::Broken | Self::Rejected => "✗",
            Self::Unanswered => "!",
            Self::Inconclusive => "?",
            Self::Tolerated => "≈",
            Self::OneWay => "→",
            Self::Symmetric => "✓",
        }
    }
}

/// Whether there is something to say about a device besides that it works.
#[must_use]
pub(super) fn needs_detail(device: &Device) -> bool {
    !device.findings.is_empty()
        || device.error_answers > 0
        || !matches!(device.verdict, Verdict::Symmetric | Verdict::OneWay)
}

/// A role as a label before an address: `VIP`.
#[must_use]
pub(super) const fn role_label(role: Role) -> &'static str {
    match role {
        Role::Device => "device",
        Role::Vip => "VIP",
        Role::Node => "node",
        Role::Pod => "pod",
        Role::Service => "service",
        Role::Multicast => "multicast",
        Role::Broadcast => "broadcast",
        Role::External => "outside host",
        Role::Unknown => "unknown role",
    }
}

/// Where a role is known from, as a table says it.
#[must_use]
pub(super) const fn fact_source_label(source: FactSource) -> &'static str {
    match source {
        FactSource::DeviceList => "device list",
        FactSource::Kubernetes => "Kubernetes",
        FactSource::Agent => "the node's agent",
        FactSource::IpAddr => "ip addr",
        FactSource::IpRoute => "ip route",
        FactSource::Conntrack => "connection tracking",
        FactSource::Address => "the address itself",
        FactSource::Packets => "inferred from packets",
    }
}

/// `ICMPv6 port unreachable`: the family is that of the sender.
#[must_use]
pub(super) fn icmp_label(kind: IcmpKind, from: IpAddr) -> String {
    let family = if from.is_ipv6() { "ICMPv6" } else { "ICMP" };
    format!("{family} {}", kind.as_text())
}

/// `1 packet`, `3 packets`, `100,000 packets`.
#[must_use]
pub(crate) fn count(number: u64, singular: &str, plural: &str) -> String {
    format!("{} {}", group_digits(number), if number == 1 { singular } else { plural })
}

/// `99,790`.
#[must_use]
pub(crate) fn group_digits(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// How a limit or a size is said: `512 bytes`, `64 MiB`, `1.5 GiB`.
#[must_use]
pub(crate) fn byte_size(bytes: u64) -> String {
    let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match units.into_iter().find(|&(_, size)| bytes >= size) {
        None => count(bytes, "byte", "bytes"),
        Some((unit, size)) => match bytes % size * 10 / size {
            0 => format!("{} {unit}", bytes / size),
            tenths => format!("{}.{tenths} {unit}", bytes / size),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (99_790, "99,790"),
            (1_234_567, "1,234,567"),
        ];
        for (number, expected) in cases {
            assert_eq!(group_digits(number), expected);
        }
        assert_eq!(count(1, "packet", "packets"), "1 packet");
        assert_eq!(count(0, "packet", "packets"), "0 packets");
    }

    #[test]
    fn sizes_read_at_their_own_scale() {
        let cases = [
            (1, "1 byte"),
            (512, "512 bytes"),
            (1 << 16, "64 KiB"),
            (64 << 20, "64 MiB"),
            (3 << 29, "1.5 GiB"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(byte_size(bytes), expected);
        }
        assert!(!byte_size(u64::MAX).is_empty());
    }
}
