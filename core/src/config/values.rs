//! Values of a configuration, and what is said of wrong ones.

use crate::error::{Error, ErrorCode};
use crate::json::Node;

pub(crate) fn bad_config(path: &str, message: impl Into<String>) -> Error {
    Error::at(ErrorCode::BadConfig, "configuration", path, message)
}

/// A whole number within its bounds; None if none is given.
pub(super) fn number(node: Option<&Node<'_>>, path: &str, least: u64, most: u64) -> Result<Option<u64>, Error> {
    let Some(Node::Num(token)) = node else { return Ok(None) };
    match token.parse::<u64>() {
        Ok(n) if (least..=most).contains(&n) => Ok(Some(n)),
        _ => Err(bad_config(path, format!("must be from {least} to {most}"))),
    }
}
