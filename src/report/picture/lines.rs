//! Text in lines, as SVG does not break any.

use crate::report::plain::clip;

/// An address in lines of at most `limit_characters`, broken after colons and
/// dots where that is possible.
pub(super) fn break_address(address: &str, limit_characters: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for piece in address.split_inclusive([':', '.']) {
        match lines.last_mut() {
            Some(line) if line.is_empty() || line.len() + piece.len() <= limit_characters => {
                line.push_str(piece);
            }
            _ => lines.push(piece.to_owned()),
        }
    }
    lines
}

/// `text` in at most `lines_max` lines, broken at spaces; the last is cut where that is not enough.
pub(super) fn break_words(
    text: &str,
    first_room: usize,
    room: usize,
    lines_max: usize,
) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text;
    while lines.len() + 1 < lines_max {
        let room = if lines.is_empty() { first_room } else { room };
        if rest.chars().count() <= room {
            break;
        }
        let fits = rest.match_indices(' ').map(|(at, _)| at);
        let Some(at) = fits.take_while(|at| rest[..*at].chars().count() <= room).last() else {
            break;
        };
        lines.push(rest[..at].to_owned());
        rest = rest[at..].trim_start();
    }
    let room = if lines.is_empty() { first_room } else { room };
    lines.push(clip(rest, room).into_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_break_where_they_can() {
        let cases: [(&str, usize, &[&str]); 4] = [
            ("2000::65:119", 14, &["2000::65:119"]),
            ("192.168.101.254", 9, &["192.168.", "101.254"]),
            (
                "fd00:177:177:0:7bf3:bb28:910a:873c",
                18,
                &["fd00:177:177:0:", "7bf3:bb28:910a:", "873c"],
            ),
            ("2000::65:119", 1, &["2000:", ":", "65:", "119"]),
        ];
        for (address, limit, expected) in cases {
            assert_eq!(break_address(address, limit), expected, "{address} at {limit}");
        }
    }

    #[test]
    fn words_break_at_spaces() {
        let error = "ICMPv6 port unreachable: [2000::65:21]:32991";
        let cases: [(&str, usize, usize, &[&str]); 5] = [
            (error, 60, 1, &[error]),
            (error, 30, 2, &["ICMPv6 port unreachable:", "[2000::65:21]:32991"]),
            (error, 30, 1, &["ICMPv6 port unreachable: [200…"]),
            ("one two three four", 8, 2, &["one two", "three f…"]),
            ("unbroken", 4, 2, &["unb…"]),
        ];
        for (text, room, lines_max, expected) in cases {
            assert_eq!(break_words(text, room, room, lines_max), expected, "{text} at {room}");
        }
    }
}
