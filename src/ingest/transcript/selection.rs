//! What a search behind a capture's command leaves of its packets: `tcpdump … | grep A?`.

use super::known_commands::base_name;

/// The words of a search that may leave out what answers the lines it finds; `None` where
/// the command searches nothing, or what it searches for stands in both.
pub(super) fn find_selection(words: &[String]) -> Option<String> {
    let (first, rest) = words.split_first()?;
    let patterns: Vec<&str> = match base_name(first) {
        "grep" | "egrep" | "fgrep" | "rg" => find_patterns(rest),
        // A program may choose lines by anything.
        "awk" | "gawk" | "mawk" => rest
            .iter()
            .map(String::as_str)
            .filter(|word| !word.starts_with('-'))
            .take(1)
            .filter(|program| program.contains(['/', '=', '~', '>', '<']))
            .collect(),
        _ => return None,
    };
    let is_doubtful = patterns.iter().any(|pattern| !is_of_both_directions(pattern));
    is_doubtful.then(|| words.join(" "))
}

/// What `grep` looks for: the values of `-e`, else its first operand.
fn find_patterns(words: &[String]) -> Vec<&str> {
    const WITH_VALUE: [&str; 5] = ["-A", "-B", "-C", "-m", "-f"];
    let mut named = Vec::new();
    let mut operand = None;
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        if word == "-e" {
            named.extend(words.next());
        } else if let Some(pattern) = word.strip_prefix("--regexp=") {
            named.push(pattern);
        } else if WITH_VALUE.contains(&word) {
            words.next();
        } else if !word.starts_with('-') {
            operand = operand.or(Some(word));
        }
    }
    if named.is_empty() { operand.into_iter().collect() } else { named }
}

/// Whether whatever is looked for stands in a packet's line as it does in its answer's: the
/// addresses and ports of both are the same. A colon stands behind the destination only,
/// and a space or `>` tells the sides apart, too.
fn is_of_both_directions(pattern: &str) -> bool {
    if matches!(pattern, "IP" | "IP6" | "UDP" | "") {
        return true;
    }
    let is_of_ends =
        |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':' | '|' | '\\' | '(' | ')' | '^');
    let has_number = pattern.contains(|c: char| c.is_ascii_digit());
    let parts = pattern.split('|').map(|part| part.trim_end_matches(['\\', ')']));
    let ends_a_line = |part: &str| part.ends_with(':') && !part.ends_with("::");
    has_number && pattern.chars().all(is_of_ends) && !parts.into_iter().any(ends_a_line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::transcript::words::split_commands;

    #[test]
    fn searches_for_ends_leave_both_directions() {
        // command, whether answers may be missing
        let cases = [
            ("grep 192.0.2.7", false),
            ("grep 2001:db8::7", false),
            ("grep --line-buffered -E '192.0.2.7|198.51.100.9'", false),
            ("grep -e 192.0.2.7 -e 198.51.100.9", false),
            ("grep -A 2 192.0.2.7.53", false),
            ("grep -v 192.0.2.9", false),
            ("grep IP6", false),
            ("grep 'A?'", true),
            ("grep '192.0.2.7.53:'", true),
            ("grep '> 192.0.2.7'", true),
            ("egrep -i 'query|192.0.2.7'", true),
            ("awk '/A\\?/'", true),
            ("awk '{print}'", false),
            ("head -20", false),
            ("tee file", false),
            ("grep", false),
        ];
        for (command, expected) in cases {
            let words = split_commands(command).remove(0);
            assert_eq!(find_selection(&words).is_some(), expected, "{command}");
        }
    }
}
