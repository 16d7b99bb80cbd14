//! JSON with a line for each value, as [`serde_json::to_writer_pretty`] writes it.
//!
//! That one writes each step of the indent by itself, which takes a large report more time
//! than its values do.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// What stands between a value and the next: a comma, a new line, its indent.
const BREAK: &[u8; 66] = b",\n                                                                ";
/// The deepest value whose indent is part of that.
const DEEPEST: usize = (BREAK.len() - AFTER_COMMA) / INDENT.len() - 1;
const AFTER_COMMA: usize = 1;
const INDENT: &[u8] = b"  ";

/// Writes `value` behind what `output` holds.
///
/// # Errors
///
/// Where `output` fails, or a value says that it cannot be written.
pub fn write(value: &impl Serialize, output: impl Write) -> serde_json::Result<()> {
    value.serialize(&mut Serializer::with_formatter(output, Indented::default()))
}

/// How deep it is, and whether the innermost list or object holds anything.
#[derive(Debug, Default)]
struct Indented {
    depth: usize,
    has_value: bool,
}

impl Indented {
    fn open<W: ?Sized + Write>(&mut self, output: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.has_value = false;
        output.write_all(bracket)
    }

    fn close<W: ?Sized + Write>(&mut self, output: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        if self.has_value {
            self.break_line(output, AFTER_COMMA)?;
        }
        output.write_all(bracket)
    }

    /// Begins a line, with a comma before it where `from` is 0.
    fn break_line<W: ?Sized + Write>(&self, output: &mut W, from: usize) -> io::Result<()> {
        let end = AFTER_COMMA + 1 + INDENT.len() * self.depth.min(DEEPEST);
        output.write_all(BREAK.get(from..end).unwrap_or_default())?;
        for _ in DEEPEST..self.depth {
            output.write_all(INDENT)?;
        }
        Ok(())
    }
}

impl Formatter for Indented {
    fn begin_array<W: ?Sized + Write>(&mut self, output: &mut W) -> io::Result<()> {
        self.open(output, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, output: &mut W) -> io::Result<()> {
        self.close(output, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        output: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.break_line(output, if first { AFTER_COMMA } else { 0 })
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, output: &mut W) -> io::Result<()> {
        self.open(output, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, output: &mut W) -> io::Result<()> {
        self.close(output, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        output: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.break_line(output, if first { AFTER_COMMA } else { 0 })
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, output: &mut W) -> io::Result<()> {
        output.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn it_is_what_the_crate_writes() {
        let mut deep = json!({"end": [], "none": {}});
        for level in 0..80 {
            deep = if level % 3 == 0 { json!([deep, level]) } else { json!({"a": 1, "b": deep}) };
            let mut values: Vec<Value> = vec![deep.clone(), json!([deep, {}, [], "\"\\\u{1}é"])];
            values.push(json!({"x": [[], [[]], {"y": {}}], "z": null}));
            for value in values {
                let mut written = b"before".to_vec();
                write(&value, &mut written).unwrap();
                let expected = serde_json::to_string_pretty(&value).unwrap();
                assert_eq!(std::str::from_utf8(&written).unwrap(), format!("before{expected}"));
            }
        }
        let mut written = Vec::new();
        write(&json!(7), &mut written).unwrap();
        assert_eq!(written, b"7");
    }
}
