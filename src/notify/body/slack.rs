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

/// A text in which nothing is markup: not the three signs that begin Slack's links and
/// calls of people (`<!channel>`), nor what Mattermost and Rocket.Chat read as Markdown,
/// names to call, or addresses to link. There is no way to quote that all of them know,
/// so signs are changed to their wide forms, or parted by a space of no width.
fn escape(text: &str) -> String {
    let text = escape_signs(text);
    let mut escaped = String::with_capacity(text.len());
    let mut before = None;
    let mut signs = text.char_indices().peekable();
    while let Some((at, sign)) = signs.next() {
        let after = signs.peek().map(|(_, next)| *next);
        let is_within =
            [before, after].into_iter().all(|beside| beside.is_some_and(char::is_alphanumeric));
        let rest = text.get(at..).unwrap_or_default();
        match sign {
            '*' => escaped.push('＊'),
            '~' => escaped.push('～'),
            '`' => escaped.push('｀'),
            '|' => escaped.push('｜'),
            '\\' => escaped.push('＼'),
            // Within a word it is no markup, and names have it there.
            '_' if !is_within => escaped.push('＿'),
            '@' | '#' => escaped.extend([sign, '\u{200b}']),
            ']' if matches!(after, Some('(' | '[' | ':')) && !is_our_port(rest) => {
                escaped.extend([sign, '\u{200b}']);
            }
            ':' if rest.starts_with("://") => escaped.extend([sign, '\u{200b}']),
            '.' if is_www(text.get(..at).unwrap_or_default()) => {
                escaped.extend([sign, '\u{200b}']);
            }
            _ => escaped.push(sign),
        }
        before = Some(sign);
    }
    escaped
}

/// The three signs that begin Slack's own markup.
fn escape_signs(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Whether `]:69` follows, as behind an IPv6 address: no address of a link begins so.
fn is_our_port(text: &str) -> bool {
    let port = text.strip_prefix("]:");
    port.is_some_and(|port| port.starts_with(|sign: char| sign.is_ascii_digit()))
}

/// Whether the text ends in `www`, which begins a link even without `://`.
fn is_www(before: &str) -> bool {
    before.to_ascii_lowercase().ends_with("www")
}

fn link(url: &str, text: &str) -> String {
    // A bar ends the address of a link.
    format!("<{}|{}>", escape_signs(&url.replace('|', "%7C")), escape(text))
}
