//! Files that settings name.

use std::fs;
use std::path::Path;

use super::nodes::Failure;
use crate::config::name_option;

/// Reads the file that `option` names; the error names both.
pub fn read(option: &str, path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| {
        let option = name_option(option);
        format!("{option}: cannot read '{}': {error}", path.display()).into()
    })
}

/// The first line that is neither empty nor a comment, as in the agents' own file.
pub fn read_token(option: &str, path: &Path) -> Result<String, Failure> {
    let expected = |what: &str| -> Failure {
        format!("{}: '{}' {what}", name_option(option), path.display()).into()
    };
    let text = String::from_utf8(read(option, path)?)
        .map_err(|_| expected("is not text; expected a token"))?;
    let token = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    token.map(str::to_owned).ok_or_else(|| expected("holds no token; expected one on a line"))
}
