//! What could not be read of a capture.

use std::collections::BTreeMap;

use crate::decode::DecodeError;
use crate::model::input::{Fault, Place};

/// Faults listed by themselves; the rest is counted.
pub const MAX_FAULTS: usize = 20;

/// Faults as the report lists them: the first ones, and how many more there are.
#[derive(Debug, Default)]
pub struct Faults {
    listed: Vec<String>,
    omitted: u64,
    /// Those of the capture as a whole.
    of_whole: Vec<String>,
    of_whole_omitted: u64,
    /// By their reason.
    undecoded: BTreeMap<String, Undecoded>,
}

/// Frames that could not be decoded for one reason.
#[derive(Debug)]
struct Undecoded {
    frames: u64,
    first_frame: u64,
}

impl Faults {
    /// Notes something unreadable. What is said of the whole capture also tells how many
    /// faults a reader left out, so it is not left out for others.
    pub fn note(&mut self, fault: &Fault) {
        let (faults, omitted) = match fault.place {
            Place::Whole => (&mut self.of_whole, &mut self.of_whole_omitted),
            _ => (&mut self.listed, &mut self.omitted),
        };
        if faults.len() < MAX_FAULTS {
            faults.push(fault.to_string());
        } else {
            *omitted += 1;
        }
    }

    pub fn note_undecoded(&mut self, error: &DecodeError, frame: u64) {
        let reason = match error {
            DecodeError::UnsupportedLinkType(link_type) => {
                format!("{link_type} is not supported")
            }
            DecodeError::Cut { layer, .. } => format!("the {layer} header is cut"),
            DecodeError::Damaged { layer, .. } => format!("the {layer} header is damaged"),
            DecodeError::Unread(what) => format!("{what} is not read"),
        };
        self.undecoded
            .entry(reason)
            .or_insert(Undecoded { frames: 0, first_frame: frame })
            .frames += 1;
    }

    /// Whether something that stands at a place of its own could not be read, as the
    /// warnings then say.
    pub fn names_places(&self) -> bool {
        !self.listed.is_empty() || !self.undecoded.is_empty()
    }

    /// A sentence about each.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.listed.clone();
        if self.omitted > 0 {
            warnings.push(format!("and {} more faults", self.omitted));
        }
        warnings.extend_from_slice(&self.of_whole);
        if self.of_whole_omitted > 0 {
            warnings
                .push(format!("and {} more faults of the whole capture", self.of_whole_omitted));
        }
        for (reason, undecoded) in &self.undecoded {
            warnings.push(match undecoded {
                Undecoded { frames: 1, first_frame } => {
                    format!("frame {first_frame} was not decoded: {reason}")
                }
                Undecoded { frames, first_frame } => {
                    format!("{frames} frames were not decoded, first frame {first_frame}: {reason}")
                }
            });
        }
        warnings
    }
}
