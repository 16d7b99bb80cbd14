//! What editors, diffs and people put before a line that they list or quote.

use super::{Part, split_word, times};

/// `3. LINE`, `(4) LINE`, `[4] LINE`, `S1) LINE`: an item of a list.
pub(super) fn find_item(text: &str) -> Option<Part<'_>> {
    let inside = text.trim_start().trim_start_matches(['(', '[', '#']);
    let letters = inside.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let (number, rest) = split_word(letters, |b: u8| b.is_ascii_digit())?;
    let is_number = number.len() <= 4 && inside.len() - letters.len() <= 4;
    let rest = rest.strip_prefix(['.', ')', ']'])?;
    times::skip_space(rest.strip_prefix(':').unwrap_or(rest)).filter(|_| is_number).map(Part::of)
}

/// `+LINE` of a diff, `* LINE` of a list, `# LINE` and `// LINE` of a comment, `| LINE` of a pane's border.
pub(super) fn find_mark(text: &str) -> Option<Part<'_>> {
    let rest = text
        .strip_prefix("//")
        .or_else(|| text.strip_prefix(['+', '-', '*', '•', '│', '|', '#']))?;
    Some(Part::of(rest.strip_prefix(' ').unwrap_or(rest)))
}

/// `| LINE |`, `| TIME | LINE |`: the cells of a table.
pub(super) fn find_cell(text: &str) -> Option<Part<'_>> {
    let inside = text.trim_end().strip_prefix('|')?.strip_suffix('|')?.trim_end();
    let inside = inside.strip_prefix(' ').unwrap_or(inside);
    let cells = inside.split_once('|').and_then(|(time, rest)| {
        let (time, behind) = times::split_time(time)?;
        behind.trim().is_empty().then_some((time, rest.strip_prefix(' ').unwrap_or(rest)))
    });
    Some(match cells {
        Some((time, rest)) => Part { time, ..Part::of(rest) },
        None => Part::of(inside),
    })
}
