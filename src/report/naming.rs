//! Names in place of the addresses that stand for them, in all that people read.
//!
//! The rooms before this one write addresses. A name that a text prints instead of one has
//! an address that stands for it, which nobody may meet in a sentence, still less in a
//! command.

use super::build::Builder;
use super::headline::BY_ASKED;
use crate::model::finding::Remedy;
use crate::model::report::{Address, Device, DeviceExchange, DeviceFinding};
use crate::model::stand_in::{StandIns, Use};
use crate::model::topology::Role;

impl Builder<'_> {
    /// The device with names where it has addresses that stand for them.
    pub(super) fn name_device(&self, mut device: Device) -> Device {
        let names = self.stand_ins();
        if names.is_empty() {
            return device;
        }
        if device.name.is_none() {
            device.name = names.find(device.device).map(str::to_owned);
        }
        rename(&mut device.headline, names, Use::Prose);
        let mut asked = device.exchanges.iter().filter_map(|exchange| exchange.request.as_ref());
        if asked.any(|request| names.find(request.destination.address).is_some()) {
            // That it has one address only is not known.
            device.headline = device.headline.replace(BY_ASKED, "by the name that was asked");
        }
        device.findings.iter_mut().for_each(|finding| name_finding(finding, names));
        device.exchanges.iter_mut().for_each(|exchange| name_exchange(exchange, names));
        device
    }

    /// What the report says of an address that stands for a name.
    pub(super) fn name_address(&self, mut entry: Address) -> Address {
        if let Some(name) = self.stand_ins().find(entry.address) {
            let more = match entry.role {
                Role::Unknown => "of which no address is known",
                _ => &self.stand_ins().name_in(&entry.reason, Use::Prose),
            };
            entry.reason = format!("stands for the name '{name}', {more}");
            entry.name = Some(name.to_owned());
        }
        entry
    }
}

fn rename(text: &mut String, names: &StandIns, used: Use) {
    if let std::borrow::Cow::Owned(named) = names.name_in(text, used) {
        *text = named;
    }
}

fn name_finding(finding: &mut DeviceFinding, names: &StandIns) {
    rename(&mut finding.title, names, Use::Prose);
    rename(&mut finding.explanation, names, Use::Prose);
    rename(&mut finding.display_filter, names, Use::Command);
    for frame in &mut finding.evidence {
        rename(&mut frame.summary, names, Use::Prose);
    }
    for Remedy { title, steps, commands } in &mut finding.remedies {
        rename(title, names, Use::Prose);
        for step in steps {
            name_step(step, names);
        }
        for command in commands {
            rename(command, names, Use::Command);
        }
    }
}

/// Between backticks a step has what is typed.
fn name_step(step: &mut String, names: &StandIns) {
    let parts = step.split('`').enumerate().map(|(place, part)| {
        let used = if place % 2 == 0 { Use::Prose } else { Use::Command };
        names.name_in(part, used).into_owned()
    });
    *step = parts.collect::<Vec<_>>().join("`");
}

fn name_exchange(exchange: &mut DeviceExchange, names: &StandIns) {
    rename(&mut exchange.display_filter, names, Use::Command);
    if let Some(request) = &mut exchange.request {
        rename(&mut request.first, names, Use::Prose);
    }
    for step in &mut exchange.steps {
        rename(&mut step.summary, names, Use::Prose);
    }
    // The ID is a hash of true addresses.
    let asked = exchange.request.as_ref().map(|request| request.destination.address);
    let ends = [Some(exchange.client.address), asked];
    if ends.into_iter().flatten().any(|address| names.find(address).is_some()) {
        exchange.community_id = None;
    }
}
