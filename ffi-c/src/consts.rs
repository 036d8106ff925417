//! The numbers of the ABI. They repeat those of the core, because cbindgen needs literals; a test compares them.
// Some are used in the header only.
#![allow(dead_code)]

/// The ABI that this header describes; see apb_abi_version().
pub const APB_ABI_VERSION: u32 = 1;

/// 0 is APB_OK, negative numbers are errors. New ones may be added; none changes its meaning.
/// A negative status does NOT mean that nothing was executed: that is what apb_outcome says.
pub type apb_status = i32;

/// Success.
pub const APB_OK: apb_status = 0;
/// A required pointer is NULL.
pub const APB_E_NULL: apb_status = -1;
/// A text is not UTF-8.
pub const APB_E_UTF8: apb_status = -2;
/// A text is not JSON.
pub const APB_E_JSON: apb_status = -3;
/// The request cannot be sent as it is; the reply names the field.
pub const APB_E_REQUEST: apb_status = -4;
/// The configuration cannot be used; the reply names the key.
pub const APB_E_CONFIG: apb_status = -5;
/// There is no operation of that name.
pub const APB_E_OPERATION: apb_status = -6;
/// The handle is stale, freed, or none.
pub const APB_E_HANDLE: apb_status = -7;
/// The queue is closed.
pub const APB_E_CLOSED: apb_status = -8;
/// Called on the library's own thread.
pub const APB_E_BUSY: apb_status = -9;
/// The host name could not be resolved.
pub const APB_E_DNS: apb_status = -20;
/// No connection could be made.
pub const APB_E_CONNECT: apb_status = -21;
/// The TLS handshake failed.
pub const APB_E_TLS: apb_status = -22;
/// The proxy refused or could not be reached.
pub const APB_E_PROXY: apb_status = -23;
/// No answer in time.
pub const APB_E_TIMEOUT: apb_status = -24;
/// Cancelled by the caller.
pub const APB_E_CANCELLED: apb_status = -25;
/// The connection broke.
pub const APB_E_IO: apb_status = -26;
/// An HTTP status without the vendor's answer.
pub const APB_E_HTTP: apb_status = -40;
/// Too many requests; the reply says how long to wait.
pub const APB_E_RATE_LIMITED: apb_status = -41;
/// Credentials, permissions, or a feature that is not enabled.
pub const APB_E_AUTH: apb_status = -42;
/// The vendor refused with a known code: not executed.
pub const APB_E_REFUSED: apb_status = -43;
/// The answer cannot be read, or does not belong to the request.
pub const APB_E_RESPONSE: apb_status = -44;
/// The answer is larger than maxResponseBytes.
pub const APB_E_TOO_LARGE: apb_status = -45;
/// There is no such order or booking.
pub const APB_E_NOT_FOUND: apb_status = -46;
/// The vendor answered with a code whose meaning for this request is not known.
pub const APB_E_UNCERTAIN: apb_status = -47;
/// Submitted before, by this or another client: executed.
pub const APB_E_ALREADY: apb_status = -48;
/// An earlier submit is still being processed.
pub const APB_E_IN_PROGRESS: apb_status = -49;
/// The store failed.
pub const APB_E_STORE: apb_status = -60;
/// Another case, or other content under the same key, is in the way.
pub const APB_E_CONFLICT: apb_status = -61;
/// A condition of the request did not hold, so nothing was submitted.
pub const APB_E_GUARD: apb_status = -62;
/// Out of memory.
pub const APB_E_MEMORY: apb_status = -90;
/// A bug of this library.
pub const APB_E_INTERNAL: apb_status = -91;
/// A panic in this library that was caught: a bug.
pub const APB_E_PANIC: apb_status = -92;

/// Whether the effect that was asked for exists at the vendor. Zeroed memory reads as APB_UNKNOWN.
pub type apb_outcome = i32;

/// It may have been executed. Query before anything else; never submit again.
pub const APB_UNKNOWN: apb_outcome = 0;
/// Executed. Of reads and quotes: the call succeeded.
pub const APB_EXECUTED: apb_outcome = 1;
/// Provably not executed. Of reads and quotes: the call failed.
pub const APB_NOT_EXECUTED: apb_outcome = 2;
/// Of cases only: not settled yet, nothing is lost.
pub const APB_PENDING: apb_outcome = 3;
