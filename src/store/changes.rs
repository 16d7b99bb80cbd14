//! Devices whose verdict an analysis changed.

use std::net::IpAddr;

use futures_util::TryStreamExt;
use uuid::Uuid;

use super::rows::read_token;
use super::{Error, Store};
use crate::model::finding::Verdict;
use crate::model::stand_in::find_shown;

/// A device that an analysis judges otherwise than the one before did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictChange {
    pub device: IpAddr,
    pub verdict: Verdict,
    /// `None` where no analysis could judge the device before.
    pub before: Option<Verdict>,
}

/// Devices whose verdict an analysis changed: the worst, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VerdictChanges {
    /// Worst first.
    pub worst: Vec<VerdictChange>,
    pub count: u64,
}

/// What the newest analysis that could judge a device said before, by any of the
/// device's addresses. Two rules keep what is no news away:
///
/// 1. An inconclusive analysis changes nothing, and one that is older than what is
///    known does not either.
/// 2. `one_way` and `symmetric` both say that nothing is wrong: which of them it is
///    depends on what the device had to say. A device that was never judged is news
///    only where something is wrong.
///
/// Devices that are known by their names alone are left out as the rows are read: which
/// address stands for a name is no matter of the database.
const CHANGES: &str = "\
WITH looked AS ( \
    SELECT d.analysis_id, d.device, d.name, d.verdict, d.analysed_at_ns, d.place, \
        (SELECT e.rowid FROM device_addresses y \
         JOIN device_addresses x INDEXED BY device_addresses_by_address ON x.address = y.address \
         JOIN devices e ON e.analysis_id = x.analysis_id AND e.device = x.device \
         WHERE y.analysis_id = d.analysis_id AND y.device = d.device \
             AND e.analysis_id <> d.analysis_id AND e.verdict <> 'inconclusive' \
         ORDER BY e.analysed_at_ns DESC, e.analysis_id DESC LIMIT 1) AS before_row \
    FROM devices d WHERE d.analysis_id = ? AND d.verdict <> 'inconclusive' \
) \
SELECT l.device, l.name, l.verdict, b.verdict FROM looked l \
LEFT JOIN devices b ON b.rowid = l.before_row \
WHERE CASE WHEN b.rowid IS NULL THEN l.verdict IN ('broken', 'rejected', 'unanswered') \
    ELSE (b.analysed_at_ns, b.analysis_id) < (l.analysed_at_ns, l.analysis_id) \
        AND replace(l.verdict, 'one_way', 'symmetric') <> replace(b.verdict, 'one_way', 'symmetric') \
    END \
ORDER BY l.place";

impl Store {
    /// The devices whose verdict the analysis `id` changed, up to `limit` of them. Of two
    /// analyses that name a host in an address' place nobody knows whether they mean one, so
    /// that what is known by its name alone is neither among them nor counted.
    ///
    /// # Errors
    ///
    /// Where the database does not answer or a row cannot be read back.
    pub async fn verdict_changes(&self, id: Uuid, limit: u32) -> Result<VerdictChanges, Error> {
        let mut rows =
            sqlx::query_as::<_, (String, Option<String>, String, Option<String>)>(CHANGES)
                .bind(id)
                .fetch(self.pool());
        let mut changes = VerdictChanges::default();
        while let Some((device, name, verdict, before)) = rows.try_next().await? {
            let device = device.parse().map_err(|_| Error::Damaged {
                id,
                message: format!("'{device}' is not an address"),
            })?;
            if find_shown(device, name.as_deref()).is_some() {
                continue;
            }
            changes.count += 1;
            if changes.count > u64::from(limit) {
                continue;
            }
            changes.worst.push(VerdictChange {
                device,
                verdict: read_token(id, verdict)?,
                before: before.map(|before| read_token(id, before)).transpose()?,
            });
        }
        Ok(changes)
    }
}
