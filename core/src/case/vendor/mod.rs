//! What a case says to the vendor and reads from it: the only place in `case` that knows operations and fields.

pub(crate) mod adoption;
pub(crate) mod answers;
mod price;
pub(crate) mod requests;
