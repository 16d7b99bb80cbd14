//! What `grep`, `cat -n` and shells on many hosts write before a line.

use std::net::IpAddr;

use super::{Part, split_word};

/// `FILE:LINE:TEXT`, `FILE:TEXT`, `LINE:TEXT` of grep; the lines around a match have `-` in
/// place of the colons.
pub(super) fn find_grep(text: &str) -> Option<Part<'_>> {
    if let Some(rest) = skip_line_number(text, &[':', '-']) {
        return Some(Part::of(rest));
    }
    let (file, mark, rest) = split_file(text)?;
    let rest = skip_line_number(rest, &[mark]).unwrap_or(rest);
    Some(Part { source: Some(file), ..Part::of(rest) })
}

/// The hours and the minutes of a packet's time are no number of a line.
fn skip_line_number<'a>(text: &'a str, marks: &[char]) -> Option<&'a str> {
    let (number, rest) = split_word(text, |b: u8| b.is_ascii_digit())?;
    let rest = rest.strip_prefix(marks).filter(|_| number.len() <= 7)?;
    let has = |at: usize, mark: u8| rest.as_bytes().get(at) == Some(&mark);
    let is_of_time = (has(2, b':') && !has(5, b':')) || has(2, b'.');
    (!is_of_time).then_some(rest)
}

/// A file's name and the mark behind it: the name has a dot, as in `host.txt`, or a
/// directory, or the number of a line behind it.
fn split_file(text: &str) -> Option<(&str, char, &str)> {
    /// A longer name is none.
    const LIMIT_BYTES: usize = 120;
    let word = text.bytes().take(LIMIT_BYTES).take_while(|byte| !matches!(byte, b' ' | b'\t'));
    let mut marks = word.enumerate().filter(|(_, byte)| matches!(byte, b':' | b'-'));
    marks.find_map(|(at, byte)| {
        let (file, rest) = (text.get(..at)?, text.get(at + 1..)?);
        let mark = char::from(byte);
        let is_file = file.bytes().any(|b| b.is_ascii_alphabetic())
            && !file.contains(['[', '|', '<', '='])
            && (file.contains(['.', '/']) || skip_line_number(rest, &[mark]).is_some());
        is_file.then_some((file, mark, rest))
    })
}

/// `FILE:TEXT` of `grep -H`, where the name has no dot: the packet follows at once, or what
/// `-v` prints below one with its indentation. The second line has to tell that it is a name.
pub(super) fn find_file(text: &str) -> Option<Part<'_>> {
    let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    let (file, rest) = split_word(text, is_name)?;
    let rest = rest.strip_prefix(':')?;
    let is_file = file.bytes().any(|byte| byte.is_ascii_alphabetic())
        && (!rest.starts_with(' ') || rest.starts_with("    "));
    is_file.then_some(Part { source: Some(file), ..Part::of(rest) })
}

/// `     7\tTEXT` of `cat -n` and `nl`, `7  TEXT` of editors and of `tcpdump -#`.
pub(super) fn find_number(text: &str) -> Option<Part<'_>> {
    let (_, rest) = split_number(text)?;
    let spaced = || rest.strip_prefix("  ").or_else(|| rest.strip_prefix(' '));
    rest.strip_prefix('\t').or_else(spaced).map(Part::of)
}

/// `   7: TEXT` of Cisco's `show capture`. Interfaces are listed so, too (ip-address(8)), and
/// look like a prompt behind it: of a session no line is numbered like that.
pub(super) fn find_count(text: &str) -> Option<Part<'_>> {
    let (_, rest) = split_number(text)?;
    rest.strip_prefix(": ").map(Part::of)
}

fn split_number(text: &str) -> Option<(&str, &str)> {
    let number = split_word(text.trim_start_matches(' '), |b: u8| b.is_ascii_digit())?;
    (number.0.len() <= 7).then_some(number)
}

/// `HOST: LINE` of pdsh, clush and `pssh -P`. Hosts are written in small letters (RFC 4343:
/// their case says nothing), people's words before a packet begin with a capital.
pub(super) fn find_host(text: &str) -> Option<Part<'_>> {
    let is_name = |b: u8| {
        b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.' | b'_' | b':')
    };
    let (name, rest) = split_word(text, is_name)?;
    let name = name.strip_suffix(':')?;
    let is_host = name.contains(|c: char| c.is_ascii_lowercase()) || name.parse::<IpAddr>().is_ok();
    let is_host = is_host && (!name.contains(':') || name.parse::<IpAddr>().is_ok());
    let rest = if rest.is_empty() { rest } else { rest.strip_prefix(' ')? };
    is_host.then_some(Part { source: Some(name), node: Some(name), ..Part::of(rest) })
}
