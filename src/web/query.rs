//! The query of lists.

use std::fmt::Write as _;
use std::num::ParseIntError;
use std::str::FromStr;

use serde::de::{Error as _, IntoDeserializer};
use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;

use super::error::Error;
use super::extract::DeviceAddress;
use crate::model::finding::{Cause, Verdict};
use crate::model::time::Timestamp;
use crate::store::{AnalysisCursor, Filter};

const DEFAULT_LIMIT: u32 = 50;
const LARGEST_LIMIT: u32 = 200;
/// Of a text to search for, in characters.
const LONGEST_TEXT: usize = 200;

/// Which analyses a list shows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AnalysesQuery {
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// Entries of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    #[serde(deserialize_with = "number_or_none")]
    limit: Option<u32>,
    /// Analyses of the device that has this address (ADDRESS:PORT will do), or `ip:NAME`
    /// or `ip6:NAME` where reports know no more than its name.
    #[param(value_type = Option<String>, example = "2000::65:119")]
    #[serde(deserialize_with = "empty_as_none")]
    device: Option<DeviceAddress>,
    /// The analysis' verdict; with `device`, that device's.
    #[param(inline)]
    #[serde(deserialize_with = "empty_as_none")]
    verdict: Option<Verdict>,
    /// A cause found at any device; with `device`, at that one.
    #[param(inline)]
    #[serde(deserialize_with = "empty_as_none")]
    cause: Option<Cause>,
    /// A node that a capture or an address names.
    node: Option<String>,
    /// Created at this time or later, RFC 3339.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(deserialize_with = "empty_as_none")]
    since: Option<Timestamp>,
    /// Created before this time, RFC 3339.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(deserialize_with = "empty_as_none")]
    until: Option<Timestamp>,
    /// Part of the title, a capture's name, the headline, or a device's name or address.
    q: Option<String>,
}

impl AnalysesQuery {
    /// The filter, the cursor and the limit.
    ///
    /// # Errors
    ///
    /// Where the limit is out of range, the text too long, or the cursor not one of ours.
    pub fn read(self) -> Result<(Filter, Option<AnalysisCursor>, u32), Error> {
        let limit = read_limit(self.limit)?;
        let cursor = read_cursor(self.cursor.as_deref(), |text| text.parse().ok())?;
        let filter = Filter {
            device: self.device.map(|DeviceAddress(address)| address),
            verdict: self.verdict,
            cause: self.cause,
            node: given(self.node),
            since: self.since,
            until: self.until,
            text: read_text(self.q)?,
        };
        Ok((filter, cursor, limit))
    }
}

/// A form's empty field means that nothing is asked.
///
/// # Errors
///
/// Where a field that is not empty cannot be read.
pub fn empty_as_none<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let text = text.filter(|text| !text.is_empty());
    text.map(|text| T::deserialize(text.into_deserializer())).transpose()
}

/// As [`empty_as_none`], of a number: queries hold its text.
///
/// # Errors
///
/// Where a field that is not empty is no such number.
pub fn number_or_none<'de, D: Deserializer<'de>, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: FromStr<Err = ParseIntError>,
{
    let text = Option::<String>::deserialize(deserializer)?;
    let text = text.filter(|text| !text.is_empty());
    text.map(|text| text.parse().map_err(|error| D::Error::custom(format!("'{text}': {error}"))))
        .transpose()
}

/// What `filter` asks, as fields of a query: those without the verdict and the
/// text first, which the first page keeps while these two are changed.
pub fn kept_fields(filter: &Filter) -> Vec<(&'static str, String)> {
    let fields = [
        ("device", filter.device.map(|device| device.to_string())),
        ("cause", filter.cause.map(|cause| cause.as_token().to_owned())),
        ("node", filter.node.clone()),
        ("since", filter.since.map(|since| since.to_string())),
        ("until", filter.until.map(|until| until.to_string())),
    ];
    fields.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))).collect()
}

/// The query of the page that begins at `cursor`.
pub fn render_next(filter: &Filter, limit: u32, cursor: AnalysisCursor) -> String {
    let mut fields = kept_fields(filter);
    fields.extend(filter.verdict.map(|verdict| ("verdict", verdict.as_token().to_owned())));
    fields.extend(filter.text.clone().map(|text| ("q", text)));
    fields.extend((limit != DEFAULT_LIMIT).then(|| ("limit", limit.to_string())));
    fields.push(("cursor", cursor.to_string()));
    render_fields(fields)
}

/// Fields as a query, their values encoded.
pub fn render_fields(fields: impl IntoIterator<Item = (&'static str, String)>) -> String {
    let fields: Vec<String> =
        fields.into_iter().map(|(name, value)| format!("{name}={}", encode(&value))).collect();
    fields.join("&")
}

/// Percent-encodes all but the unreserved characters of RFC 3986, section 2.3.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// A form's empty field means that nothing is asked. Control characters are
/// left out: SQLite ends a pattern at a NUL.
pub fn given(text: Option<String>) -> Option<String> {
    let text: String = text?.chars().filter(|sign| !sign.is_control()).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// What a list is searched for.
///
/// # Errors
///
/// Where it is longer than any name: the database takes only so much.
pub fn read_text(text: Option<String>) -> Result<Option<String>, Error> {
    let text = given(text);
    let characters = text.as_ref().map_or(0, |text| text.chars().count());
    if characters > LONGEST_TEXT {
        return Err(Error::BadQuery(format!(
            "q has {characters} characters; expected at most {LONGEST_TEXT}"
        )));
    }
    Ok(text)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_survives_its_way_through_a_link() {
        let filter = Filter {
            device: "2001:db8::7".parse().ok(),
            verdict: Some(Verdict::OneWay),
            cause: Some(Cause::ReplyIgnored),
            node: Some("node 3&x".to_owned()),
            since: Some(Timestamp::from_seconds(1_700_000_000)),
            until: Some(Timestamp::from_nanoseconds(1_800_000_000_123_456_789)),
            text: Some("100% <b>\u{fc}ber+mehr".to_owned()),
        };
        let created_at = Timestamp::from_nanoseconds(1_800_000_000_123_456_789);
        let cursor = AnalysisCursor { created_at, id: uuid::Uuid::from_u128(7) };
        for (filter, limit) in [(filter, 20), (Filter::default(), DEFAULT_LIMIT)] {
            let query = render_next(&filter, limit, cursor);
            let uri = format!("/?{query}").parse().unwrap();
            #[expect(clippy::disallowed_types, reason = "reads what our own wrapper would read")]
            let read = axum::extract::Query::<AnalysesQuery>::try_from_uri(&uri).unwrap().0;
            assert_eq!(read.read().unwrap(), (filter, Some(cursor), limit), "{query}");
        }
    }
}
