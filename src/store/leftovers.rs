//! Folders of captures that an end of the service left behind, at its next start.

use std::collections::HashSet;
use std::path::Path;

use uuid::Uuid;

use super::blobs::{MARK, remove_folder};
use super::{Error, Store};

impl Store {
    /// Removes captures of uploads whose report was never saved, and gives those
    /// their name whose report was. A folder without the mark of an upload that this
    /// database does not know stays: it may belong to another database.
    ///
    /// What cannot be removed or renamed is told and left: it keeps no service from
    /// starting.
    ///
    /// # Errors
    ///
    /// Where the database does not answer, or the folders cannot be listed.
    pub(super) async fn tidy_captures(&self) -> Result<(), Error> {
        let directory = &self.inner.captures_directory;
        let fault = |source| Error::Directory { path: directory.clone(), source };
        let known: Vec<Uuid> =
            sqlx::query_scalar("SELECT id FROM analyses UNION SELECT id FROM queries")
                .fetch_all(self.pool())
                .await?;
        let known: HashSet<Uuid> = known.into_iter().collect();
        let mut strangers = 0_u64;
        let mut entries = tokio::fs::read_dir(directory).await.map_err(fault)?;
        while let Some(entry) = entries.next_entry().await.map_err(fault)? {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let find_id = |text: &str| Uuid::try_parse(text).ok();
            if let Some(id) = name.strip_suffix(MARK).and_then(find_id) {
                self.tidy_partial(id, known.contains(&id), &entry.path()).await;
            } else if find_id(name).is_some_and(|id| !known.contains(&id)) {
                strangers += 1;
            }
        }
        if strangers > 0 {
            tracing::warn!(
                folders = strangers,
                directory = %directory.display(),
                "captures of analyses that this database does not know are left where they are; is it the right database?"
            );
        }
        Ok(())
    }

    async fn tidy_partial(&self, id: Uuid, is_saved: bool, path: &Path) {
        if is_saved {
            // The service ended between the saving and the renaming.
            if let Err(error) = tokio::fs::rename(path, self.captures_of(id)).await {
                tracing::warn!(%id, %error, "the captures of a report cannot be renamed");
            }
            return;
        }
        tracing::info!(%id, "removing captures of an upload whose report was never saved");
        if let Err(error) = remove_folder(path).await {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(%id, %error, source, "they stay");
        }
    }
}
