//! What others say of a failure, as one short line: for logs, pages and answers.

use std::error::Error;

/// The longest reason that is passed on, in characters.
const MOST_CHARACTERS: usize = 500;

/// A text from outside as one line, without control characters, cut where it is long.
#[must_use]
pub fn render_line(text: &str) -> String {
    let harmless = text.chars().map(|sign| if sign.is_control() { ' ' } else { sign });
    harmless.take(MOST_CHARACTERS).collect()
}

/// An error and its sources, from the outside in. Errors of other libraries may end in
/// what their source says, which is told once.
#[must_use]
pub fn render_chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let said = error.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = error.source();
    }
    text
}

/// The innermost cause of an error: it says what happened. The outer ones of an HTTP
/// client hold the URL, which can be a secret and is no news to whoever asked. None
/// where the error has no cause but itself.
#[must_use]
pub fn find_root_cause(error: &dyn Error) -> Option<String> {
    let mut cause = error.source()?;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    Some(render_line(&cause.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("at http://host/secret")]
    struct Outer(#[source] std::io::Error);

    #[derive(Debug, thiserror::Error)]
    #[error("cannot connect: {0}")]
    struct Repeating(#[source] std::io::Error);

    #[test]
    fn the_innermost_cause_is_told() {
        let inner = std::io::Error::other("refused\nhere");
        let outer = Outer(inner);
        assert_eq!(find_root_cause(&outer).as_deref(), Some("refused here"));
        assert_eq!(render_chain(&outer), "at http://host/secret: refused\nhere");
        assert_eq!(find_root_cause(&std::io::Error::other("alone")), None);
        let twice = Repeating(std::io::Error::other("refused"));
        assert_eq!(render_chain(&twice), "cannot connect: refused");
    }

    #[test]
    fn reasons_are_one_short_line() {
        assert_eq!(render_line("a\nb\u{1b}[2J"), "a b [2J");
        assert_eq!(render_line(&"x".repeat(2_000)).len(), 500);
    }
}
