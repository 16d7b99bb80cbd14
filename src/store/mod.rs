//! Reports and captures that survive a restart.
//!
//! Reports are rows of a SQLite database, each of their devices a row of its own,
//! so that a page of a large report reads only what it shows. Captures are files
//! beside it. A report is saved in one transaction, and its captures count only
//! once it is: the folder of an upload is marked until then, and a marked one is
//! left over from a crash and removed at the next start.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::sync::Semaphore;
use uuid::Uuid;

use self::usage::Counted;

mod analyses;
mod asked;
mod blobs;
mod changes;
mod connections;
mod devices;
mod filter;
mod leftovers;
mod named;
mod parts;
mod private;
mod queries;
mod readiness;
mod reserve;
mod rows;
mod saving;
mod usage;

pub use blobs::{ALIGN_BYTES, BlobWriter, CaptureBlobs, WHOLE_BYTES};
pub use changes::{VerdictChange, VerdictChanges};
pub use devices::DeviceCursor;
pub use filter::{AnalysisCursor, Filter, Page};
pub use parts::{DeviceFilter, DevicePart};
pub use usage::Usage;

/// How long a start waits for the process before it to let go of the data directory.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// The reports and captures of one data directory. Clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    pool: SqlitePool,
    captures_directory: PathBuf,
    /// The file that keeps room for deleting.
    reserve: PathBuf,
    /// One that looks whether captures can be written.
    probe: Arc<Semaphore>,
    /// What was counted last.
    counted: Mutex<Option<Counted>>,
    /// One count at a time.
    counting: tokio::sync::Mutex<()>,
    /// Locked as long as this store lives; `None` where the file system has no locks.
    _lock: Option<File>,
}

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the data directory '{}' cannot be used", path.display())]
    Directory { path: PathBuf, source: std::io::Error },
    #[error("the data directory '{}' is in use by another replyscope", path.display())]
    InUse { path: PathBuf },
    #[error("the database '{}' cannot be opened", path.display())]
    Open { path: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("the database does not answer")]
    Database(#[from] sqlx::Error),
    #[error("the database cannot be brought up to date")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error("a capture cannot be stored or removed at '{}'", path.display())]
    Blob { path: PathBuf, source: std::io::Error },
    #[error("the stored report {id} cannot be read back: {message}")]
    Damaged { id: Uuid, message: String },
    #[error("the report cannot be written as JSON")]
    Encode(#[source] std::io::Error),
}

impl Error {
    /// Whether it is the database that fails, and not the folder of captures.
    #[must_use]
    pub const fn is_of_database(&self) -> bool {
        matches!(self, Self::Open { .. } | Self::Database(_) | Self::Migration(_))
    }
}

impl Store {
    /// Opens the store in `data_directory`, creates what is missing, and removes
    /// captures of uploads that a crash cut short. The database is
    /// `database`, or `replyscope.sqlite` in the data directory.
    ///
    /// # Errors
    ///
    /// Where the directory or database cannot be created or read, or another
    /// process still holds them after ten seconds.
    pub async fn open(
        data_directory: &Path,
        database: Option<SqliteConnectOptions>,
    ) -> Result<Self, Error> {
        let captures_directory = data_directory.join("captures");
        let fault = |source| Error::Directory { path: captures_directory.clone(), source };
        private::create_folder(&captures_directory).map_err(fault)?;
        let lock = lock(data_directory).await?;
        let reserve = reserve::place(data_directory, database.as_ref());
        let options = database.unwrap_or_else(|| {
            SqliteConnectOptions::new().filename(data_directory.join("replyscope.sqlite"))
        });
        let pool = connections::connect(options).await?;
        let mut migrator = sqlx::migrate!("./migrations");
        // Other libraries that share the database keep to sqlx's default name.
        migrator.dangerous_set_table_name("replyscope_migrations");
        migrator.run(&pool).await?;
        let store = Self {
            inner: Arc::new(Inner {
                pool,
                captures_directory,
                reserve,
                probe: Arc::new(Semaphore::new(1)),
                counted: Mutex::default(),
                counting: tokio::sync::Mutex::default(),
                _lock: lock,
            }),
        };
        store.split_older_reports().await?;
        store.tidy_captures().await?;
        store.keep_reserve().await;
        Ok(store)
    }

    /// Ends all connections; what was saved is in the database file afterwards.
    pub async fn close(&self) {
        self.inner.pool.close().await;
    }

    fn pool(&self) -> &SqlitePool {
        &self.inner.pool
    }
}

/// Two processes in one directory would take each other's uploads for leftovers.
async fn lock(data_directory: &Path) -> Result<Option<File>, Error> {
    let path = data_directory.join("lock");
    let file = private::open_file(&path)
        .map_err(|source| Error::Directory { path: path.clone(), source })?;
    let pause = Duration::from_millis(100);
    let mut waited = Duration::ZERO;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) if waited < LOCK_PATIENCE => {
                tokio::time::sleep(pause).await;
                waited += pause;
            }
            Err(TryLockError::WouldBlock) => {
                return Err(Error::InUse { path: data_directory.to_owned() });
            }
            Err(TryLockError::Error(error)) => {
                tracing::warn!(%error, "cannot lock the data directory; start only one replyscope in it");
                return Ok(None);
            }
        }
    }
}
