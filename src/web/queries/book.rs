//! Which queries run or wait: one device is asked about at one node once at a time.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{MutexGuard, PoisonError};

use tokio::sync::watch;
use uuid::Uuid;

use super::{Queries, QueryRequest};
use crate::model::query::NodeQuery;
use crate::web::error::Error;

/// Why a query shall end before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Somebody has seen enough.
    Asked,
    /// The service ends.
    Ending,
}

/// What runs or waits, and whether more may.
#[derive(Debug, Default)]
pub(super) struct Book {
    active: HashMap<Uuid, Active>,
    /// What an earlier run of the service captured is analysed.
    pub(super) is_recovering: bool,
    is_closed: bool,
}

#[derive(Debug)]
struct Active {
    cluster: Option<String>,
    node: String,
    addresses: Vec<IpAddr>,
    how: How,
    stop: watch::Sender<Option<Stop>>,
}

/// How a query captures, beside of whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct How {
    duration_s: u32,
    interfaces: BTreeSet<String>,
    ports: BTreeSet<u16>,
}

impl How {
    /// As a request says it.
    pub(super) fn of(request: &QueryRequest) -> Self {
        Self {
            duration_s: request.duration_s,
            interfaces: request.interfaces.iter().cloned().collect(),
            ports: request.ports.iter().copied().collect(),
        }
    }

    /// The members of a request in which it differs from another.
    fn differences(&self, other: &Self) -> Vec<&'static str> {
        let members = [
            ("duration_s", self.duration_s != other.duration_s),
            ("interfaces", self.interfaces != other.interfaces),
            ("ports", self.ports != other.ports),
        ];
        members.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }
}

/// A query that runs or waits.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) id: Uuid,
    /// The members of the request that ask for something else than it does.
    pub(super) differs_in: Vec<&'static str>,
}

/// What came of asking for a place.
pub(super) enum Entered {
    New(Slot),
    Running(Running),
}

/// A query's place; dropped, it is free, however the query ended.
#[derive(Debug)]
pub(super) struct Slot {
    queries: Queries,
    id: Uuid,
    pub(super) stopped: watch::Receiver<Option<Stop>>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.queries.note(|book| {
            book.active.remove(&self.id);
        });
    }
}

impl Queries {
    /// Takes a place in the queue.
    pub(super) fn enter(&self, query: &NodeQuery, how: &How) -> Result<Entered, Error> {
        let limit = self.inner.options.concurrent.saturating_add(self.inner.options.queue);
        let mut book = self.lock();
        if book.is_closed {
            return Err(Error::Ending);
        }
        // Somebody may have asked the same in the meantime.
        let cluster = query.cluster.as_deref();
        if let Some(running) = find_active(&book, cluster, &query.node, query.device, how) {
            return Ok(Entered::Running(running));
        }
        if book.active.len() >= limit {
            return Err(Error::QueueFull { limit });
        }
        let (stop, stopped) = watch::channel(None);
        let active = Active {
            cluster: query.cluster.clone(),
            node: query.node.clone(),
            addresses: query.addresses.clone(),
            how: how.clone(),
            stop,
        };
        book.active.insert(query.id, active);
        self.publish(&book);
        Ok(Entered::New(Slot { queries: self.clone(), id: query.id, stopped }))
    }

    /// Ends a query early; its report is made of what was captured.
    ///
    /// # Errors
    ///
    /// Where no query of this id runs.
    pub(in crate::web) fn stop(&self, id: Uuid) -> Result<(), Error> {
        let book = self.lock();
        let active = book.active.get(&id).ok_or(Error::QueryNotRunning(id))?;
        active.stop.send_replace(Some(Stop::Asked));
        Ok(())
    }

    /// The query about a device that runs or waits at any node.
    pub(in crate::web) fn find_active_of(&self, device: IpAddr) -> Option<Uuid> {
        let book = self.lock();
        book.active.iter().find(|(_, one)| one.addresses.contains(&device)).map(|(id, _)| *id)
    }

    /// Begins no more queries, and ends those that run: they are analysed and saved.
    pub fn close(&self) {
        let mut book = self.lock();
        book.is_closed = true;
        for active in book.active.values() {
            active.stop.send_replace(Some(Stop::Ending));
        }
        self.inner.closing.send_replace(true);
    }

    /// Waits until no query is left, and none that is recovered.
    pub async fn wait_for_end(&self) {
        // The sender is in `self`.
        let _ = self.inner.active.subscribe().wait_for(|count| *count == 0).await;
    }

    /// The query about a device at this node that runs or waits.
    pub(super) fn find_active(
        &self,
        cluster: Option<&str>,
        node: &str,
        device: IpAddr,
        how: &How,
    ) -> Option<Running> {
        find_active(&self.lock(), cluster, node, device, how)
    }

    /// Changes the book, and tells how many are left.
    pub(super) fn note(&self, change: impl FnOnce(&mut Book)) {
        let mut book = self.lock();
        change(&mut book);
        self.publish(&book);
    }

    /// Tells how many are left.
    fn publish(&self, book: &Book) {
        self.inner.active.send_replace(book.active.len() + usize::from(book.is_recovering));
    }

    /// Held for a look or a change, never across an await.
    fn lock(&self) -> MutexGuard<'_, Book> {
        self.inner.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find_active(
    book: &Book,
    cluster: Option<&str>,
    node: &str,
    device: IpAddr,
    how: &How,
) -> Option<Running> {
    let is_same = |one: &Active| {
        one.cluster.as_deref() == cluster && one.node == node && one.addresses.contains(&device)
    };
    let found = book.active.iter().find(|(_, one)| is_same(one));
    found.map(|(id, one)| Running { id: *id, differs_in: how.differences(&one.how) })
}
