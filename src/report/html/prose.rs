//! Sentences with commands in them.

/// Part of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span<'a> {
    Words(&'a str),
    /// What stood between backticks: something to type.
    Code(&'a str),
}

/// Sentences for pages; a trait, because templates reach values through references.
pub(super) trait ProseWords {
    /// The parts between and outside backticks. A backtick without a partner stays.
    fn spans(&self) -> Vec<Span<'_>>;
}

impl ProseWords for String {
    fn spans(&self) -> Vec<Span<'_>> {
        let mut spans = Vec::new();
        let mut rest = self.as_str();
        while let Some((words, (code, after))) = split_code(rest) {
            spans.push(Span::Words(words));
            spans.push(Span::Code(code));
            rest = after;
        }
        spans.push(Span::Words(rest));
        spans.retain(|span| !matches!(span, Span::Words("")));
        spans
    }
}

fn split_code(text: &str) -> Option<(&str, (&str, &str))> {
    let (words, after) = text.split_once('`')?;
    Some((words, after.split_once('`')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backticks_mark_code() {
        let cases: [(&str, &[Span<'_>]); 5] = [
            ("", &[]),
            ("plain", &[Span::Words("plain")]),
            ("run `ip addr`.", &[Span::Words("run "), Span::Code("ip addr"), Span::Words(".")]),
            ("`a``b`", &[Span::Code("a"), Span::Code("b")]),
            ("one ` alone", &[Span::Words("one ` alone")]),
        ];
        for (text, spans) in cases {
            assert_eq!(text.to_owned().spans(), spans, "{text}");
        }
    }
}
