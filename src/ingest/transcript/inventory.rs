//! One command's output about addresses, collected until it ends.

use super::shape::Shape;
use super::tracked::ends_entry;
use crate::ingest::flow_events::{FlowRun, find_program_of_json};
use crate::ingest::tcpdump_text::looks_like_packet;
use crate::ingest::{Event, InventoryText};
use crate::model::capture::CaptureFormat;
use crate::model::input::{Fault, Place};

/// More text than this about one cluster is cut.
const LIMIT_TEXT_BYTES: usize = 16 * 1_024 * 1_024;

/// A table of connection tracking is handed out in parts: each entry stands alone.
const PART_BYTES: usize = 1_024 * 1_024;

/// Text about addresses while its lines come in.
#[derive(Debug)]
pub(super) struct Inventory {
    /// As typed; empty where there is none.
    command: String,
    node: Option<String>,
    shape: Shape,
    text: String,
    /// The line at which the text begins.
    first_line: u64,
    /// Blank lines and page noise since the last line that was kept.
    skipped_lines: usize,
    has_gap: bool,
    is_cut: bool,
    json: JsonDepth,
    /// Lines of no known kind before the first that is kept.
    lines_before: u32,
}

impl Inventory {
    /// The output of a command that was just typed.
    pub fn new(command: &str, node: Option<String>, shape: Shape) -> Self {
        Self {
            command: command.to_owned(),
            node,
            shape,
            text: String::new(),
            first_line: 0,
            skipped_lines: 0,
            has_gap: false,
            is_cut: false,
            json: JsonDepth::default(),
            lines_before: 0,
        }
    }

    /// Takes the next line; says whether the tool would print it.
    pub fn push(&mut self, line: u64, text: &str) -> bool {
        let trimmed = text.trim();
        if self.shape == Shape::Json {
            return self.push_json(line, text);
        }
        if trimmed.is_empty() {
            self.has_gap = true;
            self.skipped_lines += 1;
            return true;
        }
        // Line numbers that a web page put between the lines, and `...`. In
        // the statistics of `ip -s` they do no harm.
        if is_page_noise(trimmed) {
            self.skipped_lines += 1;
            return true;
        }
        let may_be_json = self.text.is_empty() && self.shape != Shape::Conntrack;
        if may_be_json && matches!(trimmed.chars().next(), Some('[' | '{')) {
            // `-o json` hidden in an alias.
            self.shape = Shape::Json;
            return self.push_json(line, text);
        }
        let is_detail = !self.text.is_empty() && self.shape.accepts_indented(text);
        if !is_detail && !self.shape.accepts(text, self.has_gap) {
            return false;
        }
        self.has_gap = false;
        self.keep(line, text);
        true
    }

    /// Passes over a line before the command's own; says whether there may be one.
    pub fn skip_before(&mut self, limit_lines: u32) -> bool {
        self.lines_before = self.lines_before.saturating_add(1);
        self.text.is_empty() && self.lines_before <= limit_lines
    }

    fn push_json(&mut self, line: u64, text: &str) -> bool {
        let trimmed = text.trim();
        if self.text.is_empty() {
            if trimmed.is_empty() || is_page_noise(trimmed) {
                return true;
            }
            if !trimmed.starts_with(['[', '{']) {
                return false;
            }
        }
        if self.json.is_complete() || looks_like_packet(text) {
            return false;
        }
        // A lone bracket begins much that is no JSON.
        if self.command.is_empty() && !self.json.in_string && !may_be_json(trimmed) {
            return false;
        }
        self.json.push(text);
        self.keep(line, text);
        true
    }

