//! Where records go on behind damage.

use super::file_header::FileHeader;
use crate::ingest::window::Window;
use crate::model::time::Timestamp;

/// Bytes behind a damaged record that are searched: some frames of any network.
const REACH_BYTES: usize = 256 * 1024;
/// Searches in one capture, found or not: each may cost a whole reach.
const SEARCHES_MAX: u32 = 100;

/// Counts the searches in one capture.
#[derive(Debug, Default)]
pub struct Searches {
    made: u32,
}

impl Searches {
    /// How many bytes from here two records begin that lie in a row, or one that
    /// ends where the file ends. Chance has next to no such bytes: two lengths,
    /// two fractions of a second and two times have to fit.
    pub fn find(
        &mut self,
        window: &mut Window<'_>,
        header: &FileHeader,
        last_at: Option<Timestamp>,
    ) -> Option<usize> {
        if self.made >= SEARCHES_MAX {
            return None;
        }
        self.made += 1;
        let has_more = window.ensure(REACH_BYTES);
        let reach = &window.unused()[..window.unused().len().min(REACH_BYTES)];
        let end_of_record = |at: usize, last_at| {
            let record = header.find_record(reach.get(at..)?)?;
            let length = usize::try_from(record.captured_length).ok()?;
            let end = at.checked_add(header.record_header_bytes)?.checked_add(length)?;
            header.is_plausible(&record, last_at).then_some((end, record.at))
        };
        (1..reach.len()).find(|at| {
            let Some((end, record_at)) = end_of_record(*at, last_at) else { return false };
            let is_last = end == reach.len() && !has_more;
            is_last || end_of_record(end, Some(record_at)).is_some()
        })
    }
}
