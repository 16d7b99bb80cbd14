//! A notice as each kind of receiver reads it: one pure function a kind.
//!
//! Names and titles come from whoever made a capture or a list of devices. No kind of
//! message lets them call people, set links under other words or change the layout. That
//! some programs show a host's name as a link by themselves is beyond us.

mod dingtalk;
mod feishu;
mod generic;
mod slack;
mod teams;
mod words;

use serde_json::Value;

use super::notice::Notice;
use super::target::Kind;

/// The body of the request that tells a receiver.
pub fn render(kind: Kind, notice: &Notice) -> Value {
    match kind {
        Kind::Slack => slack::render(notice),
        Kind::Teams => teams::render(notice),
        Kind::Feishu => feishu::render(notice),
        Kind::DingTalk => dingtalk::render(notice),
        Kind::Generic => generic::render(notice),
    }
}

#[cfg(test)]
mod tests;
