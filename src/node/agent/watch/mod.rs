//! Devices that are judged all the time: packets of the last while are kept, and
//! the shared analysis looks at them again and again.
//!
//! Memory is bounded by the window's limits, and what one analysis costs by its own.

mod board;
mod devices;
mod interfaces;
mod judge;
pub mod metrics;
#[cfg(test)]
mod samples;
mod state;
mod window;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use uuid::Uuid;

use self::interfaces::{Difference, Places};
use self::judge::Context;
use self::state::{Gaps, State};
use self::window::Snapshot;
use super::capture::{self, Captures, Standing};
use super::{conntrack, facts};
use crate::model::conntrack::{TrackedEntry, TrackingTable};
use crate::model::endpoint::Endpoint;
use crate::model::reason::render_chain;
use crate::model::report::Report;
use crate::model::time::Timestamp;
use crate::model::topology::Facts;
use crate::node::wire;

pub use self::devices::{Devices, DevicesError};
pub use self::window::WindowLimits;

/// Bytes kept of each packet: names and identities are at its beginning.
const SNAP_LENGTH_BYTES: u32 = 1_024;

/// Analyses in the length of a window: each looks at what came since the last
/// one, and at three times as much before it.
const STEPS: u32 = 4;

/// How old a packet may be before it is here: the kernel and the thread of the
/// capture hold it back for less.
const DELIVERY_TIME: Duration = Duration::from_millis(500);

/// How often it is looked for interfaces that came or went.
const LOOK_TIME: Duration = Duration::from_secs(10);

/// How long to wait after a capture was not possible.
const RETRY_TIME: Duration = Duration::from_secs(5);

/// Entries of the connection tracking table for one analysis.
const MAX_TRACKED_FLOWS: usize = 10_000;

/// What is watched, and how.
#[derive(Debug, Clone)]
pub struct Settings {
    pub devices: Devices,
    /// Names of interfaces, or their beginnings with `*`. None: those through
    /// which the node reaches the devices.
    pub interfaces: Vec<String>,
    pub window: WindowLimits,
    /// A verdict that no window confirmed for so long is forgotten.
    pub stale_after: Duration,
}

/// Where the watch runs, and whom it asks for time and ids.
#[derive(Debug, Clone)]
pub struct Surroundings {
    pub node: String,
    pub kube_proxy: Option<SocketAddr>,
    pub now: fn() -> Timestamp,
    pub new_id: fn() -> Uuid,
}

/// The watch of an agent.
#[derive(Debug)]
pub struct Watch {
    surroundings: Surroundings,
    settings: Settings,
    state: Mutex<State>,
}

impl Watch {
    /// A watch that has seen nothing; [`Watch::run`] starts it.
    pub fn new(surroundings: Surroundings, settings: Settings) -> Self {
        let state = State::new(&settings, (surroundings.now)());
        Self { surroundings, settings, state: Mutex::new(state) }
    }

    /// What is believed now.
    pub fn view(&self) -> wire::Watch {
        let Surroundings { node, now, .. } = &self.surroundings;
        self.state().view(node, &self.settings, now())
    }

    /// Appends the same as metrics.
    pub fn render_metrics(&self, text: &mut String) {
        metrics::render(text, &self.view());
    }

    /// Watches until the agent ends.
    pub async fn run(self: Arc<Self>, captures: Arc<Captures>) {
        loop {
            let fault = match self.begin(&captures).await {
                Ok((standing, places)) => {
                    self.follow(standing, places, &captures).await;
                    continue;
                }
                Err(capture::Error::Ending) => return,
                Err(error) => render_chain(&error),
            };
            tracing::warn!(fault, "watched devices cannot be captured");
            self.state().fail(fault);
            sleep(RETRY_TIME).await;
        }
    }

    /// Starts a capture at all interfaces that are there; which those are.
    async fn begin(&self, captures: &Captures) -> Result<(Standing, Places), capture::Error> {
        let Settings { devices, interfaces, .. } = &self.settings;
        let places = interfaces::find(interfaces, devices, captures.policy()).await?;
        if places.links.is_empty() {
            return Err(capture::Error::NoInterface);
        }
        let standing = captures.stand(&places.links, places.filters(devices), SNAP_LENGTH_BYTES)?;
        self.tell(&places);
        Ok((standing, places))
    }

    /// Tells where is captured now, and what is not.
    fn tell(&self, places: &Places) {
        let names: Vec<&str> = places.links.iter().map(|link| link.name.as_str()).collect();
        let devices = self.settings.devices.list().len();
        tracing::info!(devices, interfaces = names.join(","), "watching");
        let fault = places.render_fault();
        let mut state = self.state();
        if let Some(fault) = fault.as_deref().filter(|_| fault != state.gaps.fault) {
            tracing::warn!(fault, "not all watched devices are captured");
        }
        state.gaps = Gaps { fault, addresses: places.uncaptured.keys().copied().collect() };
    }

