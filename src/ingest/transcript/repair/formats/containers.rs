//! What container runtimes and the tools around them write before a line.

use super::{Part, split_word, times};

/// `[pod/NAME/CONTAINER] LINE` of `kubectl logs --prefix`.
pub(super) fn find_kubectl(text: &str) -> Option<Part<'_>> {
    let (source, rest) = text.strip_prefix('[')?.split_once("] ")?;
    let (kind, name) = source.split_once('/')?;
    let is_source = kind == "pod" && name.contains('/') && !name.contains(' ');
    is_source.then_some(Part { source: Some(source), ..Part::of(rest) })
}

/// `TIME stdout F LINE` of the files that the kubelet reads; `P` stands before a part of a
/// line that is longer than any of tcpdump.
pub(super) fn find_cri(text: &str) -> Option<Part<'_>> {
    let (time, rest) = times::split_time(text)?;
    let rest = rest.strip_prefix(" stdout ").or_else(|| rest.strip_prefix(" stderr "))?;
    let rest = rest.strip_prefix("F ").or_else(|| rest.strip_prefix("P "))?;
    Some(Part { time, ..Part::of(rest) })
}

/// `NAME  | LINE` of `docker compose`, and `NAME.1.ID@NODE    | LINE` of `docker service logs`
/// (docker/cli, cli/command/service/logs.go); pssh and ansible write hosts so.
pub(super) fn find_compose(text: &str) -> Option<Part<'_>> {
    let is_name =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'@');
    let (name, rest) = split_word(text, is_name)?;
    let rest = rest.strip_prefix(' ')?.trim_start_matches(' ').strip_prefix('|')?;
    let rest = if rest.is_empty() { rest } else { rest.strip_prefix(' ')? };
    let node = name.split_once('@').map(|(_, node)| node).filter(|node| !node.is_empty());
    Some(Part { source: Some(name), node, ..Part::of(rest) })
}

/// `POD CONTAINER LINE` of stern. Names are those of RFC 1123: no capitals.
pub(super) fn find_stern(text: &str) -> Option<Part<'_>> {
    find_names(text, 2)
}

/// `NAMESPACE POD CONTAINER LINE` of `stern --all-namespaces`.
pub(super) fn find_stern_all(text: &str) -> Option<Part<'_>> {
    find_names(text, 3)
}

fn find_names(text: &str, count: usize) -> Option<Part<'_>> {
    let mut rest = text;
    for _ in 0..count {
        rest = split_name(rest)?.1;
    }
    let source = text.get(..text.len() - rest.len())?.trim_end();
    Some(Part { source: Some(source), ..Part::of(rest) })
}

fn split_name(text: &str) -> Option<(&str, &str)> {
    let is_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
    let (name, rest) = split_word(text, is_name)?;
    // A time and a mark are none.
    let has_letter = name.bytes().any(|b| b.is_ascii_lowercase());
    has_letter.then_some((name, rest.strip_prefix(' ')?))
}

/// A line in a file of Docker's `json-file` driver.
#[derive(Debug, serde::Deserialize)]
pub(in super::super) struct Entry {
    /// What was printed, with its line end.
    pub log: String,
    pub time: Option<String>,
}

/// Finds the entry.
pub(in super::super) fn find_entry(text: &str) -> Option<Entry> {
    let text = text.trim();
    text.starts_with("{\"log\":").then(|| serde_json::from_str(text).ok()).flatten()
}
