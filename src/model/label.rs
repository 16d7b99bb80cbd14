//! Names of inputs: labels for people, never paths.

use std::collections::HashSet;

/// Longer names are cut.
const LONGEST_CHARACTERS: usize = 200;

/// Names given out in one analysis, so that each names one input.
#[derive(Debug, Default)]
pub struct Labels {
    given: HashSet<String>,
}

impl Labels {
    /// A label for the input that its sender calls `wanted`: the last part of
    /// a path, without control characters and text direction marks. Without
    /// anything left it is `fallback`; a name that is taken gets a number.
    pub fn unique(&mut self, wanted: &str, fallback: &str) -> String {
        let cleaned = clean(wanted);
        let name = if cleaned.is_empty() { fallback.to_owned() } else { cleaned };
        let mut label = name.clone();
        let mut number = 1_u64;
        while !self.given.insert(label.clone()) {
            number += 1;
            label = format!("{name} ({number})");
        }
        label
    }
}

/// A title from the names that the captures came with: one text may hold many
/// captures, and whoever sent it knows it by its file. `None` where one has no name.
#[must_use]
pub fn find_title(captures: &[Option<String>]) -> Option<String> {
    match captures {
        [only] => only.clone(),
        [Some(first), Some(second)] => Some(format!("{first} and {second}")),
        [Some(first), rest @ ..] if rest.iter().all(Option::is_some) => {
            Some(format!("{first} and {} more captures", rest.len()))
        }
        _ => None,
    }
}

fn clean(wanted: &str) -> String {
    let last = wanted.rsplit(['/', '\\']).next().unwrap_or(wanted);
    let visible: String =
        last.chars().filter(|sign| !is_invisible(*sign)).take(LONGEST_CHARACTERS).collect();
    let visible = visible.trim();
    if matches!(visible, "." | "..") { String::new() } else { visible.to_owned() }
}

/// Control characters, and the marks that turn text around (Unicode's
/// Bidi_Control) with which `gpj.exe` is made to look like `exe.jpg`.
fn is_invisible(sign: char) -> bool {
    sign.is_control()
        || matches!(sign, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_named_after_what_was_sent() {
        let named = |names: &[&str]| -> Vec<Option<String>> {
            names.iter().map(|name| Some((*name).to_owned())).collect()
        };
        let mut unnamed = named(&["a.pcap", "b.pcap"]);
        unnamed.push(None);
        let cases = [
            (named(&["session.txt"]), Some("session.txt")),
            (named(&["host.pcap", "pod.pcap"]), Some("host.pcap and pod.pcap")),
            (named(&["a", "b", "c"]), Some("a and 2 more captures")),
            (unnamed, None),
            (Vec::new(), None),
        ];
        for (captures, expected) in cases {
            assert_eq!(find_title(&captures).as_deref(), expected, "{captures:?}");
        }
    }

    #[test]
    fn names_are_labels() {
        let cases = [
            ("host.pcap", "host.pcap"),
            ("../../etc/passwd", "passwd"),
            (r"C:\captures\pod.pcap", "pod.pcap"),
            ("..", "capture"),
            ("a/..", "capture (2)"),
            ("", "capture (3)"),
            ("line\nbreak\u{202e}.pcap", "linebreak.pcap"),
            ("<b>bold</b>", "b>"),
            ("<i>.pcap", "<i>.pcap"),
            ("host.pcap", "host.pcap (2)"),
            ("dir/host.pcap", "host.pcap (3)"),
            ("抓包.pcap", "抓包.pcap"),
        ];
        let mut labels = Labels::default();
        for (wanted, expected) in cases {
            assert_eq!(labels.unique(wanted, "capture"), expected, "{wanted:?}");
        }
        assert_eq!(labels.unique(&"ü".repeat(9_999), "capture").chars().count(), 200);
    }
}