    /// Takes what is captured, and has it analysed, until the capture ends.
    async fn follow(
        self: &Arc<Self>,
        mut standing: Standing,
        mut places: Places,
        captures: &Captures,
    ) {
        let now = self.surroundings.now;
        self.state().begin(now());
        let mut step = interval(self.settings.window.span / STEPS);
        let mut look = interval(LOOK_TIME);
        for timer in [&mut step, &mut look] {
            timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
            // The first tick comes at once, and nothing is there yet.
            timer.reset();
        }
        let mut analysis: Option<JoinHandle<()>> = None;
        loop {
            tokio::select! {
                chunk = standing.stream.recv() => match chunk {
                    Some(chunk) => self.state().window.push(&chunk, now()),
                    None => break,
                },
                _ = step.tick() => {
                    self.state().count(&standing.statistics(), now());
                    if analysis.as_ref().is_none_or(JoinHandle::is_finished) {
                        analysis = Some(tokio::spawn(Arc::clone(self).analyse()));
                    }
                }
                _ = look.tick() => self.look(&standing, &mut places, captures).await,
            }
        }
        self.state().end(&standing.statistics(), now());
    }

    /// Looks which interfaces came or went. Those that stay are captured without a break.
    async fn look(&self, standing: &Standing, places: &mut Places, captures: &Captures) {
        let Settings { devices, interfaces, .. } = &self.settings;
        let found = interfaces::find(interfaces, devices, captures.policy()).await;
        let Ok(found) = found else { return };
        if found.links.is_empty() {
            return;
        }
        if found.filters(devices) != standing.filters {
            // Another gateway: all rings need another filter.
            standing.end();
            return;
        }
        let Difference { gone, new, has_gap } = places.difference(&found);
        if !gone.is_empty() || !new.is_empty() {
            let links = found.links.iter().filter(|link| new.contains(&link.index));
            if let Err(error) = captures.change(standing, gone, links) {
                let error = render_chain(&error);
                tracing::warn!(error, "the interfaces of the watch cannot be changed");
                standing.end();
                return;
            }
            if has_gap {
                self.state().window.note_gap((self.surroundings.now)());
            }
        }
        if places.has_other_news(&found) {
            self.tell(&found);
        }
        *places = found;
    }

    /// Judges the devices by the window that ends now.
    async fn analyse(self: Arc<Self>) {
        let began = Instant::now();
        let now = (self.surroundings.now)();
        let snapshot = self.state().window.snapshot(now - DELIVERY_TIME);
        let (span, packets) = (snapshot.span, snapshot.packets);
        let report = if packets == 0 { None } else { self.find_report(snapshot, now).await };
        let mut state = self.state();
        match report {
            Some(report) => state.board.take(&report, &self.settings.devices, span),
            None => state.board.forget(span.until),
        }
        state.last_analysis = Some(wire::WatchAnalysis {
            from: span.from,
            until: span.until,
            packets,
            has_gap: span.has_gap,
            took_us: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
        });
    }

    async fn find_report(self: &Arc<Self>, snapshot: Snapshot, at: Timestamp) -> Option<Report> {
        let Surroundings { node, kube_proxy, .. } = &self.surroundings;
        let facts = match facts::read(node, at, None, *kube_proxy).await {
            Ok(facts) => facts.to_facts(),
            Err(error) => {
                tracing::warn!(error = render_chain(&error), "watching without the node's facts");
                Facts::default()
            }
        };
        let watch = Arc::clone(self);
        let judged = tokio::task::spawn_blocking(move || watch.judge(snapshot, facts)).await;
        judged.unwrap_or_else(|error| {
            tracing::error!(%error, "the analysis of a window failed");
            None
        })
    }

    fn judge(&self, snapshot: Snapshot, facts: Facts) -> Option<Report> {
        let devices = &self.settings.devices;
        let Surroundings { node, new_id, .. } = &self.surroundings;
        let mut context = Context { node: node.clone(), facts, table: None };
        // Frames that are no packets of devices: ARP, for example.
        let first = judge::judge(snapshot.clone(), devices, context.clone(), new_id()).ok()?;
        let troubled = judge::find_troubled(&first, devices);
        if troubled.is_empty() {
            return Some(first);
        }
        context.table = find_entries(node, &troubled);
        if context.table.is_none() {
            return Some(first);
        }
        judge::judge(snapshot, devices, context, new_id()).ok().or(Some(first))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Entries of the kernel's table that name one of these sockets. Those of
/// others would be judged as exchanges of their own, which no packet shows any more.
fn find_entries(node: &str, clients: &[Endpoint]) -> Option<TrackingTable> {
    let is_wanted = |flow: &crate::model::conntrack::TrackedFlow| {
        let ways = [flow.original, flow.expected_reply];
        let ends = ways.iter().flat_map(|way| [way.source, way.destination]);
        ends.into_iter().any(|end| clients.binary_search(&end).is_ok())
    };
    // A node without connection tracking has nothing to say.
    let listing = conntrack::read_those(&is_wanted, MAX_TRACKED_FLOWS).ok()?;
    let entries: Vec<TrackedEntry> =
        (1..).zip(listing.flows).map(|(line, flow)| TrackedEntry { line, flow }).collect();
    let name = "conntrack".to_owned();
    (!entries.is_empty()).then(|| TrackingTable { name, node: Some(node.to_owned()), entries })
}

#[cfg(test)]
mod tests;
