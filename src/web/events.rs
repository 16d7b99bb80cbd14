//! One analysis, told as server-sent events while it runs.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderName;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep_until, timeout_at};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Service;
use super::error::Error;
use super::problem::Problem;
use super::running::{Entry, Known, Outcome, Stage};
use crate::model::finding::Verdict;
use crate::model::progress::{AnalysisState, Phase, Progress};

/// Proxies end connections on which nothing comes for a minute or so.
const KEEP_ALIVE_TIME: Duration = Duration::from_secs(15);

/// The event `done`: the report is stored.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnalysisFinished {
    id: Uuid,
    state: AnalysisState,
    phase: Phase,
    verdict: Verdict,
    /// Where the report is.
    url: String,
    /// Where its page is.
    page: String,
}

/// The event `failed`: it ended without a report.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnalysisFailed {
    id: Uuid,
    state: AnalysisState,
    phase: Phase,
    /// What its sender was answered.
    problem: Problem,
}

/// The event `unknown`: it did not begin in the time that was waited for it,
/// or the store does not answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnalysisUnknown {
    id: Uuid,
    state: AnalysisState,
    problem: Problem,
}

/// Follows the analysis `id`.
///
/// # Errors
///
/// Where as many requests follow analyses as may.
pub fn follow(service: &Service, id: Uuid) -> Result<Response, Error> {
    let permit = Arc::clone(&service.listeners).try_acquire_owned();
    let limit = service.settings.listener_limit;
    let permit = permit.map_err(|_| Error::TooManyListeners { limit })?;
    let place = Place::Looking { until: Instant::now() + service.settings.listener_patience };
    let follower = Follower { service: service.clone(), id, place, _permit: permit };
    let events = stream::unfold(follower, |mut follower| async {
        follower.next().await.map(|event| (Ok::<_, Infallible>(event), follower))
    });
    let events = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE_TIME));
    // nginx keeps answers back until it has some KiB of them, unless told not to.
    Ok(([(HeaderName::from_static("x-accel-buffering"), "no")], events).into_response())
}

/// Somebody who follows an analysis.
#[derive(Debug)]
struct Follower {
    service: Service,
    id: Uuid,
    place: Place,
    _permit: OwnedSemaphorePermit,
}

#[derive(Debug)]
enum Place {
    Looking { until: Instant },
    Following(Followed),
    Over,
}

/// An analysis that runs, and what was told of it.
#[derive(Debug)]
struct Followed {
    entry: Arc<Entry>,
    stages: watch::Receiver<Stage>,
    told: Option<Progress>,
    /// When the next event may be sent.
    next_at: Instant,
}

impl Follower {
    /// The next event; `None` after the last.
    async fn next(&mut self) -> Option<Event> {
        loop {
            match &mut self.place {
                Place::Over => return None,
                Place::Looking { until } => {
                    let until = *until;
                    match self.look(until).await {
                        Ok(entry) => {
                            let stages = entry.stages();
                            let next_at = Instant::now();
                            let followed = Followed { entry, stages, told: None, next_at };
                            self.place = Place::Following(followed);
                        }
                        Err(event) => return Some(self.end(event)),
                    }
                }
                Place::Following(followed) => {
                    match followed.step(self.service.settings.event_pause).await {
                        Step::Progress(progress) => return Some(render("progress", &progress)),
                        Step::Ended(Outcome::Finished(verdict)) => {
                            let event = render_done(self.id, verdict);
                            return Some(self.end(event));
                        }
                        Step::Ended(Outcome::Failed(problem)) => {
                            let event = render_failed(self.id, problem);
                            return Some(self.end(event));
                        }
                        // The store knows an analysis with this id.
                        Step::Ended(Outcome::Withdrawn) => {
                            self.place = Place::Looking { until: Instant::now() };
                        }
                    }
                }
            }
        }
    }

    fn end(&mut self, last: Event) -> Event {
        self.place = Place::Over;
        last
    }

    /// The analysis, once it runs; or the only event, where it has ended or
    /// does not begin `until` then.
    async fn look(&self, until: Instant) -> Result<Arc<Entry>, Event> {
        let running = &self.service.settings.running;
        let mut expectation = running.expect();
        loop {
            let known = running.find(self.id);
            if let Some(Known::Running(entry)) = known {
                return Ok(entry);
            }
            match (self.service.store.find_summary(self.id).await, known) {
                (Ok(Some(summary)), _) => return Err(render_done(self.id, summary.verdict)),
                (Ok(None), Some(Known::Failed(problem))) => {
                    return Err(render_failed(self.id, problem));
                }
                // A node query remembers why, also over a restart.
                (Ok(None), _) => match self.service.explain_absence(self.id).await {
                    Ok(Error::AnalysisFailed { problem, .. }) => {
                        return Err(render_failed(self.id, *problem));
                    }
                    Ok(_) => {}
                    Err(error) => return Err(render_unknown(self.id, &error)),
                },
                (Err(error), _) => {
                    return Err(render_unknown(self.id, &Error::from(error)));
                }
            }
            if timeout_at(until, expectation.has_begun()).await != Ok(true) {
                return Err(render_unknown(self.id, &Error::AnalysisNotFound(self.id)));
            }
        }
    }
}

enum Step {
    Progress(Progress),
    Ended(Outcome),
}

impl Followed {
    /// Waits for something new that may be told.
    async fn step(&mut self, pause: Duration) -> Step {
        loop {
            if let Stage::Ended(outcome) = &*self.stages.borrow_and_update() {
                return Step::Ended(outcome.clone());
            }
            let now = Instant::now();
            if now >= self.next_at {
                self.next_at = now + pause;
                let progress = self.entry.progress();
                if self.told != Some(progress) && progress.state == AnalysisState::Running {
                    self.told = Some(progress);
                    return Step::Progress(progress);
                }
            }
            tokio::select! {
                // The sender is in the entry, which we hold.
                _ = self.stages.changed() => {}
                () = sleep_until(self.next_at) => {}
            }
        }
    }
}

fn render_done(id: Uuid, verdict: Verdict) -> Event {
    let (state, phase) = (AnalysisState::Finished, Phase::Done);
    let (url, page) = (format!("/api/v1/analyses/{id}"), format!("/analyses/{id}"));
    render("done", &AnalysisFinished { id, state, phase, verdict, url, page })
}

fn render_failed(id: Uuid, problem: Problem) -> Event {
    let (state, phase) = (AnalysisState::Failed, Phase::Failed);
    render("failed", &AnalysisFailed { id, state, phase, problem })
}

fn render_unknown(id: Uuid, error: &Error) -> Event {
    let problem = error.problem();
    render("unknown", &AnalysisUnknown { id, state: AnalysisState::Unknown, problem })
}

fn render(name: &str, content: &impl Serialize) -> Event {
    // A struct of strings and numbers always has a JSON form, of one line.
    Event::default().event(name).data(serde_json::to_string(content).unwrap_or_default())
}
