//! Follows one resource: lists it, then watches for changes, and lists again
//! where the watch has lost its place.
//!
//! `kube::runtime::watcher` does as much, but tells neither that a watch which had
//! failed is open again nor that a bookmark came, so nobody could say whether what
//! it keeps is fresh.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, pin_mut};
use kube::Client;
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::core::{ObjectList, Request};
use serde_json::Value;

use super::Surroundings;
use super::failure::Failure;
use super::objects::{Kept, MOST_OBJECTS, name_of};
use super::resource::Resource;
use super::shelf::Cluster;

/// Objects of one page of a list.
const PAGE_OBJECTS: u32 = 500;
/// How long the server keeps a watch open; a silent one is given up a little later.
const WATCH_SECONDS: u32 = 290;
const SILENCE: Duration = Duration::from_secs(295);
/// How long a page of a list may take.
const LIST_TIME: Duration = Duration::from_mins(1);

/// One resource of one cluster.
pub struct Follower {
    pub client: Client,
    pub resource: Resource,
    pub cluster: Arc<Cluster>,
    pub surroundings: Surroundings,
}

/// How a watch ended that did not fail.
struct Ended {
    /// From where to go on; `None`: list again.
    version: Option<String>,
    had_events: bool,
}

/// A watch that failed.
struct Failed {
    failure: Failure,
    /// From where to go on; `None`: list again.
    version: Option<String>,
    /// Whether it had worked until then: then the API is there, and what failed
    /// before does not count any more.
    has_worked: bool,
}

impl Follower {
    /// Runs until it is aborted.
    pub async fn run(self) {
        let pace = self.surroundings.pace;
        let mut delay = pace.first;
        let mut version: Option<String> = None;
        loop {
            let (failure, next) = match version.take() {
                None => match self.list().await {
                    Ok(listed) => {
                        version = Some(listed);
                        continue;
                    }
                    Err(failure) => (failure, None),
                },
                Some(from) => match self.watch(from.clone()).await {
                    Ok(ended) => {
                        version = ended.version;
                        delay = pace.first;
                        // A server that closes at once must not be asked in a circle.
                        if !ended.had_events {
                            tokio::time::sleep(pace.first).await;
                        }
                        continue;
                    }
                    Err(Failed { failure, version, has_worked }) => {
                        if has_worked {
                            delay = pace.first;
                        }
                        (failure, version)
                    }
                },
            };
            version = next;
            let wait = match &failure {
                Failure::Forbidden(_) | Failure::Absent(_) => pace.refused,
                Failure::Expired | Failure::Busy(_) | Failure::Refused(_) | Failure::Other(_) => {
                    delay
                }
            };
            if self.cluster.fail(self.resource, failure.clone()) {
                tracing::warn!(
                    cluster = self.cluster.name(),
                    resource = self.resource.name(),
                    ?failure,
                    "the Kubernetes API is not readable"
                );
            }
            tokio::time::sleep(wait).await;
            delay = delay.saturating_mul(2).min(pace.longest);
        }
    }

    /// Lists all objects, page by page, and keeps their facts instead of those known
    /// so far. Returns the version from which to watch.
    async fn list(&self) -> Result<String, Failure> {
        let mut objects = BTreeMap::new();
        let mut omitted = 0;
        let mut parameters = ListParams { limit: Some(PAGE_OBJECTS), ..ListParams::default() };
        loop {
            let request = Request::new(self.resource.path())
                .list(&parameters)
                .map_err(|error| Failure::Other(error.to_string()))?;
            let page = self.client.request::<ObjectList<Value>>(request);
            let page = tokio::time::timeout(LIST_TIME, page)
                .await
                .map_err(|_| Failure::Other(format!("no list within {} s", LIST_TIME.as_secs())))?
                .map_err(|error| Failure::of(&error))?;
            for object in &page.items {
                if objects.len() < MOST_OBJECTS {
                    objects.insert(name_of(object), self.keep(object));
                } else {
                    omitted += 1;
                }
            }
            parameters.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
            if parameters.continue_token.is_none() {
                self.cluster.replace(self.resource, objects, omitted);
                return Ok(page.metadata.resource_version.unwrap_or_default());
            }
        }
    }

