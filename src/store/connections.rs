//! Connections to the database, none of which is kept in half a transaction.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use sqlx::{Connection as _, SqliteConnection, SqlitePool};

use super::{Error, private};

/// How many there are at most.
const CONNECTIONS_MAX: u32 = 8;

/// Opens the database, which is created where it is missing: private, as its log and its
/// other files then are, which get its mode.
///
/// # Errors
///
/// Where it cannot be opened.
pub async fn connect(options: SqliteConnectOptions) -> Result<SqlitePool, Error> {
    let path = options.get_filename().to_owned();
    let fault = |source| Error::Open { path: path.clone(), source };
    if is_file(&path) {
        private::create_file(&path).map_err(|error| fault(error.into()))?;
    }
    let options = options
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10));
    SqlitePoolOptions::new()
        .max_connections(CONNECTIONS_MAX)
        .acquire_timeout(Duration::from_secs(10))
        .after_release(|connection, _| Box::pin(is_usable(connection)))
        .connect_with(options)
        .await
        .map_err(|error| fault(error.into()))
}

/// Whether a database is a file, and not one in memory, whose name is a URI.
pub fn is_file(path: &Path) -> bool {
    !path.starts_with(":memory:") && !path.to_string_lossy().starts_with("file:")
}

/// Whether a connection that comes back may be used again; it is closed otherwise.
///
/// Where there is no room, no memory, or the disk fails, SQLite may end the whole
/// transaction by itself ("Response To Errors Within A Transaction" in its page on
/// transactions). The rollback that sqlx sends then fails, sqlx counts the transaction
/// as open ever after, and what the next one "commits" is a savepoint of one that nobody
/// commits: it is lost when the process ends.
async fn is_usable(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // A rollback of what was dropped may still wait for its turn.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde_json::json;
    use uuid::Uuid;

    use super::super::Store;
    use super::*;
    use crate::model::report::Report;

    /// A report whose first row is larger than some pages.
    fn report(id: u128) -> Report {
        serde_json::from_value(json!({
            "id": Uuid::from_u128(id), "title": "x".repeat(64 << 10),
            "created_at": "2024-11-19T00:00:00Z", "verdict": "inconclusive", "headline": "",
            "summary": {"devices": 0, "verdicts": {}}, "captures": [], "addresses": [],
            "devices": [],
        }))
        .unwrap()
    }

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("replyscope-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        folder
    }

    /// All connections that there may be. A limit on pages is one of each connection.
    async fn all(store: &Store) -> Vec<sqlx::pool::PoolConnection<sqlx::Sqlite>> {
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS_MAX {
            connections.push(store.pool().acquire().await.unwrap());
        }
        connections
    }

    /// Lets the database grow to so many pages; those that it has stay.
    async fn limit_pages(connection: &mut SqliteConnection, pages: u32) {
        let statement = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
        sqlx::query(statement).execute(connection).await.unwrap();
    }

    #[tokio::test]
    async fn a_full_database_costs_only_what_is_saved_then() {
        let folder = folder("full-save");
        let store = Store::open(&folder, None).await.unwrap();
        store.save(&report(1)).await.unwrap();
        for mut connection in all(&store).await {
            limit_pages(&mut connection, 1).await;
        }
        let error = store.save(&report(2)).await.unwrap_err();
        assert!(super::super::reserve::is_full(&error), "{error:?}");
        for id in 3..12 {
            // Each connection meets the limit once, and a new one has none.
            let _ = store.save(&report(id)).await;
        }
        // An error that leaves a transaction of its own open, if it is not the outermost.
        store.save(&report(1)).await.unwrap_err();
        for mut connection in all(&store).await {
            limit_pages(&mut connection, u32::MAX - 1).await;
        }
        for id in 20..30 {
            store.save(&report(id)).await.unwrap();
        }
        store.close().await;
        drop(store);

        let store = Store::open(&folder, None).await.unwrap();
        for id in (20..30).chain([1]) {
            let found = store.find_frame(Uuid::from_u128(id)).await.unwrap();
            assert_eq!(found.map(|found| found.id), Some(Uuid::from_u128(id)));
        }
        assert!(store.find_frame(Uuid::from_u128(2)).await.unwrap().is_none());
        store.close().await;
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_database_elsewhere_is_private_too() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = folder("elsewhere");
        std::fs::create_dir(&folder).unwrap();
        let options = SqliteConnectOptions::new().filename(folder.join("reports.sqlite"));
        let store = Store::open(&folder.join("data"), Some(options)).await.unwrap();
        store.save(&report(1)).await.unwrap();
        for name in ["reports.sqlite", "reports.sqlite-wal", "reports.sqlite-reserve", "data/lock"]
        {
            let mode = std::fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{name}");
        }
        store.close().await;
        let missing = SqliteConnectOptions::new().filename(folder.join("nope/x.sqlite"));
        let error = connect(missing).await.unwrap_err();
        assert!(error.to_string().contains("nope/x.sqlite"), "{error}");
        assert!(error.is_of_database());
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[tokio::test]
    async fn what_is_deleted_from_a_full_database_is_gone() {
        let folder = folder("full-delete");
        let store = Store::open(&folder, None).await.unwrap();
        let (gone, id) = (Uuid::from_u128(1), Uuid::from_u128(2));
        for id in [1, 2] {
            store.save(&report(id)).await.unwrap();
        }
        // Deleting takes room, such as the log of a full disk has none of. A virtual table
        // writes by statements of its own: SQLite rolls all of the transaction back.
        for statement in [
            "INSERT INTO queries (id, node, device, addresses, duration_s, state, created_at_ns) \
             SELECT id, 'node3', '2001:db8::7', '[]', 1, 'finished', 0 FROM analyses \
             ORDER BY id LIMIT 1",
            "CREATE VIRTUAL TABLE room USING fts5 (filled)",
            "CREATE TRIGGER fill BEFORE DELETE ON queries \
             BEGIN INSERT INTO room VALUES (hex(zeroblob(100000))); END",
        ] {
            sqlx::query(statement).execute(store.pool()).await.unwrap();
        }
        let mut held = all(&store).await;
        // The only one that is left for the first attempt.
        let mut full = held.pop().unwrap();
        limit_pages(&mut full, 1).await;
        drop(full);
        assert!(store.delete(gone).await.unwrap());
        drop(held);
        store.save(&report(3)).await.unwrap();
        assert!(folder.join("reserve").exists());
        store.close().await;
        drop(store);

        let store = Store::open(&folder, None).await.unwrap();
        assert!(store.find_created(gone).await.unwrap().is_none());
        for id in [id, Uuid::from_u128(3)] {
            assert!(store.find_created(id).await.unwrap().is_some());
        }
        store.close().await;
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
