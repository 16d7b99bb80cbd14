//! What becomes of an archive's entries.

use std::io::Read;

use super::Flow;
use super::surroundings::{Surrounding, find_surrounding};
use crate::ingest::bounded::Budget;
use crate::ingest::detect::ArchiveFormat;
use crate::ingest::label::label;
use crate::ingest::layers;
use crate::ingest::{Event, InventoryText, Sink};
use crate::model::input::{Fault, InputErrorKind, Place};

/// Entries that one archive may have.
const ENTRIES_MAX: u64 = 10_000;

/// Files around captures that one archive may have: of `/proc/sys/net` alone,
/// some sixty for each interface.
const SURROUNDINGS_MAX: u64 = 1_000_000;

/// A setting is a number.
const SETTING_MAX_BYTES: u64 = 64;

/// Entries that are named in one list.
const NAMED_MAX: usize = 20;

/// Reads entries one by one and remembers what could not be read.
pub struct Entries<'e> {
    format: ArchiveFormat,
    budget: &'e Budget,
    sink: &'e mut Sink<'e>,
    /// Entries with content so far.
    met: u64,
    /// Files around captures so far.
    surroundings: u64,
    /// Those of which something could be analysed.
    used: u64,
    /// The first of those that could not be used: name and what it is instead.
    unusable: Vec<String>,
    unusable_count: u64,
    /// Why reading was stopped, where that was not the archive's fault.
    stopped: Option<String>,
}

impl<'e> Entries<'e> {
    /// No entries yet.
    pub fn new(format: ArchiveFormat, budget: &'e Budget, sink: &'e mut Sink<'e>) -> Self {
        Self {
            format,
            budget,
            sink,
            met: 0,
            surroundings: 0,
            used: 0,
            unusable: Vec::new(),
            unusable_count: 0,
            stopped: None,
        }
    }

