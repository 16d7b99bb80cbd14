//! Takes off what terminals and web pages put around a line.

use std::borrow::Cow;

/// The line as the tool printed it: without colours, HTML entities and odd spaces. Its
/// indentation stays, and so do the marks of mail.
pub(super) fn clean(line: &str) -> Cow<'_, str> {
    let line = line.trim_end_matches(['\r', '\n']);
    if line.bytes().all(|byte| byte != b'&' && (byte == b'\t' || (0x20..0x7f).contains(&byte))) {
        return Cow::Borrowed(line);
    }
    let line = remove_escapes(line);
    let line: String = line.chars().filter_map(replace_character).collect();
    let line = replace_entities(&line);
    Cow::Owned(line.into_owned())
}

/// Terminal control sequences: `ESC [ … letter`, `ESC ] … BEL`, and the choice of a
/// character set, `ESC ( B` (ECMA-35 section 14), with which `tput sgr0` ends. A
/// backspace goes back over what was typed before it.
fn remove_escapes(line: &str) -> String {
    let mut kept = String::with_capacity(line.len());
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        if c == '\u{8}' {
            kept.pop();
            continue;
        }
        if c != '\u{1b}' {
            kept.push(c);
            continue;
        }
        match characters.next() {
            Some('[') => while characters.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
            Some(' ' | '#' | '%' | '(' | ')' | '*' | '+' | '-' | '.' | '/') => {
                characters.next();
            }
            Some(']') => {
                while let Some(c) = characters.next() {
                    if c == '\u{7}' {
                        break;
                    }
                    if c == '\u{1b}' {
                        characters.next();
                        break;
                    }
                }
            }
            _ => {}
        }
    }
    kept
}

/// Spaces of all kinds become plain; what has no width or is a control goes.
fn replace_character(c: char) -> Option<char> {
    match c {
        '\t' => Some('\t'),
        '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{ad}' => None,
        '＞' => Some('>'),
        _ if c.is_control() => None,
        _ if c.is_whitespace() => Some(' '),
        _ => Some(c),
    }
}

/// HTML entities that copying leaves behind, in lower case.
const ENTITIES: &[(&str, char)] = &[
    ("&gt;", '>'),
    ("&lt;", '<'),
    ("&nbsp;", ' '),
    ("&quot;", '"'),
    ("&apos;", '\''),
    ("&amp;", '&'),
    ("&rarr;", '→'),
];

/// The longest entity that is known: `&#x0003e;`.
const LIMIT_ENTITY_BYTES: usize = 9;

/// Puts characters in place of entities. What was escaped twice, as by a page that
/// shows a page, comes out as well: `&amp;gt;`.
fn replace_entities(line: &str) -> Cow<'_, str> {
    let mut line = Cow::Borrowed(line);
    for _ in 0..2 {
        match replace_once(&line) {
            Some(replaced) => line = Cow::Owned(replaced),
            None => break,
        }
    }
    line
}

/// `None` where there is nothing to replace.
fn replace_once(line: &str) -> Option<String> {
    let mut replaced = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('&') {
        let (before, entity) = rest.split_at(at);
        replaced.push_str(before);
        if let Some((character, behind)) = find_entity(entity) {
            replaced.push(character);
            rest = behind;
        } else {
            replaced.push('&');
            rest = entity.get(1..).unwrap_or_default();
        }
    }
    replaced.push_str(rest);
    (replaced != line).then_some(replaced)
}

/// The character of the entity with which a text begins, and what stands behind it.
fn find_entity(text: &str) -> Option<(char, &str)> {
    let end = text.bytes().take(LIMIT_ENTITY_BYTES).position(|byte| byte == b';')?;
    let (entity, behind) = (text.get(..=end)?, text.get(end + 1..)?);
    let lower = entity.to_ascii_lowercase();
    if let Some((_, character)) = ENTITIES.iter().find(|(name, _)| *name == lower) {
        return Some((*character, behind));
    }
    let number = lower.strip_prefix("&#")?.strip_suffix(';')?;
    let number = match number.strip_prefix('x') {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => number.parse().ok()?,
    };
    let character = char::from_u32(number).filter(|character| !character.is_control())?;
    Some((if character.is_whitespace() { ' ' } else { character }, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_out_as_the_tool_printed_them() {
        let cases = [
            ("a b\r", "a b"),
            ("    a", "    a"),
            ("192.0.2.1 &gt; 192.0.2.2", "192.0.2.1 > 192.0.2.2"),
            ("a &amp;&amp; b", "a && b"),
            ("2001:db8::1 &#x3E; 2001:db8::2", "2001:db8::1 > 2001:db8::2"),
            ("192.0.2.1 &GT; 192.0.2.2", "192.0.2.1 > 192.0.2.2"),
            ("192.0.2.1 &amp;gt; 192.0.2.2", "192.0.2.1 > 192.0.2.2"),
            ("a&#160;b &#062; &#39;&#x27;", "a b > ''"),
            ("a & b; &#x110000; &#7; &x", "a & b; &#x110000; &#7; &x"),
            ("a\u{a0}b\u{3000}c\u{200b}d", "a b c d".replace(" d", "d").as_str()),
            ("\u{1b}[01;32mroot@node3\u{1b}[0m:~# ip a", "root@node3:~# ip a"),
            ("\u{1b}]0;root@node3: ~\u{7}root@node3:~# ip a", "root@node3:~# ip a"),
            ("\u{1b}[32mroot@node3\u{1b}(B\u{1b}[m:~# ip a\u{1b}[K", "root@node3:~# ip a"),
            ("root@node3:~# tcpdumo\u{8} \u{8}p -n", "root@node3:~# tcpdump -n"),
            ("ip\u{8}\u{8}\u{8}\u{8}ip -6 r", "ip -6 r"),
            ("\u{feff}a", "a"),
            ("a\u{1b}", "a"),
            ("", ""),
        ]
        .map(|(from, to)| (from.to_owned(), to.to_owned()));
        for (line, expected) in cases {
            assert_eq!(clean(&line), expected, "{line:?}");
        }
    }
}
