//! JSON objects out of lines: one on a line, spread over many (`jq .`), several on
//! one, or the items of an array (`jq -s .`).

/// An event is much shorter.
const LIMIT_OBJECT_BYTES: usize = 1_024 * 1_024;

/// Whether an object, or an array of objects, may begin with this line.
pub(super) fn begins_json(text: &str) -> bool {
    let text = text.trim();
    text.starts_with('{')
        || text.strip_prefix('[').is_some_and(|rest| matches!(rest.trim_start(), "" | "]"))
        || text.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with('{'))
}

/// An object while its lines come in.
#[derive(Debug, Default)]
pub(super) struct JsonObjects {
    text: String,
    /// Brackets open within the object, its own included.
    depth: u32,
    /// Brackets open around it.
    arrays: u32,
    in_string: bool,
    is_escaped: bool,
    /// Where the object begins.
    line: u64,
    is_too_long: bool,
}

/// An object that is whole, or why it is not.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct JsonObject {
    /// The line at which it begins.
    pub line: u64,
    pub text: Result<String, String>,
}

/// What a line was.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PushedLine {
    /// The objects that end in it.
    pub ended: Vec<JsonObject>,
    /// False where something stands in it that belongs to no JSON.
    pub is_json: bool,
}

impl JsonObjects {
    /// Whether an object or an array has begun and not ended.
    pub const fn is_open(&self) -> bool {
        self.depth > 0 || self.arrays > 0
    }

    /// Whether a line can be one of the object that is open, if one is.
    pub fn may_go_on_with(&self, text: &str) -> bool {
        let text = text.trim_start();
        self.depth == 0
            || self.in_string
            || text.is_empty()
            || text.starts_with(['"', '{', '}', '[', ']', ',', ':', '-'])
            || text.starts_with(|first: char| first.is_ascii_digit())
            || ["true", "false", "null"].iter().any(|word| text.starts_with(word))
    }

    /// Takes the next line and gives the objects that end in it.
    pub fn push(&mut self, line: u64, text: &str) -> PushedLine {
        let mut ended = Vec::new();
        for character in text.chars() {
            if self.depth == 0 {
                match self.begin(line, character) {
                    Some(true) => {}
                    Some(false) => continue,
                    // What ended before it is whole all the same.
                    None => return PushedLine { ended, is_json: false },
                }
            }
            self.take(character);
            if self.depth == 0 {
                ended.push(self.end());
            }
        }
        if self.depth > 0 && !self.is_too_long {
            self.text.push('\n');
        }
        PushedLine { ended, is_json: true }
    }

    /// The object that never ended.
    pub fn find_rest(&self) -> Option<JsonObject> {
        let message = "this JSON object does not end".to_owned();
        (self.depth > 0).then_some(JsonObject { line: self.line, text: Err(message) })
    }

    /// Whether an object begins with this character; `None` where it cannot stand here.
    fn begin(&mut self, line: u64, character: char) -> Option<bool> {
        match character {
            '{' => {
                self.line = line;
                Some(true)
            }
            '[' => {
                self.arrays += 1;
                Some(false)
            }
            ']' => {
                self.arrays = self.arrays.checked_sub(1)?;
                Some(false)
            }
            ',' => Some(false),
            _ => character.is_whitespace().then_some(false),
        }
    }

    fn take(&mut self, character: char) {
        if self.text.len() >= LIMIT_OBJECT_BYTES {
            self.is_too_long = true;
            self.text.clear();
        }
        if !self.is_too_long {
            self.text.push(character);
        }
        if self.in_string {
            match character {
                _ if self.is_escaped => self.is_escaped = false,
                '\\' => self.is_escaped = true,
                '"' => self.in_string = false,
                _ => {}
            }
            return;
        }
        match character {
            '"' => self.in_string = true,
            '{' | '[' => self.depth = self.depth.saturating_add(1),
            '}' | ']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }

    fn end(&mut self) -> JsonObject {
        let text = std::mem::take(&mut self.text);
        let text = if std::mem::take(&mut self.is_too_long) {
            Err(format!("the JSON object is longer than {LIMIT_OBJECT_BYTES} bytes"))
        } else {
            Ok(text)
        };
        JsonObject { line: self.line, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(text: &str) -> Vec<(u64, String)> {
        let mut objects = JsonObjects::default();
        let mut found = Vec::new();
        for (line, text) in (1..).zip(text.lines()) {
            let PushedLine { ended, is_json } = objects.push(line, text);
            found.extend(ended.into_iter().map(|object| (object.line, object.text.unwrap())));
            if !is_json {
                found.push((line, "no JSON".to_owned()));
                break;
            }
        }
        found.extend(objects.find_rest().map(|object| (object.line, object.text.unwrap_err())));
        found
    }

    #[test]
    fn objects_are_found_however_they_are_written() {
        let one = |line, text: &str| (line, text.to_owned());
        let cases = [
            ("{\"a\":1}", vec![one(1, "{\"a\":1}")]),
            ("{\"a\":1}{\"b\":[{}]}", vec![one(1, "{\"a\":1}"), one(1, "{\"b\":[{}]}")]),
            ("[{\"a\":1}, {\"b\":2}]", vec![one(1, "{\"a\":1}"), one(1, "{\"b\":2}")]),
            (
                "[\n  {\n    \"a\": \"}\"\n  },\n  {}\n]",
                vec![one(2, "{\n    \"a\": \"}\"\n  }"), one(5, "{}")],
            ),
            ("{\"a\": \"\\\"}{\"}\n{}", vec![one(1, "{\"a\": \"\\\"}{\"}"), one(2, "{}")]),
            ("{\n\n\"a\": [", vec![one(1, "this JSON object does not end")]),
            ("{}\nprose", vec![one(1, "{}"), one(2, "no JSON")]),
            ("]", vec![one(1, "no JSON")]),
            ("{\"a\":1} # tail", vec![one(1, "{\"a\":1}"), one(1, "no JSON")]),
            ("{}\" {}", vec![one(1, "{}"), one(1, "no JSON")]),
            ("", vec![]),
        ];
        for (text, expected) in cases {
            assert_eq!(objects(text), expected, "{text}");
        }
    }

    #[test]
    fn json_is_told_from_names_in_brackets() {
        for text in ["{", "  {\"a\":1}", "[", "[ {", "[{\"a\":1}]", "[]"] {
            assert!(begins_json(text), "{text}");
        }
        for text in ["[cilium-x7k2p] xx drop", "[1]", "\"a\"", "", "}"] {
            assert!(!begins_json(text), "{text}");
        }
        let mut objects = JsonObjects::default();
        assert!(objects.may_go_on_with("anything"));
        objects.push(1, "{");
        assert!(objects.may_go_on_with("  \"a\": 1"));
        assert!(!objects.may_go_on_with("Nov  8 07:19:25.894: it is no JSON"));
    }

    #[test]
    fn an_object_is_not_kept_without_end() {
        let mut objects = JsonObjects::default();
        let line = format!("{{\"a\":\"{}", "x".repeat(100_000));
        assert_eq!(objects.push(1, &line).ended, []);
        for line in 2..50 {
            assert_eq!(objects.push(line, &"x".repeat(100_000)).ended, []);
            assert!(objects.text.len() <= LIMIT_OBJECT_BYTES + 4);
        }
        let ended = objects.push(50, "\"}").ended;
        let message = "the JSON object is longer than 1048576 bytes".to_owned();
        assert_eq!(ended, [JsonObject { line: 1, text: Err(message) }]);
        assert!(!objects.is_open());
    }
}
