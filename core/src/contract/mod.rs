//! What the vendor's contract says, as two tables: the operations, and the status codes they answer with. Dispatch,
//! schemas, C functions, Python methods and documentation are derived from them.

pub(crate) mod operation;
pub(crate) mod vendor_status;
