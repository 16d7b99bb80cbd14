//! The query of lists.

use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::error::Error;
use super::extract::DeviceAddress;
use crate::model::finding::{Cause, Verdict};
use crate::model::time::Timestamp;
use crate::store::Filter;

const DEFAULT_LIMIT: u32 = 50;
const LARGEST_LIMIT: u32 = 200;

/// Which analyses a list shows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AnalysesQuery {
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// Entries of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// Analyses of the device that has this address.
    #[param(value_type = Option<String>, example = "2000::65:119")]
    device: Option<DeviceAddress>,
    /// The analysis' verdict; with `device`, that device's.
    #[param(inline)]
    verdict: Option<Verdict>,
    /// A cause found at any device; with `device`, at that one.
    #[param(inline)]
    cause: Option<Cause>,
    /// A node that a capture or an address names.
    node: Option<String>,
    /// Created at this time or later, RFC 3339.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Created before this time, RFC 3339.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Part of the title, a capture's name, the headline, or a device's name or address.
    q: Option<String>,
}

impl AnalysesQuery {
    /// The filter, the cursor and the limit.
    ///
    /// # Errors
    ///
    /// Where the limit is out of range or the cursor is not one of ours.
    pub fn read(self) -> Result<(Filter, Option<Uuid>, u32), Error> {
        let limit = read_limit(self.limit)?;
        let cursor = read_cursor(self.cursor.as_deref(), |text| Uuid::try_parse(text).ok())?;
        let filter = Filter {
            device: self.device.map(|DeviceAddress(address)| address),
            verdict: self.verdict,
            cause: self.cause,
            node: given(self.node),
            since: self.since,
            until: self.until,
            text: given(self.q),
        };
        Ok((filter, cursor, limit))
    }
}

/// A form's empty field means that nothing is asked. Control characters are
/// left out: SQLite ends a pattern at a NUL.
pub fn given(text: Option<String>) -> Option<String> {
    let text: String = text?.chars().filter(|sign| !sign.is_control()).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A page's length.
///
/// # Errors
///
/// Where it is out of range.
pub fn read_limit(limit: Option<u32>) -> Result<u32, Error> {
    match limit.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=LARGEST_LIMIT => Ok(limit),
        other => Err(Error::BadQuery(format!(
            "limit is {other}; expected a number from 1 to {LARGEST_LIMIT}"
        ))),
    }
}

/// A cursor, which we gave out ourselves.
///
/// # Errors
///
/// Where we did not.
pub fn read_cursor<T>(
    text: Option<&str>,
    find: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Error> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    find(text).map(Some).ok_or_else(|| {
        Error::BadQuery(format!(
            "'{text}' is not a cursor; expected the next_cursor of the page before"
        ))
    })
}
