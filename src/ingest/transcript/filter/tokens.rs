//! The tokens of a filter, and where among them an expression of bytes stands.

/// Splits a filter. Parentheses and operators need no space around them, `&&` and `||` are
/// `and` and `or`, and `udp[8:2]` is one token whatever stands in its brackets.
pub(super) fn split_tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut word = String::new();
    let mut depth = 0_u32;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        if depth > 0 || c == '[' {
            depth = match c {
                '[' => depth.saturating_add(1),
                ']' => depth - 1,
                _ => depth,
            };
            word.push(c);
            continue;
        }
        let is_mark = matches!(c, '(' | ')' | '!') || is_operator(c);
        if c.is_whitespace() || is_mark {
            if !word.is_empty() {
                tokens.push(std::mem::take(&mut word));
            }
        } else {
            word.push(c);
        }
        if !is_mark {
            continue;
        }
        let mut mark = String::from(c);
        if c == '!' {
            mark.extend(characters.next_if_eq(&'='));
        } else if is_operator(c) {
            while let Some(next) = characters.next_if(|next| is_operator(*next)) {
                mark.push(next);
            }
        }
        tokens.push(match mark.as_str() {
            "&&" => "and".to_owned(),
            "||" => "or".to_owned(),
            _ => mark,
        });
    }
    if !word.is_empty() {
        tokens.push(word);
    }
    tokens
}

/// Of the relations and the arithmetic of pcap-filter(7): those that no name contains.
const fn is_operator(c: char) -> bool {
    matches!(c, '=' | '<' | '>' | '&' | '|' | '^')
}

/// How many tokens a relation has with which these begin, `udp[10] & 0x80 = 0` or
/// `len <= 100`: it ends where `and`, `or` or a parenthesis of another one does.
/// `None` where they begin with something else.
pub(super) fn find_relation(tokens: &[String]) -> Option<usize> {
    let mut depth = 0_u32;
    let mut has_operator = false;
    let mut length = 0;
    for token in tokens {
        match token.to_ascii_lowercase().as_str() {
            "and" | "or" | ")" if depth == 0 => break,
            // Parentheses around several conditions.
            "and" | "or" | "not" | "!" => return None,
            "(" => depth += 1,
            ")" => depth -= 1,
            word => {
                has_operator |= word.starts_with(is_operator) || word == "!=" || word.contains('[');
            }
        }
        length += 1;
    }
    (has_operator && depth == 0).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_split() {
        let cases = [
            ("udp port 53", "udp|port|53"),
            ("!(src host a)&&udp", "!|(|src|host|a|)|and|udp"),
            ("a||b", "a|or|b"),
            ("udp[8:2]=1", "udp[8:2]|=|1"),
            ("ip[6:2] & 0x1fff != 0", "ip[6:2]|&|0x1fff|!=|0"),
            ("udp[ ((ip[0] & 0xf) << 2) ]>=1", "udp[ ((ip[0] & 0xf) << 2) ]|>=|1"),
            ("portrange 1-2 or net 10.0.0.0/8", "portrange|1-2|or|net|10.0.0.0/8"),
            ("udp[8", "udp[8"),
            ("]", "]"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(split_tokens(text).join("|"), expected, "{text}");
        }
    }

    #[test]
    fn relations_are_found() {
        let cases = [
            ("udp[10] & 0x80 = 0", Some(5)),
            ("(udp[10] & 0x80) = 0 and port 53", Some(7)),
            ("(udp[10] & 0x80 = 0) or port 53", Some(7)),
            ("len <= 100)", Some(3)),
            ("(port 53 and udp[10] = 0)", None),
            ("not udp[10] = 0", None),
            ("src 192.0.2.7", None),
            ("(udp[10] = 0", None),
            (")", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(find_relation(&split_tokens(text)), expected, "{text}");
        }
    }
}
