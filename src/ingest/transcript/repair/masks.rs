//! Masks with blanks, which people put in an address' place: `<client ip>.59984 > …`. A packet's
//! side is one word, so each gets hyphens for its blanks.

use std::borrow::Cow;

/// Brackets around masks.
const BRACKETS: [(char, char); 3] = [('<', '>'), ('[', ']'), ('{', '}')];
/// A longer text in brackets is none.
const LIMIT_BYTES: usize = 60;
/// Masks that one line may have.
const LIMIT_MASKS: usize = 8;

/// The line with its masks as single words; as it is where it has none with blanks.
pub(super) fn join_masks(text: &str) -> Cow<'_, str> {
    let mut joined = Cow::Borrowed(text);
    for _ in 0..LIMIT_MASKS {
        let Some((from, to)) = find_mask(&joined) else { break };
        let (Some(before), Some(mask), Some(behind)) =
            (joined.get(..from), joined.get(from..to), joined.get(to..))
        else {
            break;
        };
        joined = Cow::Owned(format!("{before}{}{behind}", mask.replace(' ', "-")));
    }
    joined
}

/// Where a mask with blanks stands: at the source, before ` > `, or at the destination, behind
/// it. Elsewhere tcpdump itself prints brackets: `[udp sum ok]`, `options [mss 1460]`.
fn find_mask(text: &str) -> Option<(usize, usize)> {
    let opens = text.char_indices().filter_map(|(at, c)| {
        let (_, close) = BRACKETS.iter().find(|(open, _)| *open == c)?;
        let inside = text.get(at + 1..)?;
        let length = inside.find(*close).filter(|length| *length <= LIMIT_BYTES)?;
        Some((at, at + 1 + length + 1, inside.get(..length)?))
    });
    opens
        .filter(|(_, _, inside)| is_words(inside))
        .map(|(from, to, _)| (from, to))
        .find(|(from, to)| is_side(text, *from, *to))
}

/// Several words, and nothing but words.
fn is_words(inside: &str) -> bool {
    inside.trim() == inside
        && inside.contains(' ')
        && inside.chars().any(char::is_alphabetic)
        && inside.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.'))
}

/// Whether what stands around a mask makes it a side of a packet: perhaps a port, and the mark
/// between the sides.
fn is_side(text: &str, from: usize, to: usize) -> bool {
    let (Some(before), Some(behind)) = (text.get(..from), text.get(to..)) else { return false };
    let port_end = behind.find([' ', ':']).unwrap_or(behind.len());
    let (port, rest) = behind.split_at_checked(port_end).unwrap_or((behind, ""));
    let is_port = port.is_empty()
        || port
            .strip_prefix('.')
            .is_some_and(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_graphic()));
    let is_source = rest.starts_with(" > ");
    let is_destination = before.ends_with(" > ") && (rest.starts_with(':') || rest.is_empty());
    is_port && (is_source || is_destination)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_become_single_words() {
        let cases = [
            (
                "    <Client IP>.59984 > <Server IP>.53: 6+ A? a. (29)",
                "    <Client-IP>.59984 > <Server-IP>.53: 6+ A? a. (29)",
            ),
            (
                "07:29:48.654684 IP 192.0.2.9.5 > [my own VIP].69: UDP, length 4",
                "07:29:48.654684 IP 192.0.2.9.5 > [my-own-VIP].69: UDP, length 4",
            ),
            (
                "07:29:48.654684 IP6 2001:db8::9.5 > {my own VIP}.tftp: UDP, length 4",
                "07:29:48.654684 IP6 2001:db8::9.5 > {my-own-VIP}.tftp: UDP, length 4",
            ),
            (
                "07:29:48.654684 IP <the node> > <the client>: ICMP echo request",
                "07:29:48.654684 IP <the-node> > <the-client>: ICMP echo request",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(join_masks(text), expected);
        }
    }

    #[test]
    fn what_tools_print_stays() {
        let texts = [
            "IP 192.0.2.9.5 > 192.0.2.21.53: [udp sum ok] 6+ A? a. (29)",
            "IP6 2001:db8::9.5 > 2001:db8::21.53: [udp sum ok] 6+ A? a. (29)",
            "IP 192.0.2.9.5 > 192.0.2.21.80: Flags [S], options [mss 1460,nop], length 0",
            "IP <client>.5 > <server>.53: UDP, length 4",
            "See <the page>, then <the other page>",
            "2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500",
            "<a b",
            "",
        ];
        for text in texts {
            assert_eq!(join_masks(text), text);
        }
    }
}
