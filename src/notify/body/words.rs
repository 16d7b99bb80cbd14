//! What all kinds of messages say, as plain text.

use std::net::IpAddr;

use super::super::notice::{Change, Notice};
use crate::model::endpoint::Endpoint;
use crate::model::stand_in::{Use, stands_for};

/// Longer texts are cut: a message is read at a glance.
const MOST_CHARACTERS: usize = 300;

/// The words of a message.
#[derive(Debug)]
pub struct Words {
    /// What happened, in one line. It begins with our name: DingTalk and Feishu can
    /// ask for a keyword.
    pub title: String,
    pub devices: Vec<DeviceWords>,
    /// What is left out, if anything is.
    pub rest: Option<String>,
    /// Which analysis says so, and when it began.
    pub origin: String,
}

/// The words about one device.
#[derive(Debug)]
pub struct DeviceWords {
    /// Which device, and its verdicts.
    pub heading: String,
    /// Why, and the addresses: one line each.
    pub lines: Vec<String>,
    pub url: String,
}

/// The words of `notice`.
pub fn words_of(notice: &Notice) -> Words {
    let devices: Vec<DeviceWords> = notice.changes.iter().map(device_words).collect();
    let count = notice.changes_omitted.saturating_add(notice.changes.len().try_into().unwrap_or(0));
    let title = match devices.as_slice() {
        [one] if count == 1 => format!("Replyscope: {}", one.heading),
        _ => format!("Replyscope: the verdicts of {count} devices changed"),
    };
    let rest = (notice.changes_omitted > 0).then(|| {
        format!("{} more devices changed; the report lists them.", notice.changes_omitted)
    });
    let origin = format!("{}, {}", clean(&notice.title), notice.created_at);
    Words { title, devices, rest, origin }
}

fn device_words(change: &Change) -> DeviceWords {
    let name = name_of(change.device, change.name.as_deref());
    let heading = match change.verdict_before {
        Some(before) => format!("{name} is {}, was {before}", change.verdict),
        None => format!("{name} is {}, not judged before", change.verdict),
    };
    let mut lines = vec![clean(&change.headline)];
    lines.extend(address_line(change));
    DeviceWords { heading, lines, url: change.url.clone() }
}

fn name_of(device: IpAddr, name: Option<&str>) -> String {
    match name.map(clean).filter(|name| !name.is_empty() && *name != device.to_string()) {
        Some(name) if !stands_for(device, &name) => format!("{name} ({device})"),
        Some(name) => name,
        None => device.to_string(),
    }
}

/// Who was asked, who answered, where the follow-ups went.
fn address_line(change: &Change) -> Option<String> {
    let list = |words: &str, endpoints: &[Endpoint]| {
        let texts: Vec<String> = endpoints.iter().map(ToString::to_string).collect();
        (!texts.is_empty()).then(|| format!("{words} {}", texts.join(", ")))
    };
    let parts = [
        change.asked.map(|asked| format!("asked {asked}")),
        list("answered from", &change.answered_from),
        list("follow-ups to", &change.followed_up_to),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty())
        .then(|| change.names.name_in(&parts.join("; "), Use::Prose).into_owned())
        .map(|line| clean(&line))
}

/// A text from outside as one short line, without signs that control the layout or
/// the direction of text.
pub fn clean(text: &str) -> String {
    let is_shown = |sign: &char| !matches!(sign, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let mut signs =
        text.chars().filter(is_shown).map(|sign| if sign.is_control() { ' ' } else { sign });
    let mut kept: String = signs.by_ref().take(MOST_CHARACTERS).collect();
    if signs.next().is_some() {
        kept.push('…');
    }
    kept.trim().to_owned()
}

impl Words {
    /// All of it as plain text, with bare links.
    pub fn render_text(&self, report_url: &str) -> String {
        let mut lines = vec![self.title.clone()];
        for device in &self.devices {
            if !self.is_about_one() {
                lines.push(String::new());
                lines.push(device.heading.clone());
            }
            lines.extend(device.lines.iter().cloned());
            lines.push(device.url.clone());
        }
        lines.push(String::new());
        lines.extend(self.rest.clone());
        lines.push(format!("{}: {report_url}", self.origin));
        lines.join("\n")
    }

    /// Whether the title says already which device it is about.
    pub fn is_about_one(&self) -> bool {
        self.devices.len() == 1 && self.rest.is_none()
    }
}
