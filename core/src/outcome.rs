//! Outcome, status and the one error type.

use std::fmt;

/// Does the effect asked for exist at the vendor?
///
/// For reads, quotes and local operations it says only whether the call succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It may have happened. Query before anything else; never send again.
    Unknown,
    /// It happened (perhaps earlier: see [`Status::ALREADY`]).
    Executed,
    /// It provably did not happen.
    NotExecuted,
}

impl Outcome {
    /// The word in replies.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Unknown => "unknown",
            Outcome::Executed => "executed",
            Outcome::NotExecuted => "not_executed",
        }
    }

    /// The number in C: zeroed memory means unknown.
    pub fn number(self) -> i32 {
        match self {
            Outcome::Unknown => 0,
            Outcome::Executed => 1,
            Outcome::NotExecuted => 2,
        }
    }
}

macro_rules! statuses {
    ($($(#[doc = $doc:literal])* $name:ident = $number:literal, $c:literal;)*) => {
        /// The status number of a reply: 0, or negative. A negative status does not mean that nothing
        /// happened; that is what [`Outcome`] is for. Numbers are never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct Status(i32);

        impl Status {
            $($(#[doc = $doc])* pub const $name: Status = Status($number);)*

            /// The C constant's name, also for numbers that this version does not know.
            pub fn c_name(self) -> &'static str {
                match self.0 {
                    $($number => $c,)*
                    _ => "APB_E_?",
                }
            }

            /// All statuses, for documentation.
            pub fn all() -> &'static [Status] {
                &[$(Status($number)),*]
            }
        }
    };
}

statuses! {
    /// Success.
    OK = 0, "APB_OK";
    /// A required pointer was NULL.
    NULL = -1, "APB_E_NULL";
    /// Text that is not UTF-8.
    UTF8 = -2, "APB_E_UTF8";
    /// Text that is not JSON.
    JSON = -3, "APB_E_JSON";
    /// A request that cannot be sent as it is.
    REQUEST = -4, "APB_E_REQUEST";
    /// A configuration that cannot be used.
    CONFIG = -5, "APB_E_CONFIG";
    /// No operation of that name.
    OPERATION = -6, "APB_E_OPERATION";
    /// A handle that is stale, freed or of another kind.
    HANDLE = -7, "APB_E_HANDLE";
    /// A queue that is closed.
    CLOSED = -8, "APB_E_CLOSED";
    /// Called from within the library's own thread.
    BUSY = -9, "APB_E_BUSY";
    /// The host name could not be resolved.
    DNS = -20, "APB_E_DNS";
    /// No connection.
    CONNECT = -21, "APB_E_CONNECT";
    /// The TLS handshake failed.
    TLS = -22, "APB_E_TLS";
    /// The proxy refused.
    PROXY = -23, "APB_E_PROXY";
    /// No answer in time.
    TIMEOUT = -24, "APB_E_TIMEOUT";
    /// Cancelled by the caller.
    CANCELLED = -25, "APB_E_CANCELLED";
    /// The connection broke.
    IO = -26, "APB_E_IO";
    /// An HTTP status without the vendor's envelope.
    HTTP = -40, "APB_E_HTTP";
    /// Too many requests.
    RATE_LIMITED = -41, "APB_E_RATE_LIMITED";
    /// Credentials or permissions.
    AUTH = -42, "APB_E_AUTH";
    /// The vendor said no with a known code.
    REFUSED = -43, "APB_E_REFUSED";
    /// An answer that makes no sense.
    RESPONSE = -44, "APB_E_RESPONSE";
    /// An answer over the size limit.
    TOO_LARGE = -45, "APB_E_TOO_LARGE";
    /// No such order or booking.
    NOT_FOUND = -46, "APB_E_NOT_FOUND";
    /// Answered, but what it means is unknown.
    UNCERTAIN = -47, "APB_E_UNCERTAIN";
    /// Submitted before.
    ALREADY = -48, "APB_E_ALREADY";
    /// Being worked on.
    IN_PROGRESS = -49, "APB_E_IN_PROGRESS";
    /// The store failed.
    STORE = -60, "APB_E_STORE";
    /// Another case stands in the way.
    CONFLICT = -61, "APB_E_CONFLICT";
    /// A guard refused before money moved.
    GUARD = -62, "APB_E_GUARD";
    /// Out of memory.
    MEMORY = -90, "APB_E_MEMORY";
    /// A fault of this library.
    INTERNAL = -91, "APB_E_INTERNAL";
    /// A panic that was caught.
    PANIC = -92, "APB_E_PANIC";
}

impl Status {
    /// The number.
    pub fn number(self) -> i32 {
        self.0
    }

    /// The status of a number; unknown numbers are legal.
    pub fn from_number(number: i32) -> Status {
        Status(number)
    }
}

/// What the caller should do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Advice {
    /// The request is wrong.
    FixRequest,
    /// Configuration, account or network is wrong.
    FixConfig,
    /// Ask for a new offer.
    Requote,
    /// Not now; later.
    Wait,
    /// Ask the vendor what happened before anything else.
    Reconcile,
    /// It is done already.
    AlreadyDone,
    /// It will not work.
    GiveUp,
    /// A human at Atlas has to look.
    ContactSupport,
    /// The same call again is harmless and may work.
    Retry,
}

impl Advice {
    /// The word in replies.
    pub fn name(self) -> &'static str {
        match self {
            Advice::FixRequest => "fix_request",
            Advice::FixConfig => "fix_config",
            Advice::Requote => "requote",
            Advice::Wait => "wait",
            Advice::Reconcile => "reconcile",
            Advice::AlreadyDone => "already_done",
            Advice::GiveUp => "give_up",
            Advice::ContactSupport => "contact_support",
            Advice::Retry => "retry",
        }
    }
}

