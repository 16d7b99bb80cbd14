//! Custom bots of Feishu and Lark: a post of text and links. In a plain text message
//! a name such as `<at user_id="all">` would call people; in a post it is text.

use serde_json::{Value, json};

use super::super::notice::Notice;
use super::words::words_of;

/// The body for `notice`.
pub fn render(notice: &Notice) -> Value {
    let words = words_of(notice);
    let mut content = Vec::new();
    for device in &words.devices {
        if !words.is_about_one() {
            content.push(json!([text(&device.heading)]));
        }
        content.extend(device.lines.iter().map(|line| json!([text(line)])));
        content.push(json!([link("What the packets show, and what to change", &device.url)]));
    }
    content.extend(words.rest.as_deref().map(|rest| json!([text(rest)])));
    content.push(json!([link(&words.origin, &notice.url)]));
    let post = json!({"title": words.title, "content": content});
    // Whoever reads it in another language is shown the only one there is.
    json!({"msg_type": "post", "content": {"post": {"en_us": post}}})
}

fn text(text: &str) -> Value {
    json!({"tag": "text", "text": text})
}

fn link(text: &str, url: &str) -> Value {
    json!({"tag": "a", "text": text, "href": url})
}
