//! The faults of an exchange.

/// Why an exchange has no whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Dns,
    /// The process or the machine has no descriptor left for a connection.
    NoDescriptor,
    /// There is no memory for a connection or an answer, or no thread that looks up the host name.
    NoMemory,
    Connect,
    ConnectTimeout,
    Tls,
    Proxy,
    Timeout,
    /// The deadline passed while waiting for a place in the request budget.
    RateWaitTimeout,
    Cancelled,
    /// The connection broke, or the reply was cut.
    Io,
    TooLarge,
    /// A reply that cannot be decompressed.
    Encoding,
}
