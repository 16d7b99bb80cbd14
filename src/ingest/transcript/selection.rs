//! What a search behind a capture's command leaves of its packets: `tcpdump … | grep A?`.

mod pattern;

use self::pattern::{
    Case, is_never_of_packets, is_of_both_directions, is_of_errors, is_of_one_direction,
    is_of_protocol, split_alternatives,
};
use super::known_commands::base_name;
use crate::model::capture::{Carried, Condition};

/// What a search is for.
#[derive(Debug, Default)]
struct Search<'a> {
    patterns: Vec<&'a str>,
    /// `-v`: it shows the lines that have none of them.
    is_inverted: bool,
    case: Case,
}

/// The words of a search that may leave out what answers the lines it finds, and what of an
/// exchange it shows; `None` where the command searches nothing, or shows both directions.
pub(super) fn find_selection(words: &[String]) -> Option<(String, Condition)> {
    let (first, rest) = words.split_first()?;
    let search = match base_name(first) {
        "grep" | "egrep" | "fgrep" | "rg" => find_grep(rest),
        "awk" | "gawk" | "mawk" => find_awk(find_program(rest)?.trim()),
        // Junos: `monitor traffic … | match 192.0.2.7`.
        "match" => Search { patterns: first_operand(rest), ..Search::default() },
        "except" => {
            Search { patterns: first_operand(rest), is_inverted: true, ..Search::default() }
        }
        _ => return None,
    };
    let condition = search.condition()?;
    Some((words.join(" "), condition))
}

impl Search<'_> {
    /// What it shows of an exchange; `None` where that is whatever there was.
    fn condition(&self) -> Option<Condition> {
        let alternatives: Vec<String> =
            self.patterns.iter().flat_map(|pattern| split_alternatives(pattern)).collect();
        if !self.is_inverted {
            // A line needs one of them, so that others only add lines.
            let is_of_both = |one: &String| is_of_both_directions(one, self.case);
            return if alternatives.is_empty() || alternatives.iter().any(is_of_both) {
                None
            } else if alternatives.iter().all(|one| is_of_one_direction(one)) {
                Some(Condition::OneDirection)
            } else {
                Some(Condition::Unknown)
            };
        }
        // Lines with any of them are left out.
        let is_harmless = |one: &String| {
            is_never_of_packets(one)
                || is_of_protocol(one)
                || is_of_both_directions(one, Case::Ignored)
        };
        let doubtful: Vec<&String> = alternatives.iter().filter(|one| !is_harmless(one)).collect();
        if doubtful.is_empty() {
            return None;
        }
        Some(if doubtful.iter().all(|one| is_of_errors(one)) {
            Condition::Not(Box::new(Condition::Carries(Carried::Icmp)))
        } else {
            Condition::Unknown
        })
    }
}

/// What `grep` looks for: the values of `-e`, else its first operand.
fn find_grep(words: &[String]) -> Search<'_> {
    const WITH_VALUE: &str = "ABCDdefm";
    const LONG_WITH_VALUE: [&str; 6] =
        ["regexp", "file", "max-count", "context", "after-context", "before-context"];
    let mut search = Search::default();
    let mut operand = None;
    let mut has_patterns = false;
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None if LONG_WITH_VALUE.contains(&long) => (long, words.next()),
                None => (long, None),
            };
            match name {
                "regexp" => search.patterns.extend(value),
                "invert-match" => search.is_inverted = true,
                "ignore-case" => search.case = Case::Ignored,
                _ => {}
            }
            has_patterns |= matches!(name, "regexp" | "file");
            continue;
        }
        let Some(options) = word.strip_prefix('-').filter(|options| !options.is_empty()) else {
            operand = operand.or(Some(word));
            continue;
        };
        for (at, option) in options.char_indices() {
            match option {
                'v' => search.is_inverted = true,
                'i' | 'y' => search.case = Case::Ignored,
                _ => {}
            }
            if WITH_VALUE.contains(option) {
                let attached = options.get(at + 1..).filter(|value| !value.is_empty());
                let value = attached.or_else(|| words.next());
                if option == 'e' {
                    search.patterns.extend(value);
                }
                has_patterns |= matches!(option, 'e' | 'f');
                break;
            }
        }
    }
    if !has_patterns {
        search.patterns.extend(operand);
    }
    search
}

/// The first operand of `awk`; `-F` and `-v` may take the next word.
fn find_program(words: &[String]) -> Option<&str> {
    let mut words = words.iter().map(String::as_str);
    loop {
        match words.next()? {
            "-F" | "-v" => _ = words.next(),
            option if option.starts_with('-') => {}
            program => return Some(program),
        }
    }
}

