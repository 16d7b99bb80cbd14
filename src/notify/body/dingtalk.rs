//! Custom robots of DingTalk: plain text, in which links can be followed. Nobody is
//! called, whatever the text says: that is for `at`.

use serde_json::{Value, json};

use super::super::notice::Notice;
use super::words::words_of;

/// The body for `notice`.
pub fn render(notice: &Notice) -> Value {
    let content = words_of(notice).render_text(&notice.url);
    json!({"msgtype": "text", "text": {"content": content}, "at": {"isAtAll": false}})
}
