//! Microsoft Teams: an adaptive card, as its workflows take it. Its text is of runs,
//! which know no markup; only the links are links.

use serde_json::{Value, json};

use super::super::notice::Notice;
use super::words::words_of;

/// The body for `notice`.
pub fn render(notice: &Notice) -> Value {
    let words = words_of(notice);
    let mut body = vec![paragraph(&words.title, true)];
    let mut actions = Vec::new();
    for device in &words.devices {
        if !words.is_about_one() {
            body.push(paragraph(&device.heading, true));
        }
        body.extend(device.lines.iter().map(|line| paragraph(line, false)));
    }
    if let ([device], true) = (words.devices.as_slice(), words.is_about_one()) {
        actions.push(open("What the packets show, and what to change", &device.url));
    }
    actions.push(open("The whole report", &notice.url));
    body.extend(words.rest.as_deref().map(|rest| paragraph(rest, false)));
    body.push(paragraph(&words.origin, false));
    json!({
        "type": "message",
        "summary": words.title,
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": body,
                "actions": actions,
                "msteams": {"width": "Full"}
            }
        }]
    })
}

fn paragraph(text: &str, is_heading: bool) -> Value {
    let weight = if is_heading { "Bolder" } else { "Default" };
    json!({"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, "weight": weight}]})
}

fn open(title: &str, url: &str) -> Value {
    json!({"type": "Action.OpenUrl", "title": title, "url": url})
}