/// What an `awk` program looks for: `/pattern/`, alone or before what is done with it. One
/// that compares fields may choose lines by anything; one that counts them (`NR > 1`) shows
/// both directions.
fn find_awk(program: &str) -> Search<'_> {
    let (is_inverted, rest) =
        program.strip_prefix('!').map_or((false, program), |rest| (true, rest));
    let whole = rest.strip_prefix('/').and_then(|rest| {
        let (pattern, behind) = rest.rsplit_once('/')?;
        let is_one = behind.trim().is_empty() || behind.trim_start().starts_with('{');
        (is_one && !pattern.contains('/')).then_some(pattern)
    });
    if let Some(pattern) = whole {
        return Search { patterns: vec![pattern], is_inverted, ..Search::default() };
    }
    let has_fields = program.replace("$0", "").contains('$');
    let is_choice =
        program.contains(['/', '~']) || (has_fields && program.contains(['=', '<', '>']));
    Search { patterns: is_choice.then_some(program).into_iter().collect(), ..Search::default() }
}

fn first_operand(words: &[String]) -> Vec<&str> {
    words.first().map(String::as_str).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::transcript::words::split_commands;

    #[test]
    fn searches_for_ends_leave_both_directions() {
        let one_way = Some(Condition::OneDirection);
        let unknown = Some(Condition::Unknown);
        let no_errors = Some(Condition::Not(Box::new(Condition::Carries(Carried::Icmp))));
        let cases = [
            ("grep 192.0.2.7", None),
            ("grep 2001:db8::7", None),
            ("grep --line-buffered -E '192.0.2.7|198.51.100.9'", None),
            ("grep -e 192.0.2.7 -e 198.51.100.9", None),
            ("grep -A 2 192.0.2.7.53", None),
            ("grep -A2 192.0.2.7.53", None),
            ("grep -m 20 -i ip", None),
            ("grep IP6", None),
            ("grep 'IP '", None),
            ("grep -i udp", None),
            ("grep .", None),
            ("grep -E '192.0.2.7|ICMP'", None),
            ("grep -E '2001:db8::7|ICMP6'", None),
            ("grep -e 192.0.2.7 -e ICMP", None),
            ("grep '192.0.2.7\\|ICMP'", None),
            ("grep -f hosts.txt", None),
            ("grep --color=auto -n 192.0.2.7", None),
            ("grep -E 'A\\?|192.0.2.7'", None),
            ("grep 'A?'", one_way.clone()),
            ("grep --regexp 'A?'", one_way.clone()),
            ("grep -ie 'a?'", one_way.clone()),
            ("grep '192.0.2.7.53:'", one_way.clone()),
            ("grep '> 192.0.2.7'", one_way.clone()),
            ("grep -e ICMP -e 'A?'", unknown.clone()),
            ("egrep -i 'query|response'", unknown.clone()),
            ("grep Out", unknown.clone()),
            ("match 'A?'", one_way.clone()),
            ("match 192.0.2.7", None),
            ("grep -v 192.0.2.9", None),
            ("grep -v 2001:db8::9", None),
            ("grep -v ARP", None),
            ("grep -v 'length 0'", None),
            ("grep -vE 'ARP|IP6'", None),
            ("grep -v listening", None),
            ("grep -v '^$'", None),
            ("grep --invert-match -i arp", None),
            ("except ARP", None),
            ("grep -v NTP", None),
            ("grep -vi 'ssh\\|mdns'", None),
            ("grep -v ICMP", no_errors.clone()),
            ("grep -vE 'ARP|ICMP6'", no_errors),
            ("grep -v '192.0.2.7.53:'", unknown.clone()),
            ("grep -v '1/0/0'", unknown.clone()),
            ("grep -vE '192.0.2.9|1/0/0'", unknown.clone()),
            ("grep -v -e ARP -e NXDomain", unknown.clone()),
            ("grep -vE 'ICMP|NXDomain'", unknown.clone()),
            ("awk '!/NXDomain/'", unknown.clone()),
            ("awk '/A\\?/'", one_way),
            ("awk '/192.0.2.7/ {print $1}'", None),
            ("awk '!/ARP/'", None),
            ("awk '!/1\\/0\\/0/'", unknown.clone()),
            ("awk '$5 ~ /53/'", unknown),
            ("awk -v x=1 -F ' ' '$5 ~ /53/'", Some(Condition::Unknown)),
            ("awk 'NR > 1'", None),
            ("awk '{ if (NR > 1) print }'", None),
            ("awk '{print}'", None),
            ("head -20", None),
            ("tee file", None),
            ("grep", None),
        ];
        for (command, expected) in cases {
            let words = split_commands(command).remove(0).words;
            let found = find_selection(&words);
            assert_eq!(found.map(|(_, condition)| condition), expected, "{command}");
        }
    }
}
