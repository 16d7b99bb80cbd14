//! Other programs: JSON in the words of the API.

use serde_json::{Value, json};

use super::super::notice::Notice;
use super::words::{clean, words_of};

/// Changes when a member changes its meaning; new ones may be added.
const VERSION: u32 = 1;

/// The body for `notice`.
pub fn render(notice: &Notice) -> Value {
    let changes: Vec<Value> = notice
        .changes
        .iter()
        .map(|change| {
            json!({
                "device": change.device,
                "name": change.name.as_deref().map(clean),
                "verdict": change.verdict,
                "verdict_before": change.verdict_before,
                "headline": clean(&change.headline),
                "asked": change.asked,
                "answered_from": change.answered_from,
                "followed_up_to": change.followed_up_to,
                "url": change.url,
            })
        })
        .collect();
    json!({
        "version": VERSION,
        "event": "verdict_changed",
        "text": words_of(notice).render_text(&notice.url),
        "analysis": {
            "id": notice.analysis,
            "title": clean(&notice.title),
            "created_at": notice.created_at,
            "url": notice.url,
        },
        "changes": changes,
        "changes_omitted": notice.changes_omitted,
    })
}
