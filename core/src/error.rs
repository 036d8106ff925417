//! Outcome, status, the closed list of error codes, and the one error type.

use std::fmt;

use crate::wire::Problem;

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
    /// Cases only: not settled yet, and nothing is lost.
    Pending,
}

impl Outcome {
    /// The word in replies.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Unknown => "unknown",
            Outcome::Executed => "executed",
            Outcome::NotExecuted => "not_executed",
            Outcome::Pending => "pending",
        }
    }

    /// The number in C: zeroed memory means unknown.
    pub fn number(self) -> i32 {
        match self {
            Outcome::Unknown => 0,
            Outcome::Executed => 1,
            Outcome::NotExecuted => 2,
            Outcome::Pending => 3,
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
    /// Something is there already: this very order is paid (executed), or a refund, void or baggage order of somebody
    /// (unknown).
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

macro_rules! error_codes {
    ($($(#[doc = $doc:literal])* $variant:ident = $word:literal, $status:ident;)*) => {
        /// The stable word of an error (`error.code` in JSON). Each belongs to one [`Status`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode { $($(#[doc = $doc])* $variant,)* }

        impl ErrorCode {
            /// The word in JSON.
            pub fn as_str(self) -> &'static str {
                match self { $(ErrorCode::$variant => $word,)* }
            }

            /// The status that every error with this code has.
            pub fn status(self) -> Status {
                match self { $(ErrorCode::$variant => Status::$status,)* }
            }

            /// The code with that word.
            pub fn from_word(word: &str) -> Option<ErrorCode> {
                match word { $($word => Some(ErrorCode::$variant),)* _ => None }
            }
        }
    };
}

error_codes! {
    /// A required pointer was NULL, or an operation needs a client.
    NullArgument = "null_argument", NULL;
    /// Text that is not UTF-8.
    BadUtf8 = "bad_utf8", UTF8;
    /// Text that is not JSON.
    BadJson = "bad_json", JSON;
    /// A request or option that cannot be sent as it is.
    BadRequest = "bad_request", REQUEST;
    /// A configuration that cannot be used.
    BadConfig = "bad_config", CONFIG;
    /// No operation of that name.
    UnknownOperation = "unknown_operation", OPERATION;
    /// A handle that is stale, freed or of another kind.
    BadHandle = "bad_handle", HANDLE;
    /// A queue that is closed.
    Closed = "closed", CLOSED;
    /// A blocking call on the library's own thread.
    Busy = "busy", BUSY;
    /// The host name could not be resolved.
    Dns = "dns", DNS;
    /// No connection.
    Connect = "connect", CONNECT;
    /// No connection within connectTimeoutMs.
    ConnectTimeout = "connect_timeout", CONNECT;
    /// The TLS handshake failed.
    Tls = "tls", TLS;
    /// The proxy refused or could not be reached.
    Proxy = "proxy", PROXY;
    /// No answer before the deadline.
    Timeout = "timeout", TIMEOUT;
    /// The deadline passed while waiting for the request budget.
    RateWaitTimeout = "rate_wait_timeout", TIMEOUT;
    /// Cancelled by the caller.
    Cancelled = "cancelled", CANCELLED;
    /// The connection broke.
    Io = "io", IO;
    /// An HTTP status without the vendor's envelope.
    HttpError = "http_error", HTTP;
    /// HTTP 3xx; redirects are not followed.
    Redirect = "redirect", HTTP;
    /// The vendor's request limit.
    RateLimited = "rate_limited", RATE_LIMITED;
    /// Credentials or permissions (900, 902, HTTP 401 and 403).
    Unauthorized = "unauthorized", AUTH;
    /// The vendor refused with a known code.
    Refused = "refused", REFUSED;
    /// An answer that makes no sense.
    BadResponse = "bad_response", RESPONSE;
    /// An answer about another order.
    WrongOrder = "wrong_order", RESPONSE;
    /// An answer over maxResponseBytes.
    TooLarge = "too_large", TOO_LARGE;
    /// No such case, order or booking.
    NotFound = "not_found", NOT_FOUND;
    /// Answered, but what it means is unknown.
    VendorUncertain = "vendor_uncertain", UNCERTAIN;
    /// Something is there already: this very order is paid (executed), or a refund, void or baggage order of somebody
    /// (unknown).
    AlreadySubmitted = "already_submitted", ALREADY;
    /// Being worked on.
    InProgress = "in_progress", IN_PROGRESS;
    /// The operation needs a store, and none is configured.
    StoreMissing = "store_missing", STORE;
    /// The store cannot be opened.
    StoreUnavailable = "store_unavailable", STORE;
    /// Another process held the store for too long.
    StoreBusy = "store_busy", STORE;
    /// The disk of the store is full.
    StoreFull = "store_full", STORE;
    /// The store cannot be written.
    StoreReadonly = "store_readonly", STORE;
    /// The store is on a network file system.
    StoreNetwork = "store_network", STORE;
    /// The store's file is damaged, or another program's.
    StoreCorrupt = "store_corrupt", STORE;
    /// Reading or writing the store failed.
    StoreIo = "store_io", STORE;
    /// The store has a layout that this version does not read.
    StoreVersion = "store_version", STORE;
    /// Whose account the client is, the store cannot say, or it has no place for it.
    StoreAccount = "store_account", STORE;
    /// The store is older than what was sent through it; nothing is sent until somebody confirmed.
    StoreRewound = "store_rewound", STORE;
    /// The cases are in another store now; nothing is written to this one any more.
    StoreMoved = "store_moved", STORE;
    /// Another case holds the order, offer or booking.
    Conflict = "conflict", CONFLICT;
    /// The key belongs to a case with other content.
    KeyReused = "key_reused", CONFLICT;
    /// An amount is outside the limits of `expect`, or unknown.
    GuardAmount = "guard_amount", GUARD;
    /// The currency is not `expect.currency`.
    GuardCurrency = "guard_currency", GUARD;
    /// The offer is older than offerMaxAgeMs, or of unknown age.
    GuardOfferAge = "guard_offer_age", GUARD;
    /// A deadline is over, or too near.
    GuardDeadline = "guard_deadline", GUARD;
    /// The vendor offers no refund or void.
    GuardNotRefundable = "guard_not_refundable", GUARD;
    /// The order is not ticketed.
    GuardNotTicketed = "guard_not_ticketed", GUARD;
    /// A voucher instead of cash.
    GuardVoucher = "guard_voucher", GUARD;
    /// The order's state does not allow it.
    GuardOrderState = "guard_order_state", GUARD;
    /// The passengers asked for are missing, not to be told apart, or not those of the quotation.
    GuardPassengers = "guard_passengers", GUARD;
    /// Somebody has made such an order already.
    GuardForeignOrder = "guard_foreign_order", GUARD;
    /// Out of memory.
    Memory = "memory", MEMORY;
    /// A fault of this library.
    Internal = "internal", INTERNAL;
    /// A panic that was caught.
    Panic = "panic", PANIC;
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq<&str> for ErrorCode {
    fn eq(&self, word: &&str) -> bool {
        self.as_str() == *word
    }
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
    pub code: ErrorCode,
    /// Stable number.
    pub status: Status,
    /// Did it happen?
    pub outcome: Outcome,
    /// The fault, without advice.
    pub message: String,
    /// What happened and what to do now.
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
    /// The highest change number that the store has given, where a higher one was asked for.
    pub highest: Option<i64>,
    /// Where a connection could not be made, and why.
    pub connection: Option<FailedConnection>,
}

/// A connection that could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedConnection {
    /// The host that was to be reached: the vendor's, or the proxy's.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What the system or the TLS library said.
    pub cause: String,
    /// The system's number, where it gave one.
    pub errno: Option<i32>,
}

impl Detail {
    /// A fact about a field.
    pub(crate) fn of(field: &str, message: impl Into<String>) -> Detail {
        Detail { field: field.to_owned(), message: message.into(), highest: None, connection: None }
    }
}

impl Error {
    /// An error of which nothing was sent. Who knows better changes `outcome` and what follows from it.
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Error {
        let message = message.into();
        let status = code.status();
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

    /// As [`Error::new`], from the problems that a check of a JSON text found; `subject` names the text.
    pub(crate) fn from_problems(code: ErrorCode, subject: &str, problems: Vec<Problem>) -> Error {
        let message = match problems.first() {
            Some(p) if p.path.is_empty() => format!("{subject} {}", p.message),
            Some(p) => format!("{subject}: {} {}", p.path, p.message),
            None => subject.to_owned(),
        };
        let mut error = Error::new(code, message);
        error.field = problems.first().map(|p| p.path.clone());
        error.details = problems.into_iter().map(|p| Detail::of(&p.path, p.message)).collect();
        error
    }

    /// As [`Error::from_problems`], from one problem at a JSON Pointer.
    pub(crate) fn at(code: ErrorCode, subject: &str, path: &str, message: impl Into<String>) -> Error {
        Error::from_problems(code, subject, vec![Problem { path: path.to_owned(), message: message.into() }])
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.message, self.outcome.name(), self.help)
    }
}

impl std::error::Error for Error {}
