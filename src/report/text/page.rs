//! Lines of text under construction. All words pass through here and lose the
//! characters that act on a terminal; colours are the only sequences that it writes.

use super::Style;
use crate::model::finding::{Severity, Verdict};
use crate::report::plain::one_line;

/// Columns at which paragraphs are wrapped.
const COLUMNS: usize = 96;

/// What colours stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    Bad,
    Warning,
    Good,
    Calm,
    Strong,
}

impl Colour {
    pub(super) const fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Broken | Verdict::Rejected => Self::Bad,
            Verdict::Unanswered | Verdict::Tolerated => Self::Warning,
            Verdict::Inconclusive | Verdict::OneWay => Self::Calm,
            Verdict::Symmetric => Self::Good,
        }
    }

    pub(super) const fn of_severity(severity: Severity) -> Self {
        match severity {
            Severity::Error => Self::Bad,
            Severity::Warning => Self::Warning,
            Severity::Info => Self::Calm,
        }
    }

    /// The sequence that starts it: ECMA-48, select graphic rendition.
    const fn sequence(self) -> &'static str {
        match self {
            Self::Bad => "\x1b[1;31m",
            Self::Warning => "\x1b[33m",
            Self::Good => "\x1b[32m",
            Self::Calm => "\x1b[36m",
            Self::Strong => "\x1b[1m",
        }
    }
}

const RESET: &str = "\x1b[0m";

/// Text under construction.
pub(super) struct Page {
    text: String,
    style: Style,
}

impl Page {
    pub(super) const fn new(style: Style) -> Self {
        Self { text: String::new(), style }
    }

    /// Words on the current line.
    pub(super) fn words(&mut self, words: &str) {
        self.text.push_str(&one_line(words));
    }

    /// Coloured words on the current line.
    pub(super) fn paint(&mut self, colour: Colour, words: &str) {
        match self.style {
            Style::Plain => self.words(words),
            Style::Ansi => {
                self.text.push_str(colour.sequence());
                self.words(words);
                self.text.push_str(RESET);
            }
        }
    }

    pub(super) fn end_line(&mut self) {
        let end = self.text.trim_end_matches(' ').len();
        self.text.truncate(end);
        self.text.push('\n');
    }

    /// A heading after an empty line.
    pub(super) fn heading(&mut self, words: &str) {
        self.end_line();
        self.paint(Colour::Strong, words);
        self.end_line();
    }

    /// Words in lines that are wrapped, each indented by `indent` columns.
    pub(super) fn paragraph(&mut self, indent: usize, words: &str) {
        self.item("", indent, words);
    }

    /// A paragraph whose first line begins with a mark to the left of the indent.
    pub(super) fn item(&mut self, mark: &str, indent: usize, words: &str) {
        let words = one_line(words);
        let mut column = 0;
        for word in words.split(' ').filter(|word| !word.is_empty()) {
            let length = word.chars().count();
            if column == 0 {
                let margin = indent.saturating_sub(mark.chars().count());
                self.space(margin);
                self.text.push_str(mark);
                column = indent;
            } else if column + 1 + length > COLUMNS {
                self.end_line();
                self.space(indent);
                column = indent;
            } else {
                self.text.push(' ');
                column += 1;
            }
            self.text.push_str(word);
            column += length;
        }
        self.end_line();
    }

    fn space(&mut self, columns: usize) {
        self.text.extend(std::iter::repeat_n(' ', columns));
    }

    /// Lines as they are, such as a command over several lines, indented and not wrapped.
    pub(super) fn verbatim(&mut self, indent: usize, text: &str) {
        for line in text.lines() {
            self.words(&format!("{:indent$}{line}", ""));
            self.end_line();
        }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_wrapped_and_indented() {
        let mut page = Page::new(Style::Plain);
        page.item("1. ", 5, &"word ".repeat(40));
        let text = page.finish();
        assert!(text.starts_with("  1. word"), "{text}");
        assert!(text.lines().all(|line| line.len() <= COLUMNS), "{text}");
        assert!(text.lines().skip(1).all(|line| line.starts_with("     word")), "{text}");
        assert_eq!(text.matches("word").count(), 40);
    }

    #[test]
    fn words_longer_than_a_line_stay_whole() {
        let mut page = Page::new(Style::Plain);
        page.paragraph(2, &format!("a {} b", "x".repeat(200)));
        assert_eq!(page.finish().lines().count(), 3);
    }
}
