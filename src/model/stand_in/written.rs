//! What is written where a packet's address belongs.

/// What a word in an address' place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// A host's name may be written so, in capitals as well: `/etc/hosts` and the DNS keep
    /// the case in which they were told it (RFC 4343 section 3).
    Name,
    /// A poster put a word in the address' place: `<server>`, `${VIP}`, `{{node}}`, an
    /// address of such parts, `${PREFIX}:${HOST}`, or one that says no more than that
    /// something stood there: `REDACTED`, `A.B.C.D`. It stands for one host, if different
    /// ones have different words.
    Mask,
    /// `XX.XX.CLIENT.XX.XX`, `x.x.x.x`, `10.0.xxx.1`: it stands for all that is masked.
    Blanked,
}

impl Written {
    /// What `text` is; `None` where it is no word for a host.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let inside = find_bracketed(text);
        if looks_blanked(text) || inside.is_some_and(looks_blanked) {
            return Some(Self::Blanked);
        }
        if inside.is_some_and(is_word) || is_masked_in_parts(text) {
            return Some(Self::Mask);
        }
        if text.chars().all(|c| c.is_ascii() && is_of_word(c)) {
            return Some(if says_that_it_masks(text) { Self::Mask } else { Self::Name });
        }
        // Of what stood in brackets: `[my ip]`, in any script.
        is_word(text).then_some(Self::Mask)
    }
}

const fn is_separator(c: char) -> bool {
    matches!(c, '.' | '-' | '_')
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || is_separator(c)
}

fn is_word(text: &str) -> bool {
    text.chars().any(char::is_alphabetic) && text.chars().all(is_of_word)
}

fn find_bracketed(text: &str) -> Option<&str> {
    const BRACKETS: [(&str, &str); 4] = [("<", ">"), ("${", "}"), ("{{", "}}"), ("{", "}")];
    BRACKETS.iter().find_map(|(open, close)| text.strip_prefix(open)?.strip_suffix(close))
}

/// Whether a text is an address of which parts are masked, each by a word in brackets.
fn is_masked_in_parts(text: &str) -> bool {
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_masked = |part: &str| {
        find_bracketed(part).is_some_and(|inside| is_word(inside) && !looks_blanked(inside))
    };
    text.split([':', '.']).all(|part| is_number(part) || is_masked(part))
        && text.split([':', '.']).any(is_masked)
}

/// Whether a word that could be a host's name says that it is none.
fn says_that_it_masks(text: &str) -> bool {
    const SAYS: [&str; 8] = [
        "redacted",
        "masked",
        "hidden",
        "removed",
        "censored",
        "obfuscated",
        "anonymized",
        "anonymised",
    ];
    const ADDRESS: [&str; 6] = ["ip", "ipv4", "ipv6", "addr", "address", "ipaddr"];
    let is_one_of = |words: &[&str], part: &str| words.iter().any(|w| w.eq_ignore_ascii_case(part));
    let mut parts = text.split(is_separator);
    let labels = text.split('.');
    let stands_for_each_byte = labels.clone().count() == 4
        && labels.clone().all(|label| label.len() == 1 && !label.as_bytes()[0].is_ascii_digit());
    stands_for_each_byte
        || parts.clone().any(|part| is_one_of(&SAYS, part))
        || parts.all(|part| is_one_of(&ADDRESS, part))
}

fn looks_blanked(text: &str) -> bool {
    text.split(['.', ':', '-'])
        .any(|label| !label.is_empty() && label.chars().all(|c| matches!(c, 'x' | 'X' | '*')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_a_host_are_told_apart() {
        let cases: [(Option<Written>, &[&str]); 4] = [
            (
                Some(Written::Name),
                &[
                    "switch7",
                    "SERVER01",
                    "VIP",
                    "WS-0815.EXAMPLE.NET",
                    "_gateway",
                    "node3.example.net",
                    "a",
                    "ip-192-0-2-9.ec2.internal",
                    "maskedball",
                ],
            ),
            (
                Some(Written::Mask),
                &[
                    "<server>",
                    "${VIP}",
                    "{{node}}",
                    "${PREFIX}:${HOST}",
                    "192.0.2.<host>",
                    "2001:db8::<host>",
                    "REDACTED",
                    "REDACTED_IP",
                    "ip-redacted",
                    "IP",
                    "IP_ADDRESS",
                    "A.B.C.D",
                    "a.b.c.d",
                    "我的ip",
                ],
            ),
            (
                Some(Written::Blanked),
                &["XX.XX.CLIENT.XX.XX", "x.x.x.x", "<x.x.x.x>", "10.0.xxx.1", "${PREFIX}:xx"],
            ),
            (None, &["", "<>", "<a<b>", "default/tftp-0", "a b", "non/sense"]),
        ];
        for (expected, texts) in cases {
            for text in texts {
                assert_eq!(Written::find(text), expected, "{text}");
            }
        }
    }
}