    /// Takes changes from `version` on until the server ends the watch.
    async fn watch(&self, mut version: String) -> Result<Ended, Failed> {
        let never_opened = |failure, version| Failed { failure, version, has_worked: false };
        let parameters =
            WatchParams { timeout: Some(WATCH_SECONDS), bookmarks: true, ..WatchParams::default() };
        let request = Request::new(self.resource.path())
            .watch(&parameters, &version)
            .map_err(|error| never_opened(Failure::Other(error.to_string()), None))?;
        let opened = tokio::time::timeout(LIST_TIME, self.client.request_events::<Value>(request));
        let events = match opened.await {
            Ok(Ok(events)) => events,
            Ok(Err(error)) => return self.fault(Failure::of(&error), version, false),
            Err(_) => {
                let failure = Failure::Other(format!("no watch within {} s", LIST_TIME.as_secs()));
                return Err(never_opened(failure, Some(version)));
            }
        };
        self.cluster.hear(self.resource);
        pin_mut!(events);
        let mut had_events = false;
        loop {
            let event = match tokio::time::timeout(SILENCE, events.next()).await {
                Ok(Some(Ok(event))) => event,
                Ok(Some(Err(error))) => {
                    let ended = self.fault(Failure::of(&error), version, had_events);
                    // An event that cannot be read is a change that we miss. A
                    // connection that breaks is none: the watch was open until then.
                    let is_broken = matches!(error, kube::Error::ReadEvents(_));
                    return ended.map_err(|failed| Failed {
                        version: failed.version.filter(|_| is_broken),
                        has_worked: failed.has_worked || is_broken,
                        ..failed
                    });
                }
                Ok(None) | Err(_) => return Ok(Ended { version: Some(version), had_events }),
            };
            had_events = true;
            match event {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                    self.cluster.apply(self.resource, name_of(&object), self.keep(&object));
                    take_version(&object, &mut version);
                }
                WatchEvent::Deleted(object) => {
                    self.cluster.remove(self.resource, &name_of(&object));
                    take_version(&object, &mut version);
                }
                WatchEvent::Bookmark(bookmark) => {
                    self.cluster.hear(self.resource);
                    version = bookmark.metadata.resource_version;
                }
                WatchEvent::Error(status) => {
                    let failure = Failure::of_status(status.code, &status.message);
                    return self.fault(failure, version, had_events);
                }
            }
        }
    }

    /// A version that is too old is no failure: what is kept stays until the next list.
    ///
    /// A server that answers and says no may never know the version again, as after its
    /// database was restored ("Too large resource version"): then only a list goes on. One
    /// that has too much to do is asked for no list on top.
    #[expect(clippy::unused_self, reason = "reads as a step of the follower")]
    fn fault(&self, failure: Failure, version: String, had_events: bool) -> Result<Ended, Failed> {
        let version = match &failure {
            Failure::Expired => return Ok(Ended { version: None, had_events }),
            // Who may not watch, or has lost the resource, begins anew, too.
            Failure::Forbidden(_) | Failure::Absent(_) | Failure::Refused(_) => None,
            Failure::Busy(_) | Failure::Other(_) => Some(version),
        };
        Err(Failed { failure, version, has_worked: had_events })
    }

    fn keep(&self, object: &Value) -> Kept {
        let facts = (self.surroundings.read)(self.resource.kind(), object);
        Kept::of(facts, self.resource, object, self.client.default_namespace())
    }
}

fn take_version(object: &Value, version: &mut String) {
    let found = object.pointer("/metadata/resourceVersion").and_then(Value::as_str);
    if let Some(found) = found.filter(|text| !text.is_empty()) {
        found.clone_into(version);
    }
}
