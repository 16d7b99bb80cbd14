//! Captures that a copy in text mode, or a terminal, has damaged.

/// Line feeds that say enough.
const LEAST_LINE_FEEDS: usize = 2;

/// What to do where every line feed in `bytes` stands behind a carriage return: a
/// terminal (`kubectl exec -t`, `ssh -t`) and a copy in text mode put one before each.
/// Of whole captures, one in 256 line feeds has one by chance.
pub fn find_advice(bytes: &[u8]) -> Option<&'static str> {
    let mut line_feeds = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if *byte == b'\n' {
            if at == 0 || bytes.get(at - 1) != Some(&b'\r') {
                return None;
            }
            line_feeds += 1;
        }
    }
    (line_feeds >= LEAST_LINE_FEEDS).then_some(
        " (every line feed in it has a carriage return before it, as a terminal or a copy in text mode makes them: capture without -t, and copy in binary mode)",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carriage_returns_before_all_line_feeds_are_told() {
        let cases: [(&[u8], bool); 6] = [
            (b"a\r\nb\r\n", true),
            (b"a\r\nb\n", false),
            (b"\na\r\nb\r\n", false),
            (b"a\r\n", false),
            (b"abc", false),
            (b"", false),
        ];
        for (bytes, expected) in cases {
            assert_eq!(find_advice(bytes).is_some(), expected, "{bytes:?}");
        }
    }
}
