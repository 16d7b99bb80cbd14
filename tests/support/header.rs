//! What a report says of itself, where nothing of that matters.

use replyscope::analysis::ReportHeader;
use replyscope::model::time::Timestamp;
use uuid::Uuid;

pub fn header() -> ReportHeader {
    ReportHeader { id: Uuid::nil(), title: None, created_at: Timestamp::EPOCH }
}
