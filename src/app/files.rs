//! Files that settings name.

use std::fs;
use std::path::Path;

use super::nodes::Failure;

/// Reads a file; the error names it.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| format!("cannot read '{}': {error}", path.display()).into())
}
