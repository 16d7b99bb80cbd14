//! Texts to facts about addresses, and facts to roles.
//!
//! One text may hold the outputs of several commands, one after the other, as
//! people paste them. Each line (or JSON value) is therefore recognised by its
//! own form; the command, where known, adds what the form does not show.

mod address;
mod command;
mod conntrack;
mod device_csv;
mod device_json;
mod device_list;
mod hosts;
mod interface;
mod ip_addr;
mod ip_addr_json;
mod ip_route;
mod ip_route_json;
mod json;
mod kubectl_json;
mod kubectl_object;
mod kubectl_row;
mod kubectl_service;
mod kubectl_table;
mod link;
mod namespace;
mod networks;
mod resolve;
mod route;
#[cfg(test)]
mod samples;
mod settings;
mod surroundings;
mod text;
mod yaml;

pub use kubectl_json::read_object as kubernetes_object;
pub use resolve::resolve;

use crate::model::topology::Facts;

/// Reads the facts from what one command printed, or from a device list.
/// `command` is the command as typed where a transcript shows it, else empty:
/// then the text itself must say what it is. `first_line` is the number of the
/// text's first line in its input, from 1, for the places of faults.
///
/// Nothing is an error: a text that states no facts gives [`Facts`] that
/// [`is_empty`](Facts::is_empty).
#[must_use]
pub fn parse(command: &str, node: Option<&str>, text: &str, first_line: u64) -> Facts {
    let command = command::Command::of(command, node);
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(list) = device_csv::find_list(text) {
        return device_csv::read(list, text, first_line);
    }
    let mut facts = Facts::default();
    let mut lines = text::Lines::new(&command);
    let mut unread = text::Unread::new(text, first_line);
    // A damaged JSON value is read element by element, once: its inside must
    // not be taken for values of its own, and reading stays linear.
    let mut json_is_sound = true;
    while let Some(line) = unread.line() {
        if json_is_sound && json::begins_at(unread.rest()) {
            let reading = json::read(unread.rest(), &command, unread.number());
            facts.extend(reading.facts);
            json_is_sound = reading.sound;
            unread.skip_bytes(reading.length_bytes);
        } else if let Some(length_bytes) = yaml::find_objects(unread.rest()) {
            let objects = unread.rest().get(..length_bytes).unwrap_or_default();
            facts.extend(yaml::read(objects, &command, unread.number()));
            unread.skip_bytes(length_bytes);
        } else if conntrack::xml_begins_at(line) {
            unread.skip_bytes(lines.read_xml(unread.rest(), unread.number()));
        } else {
            lines.read(line, unread.number());
            unread.skip_line();
        }
    }
    facts.extend(lines.finish());
    if facts.is_empty() && facts.faults.is_empty() {
        return yaml::find_list(text, &command, first_line)
            .or_else(|| Some(Facts { hosts: hosts::find_file(text)?, ..Facts::default() }))
            .unwrap_or_default();
    }
    facts
}

#[cfg(test)]
mod tests;
