//! Words that a file brings along, made fit for a report.

/// Characters of a label that are kept.
const LABEL_MAX_CHARS: usize = 200;

/// `bytes` as text of one line and limited length: names of entries, comments.
/// What is no UTF-8 becomes U+FFFD; control characters and those that change
/// the direction of the text around them are taken out.
pub fn label(bytes: &[u8]) -> String {
    // Four bytes are the longest character; the rest need not be looked at.
    let head = &bytes[..bytes.len().min(LABEL_MAX_CHARS * 8)];
    let decoded = String::from_utf8_lossy(head);
    let mut clean = decoded
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .flat_map(|word| std::iter::once(' ').chain(word.chars()))
        .skip(1)
        .filter(|c| !is_invisible(*c));
    let mut label: String = clean.by_ref().take(LABEL_MAX_CHARS).collect();
    if clean.next().is_some() || head.len() < bytes.len() {
        label.pop();
        label.push('…');
    }
    label
}

/// Marks of direction and width, which can make a label read as another one.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_one_clean_line() {
        let cases: [(&[u8], &str); 8] = [
            (b"captures/host.pcap", "captures/host.pcap"),
            ("抓包/主机.pcap".as_bytes(), "抓包/主机.pcap"),
            (b"two\nlines\0\x1b[31m and  more\t", "two lines [31m and more"),
            (b"caf\xe9.pcap", "caf\u{fffd}.pcap"),
            ("a\u{202e}pacp.b".as_bytes(), "apacp.b"),
            (b"<script>", "<script>"), // the page escapes it
            (b"", ""),
            (b" \n ", ""),
        ];
        for (bytes, expected) in cases {
            assert_eq!(label(bytes), expected);
        }
        for length in [200, 201, 100_000] {
            let long = label("ü".repeat(length).as_bytes());
            assert_eq!(long.chars().count(), 200);
            assert_eq!(long.ends_with('…'), length > 200);
        }
    }
}
