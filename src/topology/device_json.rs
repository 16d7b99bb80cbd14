//! Device lists as JSON: an array of objects, or an object that maps names to
//! addresses.

use serde_json::{Map, Value};

use super::device_list::{DeviceList, Field, find_field, parse_role, read_addresses};
use crate::model::topology::{Facts, Role};

/// The entries of one array.
#[derive(Debug, Default)]
pub struct Entries {
    list: DeviceList,
}

impl Entries {
    /// Adds one entry, `{"name": …, "address": …, "role": …}`.
    ///
    /// # Errors
    ///
    /// Where nothing, or not all, of the entry can be used.
    pub fn read(&mut self, entry: &Value) -> Result<(), String> {
        let entry =
            entry.as_object().ok_or("expected an object with the members name and address")?;
        self.read_named(None, entry)
    }

    /// The list as facts.
    pub fn finish(self) -> Facts {
        self.list.finish()
    }

    fn read_named(&mut self, key: Option<&str>, entry: &Map<String, Value>) -> Result<(), String> {
        let mut faults = Vec::new();
        let mut name = key;
        let mut role = "";
        let mut addresses = Vec::new();
        for (member, value) in entry {
            match find_field(member) {
                Some(Field::Name) => name = name.or(value.as_str()),
                Some(Field::Role) => role = value.as_str().unwrap_or_default(),
                Some(Field::Address) => addresses.extend(read_value(value, &mut faults)),
                None => {}
            }
        }
        if addresses.is_empty() && faults.is_empty() {
            faults.push("expected the member address or addresses, found none".to_owned());
        }
        let role = parse_role(role).unwrap_or_else(|message| {
            faults.push(message);
            Role::Device
        });
        if !addresses.is_empty() {
            self.list.add(name.unwrap_or_default().trim(), role, &addresses);
        }
        if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
    }
}

/// Reads an object that is a list: one device, `{"devices": […]}`, or names
/// with their addresses.
pub fn read_object(value: &Value, facts: &mut Facts, faults: &mut Vec<String>) {
    let Some(object) = value.as_object().filter(|object| !object.is_empty()) else { return };
    let mut entries = Entries::default();
    let has = |field| object.keys().any(|key| find_field(key) == Some(field));
    if let Some(list) = object.get("devices").and_then(Value::as_array) {
        for (index, entry) in list.iter().enumerate() {
            if let Err(message) = entries.read(entry) {
                faults.push(format!("entry {}: {message}", index + 1));
            }
        }
    } else if has(Field::Address) && has(Field::Name) {
        faults.extend(entries.read(value).err());
    } else if !has(Field::Address) && object.values().any(is_address) {
        for (name, value) in object {
            faults.extend(read_member(&mut entries, name, value).err());
        }
    } else {
        faults.push(
            "expected links, routes, Kubernetes objects or a device list, found other JSON"
                .to_owned(),
        );
    }
    facts.extend(entries.finish());
}

/// One member of an object that maps names to addresses.
fn read_member(entries: &mut Entries, name: &str, value: &Value) -> Result<(), String> {
    if let Value::Object(entry) = value {
        return entries
            .read_named(Some(name), entry)
            .map_err(|message| format!("{name}: {message}"));
    }
    let mut faults = Vec::new();
    let addresses = read_value(value, &mut faults);
    if addresses.is_empty() && faults.is_empty() {
        faults.push("expected an address, found none".to_owned());
    }
    if !addresses.is_empty() {
        entries.list.add(name.trim(), Role::Device, &addresses);
    }
    if faults.is_empty() { Ok(()) } else { Err(format!("{name}: {}", faults.join("; "))) }
}

/// A text or an array of texts.
fn read_value(value: &Value, faults: &mut Vec<String>) -> Vec<std::net::IpAddr> {
    match value {
        Value::String(text) => read_addresses(text, faults),
        Value::Array(values) => {
            let texts = values.iter().filter_map(Value::as_str);
            texts.flat_map(|text| read_addresses(text, faults)).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a member's value names at least one address.
fn is_address(value: &Value) -> bool {
    match value {
        Value::Object(entry) => entry
            .iter()
            .any(|(key, value)| find_field(key) == Some(Field::Address) && is_address(value)),
        value => !read_value(value, &mut Vec::new()).is_empty(),
    }
}
