//! Walks a text that holds the outputs of one or several commands.

use std::borrow::Cow;

use super::command::Command;
use super::conntrack;
use super::hosts;
use super::interface;
use super::ip_addr::IpAddrReader;
use super::ip_route;
use super::kubectl_table::KubectlReader;
use super::namespace;
use super::route::{self, Route};
use super::settings::SettingsReader;
use crate::model::input::{Fault, Place};
use crate::model::topology::{Facts, HostFact};

/// What became of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// It has another form.
    Foreign,
    /// It was read, or is known to say nothing about addresses.
    Read,
    /// It has the form, but something in it cannot be used.
    Fault(String),
}

/// The part of a text that is still to be read.
#[derive(Debug, Clone, Copy)]
pub struct Unread<'a> {
    rest: &'a str,
    number: u64,
}

impl<'a> Unread<'a> {
    /// All of `text`, whose first line has the number `first_line`.
    pub const fn new(text: &'a str, first_line: u64) -> Self {
        Self { rest: text, number: first_line }
    }

    /// What is left.
    pub const fn rest(&self) -> &'a str {
        self.rest
    }

    /// The number of the line at which the rest begins.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The next line; `None` at the end.
    pub fn line(&self) -> Option<&'a str> {
        (!self.rest.is_empty()).then(|| self.rest.lines().next().unwrap_or_default())
    }

    /// Goes on to the next line.
    pub fn skip_line(&mut self) {
        self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
        self.number = self.number.saturating_add(1);
    }

    /// Goes on by `length_bytes`, or to the end where that is no boundary.
    pub fn skip_bytes(&mut self, length_bytes: usize) {
        let (skipped, rest) = self.rest.split_at_checked(length_bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        self.number = self.number.saturating_add(count_lines(skipped));
    }
}

/// Line breaks in `text`.
pub fn count_lines(text: &str) -> u64 {
    u64::try_from(memchr::memchr_iter(b'\n', text.as_bytes()).count()).unwrap_or(u64::MAX)
}

/// Which line of `text`, counted from 0, has the byte at `offset_bytes`; the last
/// that says anything, where a parser only then missed what should follow.
pub fn line_of(text: &str, offset_bytes: usize) -> u64 {
    let end = offset_bytes.min(text.trim_end().len());
    let before = text.as_bytes().get(..end).unwrap_or_default();
    u64::try_from(memchr::memchr_iter(b'\n', before).count()).unwrap_or(u64::MAX)
}

/// A parser's complaint `… at line 2, column 5` without the line, which it counts
/// from where its own text begins.
pub fn without_line(complaint: &str) -> String {
    let parts = complaint
        .rsplit_once(" at line ")
        .and_then(|(what, place)| Some((what, place.split_once("column ")?.1)));
    parts
        .map_or_else(|| complaint.to_owned(), |(what, column)| format!("{what} in column {column}"))
}

/// The line without the escape sequences of `ip -c` (ECMA-48, section 8.3.117).
fn without_colours(line: &str) -> Cow<'_, str> {
    let mut pieces = line.split("\u{1b}[");
    let first = pieces.next().unwrap_or_default();
    if first.len() == line.len() {
        return Cow::Borrowed(line);
    }
    let coloured = pieces.map(|piece| {
        let parameters = |c: char| c.is_ascii_digit() || c == ';';
        let rest = piece.trim_start_matches(parameters);
        rest.strip_prefix(|c: char| c.is_ascii_alphabetic()).unwrap_or(rest)
    });
    Cow::Owned(std::iter::once(first).chain(coloured).collect())
}

/// Reads lines, whichever command printed them.
#[derive(Debug)]
pub struct Lines<'a> {
    command: &'a Command,
    links: IpAddrReader,
    routes: Vec<Route>,
    tables: KubectlReader<'a>,
    settings: SettingsReader,
    hosts: Vec<HostFact>,
    tracked: conntrack::Entries,
    faults: Vec<Fault>,
}

impl<'a> Lines<'a> {
    /// A reader of what `command` printed.
    pub fn new(command: &'a Command) -> Self {
        Self {
            command,
            links: IpAddrReader::new(command),
            routes: Vec::new(),
            tables: KubectlReader::new(command.namespace.as_deref()),
            settings: SettingsReader::default(),
            hosts: Vec::new(),
            tracked: conntrack::Entries::default(),
            faults: Vec::new(),
        }
    }

    /// Reads the XML of connection tracking with which `text` begins; gives the
    /// bytes that it takes up.
    pub fn read_xml(&mut self, text: &str, first_line: u64) -> usize {
        self.tables.end();
        self.tracked.read_xml(text, first_line)
    }

    /// Reads one line. A line of no known form is passed over: prompts, prose,
    /// and much of what `ip` prints say nothing about addresses.
    pub fn read(&mut self, line: &str, number: u64) {
        let line = &*without_colours(line);
        if self.command.lists_hosts {
            if self.hosts.len() < hosts::LIMIT_NAMES {
                self.hosts.extend(hosts::read(line));
            }
            return;
        }
        let mut reading = self.tracked.read(line, number);
        if reading == Reading::Foreign {
            reading = self.links.read(line);
        }
        if reading == Reading::Foreign {
            reading = ip_route::read(line, &mut self.routes);
        }
        if reading == Reading::Foreign {
            reading = self.settings.read(line);
        }
        if reading == Reading::Foreign {
            reading = self.tables.read(line);
        } else {
            self.tables.end();
        }
        if let Reading::Fault(message) = reading {
            self.faults.push(Fault { place: Place::Line(number), message });
        }
    }

    /// What all lines say together.
    pub fn finish(self) -> Facts {
        let links = self.links.finish();
        let host = namespace::host_of(&links, self.command);
        let mut facts = interface::facts_of(&links, &host);
        facts.extend(route::facts_of(&self.routes, &host));
        facts.addresses.extend(self.tables.finish());
        facts.hosts.extend(self.hosts);
        facts.settings.extend(self.settings.finish(self.command));
        facts.faults.extend(self.faults);
        facts.extend(self.tracked.finish());
        facts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_a_text_are_lines_that_it_has() {
        for (text, offset_bytes, line) in [
            ("", 0, 0),
            ("[\n", 2, 0),
            ("[\n\n", 3, 0),
            ("a\r\rb\nc", 4, 0),
            ("a\r\rb\nc", 5, 1),
            ("a\nb", usize::MAX, 1),
            ("é\nb", 1, 0),
        ] {
            assert_eq!(line_of(text, offset_bytes), line, "{text:?} at {offset_bytes}");
        }
    }

    #[test]
    fn complaints_lose_their_line_only() {
        for (complaint, expected) in [
            ("EOF while parsing a list at line 2 column 0", "EOF while parsing a list in column 0"),
            ("no key at line 1 at line 2, column 5", "no key at line 1 in column 5"),
            ("no key at line 1", "no key at line 1"),
            ("recursion limit exceeded", "recursion limit exceeded"),
        ] {
            assert_eq!(without_line(complaint), expected);
        }
    }
}
