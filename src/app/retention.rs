//! Analyses that are older than they shall become.

use std::collections::HashSet;
use std::time::Duration;

use uuid::Uuid;

use crate::clock;
use crate::model::time::Timestamp;
use crate::store::{Error, Store};

/// How often it is looked for them.
const PAUSE: Duration = Duration::from_hours(1);

/// Reports of one look at the list.
const AT_ONCE: u32 = 100;

/// Deletes what is older than `days`, now and from time to time. Never ends.
pub async fn keep(store: Store, days: u32) {
    let age = Duration::from_hours(24 * u64::from(days));
    loop {
        match delete_older(&store, clock::now(), age).await {
            Ok(0) => {}
            Ok(deleted) => tracing::info!(deleted, days, "deleted analyses that are too old"),
            Err(error) => tracing::warn!(%error, "analyses that are too old stay for now"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Deletes what was made more than `age` before `now`; returns how many there were.
async fn delete_older(store: &Store, now: Timestamp, age: Duration) -> Result<u64, Error> {
    let age_ns = i64::try_from(age.as_nanos()).unwrap_or(i64::MAX);
    let before = Timestamp::from_nanoseconds(now.as_nanoseconds().saturating_sub(age_ns));
    let mut deleted = 0;
    // What cannot be removed does not keep the others.
    let mut stuck: HashSet<Uuid> = HashSet::new();
    loop {
        let passed_over = u32::try_from(stuck.len()).unwrap_or(u32::MAX);
        let mut found = store.made_before(before, AT_ONCE.saturating_add(passed_over)).await?;
        found.retain(|id| !stuck.contains(id));
        if found.is_empty() {
            return Ok(deleted);
        }
        for id in found {
            match store.delete(id).await {
                Ok(_) => deleted += 1,
                // It would meet each of them: the next pass tries again. Captures are
                // removed before the database is asked.
                Err(error) if error.is_of_database() => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, %id, "an analysis that is too old stays for now");
                    stuck.insert(id);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use sqlx::SqlitePool;
    use sqlx::sqlite::SqliteConnectOptions;
    use uuid::Uuid;

    use super::*;
    use crate::analysis::{Analysis, Limits, ReportHeader};

    /// Saves a report with a capture of each day, and gives their ids.
    async fn fill(store: &Store, days: [i64; 4]) -> Vec<Uuid> {
        let mut ids = Vec::new();
        for day in days {
            let line = "10:00:00.000000 IP6 2001:db8::7.50000 > 2001:db8::10.161: UDP, length 40\n";
            let mut analysis = Analysis::new(Limits::default());
            analysis.read_capture("host", None, &mut line.as_bytes()).unwrap();
            let created_at = Timestamp::from_seconds(day * 86_400);
            let header = ReportHeader { id: clock::new_id(), title: None, created_at };
            let report = analysis.finish(header).unwrap();
            store.save(&report).await.unwrap();
            let mut captures = store.new_captures(report.id);
            captures.create().unwrap().finish().unwrap();
            captures.keep();
            ids.push(report.id);
        }
        ids
    }

    #[tokio::test]
    async fn only_what_is_too_old_is_deleted() {
        let folder = std::env::temp_dir().join(format!("replyscope-keep-{}", std::process::id()));
        let store = Store::open(&folder, None).await.unwrap();
        let day = Duration::from_hours(24);
        let ids = fill(&store, [1, 2, 40, 41]).await;
        let now = Timestamp::from_seconds(42 * 86_400);
        // Of the oldest something stands there that is no folder.
        let captures = folder.join("captures").join(ids[0].to_string());
        std::fs::remove_dir_all(&captures).unwrap();
        std::fs::write(&captures, b"in the way").unwrap();
        assert_eq!(delete_older(&store, now, 40 * day).await.unwrap(), 0);
        assert_eq!(delete_older(&store, now, 2 * day).await.unwrap(), 1);
        std::fs::remove_file(&captures).unwrap();
        assert_eq!(delete_older(&store, now, 2 * day).await.unwrap(), 1);
        assert_eq!(delete_older(&store, now, 2 * day).await.unwrap(), 0);
        for (id, stays) in ids.into_iter().zip([false, false, true, true]) {
            assert_eq!(store.find_created(id).await.unwrap().is_some(), stays);
            assert_eq!(folder.join("captures").join(id.to_string()).exists(), stays);
        }
        store.close().await;
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[tokio::test]
    async fn a_database_that_takes_nothing_costs_the_captures_of_one() {
        let name = format!("replyscope-keep-locked-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let store = Store::open(&folder, None).await.unwrap();
        fill(&store, [1, 2, 3, 4]).await;
        let options = SqliteConnectOptions::new().filename(folder.join("replyscope.sqlite"));
        let pool = SqlitePool::connect_with(options).await.unwrap();
        let count = || std::fs::read_dir(folder.join("captures")).unwrap().count();
        let refuse = "CREATE TRIGGER refuse BEFORE DELETE ON analyses \
                      BEGIN SELECT RAISE(ABORT, 'not now'); END";
        sqlx::query(refuse).execute(&pool).await.unwrap();
        let now = Timestamp::from_seconds(42 * 86_400);
        let error = delete_older(&store, now, Duration::from_hours(24)).await.unwrap_err();
        assert!(error.is_of_database(), "{error:?}");
        assert_eq!(count(), 3);
        sqlx::query("DROP TRIGGER refuse").execute(&pool).await.unwrap();
        pool.close().await;
        assert_eq!(delete_older(&store, now, Duration::from_hours(24)).await.unwrap(), 4);
        assert_eq!(count(), 0);
        store.close().await;
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
