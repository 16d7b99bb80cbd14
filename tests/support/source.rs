//! Reads Rust source far enough to see which paths it names: `#[cfg(test)]`
//! items are told apart, `use` trees are spread out, and `self` and `super` are
//! resolved. It is no parser of Rust: what does not concern paths is passed over.

use std::collections::BTreeSet;

use super::tokens::{Token, is_word, read_tokens};

/// A path that a source file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPath {
    /// Counted from 1.
    pub line: usize,
    /// Absolute: begins with `crate` or with a crate's name. A glob ends in `*`.
    pub segments: Vec<String>,
    /// Within an item that only tests compile.
    pub in_test: bool,
}

/// What one file names.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Names {
    pub paths: Vec<NamedPath>,
    /// Modules that the file declares under `#[cfg(test)]`: their files are tests too.
    pub test_modules: BTreeSet<String>,
}

/// Reads the paths of one file. `module` is the file's own module below the
/// crate: `["ingest", "pcap"]` for `src/ingest/pcap.rs`.
pub fn read_names(module: &[String], source: &str) -> Names {
    let tokens = read_tokens(source);
    let mut names = Names::default();
    let scope = Scope { modules: module.to_vec(), in_test: false };
    read_items(&tokens, &scope, &mut names);
    names
}

/// Where paths are read: what `self` and `super` mean there.
#[derive(Debug, Clone)]
struct Scope {
    modules: Vec<String>,
    in_test: bool,
}

fn read_items(tokens: &[Token], scope: &Scope, names: &mut Names) {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let mut at = 0;
    let mut marked_test = false;
    while at < tokens.len() {
        if text(at) == "#" {
            let inner = text(at + 1) == "!";
            let open = at + 1 + usize::from(inner);
            if text(open) != "[" {
                at += 1;
                continue;
            }
            let end = matching(tokens, open);
            let words: Vec<&str> = (open + 1..end).map(text).collect();
            if words.starts_with(&["cfg", "(", "test"]) || words == ["test"] {
                if inner {
                    let scope = Scope { in_test: true, ..scope.clone() };
                    return read_items(&tokens[(end + 1).min(tokens.len())..], &scope, names);
                }
                marked_test = true;
            }
            at = end + 1;
            continue;
        }
        if marked_test {
            marked_test = false;
            let end = item_end(tokens, at);
            if let Some(word) = (at..end).find(|&word| text(word) == "mod")
                && text(word + 2) == ";"
            {
                names.test_modules.insert(text(word + 1).to_owned());
            }
            let scope = Scope { in_test: true, ..scope.clone() };
            read_items(&tokens[at..end], &scope, names);
            at = end;
            continue;
        }
        match text(at) {
            "mod" if text(at + 2) == "{" => {
                let end = matching(tokens, at + 2);
                let mut inner = scope.clone();
                inner.modules.push(text(at + 1).to_owned());
                read_items(&tokens[at + 3..end], &inner, names);
                at = end + 1;
            }
            // `impl Trait + use<'a>` is no import.
            "use" if text(at + 1) != "<" => {
                let end = (at..tokens.len()).find(|&end| text(end) == ";").unwrap_or(tokens.len());
                read_use_tree(&tokens[at + 1..end], &[], scope, names);
                at = end + 1;
            }
            "extern" if text(at + 1) == "crate" => {
                name_path(&[text(at + 2)], tokens[at].line, scope, names);
                at += 3;
            }
            word if is_word(word) || word == "::" => {
                let start = at;
                let mut segments = Vec::new();
                if word == "::" {
                    at += 1;
                }
                while is_word(text(at)) {
                    segments.push(text(at));
                    at += 1;
                    if text(at) == "::" && is_word(text(at + 1)) {
                        at += 1;
                    } else {
                        break;
                    }
                }
                if segments.len() > 1 {
                    name_path(&segments, tokens[start].line, scope, names);
                }
                at = at.max(start + 1);
            }
            _ => at += 1,
        }
    }
}

/// Spreads out `a::{b, c::{self, d as e}, *}`.
fn read_use_tree(tokens: &[Token], prefix: &[&str], scope: &Scope, names: &mut Names) {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let mut path = prefix.to_vec();
    let mut at = 0;
    while at < tokens.len() {
        match text(at) {
            "::" => at += 1,
            "{" => {
                let end = matching(tokens, at);
                let mut start = at + 1;
                let mut depth = 0_usize;
                for branch_end in at + 1..=end {
                    match text(branch_end) {
                        "{" => depth += 1,
                        "}" if branch_end < end => depth -= 1,
                        _ => {}
                    }
                    if branch_end == end || (depth == 0 && text(branch_end) == ",") {
                        read_use_tree(&tokens[start..branch_end], &path, scope, names);
                        start = branch_end + 1;
                    }
                }
                return;
            }
            "as" => break,
            // `a::{self}` names `a`.
            "self" if !path.is_empty() => at += 1,
            word => {
                path.push(word);
                at += 1;
            }
        }
    }
    if let Some(last) = tokens.first() {
        name_path(&path, last.line, scope, names);
    }
}

/// Resolves `self`, `super` and our own crate's name, and keeps the path.
fn name_path(segments: &[&str], line: usize, scope: &Scope, names: &mut Names) {
    let mut absolute: Vec<String> = Vec::new();
    let mut rest = segments;
    match segments.first() {
        Some(&("crate" | "replyscope")) => {
            absolute.push("crate".to_owned());
            rest = &segments[1..];
        }
        Some(&("self" | "super")) => {
            absolute.push("crate".to_owned());
            absolute.extend(scope.modules.iter().cloned());
            while let Some(&step @ ("self" | "super")) = rest.first() {
                if step == "super" && absolute.len() > 1 {
                    absolute.pop();
                }
                rest = &rest[1..];
            }
        }
        _ => {}
    }
    absolute.extend(rest.iter().map(|&segment| segment.to_owned()));
    names.paths.push(NamedPath { line, segments: absolute, in_test: scope.in_test });
}

/// The index of the bracket that closes the one at `open`, or the end.
fn matching(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "{" | "[" | "(" => depth += 1,
            "}" | "]" | ")" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

/// The index after the item that begins at `start`: after its `;` or its braces.
fn item_end(tokens: &[Token], start: usize) -> usize {
    let is_use = tokens.get(start).is_some_and(|token| token.text == "use");
    let mut at = start;
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            ";" => return at + 1,
            "{" if !is_use => return (matching(tokens, at) + 1).min(tokens.len()),
            "{" | "[" | "(" => at = matching(tokens, at) + 1,
            _ => at += 1,
        }
    }
    tokens.len()
}
