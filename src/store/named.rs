//! Devices by the names that reports gave them.

use std::net::IpAddr;

use super::{Error, Store};
use crate::model::stand_in::address_of;

impl Store {
    /// The address of the device that a report called so, the newest first. One that only
    /// stands for the name is none.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn find_named_device(&self, name: &str) -> Result<Option<IpAddr>, Error> {
        let found: Option<String> = sqlx::query_scalar(
            "SELECT device FROM devices WHERE name = ? AND device NOT IN (?, ?) \
             ORDER BY analysed_at_ns DESC LIMIT 1",
        )
        .bind(name)
        .bind(address_of(name, false).to_string())
        .bind(address_of(name, true).to_string())
        .fetch_optional(self.pool())
        .await?;
        Ok(found.and_then(|text| text.parse().ok()))
    }

    /// The device that reports call so: as [`Store::find_named_device`], or the address that
    /// stands for the name where no report has another.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn find_reported_device(&self, name: &str) -> Result<Option<IpAddr>, Error> {
        if let Some(address) = self.find_named_device(name).await? {
            return Ok(Some(address));
        }
        let found: Option<String> = sqlx::query_scalar(
            "SELECT device FROM devices WHERE device IN (?, ?) \
             ORDER BY analysed_at_ns DESC, analysis_id DESC LIMIT 1",
        )
        .bind(address_of(name, false).to_string())
        .bind(address_of(name, true).to_string())
        .fetch_optional(self.pool())
        .await?;
        Ok(found.and_then(|text| text.parse().ok()))
    }
}
