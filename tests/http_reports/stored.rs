//! Five reports of two devices in a running service.

use crate::folder::Folder;
use crate::http::Server;
use crate::samples::report;

pub const ANALYSES: &str = "/api/v1/analyses";

/// Five reports on two devices.
pub async fn start(folder: &Folder) -> Server {
    let server = Server::start(folder.path()).await;
    for (second, device, verdict, cause) in [
        (0, "192.0.2.1", "broken", "follow_up_to_request_address"),
        (1, "2001:db8::1", "broken", "reply_ignored"),
        (2, "192.0.2.1", "tolerated", "reply_source_translated"),
        (3, "2001:db8::1", "symmetric", "retransmissions_recovered"),
        (4, "192.0.2.1", "broken", "reply_ignored"),
    ] {
        server.store.save(&report(second, device, verdict, cause)).await.unwrap();
    }
    server
}
