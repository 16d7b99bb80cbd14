//! Splits a command line as a shell would, as far as we need it.

/// A simple command of a line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Simple {
    /// Quotes are taken off.
    pub words: Vec<String>,
    /// It reads what the one before it prints: `|` or `|&` stands between them.
    pub reads_pipe: bool,
}

/// The simple commands of a line: what `|`, `||`, `&`, `&&` and `;` part (POSIX, Shell
/// Command Language, section 2.9).
pub(super) fn split_commands(text: &str) -> Vec<Simple> {
    let mut commands = vec![Simple::default()];
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut characters = text.chars().peekable();
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
            // `2>&1` and `&>file` redirect: they are words of the command.
            (None, '&')
                if word.as_ref().is_some_and(|word| word.ends_with(['>', '<']))
                    || characters.peek() == Some(&'>') =>
            {
                word.get_or_insert_default().push(c);
            }
            (None, '|' | ';' | '&') => {
                end_word(&mut commands, &mut word);
                let is_doubled = c != ';' && characters.next_if_eq(&c).is_some();
                let reads_pipe = c == '|' && !is_doubled;
                if reads_pipe {
                    characters.next_if_eq(&'&');
                }
                commands.push(Simple { reads_pipe, ..Simple::default() });
            }
            (None, c) if c.is_whitespace() => end_word(&mut commands, &mut word),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    end_word(&mut commands, &mut word);
    commands.retain(|command| !command.words.is_empty());
    commands
}

fn end_word(commands: &mut [Simple], word: &mut Option<String>) {
    if let (Some(word), Some(command)) = (word.take(), commands.last_mut()) {
        command.words.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_separators_are_respected() {
        // text, the words of each command behind `|` where it reads a pipe
        let cases: [(&str, &[&str]); 10] = [
            ("ip addr | grep a", &["ip,addr", "|grep,a"]),
            ("tcpdump 'a | b' -i eth0", &["tcpdump,a | b,-i,eth0"]),
            ("a && b; c", &["a", "b", "c"]),
            ("a || b|c", &["a", "b", "|c"]),
            ("a & b", &["a", "b"]),
            ("a 2>&1 |& b", &["a,2>&1", "|b"]),
            ("a &>file", &["a,&>file"]),
            ("a 2>&1&&b", &["a,2>&1", "b"]),
            ("a \"b c", &["a,b c"]),
            (" | ", &[]),
        ];
        for (text, expected) in cases {
            let commands = split_commands(text);
            let found: Vec<String> = commands
                .iter()
                .map(|one| {
                    format!("{}{}", if one.reads_pipe { "|" } else { "" }, one.words.join(","))
                })
                .collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