    fn keep(&mut self, line: u64, text: &str) {
        let skipped_lines = std::mem::take(&mut self.skipped_lines);
        let cost = text.len().saturating_add(skipped_lines).saturating_add(1);
        if self.is_cut || self.text.len().saturating_add(cost) > LIMIT_TEXT_BYTES {
            self.is_cut = true;
            return;
        }
        if self.text.is_empty() {
            self.first_line = line;
        } else {
            // So that a line of the text still tells its line of the input.
            self.text.extend(std::iter::repeat_n('\n', skipped_lines));
        }
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// The program whose events these are, where JSON turns out to be no inventory.
    pub fn find_flows(&self) -> Option<CaptureFormat> {
        /// An event that stands in one line is shorter.
        const LOOK_BYTES: usize = 16_384;
        let is_early = self.shape == Shape::Json && self.text.len() <= LOOK_BYTES;
        is_early.then(|| find_program_of_json(&self.text))?
    }

    /// The run of that program, with the lines that were collected.
    pub fn into_flows(
        self,
        format: CaptureFormat,
        sink: &mut dyn FnMut(Event<'_>),
    ) -> Box<FlowRun> {
        let mut run = FlowRun::new(format, self.node, self.first_line);
        for (line, text) in (self.first_line..).zip(self.text.lines()) {
            run.push(line, text, sink);
        }
        Box::new(run)
    }

    /// Hands out what was collected of a long table behind its line `text`, and
    /// goes on with the rest; says whether it did.
    pub fn hand_out_part(&mut self, text: &str, sink: &mut dyn FnMut(Event<'_>)) -> bool {
        let is_due = self.shape == Shape::Conntrack && self.text.len() >= PART_BYTES;
        if !is_due || !ends_entry(text.trim()) {
            return false;
        }
        sink(Event::Inventory(InventoryText {
            entry: None,
            command: &self.command,
            node: self.node.as_deref(),
            text: &self.text,
            line: self.first_line,
        }));
        self.text.clear();
        true
    }

    /// Hands out what was collected; says whether that was anything.
    pub fn finish(self, sink: &mut dyn FnMut(Event<'_>)) -> bool {
        if self.text.is_empty() || !self.is_worth_reading() {
            return false;
        }
        if self.is_cut {
            let message = format!(
                "the text about addresses that begins here is longer than {LIMIT_TEXT_BYTES} bytes; the rest is left out"
            );
            sink(Event::Fault(Fault { place: Place::Line(self.first_line), message }));
        }
        sink(Event::Inventory(InventoryText {
            entry: None,
            command: &self.command,
            node: self.node.as_deref(),
            text: &self.text,
            line: self.first_line,
        }));
        true
    }

    /// JSON that nobody asked for is an inventory only if it speaks of links,
    /// routes or Kubernetes objects.
    fn is_worth_reading(&self) -> bool {
        const KEYS: [&str; 4] = ["\"ifname\"", "\"apiVersion\"", "\"addr_info\"", "\"dst\""];
        self.shape != Shape::Json
            || !self.command.is_empty()
            || KEYS.iter().any(|key| self.text.contains(key))
    }
}

/// Whether a line of JSON may begin like that.
fn may_be_json(trimmed: &str) -> bool {
    trimmed.is_empty()
        || is_page_noise(trimmed)
        || trimmed.starts_with(['"', '{', '}', '[', ']', ',', ':', '-'])
        || trimmed.starts_with(|c: char| c.is_ascii_digit())
        || ["true", "false", "null"].iter().any(|word| trimmed.starts_with(word))
}

/// A bare number, or dots.
pub(super) fn is_page_noise(trimmed: &str) -> bool {
    trimmed.len() <= 12
        && (trimmed.bytes().all(|b| b.is_ascii_digit())
            || trimmed.chars().all(|c| matches!(c, '.' | '…' | '⋮' | '·')))
}

/// Open brackets of a JSON text.
#[derive(Debug, Default)]
struct JsonDepth {
    depth: u64,
    has_begun: bool,
    in_string: bool,
    is_escaped: bool,
}

impl JsonDepth {
    fn push(&mut self, text: &str) {
        for byte in text.bytes() {
            if self.in_string {
                match byte {
                    _ if self.is_escaped => self.is_escaped = false,
                    b'\\' => self.is_escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'[' | b'{' => {
                    self.depth += 1;
                    self.has_begun = true;
                }
                b']' | b'}' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
    }

    const fn is_complete(&self) -> bool {
        self.has_begun && self.depth == 0
    }
}
