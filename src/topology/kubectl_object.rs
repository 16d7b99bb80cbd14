//! One Kubernetes object in JSON, with the places in it that name addresses.

use std::net::IpAddr;

use serde_json::Value;

use super::address::parse_address;
use crate::model::topology::{AddressFact, FactSource, Facts, Role};

/// An object of the Kubernetes API.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    pub kind: &'a str,
    value: &'a Value,
}

impl<'a> Object<'a> {
    /// Reads `value`; its own `kind` goes before `kind_of_list`.
    pub fn new(value: &'a Value, kind_of_list: &'a str) -> Self {
        let kind = value.get("kind").and_then(Value::as_str).unwrap_or(kind_of_list);
        Self { kind, value }
    }

    /// The value at a JSON pointer (RFC 6901).
    pub fn at(&self, pointer: &str) -> Option<&'a Value> {
        self.value.pointer(pointer)
    }

    /// The text at a JSON pointer, where there is one and it is not empty.
    pub fn text(&self, pointer: &str) -> Option<&'a str> {
        self.at(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// The elements of the array at a JSON pointer; none where there is no array.
    pub fn elements(&self, pointer: &str) -> &'a [Value] {
        self.at(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The texts at `pointer`: one, an array of texts, or of objects with `member`.
    pub fn texts(&self, pointer: &str, member: &str) -> Vec<&'a str> {
        let text = self.text(pointer).into_iter();
        let elements = self.elements(pointer).iter();
        let member_of = |element: &'a Value| element.as_str().or_else(|| text_of(element, member));
        text.chain(elements.filter_map(member_of)).collect()
    }

    /// The value of an annotation.
    pub fn annotation(&self, name: &str) -> Option<&'a str> {
        self.at("/metadata/annotations")?.get(name)?.as_str()
    }

    /// `namespace/name`, or the name alone.
    pub fn name(&self) -> String {
        let name = self.text("/metadata/name").unwrap_or("without name");
        match self.text("/metadata/namespace") {
            Some(namespace) => format!("{namespace}/{name}"),
            None => name.to_owned(),
        }
    }
}

/// The text member of an object.
pub fn text_of<'a>(value: &'a Value, member: &str) -> Option<&'a str> {
    value.get(member).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Collects what one object says.
#[derive(Debug)]
pub struct ObjectReading<'a> {
    pub facts: &'a mut Facts,
    pub faults: &'a mut Vec<String>,
}

impl ObjectReading<'_> {
    /// Adds a fact, unless `word` is no address: that is a fault of `object`.
    pub fn add(
        &mut self,
        object: &Object<'_>,
        word: &str,
        fact: impl FnOnce(IpAddr) -> AddressFact,
    ) {
        if word == "None" {
            return;
        }
        match parse_address(word.split('/').next().unwrap_or(word)) {
            Ok(address) => self.facts.addresses.push(fact(address)),
            Err(error) => self.faults.push(format!("{} {}: {error}", object.kind, object.name())),
        }
    }
}

/// A fact that Kubernetes states.
pub fn fact(address: IpAddr, role: Role, reason: String) -> AddressFact {
    AddressFact { address, role, node: None, pod: None, source: FactSource::Kubernetes, reason }
}
