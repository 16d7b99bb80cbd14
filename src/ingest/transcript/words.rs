//! Splits a command line as a shell would, as far as we need it.

/// The simple commands of a line, each as its words; quotes are taken off.
/// What stands between them (`|`, `&&`, `;`) is dropped.
pub(super) fn split_commands(text: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None | Some('"'), '\\') => {
                word.get_or_insert_default().extend(characters.next());
            }
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '|' | ';' | '&') => {
                end_word(&mut commands, &mut word);
                commands.push(Vec::new());
            }
            (None, c) if c.is_whitespace() => end_word(&mut commands, &mut word),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    end_word(&mut commands, &mut word);
    commands.retain(|words| !words.is_empty());
    commands
}

fn end_word(commands: &mut [Vec<String>], word: &mut Option<String>) {
    if let (Some(word), Some(command)) = (word.take(), commands.last_mut()) {
        command.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_separators_are_respected() {
        let cases: [(&str, &[&[&str]]); 5] = [
            ("ip addr | grep a", &[&["ip", "addr"], &["grep", "a"]]),
            ("tcpdump 'a | b' -i eth0", &[&["tcpdump", "a | b", "-i", "eth0"]]),
            ("a && b; c", &[&["a"], &["b"], &["c"]]),
            ("a \"b c", &[&["a", "b c"]]),
            (" | ", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(split_commands(text), expected, "{text}");
        }
    }
}
