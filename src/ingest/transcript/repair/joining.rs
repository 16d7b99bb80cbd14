//! The ways to put the parts of a broken line together.

use super::line_end::has_open_quote;
use crate::ingest::tcpdump_text::Completeness;

/// Breaks that are tried both ways; those before them stay as they are.
const LIMIT_TRIED: usize = 4;

/// How a break is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// As a window breaks lines: anywhere, and nothing is lost.
    Together,
    /// As mail does, and a window of which the spaces at the lines' ends were lost.
    Apart,
}

/// Parts that are put together.
#[derive(Debug, Clone)]
pub(super) struct Joined {
    pub text: String,
    /// How each break was undone.
    pub ways: Vec<Way>,
    pub complete: Completeness,
    /// The first break stands within a word: only a window can have put it there.
    pub is_of_window: bool,
}

/// Puts all parts together in the way that tells most of the packet. `settled` is how the
/// breaks before the last were undone, `width` that of the window in columns, if it is known.
pub(super) fn find_best(
    parts: &[&str],
    settled: &[Way],
    width: Option<usize>,
    complete: impl Fn(&str) -> Option<Completeness>,
) -> Option<Joined> {
    let is_full = |text: &str| width.is_some_and(|width| width == columns(text));
    let usual = |pair: &[&str]| match pair {
        // A space follows on these wherever tcpdump prints them.
        [text, _] if text.ends_with([',', '>']) => Way::Apart,
        [text, next] if is_full(text) || is_within_word(text, next) => Way::Together,
        _ => Way::Apart,
    };
    let usual: Vec<Way> = parts.windows(2).map(usual).collect();
    let kept = usual.len().saturating_sub(LIMIT_TRIED);
    let mut tried: Vec<u32> = (0..1_u32 << (usual.len() - kept)).collect();
    // Of those that tell as much the last counts: the usual one.
    tried.sort_by_key(|unusual| std::cmp::Reverse(unusual.count_ones()));
    let attempt = |unusual: u32| {
        let way = |(at, way): (usize, &Way)| match at.checked_sub(kept) {
            None => settled.get(at).copied().unwrap_or(*way),
            Some(bit) if (unusual >> bit) & 1 == 1 => way.other(),
            Some(_) => *way,
        };
        let ways: Vec<Way> = usual.iter().enumerate().map(way).collect();
        let text = join(parts, &ways);
        Some(Joined { complete: complete(&text)?, text, ways, is_of_window: false })
    };
    let best = tried.into_iter().filter_map(attempt).max_by_key(|joined| joined.complete)?;
    let mut apart = best.ways.clone();
    let is_together =
        apart.first_mut().is_some_and(|way| std::mem::replace(way, Way::Apart) == Way::Together);
    let is_of_window = is_together
        && complete(&join(parts, &apart)).is_none_or(|complete| complete < best.complete);
    Some(Joined { is_of_window, ..best })
}

/// All parts, which were broken at spaces.
pub(super) fn join_apart(parts: &[&str]) -> String {
    join(parts, &vec![Way::Apart; parts.len()])
}

fn join(parts: &[&str], ways: &[Way]) -> String {
    let mut joined = String::with_capacity(parts.iter().map(|part| part.len() + 1).sum());
    for (at, part) in parts.iter().enumerate() {
        match at.checked_sub(1).and_then(|before| ways.get(before)) {
            None | Some(Way::Together) => joined.push_str(part),
            Some(Way::Apart) => {
                joined.truncate(joined.trim_end().len());
                joined.push(' ');
                joined.push_str(part.trim_start());
            }
        }
    }
    joined
}

/// Columns that a line takes in a window: a tab goes on to the next eighth.
pub(super) fn columns(text: &str) -> usize {
    text.chars().fold(0, |at, c| if c == '\t' { at / 8 * 8 + 8 } else { at + 1 })
}

/// Whether a break stands within a word for sure: digits go on, or a name in quotes, or a mark
/// before which no space stands.
fn is_within_word(text: &str, next: &str) -> bool {
    let ends = text.ends_with(|c: char| c.is_ascii_digit());
    let goes_on = next.starts_with(|c: char| c.is_ascii_digit());
    (ends && goes_on) || next.starts_with([':', '.', ',', ')', ']']) || has_open_quote(text)
}

impl Way {
    const fn other(self) -> Self {
        match self {
            Self::Together => Self::Apart,
            Self::Apart => Self::Together,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::tcpdump_text::find_completeness;

    #[test]
    fn each_break_is_undone_in_its_own_way() {
        let lines = [
            "07:29:48.6 IP 192.0.2.21 > 192.0.2.9: ICMP 192.0.2.21 udp port 32991 unreachable, length 36",
            "07:29:48.6 IP6 2001:db8::21 > 2001:db8::9: ICMP6, destination unreachable, unreachable port, 2001:db8::21 udp port 32991, length 83",
        ];
        for line in lines {
            let spaces: Vec<usize> = line.match_indices(' ').map(|(at, _)| at).skip(3).collect();
            for (at, first) in spaces.iter().enumerate() {
                for second in spaces.iter().skip(at + 1) {
                    // One break lost its space, the other stands within a word.
                    let parts =
                        [&line[..*first], &line[first + 1..second + 2], &line[second + 2..]];
                    let best = find_best(&parts, &[], None, find_completeness).unwrap();
                    assert_eq!(best.complete, Completeness::Whole, "{parts:?}");
                    assert_eq!(best.text, line, "{parts:?}");
                }
            }
        }
    }

    #[test]
    fn a_tab_takes_up_to_eight_columns() {
        assert_eq!(["", "ab", "\ta", "ab\tc"].map(columns), [0, 2, 9, 9]);
    }
}
