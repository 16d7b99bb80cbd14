//! Text from captures and uploads without the characters that act on a reader's screen.
//!
//! File names and payload words come from the wire. A terminal obeys escape
//! sequences in them, and both terminals and browsers obey marks that reorder
//! text (CVE-2021-42574 shows what those can hide).

use std::borrow::Cow;

/// `text` on one line: control characters, line ends and reordering marks are
/// replaced by visible stand-ins.
#[must_use]
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    replace(text, |character| match character {
        '\t' => Some(' '),
        other => find_stand_in(other),
    })
}

/// `text` as it is, line ends and tabs included, but for the other characters
/// that [`one_line`] replaces.
#[must_use]
pub(crate) fn many_lines(text: &str) -> Cow<'_, str> {
    replace(text, |character| match character {
        '\n' | '\t' => None,
        other => find_stand_in(other),
    })
}

/// At most `limit_characters` of `text`; an ellipsis is the last where it was cut.
#[must_use]
pub(crate) fn clip(text: &str, limit_characters: usize) -> Cow<'_, str> {
    let mut starts = text.char_indices().map(|(start, _)| start);
    let Some(last) = starts.nth(limit_characters.saturating_sub(1)) else {
        return Cow::Borrowed(text);
    };
    match starts.next() {
        Some(_) => Cow::Owned(format!("{}…", &text[..last])),
        None => Cow::Borrowed(text),
    }
}

fn replace(text: &str, find: impl Fn(char) -> Option<char>) -> Cow<'_, str> {
    if acts_on_a_screen(text, &find) {
        Cow::Owned(text.chars().map(|character| find(character).unwrap_or(character)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// Whether `find` replaces any character. Whole pages come here, and nearly all of
/// their bytes are ASCII's letters and marks, which need no closer look.
fn acts_on_a_screen(text: &str, find: impl Fn(char) -> Option<char>) -> bool {
    let mut rest = text;
    loop {
        let plain = rest.bytes().take_while(|byte| matches!(byte, b' '..=b'~')).count();
        let mut behind = rest.get(plain..).unwrap_or_default().chars();
        match behind.next() {
            Some(character) if find(character).is_some() => return true,
            Some(_) => rest = behind.as_str(),
            None => return false,
        }
    }
}

/// What to show for a character that must not reach a screen. Joiners
/// (U+200C, U+200D) stay: several scripts need them and they move nothing.
fn find_stand_in(character: char) -> Option<char> {
    match character {
        // Unicode has a picture for each of ASCII's control characters.
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(character)),
        '\u{7f}' => Some('\u{2421}'),
        '\u{80}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => Some('\u{fffd}'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_act_on_a_screen_are_replaced() {
        let cases = [
            // text, on one line, on many lines
            ("running.cfg", "running.cfg", "running.cfg"),
            ("设备-1 ü ✗", "设备-1 ü ✗", "设备-1 ü ✗"),
            ("a\x1b[2Jb", "a␛[2Jb", "a␛[2Jb"),
            ("a\nb\tc", "a␊b c", "a\nb\tc"),
            ("a\r\nb", "a␍␊b", "a␍\nb"),
            ("gfc.\u{202e}txt", "gfc.\u{fffd}txt", "gfc.\u{fffd}txt"),
            (
                "\u{2066}\u{2069}\u{9b}31m",
                "\u{fffd}\u{fffd}\u{fffd}31m",
                "\u{fffd}\u{fffd}\u{fffd}31m",
            ),
            ("\0\x7f", "␀␡", "␀␡"),
        ];
        for (text, one, many) in cases {
            assert_eq!(one_line(text), one, "{text:?}");
            assert_eq!(many_lines(text), many, "{text:?}");
        }
    }

    #[test]
    fn long_text_is_cut_at_characters() {
        let cases =
            [("", 3, ""), ("abc", 3, "abc"), ("abcd", 3, "ab…"), ("üüüü", 2, "ü…"), ("ab", 0, "…")];
        for (text, limit, expected) in cases {
            assert_eq!(clip(text, limit), expected, "{text} at {limit}");
        }
    }
}