    pub fn budget(&self) -> &'e Budget {
        self.budget
    }

    /// Reads one entry.
    pub fn read(&mut self, name: &[u8], content: &mut dyn Read) -> Flow {
        let surrounding = find_surrounding(name);
        match &surrounding {
            Some(Surrounding::Setting(key)) => {
                self.read_setting(key, content);
                return self.pass_surrounding(name);
            }
            Some(Surrounding::Foreign) => return self.pass_surrounding(name),
            Some(Surrounding::Beside) | None => {}
        }
        if let Flow::Stop = self.meet(name) {
            return Flow::Stop;
        }
        let name = label(name.strip_prefix(b"./").unwrap_or(name));
        let mut is_open = false;
        let sink = &mut self.sink;
        let outcome = layers::read_entry(self.format, content, self.budget, &mut |event| {
            let event = match event {
                Event::CaptureBegins(mut header) => {
                    is_open = true;
                    header.name = Some(name.clone());
                    Event::CaptureBegins(header)
                }
                Event::CaptureEnds => {
                    is_open = false;
                    Event::CaptureEnds
                }
                Event::Inventory(text) => {
                    Event::Inventory(InventoryText { entry: Some(&name), ..text })
                }
                // Without a capture that it belongs to, a fault needs the name.
                Event::Fault(Fault { place, message }) if !is_open => {
                    Event::Fault(Fault { place, message: format!("in '{name}': {message}") })
                }
                other => other,
            };
            sink(event);
        });
        match outcome {
            Ok(()) => self.used += 1,
            Err(InputErrorKind::Empty) => self.met -= 1,
            // What a tool put beside the captures is nobody's fault.
            Err(InputErrorKind::NotACapture(_) | InputErrorKind::NoPackets { .. })
                if surrounding.is_some() =>
            {
                self.met -= 1;
            }
            Err(InputErrorKind::NotACapture(kind)) => self.note_unusable(&name, kind),
            Err(InputErrorKind::NoPackets { .. }) => {
                self.note_unusable(&name, "text without packets or facts about addresses");
            }
            Err(error) => self.note_unusable(&name, &error.to_string()),
        }
        if let Some(limit) = self.budget.exceeded() {
            self.stopped =
                Some(format!("{limit}, in entry '{name}'; entries after it were not read"));
            return Flow::Stop;
        }
        Flow::Continue
    }

    /// Hands a setting out as `sysctl` prints it.
    fn read_setting(&mut self, key: &str, content: &mut dyn Read) {
        let mut value = Vec::new();
        // What cannot be read is skipped, and the archive's end told, by the caller.
        let _ = content.take(SETTING_MAX_BYTES).read_to_end(&mut value);
        let value = label(&value);
        if value.is_empty() {
            return;
        }
        let text = format!("{key} = {value}\n");
        (self.sink)(Event::Inventory(InventoryText {
            entry: None,
            command: "",
            node: None,
            text: &text,
            line: 1,
        }));
    }

    fn pass_surrounding(&mut self, name: &[u8]) -> Flow {
        self.surroundings += 1;
        if self.surroundings < SURROUNDINGS_MAX {
            return Flow::Continue;
        }
        self.stopped = Some(format!(
            "the archive has more than {SURROUNDINGS_MAX} files of settings; those from '{}' on were not read",
            label(name)
        ));
        Flow::Stop
    }

    /// Notes an entry whose content is out of reach; `reason` follows on "it is".
    pub fn pass_over(&mut self, name: &[u8], reason: &str) -> Flow {
        let flow = self.meet(name);
        if let Flow::Continue = flow {
            self.note_unusable(&label(name), reason);
        }
        flow
    }

    /// Says what could not be read. `end` says why the archive ends early, if
    /// it does, and `offset_bytes` where.
    ///
    /// # Errors
    ///
    /// Where no entry could be used.
    pub fn finish(
        mut self,
        end: Result<(), String>,
        offset_bytes: u64,
    ) -> Result<(), InputErrorKind> {
        if self.used == 0 {
            return Err(match (self.budget.exceeded(), end) {
                (Some(limit), _) => {
                    InputErrorKind::ExpandsTooFar { limit_bytes: limit.limit_bytes }
                }
                (None, Err(message)) if self.met == 0 => {
                    InputErrorKind::Damaged { message, offset_bytes }
                }
                (None, end) => InputErrorKind::NothingInArchive {
                    archive: self.format.as_text(),
                    holds: match (self.met, end) {
                        (0, _) => "no files".to_owned(),
                        (_, Ok(())) => self.list(),
                        (_, Err(message)) => format!(
                            "{}; and it ends early, at byte {offset_bytes}: {message}",
                            self.list()
                        ),
                    },
                },
            });
        }
        if self.unusable_count > 0 {
            let entries = if self.unusable_count == 1 { "entry" } else { "entries" };
            let message =
                format!("{} {entries} could not be used: {}", self.unusable_count, self.list());
            (self.sink)(Event::Fault(Fault { place: Place::Whole, message }));
        }
        if let Some(message) = self.stopped.take() {
            (self.sink)(Event::Fault(Fault { place: Place::Whole, message }));
        } else if let Err(message) = end {
            let message = format!("{message}; the archive ends here");
            (self.sink)(Event::Fault(Fault { place: Place::Byte(offset_bytes), message }));
        }
        Ok(())
    }

    fn meet(&mut self, name: &[u8]) -> Flow {
        if self.met >= ENTRIES_MAX {
            self.stopped = Some(format!(
                "the archive has more than {ENTRIES_MAX} entries; those from '{}' on were not read",
                label(name)
            ));
            return Flow::Stop;
        }
        self.met += 1;
        Flow::Continue
    }

    fn note_unusable(&mut self, name: &str, reason: &str) {
        self.unusable_count += 1;
        if self.unusable.len() < NAMED_MAX {
            self.unusable.push(format!("'{name}' ({reason})"));
        }
    }

    fn list(&self) -> String {
        let list = self.unusable.join(", ");
        let named = u64::try_from(self.unusable.len()).unwrap_or(u64::MAX);
        if self.unusable_count > named {
            return format!("{list} and {} more", self.unusable_count - named);
        }
        list
    }
}

/// Whether an entry is one that systems add on their own: a directory, macOS's
/// resource forks and folder settings.
pub fn is_by_product(name: &[u8]) -> bool {
    let last = name.rsplit(|byte| *byte == b'/').next().unwrap_or(name);
    last.is_empty()
        || last == b".DS_Store"
        || last.starts_with(b"._")
        || name.starts_with(b"__MACOSX/")
}
