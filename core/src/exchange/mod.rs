//! One call to the vendor: check the request, wait for the request budget, send, decode, and repeat where that is
//! harmless. It knows no case.

pub(crate) mod context;
pub(crate) mod prepare;
pub(crate) mod rate_limiter;
pub(crate) mod retry;
pub(crate) mod runtime;
pub(crate) mod session;
