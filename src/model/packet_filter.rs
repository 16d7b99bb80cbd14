//! The rules of BSD's packet filter `pf`, as its log names them.

use std::fmt;

/// The number of the rule that stands behind all others (`pf_default_rule` of
/// `net/pf_ioctl.c`): it is in no ruleset.
const DEFAULT_RULE: u32 = u32::MAX;

/// The rule that decided about a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilterRule<'a> {
    /// In the main ruleset: the rule itself, or the one that calls the anchor.
    number: u32,
    inside: Option<RuleInAnchor<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RuleInAnchor<'a> {
    anchor: &'a str,
    /// In the anchor's ruleset.
    number: u32,
}

impl<'a> FilterRule<'a> {
    /// A rule by the fields of `struct pfloghdr` (`net/if_pflog.h`): the rule of the main
    /// ruleset, the anchor that it calls, and the rule inside that, which is all ones
    /// where there is none.
    #[must_use]
    pub fn new(number: u32, anchor: Option<&'a str>, inner_number: u32) -> Self {
        let inside = anchor
            .filter(|anchor| !anchor.is_empty() && inner_number != DEFAULT_RULE)
            .map(|anchor| RuleInAnchor { anchor, number: inner_number });
        Self { number, inside }
    }

    /// A rule as tcpdump prints it (print-pflog.c): `3`, `3.userrules.12`, and `def` on
    /// OpenBSD. An anchor's name may have dots as well.
    #[must_use]
    pub fn find(text: &'a str) -> Option<Self> {
        let number = |text: &str| match text {
            "def" => Some(DEFAULT_RULE),
            digits => digits.parse().ok(),
        };
        let Some((outer, inside)) = text.split_once('.') else {
            return Some(Self { number: number(text)?, inside: None });
        };
        let (anchor, inner) = inside.rsplit_once('.')?;
        Some(Self::new(number(outer)?, Some(anchor), number(inner)?))
    }

    /// Why a packet was dropped at `interface`, in a few words.
    #[must_use]
    pub fn block_reason(&self, interface: Option<&str>) -> Box<str> {
        let at = interface.map(|name| format!(" on {name}")).unwrap_or_default();
        format!("{self} blocks it{at}").into()
    }
}

impl fmt::Display for FilterRule<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.inside, self.number) {
            (Some(RuleInAnchor { anchor, number }), outer) => {
                write!(f, "rule {number} of anchor {anchor} (rule {outer})")
            }
            (None, DEFAULT_RULE) => f.write_str("the default rule"),
            (None, number) => write!(f, "rule {number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_told_from_fields_and_from_text() {
        let none = u32::MAX;
        let cases = [
            ("3", FilterRule::new(3, None, none), "rule 3"),
            ("3", FilterRule::new(3, Some(""), 7), "rule 3"),
            ("3..7", FilterRule::new(3, None, 7), "rule 3"),
            ("4294967295", FilterRule::new(none, None, none), "the default rule"),
            ("def", FilterRule::new(none, Some(""), none), "the default rule"),
            (
                "3.userrules.12",
                FilterRule::new(3, Some("userrules"), 12),
                "rule 12 of anchor userrules (rule 3)",
            ),
            (
                "9.ftp-proxy/41.7.0",
                FilterRule::new(9, Some("ftp-proxy/41.7"), 0),
                "rule 0 of anchor ftp-proxy/41.7 (rule 9)",
            ),
        ];
        for (text, fields, told) in cases {
            assert_eq!(FilterRule::find(text), Some(fields), "{text}");
            assert_eq!(fields.to_string(), told);
        }
        for text in ["", "x", "3.", "3.a", "3.a.x", "-1"] {
            assert_eq!(FilterRule::find(text), None, "{text}");
        }
        let rule = FilterRule::new(7, None, none);
        assert_eq!(&*rule.block_reason(Some("igb1")), "rule 7 blocks it on igb1");
        assert_eq!(&*rule.block_reason(None), "rule 7 blocks it");
    }
}
