//! Reads server-sent events (HTML standard, section 9.2).

use std::time::Duration;

use reqwest::Response;
use serde_json::Value;
use tokio::time::timeout;

/// Longer than any event takes to come here.
const LONG: Duration = Duration::from_secs(20);

/// An answer of events, read one by one.
pub struct Events {
    response: Response,
    buffer: String,
}

impl Events {
    /// Takes an answer, which must be one of events that nobody may keep back.
    pub fn new(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        let headers = response.headers();
        assert_eq!(headers["content-type"], "text/event-stream");
        assert_eq!(headers["cache-control"], "no-cache");
        assert_eq!(headers["x-accel-buffering"], "no");
        assert!(!headers.contains_key("content-encoding"));
        assert!(headers.contains_key("content-security-policy"));
        Self { response, buffer: String::new() }
    }

    /// The next event's name and content; `None` once the answer has ended.
    pub async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.buffer.split_once("\n\n") {
                let field = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned)
                };
                let named = field("event: ").zip(field("data: "));
                self.buffer = rest.to_owned();
                match named {
                    Some((name, content)) => {
                        return Some((name, serde_json::from_str(&content).unwrap()));
                    }
                    // A comment, which keeps the connection alive.
                    None => continue,
                }
            }
            let chunk = timeout(LONG, self.response.chunk()).await.expect("an event").unwrap()?;
            self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The last event, once the answer has ended.
    pub async fn last(&mut self) -> (String, Value) {
        let mut last = None;
        while let Some(event) = self.next().await {
            last = Some(event);
        }
        last.expect("there was an event")
    }
}
