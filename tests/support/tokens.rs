//! Rust source as words and signs.

/// A word or a sign, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Counted from 1.
    pub line: usize,
    /// An identifier, `::`, or one other character.
    pub text: String,
}

/// Words and signs without comments, strings, characters and lifetimes.
pub fn read_tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let mut tokens = Vec::new();
    let (mut index, mut line) = (0, 1);
    while index < chars.len() {
        let start = index;
        match at(index) {
            '/' if at(index + 1) == '/' => {
                while index < chars.len() && at(index) != '\n' {
                    index += 1;
                }
            }
            '/' if at(index + 1) == '*' => index = block_comment_end(&chars, index),
            '"' => index = string_end(&chars, index),
            '\'' => index = character_or_lifetime_end(&chars, index),
            first if first.is_alphabetic() || first == '_' => {
                while at(index).is_alphanumeric() || at(index) == '_' {
                    index += 1;
                }
                let word: String = chars[start..index].iter().collect();
                let is_prefix = matches!(word.as_str(), "r" | "b" | "br" | "c" | "cr");
                if is_prefix && at(index) == '#' && is_word(&at(index + 1).to_string()) {
                    index += 1; // r#match: the word follows.
                } else if is_prefix && matches!(at(index), '"' | '#') {
                    index = if word.contains('r') {
                        raw_string_end(&chars, index)
                    } else {
                        string_end(&chars, index)
                    };
                } else if word == "b" && at(index) == '\'' {
                    index = character_or_lifetime_end(&chars, index);
                } else {
                    tokens.push(Token { line, text: word });
                }
            }
            ':' if at(index + 1) == ':' => {
                tokens.push(Token { line, text: "::".to_owned() });
                index += 2;
            }
            other => {
                if !other.is_whitespace() {
                    tokens.push(Token { line, text: other.to_string() });
                }
                index += 1;
            }
        }
        line += chars[start..index.min(chars.len())].iter().filter(|&&c| c == '\n').count();
    }
    tokens
}

/// Whether a token is an identifier or a keyword.
pub fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

fn block_comment_end(chars: &[char], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut index = start;
    while index < chars.len() {
        match (chars[index], chars.get(index + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                index += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                index += 2;
                if depth == 0 {
                    return index;
                }
            }
            _ => index += 1,
        }
    }
    index
}

fn string_end(chars: &[char], start: usize) -> usize {
    let mut index = start + 1;
    while index < chars.len() {
        match chars[index] {
            '\\' => index += 2,
            '"' => return index + 1,
            _ => index += 1,
        }
    }
    index
}

fn raw_string_end(chars: &[char], start: usize) -> usize {
    let hashes = chars[start..].iter().take_while(|&&c| c == '#').count();
    let mut index = start + hashes + 1;
    while index < chars.len() {
        let closing = chars[index + 1..].iter().take(hashes).filter(|&&c| c == '#').count();
        if chars[index] == '"' && closing == hashes {
            return index + 1 + hashes;
        }
        index += 1;
    }
    index
}

/// `'a'`, `'\n'` or `'\u{41}'`; a lifetime is passed over like a character.
fn character_or_lifetime_end(chars: &[char], start: usize) -> usize {
    match (chars.get(start + 1), chars.get(start + 2)) {
        (Some('\\'), _) => {
            let mut index = start + 3;
            while index < chars.len() && chars[index] != '\'' {
                index += 1;
            }
            index + 1
        }
        (Some(_), Some('\'')) => start + 3,
        _ => {
            let mut index = start + 1;
            while chars.get(index).is_some_and(|c| c.is_alphanumeric() || *c == '_') {
                index += 1;
            }
            index
        }
    }
}
