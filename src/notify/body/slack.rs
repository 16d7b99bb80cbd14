//! Slack's incoming webhooks: text with its `mrkdwn`. No blocks, so that programs that
//! take the same (Mattermost, Rocket.Chat) show it as well.

use serde_json::{Value, json};

use super::super::notice::Notice;
use super::words::words_of;

/// The body for `notice`.
pub fn render(notice: &Notice) -> Value {
    let words = words_of(notice);
    let mut lines = vec![format!("*{}*", escape(&words.title))];
    for device in &words.devices {
        if !words.is_about_one() {
            lines.push(String::new());
            lines.push(format!("*{}*", escape(&device.heading)));
        }
        lines.extend(device.lines.iter().map(|line| escape(line)));
        lines.push(link(&device.url, "What the packets show, and what to change"));
    }
    lines.push(String::new());
    lines.extend(words.rest.as_deref().map(escape));
    lines.push(link(&notice.url, &words.origin));
    json!({"text": lines.join("\n")})
}

/// The three signs that begin links and calls of people (`<!channel>`).
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn link(url: &str, text: &str) -> String {
    // A bar ends the address of a link.
    format!("<{}|{}>", escape(&url.replace('|', "%7C")), escape(text))
}
