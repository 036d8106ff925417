//! What is retained of a submit's raw reply once its outcome is settled.

use crate::case::vocabulary::StepName;
use crate::contract::operation::Operation;
use crate::wire;

/// The copy of a step's reply to retain, by the flags of the operation's reply message; None if the reply cannot be
/// read, and so must stay as it is.
pub(crate) fn strip(step: &str, reply: &[u8]) -> Option<String> {
    let op = Operation::find(StepName::of(step)?.operation())?;
    wire::strip(op.reply, reply)
}
