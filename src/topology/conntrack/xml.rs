//! Entries as XML: `conntrack -o xml`, as libnetfilter_conntrack's
//! `snprintf_xml.c` writes it. A fixed vocabulary without comments or entities;
//! what is not in it is passed over.

use super::{Draft, find_event, find_transport, number};
use crate::model::conntrack::TrackedFlow;
use crate::topology::text::count_lines;

/// No tag of this vocabulary is longer.
const MAX_TAG_BYTES: usize = 256;

/// Whether such XML begins here.
pub fn begins_at(text: &str) -> bool {
    let text = text.trim_start_matches([' ', '\t']);
    text.starts_with("<conntrack>") || text.starts_with("<flow>") || text.starts_with("<flow ")
}

/// Reads entries up to where the XML ends; gives the bytes that it takes up, at
/// least one. Each entry comes with the line at which it ends.
pub fn read(
    text: &str,
    first_line: u64,
    sink: &mut dyn FnMut(Result<Option<TrackedFlow>, String>, u64),
) -> usize {
    let mut flow: Option<FlowReader> = None;
    let mut at = 0;
    let mut line = first_line;
    while let Some(tag) = find_tag(text, at) {
        let is_content = flow.is_some() || tag.content.trim().is_empty();
        // Between entries there are only spaces; text is somebody else's.
        if !is_content {
            break;
        }
        line += count_lines(&text[at..tag.end]);
        at = tag.end;
        match tag.name {
            "flow" => flow = Some(FlowReader::new(tag.attributes)),
            "/flow" => {
                if let Some(reader) = flow.take() {
                    sink(reader.finish(), line);
                }
            }
            "/conntrack" if flow.is_none() => break,
            name => {
                if let Some(reader) = &mut flow {
                    reader.tag(name, tag.attributes, tag.content.trim());
                }
            }
        }
    }
    if flow.is_some() {
        sink(Err("an entry of connection tracking without its end, </flow>".to_owned()), line);
    }
    at.max(text.chars().next().map_or(1, char::len_utf8))
}

/// A tag and the text before it.
#[derive(Debug)]
struct Tag<'a> {
    content: &'a str,
    /// With its slash, if it ends an element.
    name: &'a str,
    attributes: &'a str,
    /// The byte behind it.
    end: usize,
}

/// The next tag; `None` where there is none of a length that makes sense.
fn find_tag(text: &str, from: usize) -> Option<Tag<'_>> {
    let rest = text.get(from..)?;
    let start = memchr::memchr(b'<', rest.as_bytes())?;
    let near = rest.as_bytes().get(start..)?;
    let length = memchr::memchr(b'>', &near[..near.len().min(MAX_TAG_BYTES)])?;
    let inside = rest.get(start + 1..start + length)?;
    let (name, attributes) = inside.split_once([' ', '\t', '\n']).unwrap_or((inside, ""));
    let name = name.strip_suffix('/').unwrap_or(name);
    Some(Tag { content: rest.get(..start)?, name, attributes, end: from + start + length + 1 })
}

/// Reads one `<flow>`.
#[derive(Debug, Default)]
struct FlowReader {
    draft: Draft,
    /// The direction that is open; two beyond the last are the entry's own marks.
    direction: Option<usize>,
    fault: Option<String>,
}

impl FlowReader {
    fn new(attributes: &str) -> Self {
        let event = find_attribute(attributes, "type").and_then(find_event);
        Self { draft: Draft { event, ..Draft::default() }, ..Self::default() }
    }

    /// Takes a tag with the text before it, which is an element's value where
    /// the tag ends one.
    fn tag(&mut self, name: &str, attributes: &str, value: &str) {
        if self.fault.is_some() {
            return;
        }
        let read = match name {
            "meta" => {
                self.direction = match find_attribute(attributes, "direction") {
                    Some("original") => Some(0),
                    Some("reply") => Some(1),
                    _ => None,
                };
                Ok(())
            }
            "layer4" => {
                let protocol = find_attribute(attributes, "protoname").unwrap_or_default();
                self.draft.transport = find_transport(protocol);
                Ok(())
            }
            "unreplied" => {
                self.draft.is_unreplied = true;
                Ok(())
            }
            "assured" => {
                self.draft.is_assured = true;
                Ok(())
            }
            "/helper" => {
                self.draft.helper = Some(value.chars().take(32).collect());
                Ok(())
            }
            "/zone" => number("zone", value).map(|zone| self.draft.zone = Some(zone)),
            "/timeout" => number("timeout", value).map(|s| self.draft.expires_in_s = Some(s)),
            name => match (name.strip_prefix('/'), self.direction) {
                (Some(key), Some(direction)) if self.draft.transport.is_some() || !is_port(key) => {
                    self.draft.tuples[direction].set(key, value)
                }
                _ => Ok(()),
            },
        };
        self.fault = read.err();
    }

    fn finish(self) -> Result<Option<TrackedFlow>, String> {
        match self.fault {
            Some(fault) => Err(fault),
            None => self.draft.finish(),
        }
    }
}

fn is_port(key: &str) -> bool {
    matches!(key, "sport" | "dport")
}

/// The value of `name="value"`.
fn find_attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    attributes.split_whitespace().find_map(|attribute| {
        let (key, value) = attribute.split_once('=')?;
        (key == name).then(|| value.trim_end_matches('/').trim_matches('"'))
    })
}