/// What went wrong, for a program (`code`, `status`, `advice`) and for a human (`message`, `help`).
///
/// It never holds a secret, a passenger or the text of a body; `vendor_message` is the vendor's `msg`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Error {
    /// Stable word: `timeout`, `refused`, `bad_request` …
    pub code: &'static str,
    /// Stable number.
    pub status: Status,
    /// Did it happen?
    pub outcome: Outcome,
    /// What happened.
    pub message: String,
    /// What happened and what to do now, in one sentence.
    pub help: String,
    /// What to do now.
    pub advice: Advice,
    /// The operation to call next.
    pub next: Option<&'static str>,
    /// The same call again is harmless.
    pub retryable: bool,
    /// JSON Pointer of the offending field.
    pub field: Option<String>,
    /// The status table's word for the vendor's code.
    pub vendor_code: Option<&'static str>,
    /// The vendor's code.
    pub vendor_status: Option<i64>,
    /// The vendor's words.
    pub vendor_message: Option<String>,
    /// When the vendor wants to be asked again.
    pub retry_after_ms: Option<u64>,
    /// Further faults of a request: pointer and words.
    pub details: Vec<Detail>,
}

/// One fault of several.
#[derive(Debug, Clone, PartialEq)]
pub struct Detail {
    /// JSON Pointer.
    pub field: String,
    /// What is wrong there.
    pub message: String,
}

impl Error {
    /// An error that happened before anything was sent.
    pub(crate) fn local(code: &'static str, status: Status, message: impl Into<String>) -> Error {
        let message = message.into();
        let advice = match status {
            Status::CONFIG => Advice::FixConfig,
            Status::BUSY => Advice::Wait,
            Status::INTERNAL | Status::PANIC | Status::MEMORY => Advice::ContactSupport,
            _ => Advice::FixRequest,
        };
        Error {
            code,
            status,
            outcome: Outcome::NotExecuted,
            help: format!("Nothing was sent: {message}{}", if message.ends_with('?') { "" } else { "." }),
            message,
            advice,
            next: None,
            retryable: false,
            field: None,
            vendor_code: None,
            vendor_status: None,
            vendor_message: None,
            retry_after_ms: None,
            details: Vec::new(),
        }
    }

    /// As [`Error::local`], from what a check of a JSON text found.
    pub(crate) fn problems(
        code: &'static str,
        status: Status,
        what: &str,
        problems: Vec<crate::wire::Problem>,
    ) -> Error {
        let message = match problems.first() {
            Some(p) if p.path.is_empty() => format!("{what} {}", p.message),
            Some(p) => format!("{what}: {} {}", p.path, p.message),
            None => what.to_owned(),
        };
        let mut error = Error::local(code, status, message);
        error.field = problems.first().map(|p| p.path.clone());
        error.details = problems.into_iter().map(|p| Detail { field: p.path, message: p.message }).collect();
        error
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.message, self.outcome.name(), self.help)
    }
}

impl std::error::Error for Error {}
