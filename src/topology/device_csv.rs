//! Device lists as CSV.

use super::address::excerpt;
use super::device_list::{DeviceList, Field, find_field, parse_role, read_addresses};
use super::text::count_lines;
use crate::model::input::{Fault, Place};
use crate::model::topology::Facts;

/// Where the header of a list is, and how its columns are separated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvList {
    delimiter: u8,
    /// Bytes before the header.
    start_bytes: usize,
    columns: Vec<Option<Field>>,
}

/// Recognises a list by its header: the first line that is neither blank nor a
/// comment names an address column.
pub fn find_list(text: &str) -> Option<CsvList> {
    let mut start_bytes = 0;
    let mut header = "";
    for line in text.split_inclusive('\n') {
        header = line.trim();
        // Excel's own first line, `sep=;`, is no row.
        let is_separator = header.len() <= 5 && header.to_ascii_lowercase().starts_with("sep=");
        if !header.is_empty() && !header.starts_with('#') && !is_separator {
            break;
        }
        start_bytes += line.len();
    }
    let delimiter = [b',', b';', b'\t'].into_iter().find(|byte| header.as_bytes().contains(byte));
    let delimiter = delimiter.unwrap_or(b',');
    let columns: Vec<_> = header.split(char::from(delimiter)).map(find_field).collect();
    columns.contains(&Some(Field::Address)).then_some(CsvList { delimiter, start_bytes, columns })
}

/// Reads the rows below the header.
pub fn read(list: CsvList, text: &str, first_line: u64) -> Facts {
    let CsvList { delimiter, start_bytes, columns } = list;
    let (before, table) = text.split_at_checked(start_bytes).unwrap_or(("", text));
    let first_line = first_line.saturating_add(count_lines(before));
    let mut rows = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .from_reader(table.as_bytes());
    let mut devices = DeviceList::default();
    let mut faults = Vec::new();
    for row in rows.records() {
        let (line, messages) = match row {
            Ok(row) => {
                let line = row.position().map_or(1, csv::Position::line);
                (line, read_row(&row, &columns, &mut devices))
            }
            Err(error) => {
                (error.position().map_or(1, csv::Position::line), vec![error.to_string()])
            }
        };
        let place = Place::Line(first_line.saturating_add(line.saturating_sub(1)));
        faults.extend(messages.into_iter().map(|message| Fault { place, message }));
    }
    let mut facts = devices.finish();
    facts.faults = faults;
    facts
}

/// Adds one row; gives what could not be used.
fn read_row(
    row: &csv::StringRecord,
    columns: &[Option<Field>],
    devices: &mut DeviceList,
) -> Vec<String> {
    let mut faults = Vec::new();
    let mut name = "";
    let mut role = "";
    let mut addresses = Vec::new();
    for (cell, column) in row.iter().zip(columns) {
        match column {
            Some(Field::Name) if name.is_empty() => name = cell,
            Some(Field::Role) => role = cell,
            Some(Field::Address) => addresses.extend(read_addresses(cell, &mut faults)),
            Some(Field::Name) | None => {}
        }
    }
    if addresses.is_empty() {
        if faults.is_empty() && !row.iter().all(str::is_empty) {
            let row = row.iter().collect::<Vec<_>>().join(",");
            faults.push(format!("expected an address, found none in '{}'", excerpt(&row)));
        }
        return faults;
    }
    let role = parse_role(role).unwrap_or_else(|message| {
        faults.push(message);
        crate::model::topology::Role::Device
    });
    devices.add(name, role, &addresses);
    faults
}
