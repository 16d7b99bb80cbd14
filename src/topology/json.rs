//! JSON values in a text: what kinds there are, and what is left of a damaged one.

use serde_json::{Deserializer, Value};

use super::command::Command;
use super::interface::{self, Interface};
use super::route::{self, Route};
use super::text::{line_of, without_line};
use super::{device_json, ip_addr_json, ip_route_json, kubectl_json, namespace};
use crate::model::input::{Fault, Place};
use crate::model::topology::Facts;

/// What one JSON value said.
#[derive(Debug)]
pub struct JsonReading {
    pub facts: Facts,
    /// Bytes that the value takes up in the text, at least one.
    pub length_bytes: usize,
    /// Whether it could be read to its end.
    pub sound: bool,
}

/// Whether a JSON object, or an array of objects, begins here. A prompt in
/// brackets is neither.
pub fn begins_at(text: &str) -> bool {
    let text = text.trim_start_matches([' ', '\t']);
    if let Some(inside) = text.strip_prefix('[') {
        inside.trim_start().starts_with(['{', ']'])
    } else if let Some(inside) = text.strip_prefix('{') {
        inside.trim_start().starts_with(['"', '}'])
    } else {
        false
    }
}

/// Reads the value with which `text` begins.
pub fn read(text: &str, command: &Command, line: u64) -> JsonReading {
    let mut values = Deserializer::from_str(text).into_iter::<Value>();
    match values.next() {
        Some(Ok(value)) => {
            let length_bytes = values.byte_offset().max(1);
            let mut facts = facts_of(&value, command);
            locate(&mut facts, line);
            JsonReading { facts, length_bytes, sound: true }
        }
        Some(Err(error)) => {
            let (elements, length_bytes) = salvage(text);
            let found = elements.len();
            let mut facts = facts_of(&Value::Array(elements), command);
            locate(&mut facts, line);
            let at = u64::try_from(error.line()).unwrap_or(u64::MAX).saturating_sub(1);
            let at = at.min(line_of(text, text.len()));
            let cause = without_line(&error.to_string());
            facts.faults.push(Fault {
                place: Place::Line(line.saturating_add(at)),
                message: format!("damaged JSON, {found} complete elements were read: {cause}"),
            });
            JsonReading { facts, length_bytes, sound: false }
        }
        None => {
            JsonReading { facts: Facts::default(), length_bytes: text.len().max(1), sound: true }
        }
    }
}

/// The complete elements of the outermost array of a value that is cut off,
/// and the bytes up to the end of the last one.
fn salvage(text: &str) -> (Vec<Value>, usize) {
    let mut elements = Vec::new();
    let is_array = text.trim_start().starts_with('[');
    // A Kubernetes list is an object that holds its array as `items`.
    let start =
        if is_array { Some(0) } else { memchr::memmem::find(text.as_bytes(), b"\"items\"") };
    let open = start.and_then(|start| Some(start + text.get(start..)?.find('[')? + 1));
    let mut end = open.unwrap_or(text.len());
    while let Some(rest) = text.get(end..) {
        let element = rest.trim_start_matches([' ', '\t', '\r', '\n', ',']);
        let start = end + (rest.len() - element.len());
        if !element.starts_with('{') {
            break;
        }
        let mut values = Deserializer::from_str(element).into_iter::<Value>();
        let Some(Ok(value)) = values.next() else { break };
        elements.push(value);
        end = start + values.byte_offset();
    }
    (elements, end.max(1))
}

/// Gives faults that know only their entry the line at which the value begins.
fn locate(facts: &mut Facts, line: u64) {
    for fault in &mut facts.faults {
        fault.place = Place::Line(line);
    }
}

/// What one value says; its faults do not know their line.
pub fn facts_of(value: &Value, command: &Command) -> Facts {
    let mut facts = Facts::default();
    let mut messages = Vec::new();
    if kubectl_json::is_object(value) {
        kubectl_json::read(value, &mut facts, &mut messages);
    } else if let Value::Array(elements) = value {
        read_array(elements, command, &mut facts, &mut messages);
    } else if ip_addr_json::is_interface(value) || ip_route_json::is_route(value) {
        // `ip -j addr | jq '.[]'`
        read_array(std::slice::from_ref(value), command, &mut facts, &mut messages);
    } else {
        device_json::read_object(value, &mut facts, &mut messages);
    }
    facts.faults.extend(messages.into_iter().map(|message| Fault { place: Place::Whole, message }));
    facts
}

fn read_array(
    elements: &[Value],
    command: &Command,
    facts: &mut Facts,
    messages: &mut Vec<String>,
) {
    let mut interfaces: Vec<Interface> = Vec::new();
    let mut routes: Vec<Route> = Vec::new();
    let mut devices = device_json::Entries::default();
    for (index, element) in elements.iter().enumerate() {
        if element.as_object().is_some_and(serde_json::Map::is_empty)
            || ip_route_json::is_neighbour(element)
        {
            // `ip -j` prints `{}` for what it filtered out.
        } else if ip_addr_json::is_interface(element) {
            interfaces.push(ip_addr_json::read_interface(element, messages));
        } else if ip_route_json::is_route(element) {
            match ip_route_json::parse_route(element) {
                Ok(route) => routes.extend(route),
                Err(message) => messages.push(message),
            }
        } else if kubectl_json::is_object(element) {
            kubectl_json::read(element, facts, messages);
        } else if let Err(message) = devices.read(element) {
            messages.push(format!("entry {}: {message}", index + 1));
        }
    }
    let host = namespace::host_of(&interfaces, command);
    facts.extend(interface::facts_of(&interfaces, &host));
    facts.extend(route::facts_of(&routes, &host));
    facts.extend(devices.finish());
}
