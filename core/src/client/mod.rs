//! The client: one method for any operation, one for each, async and blocking.

pub mod cases;
pub(crate) mod describe;
pub mod dispatch;
pub(crate) mod execute;
pub(crate) mod follow;
pub(crate) mod offline;
pub(crate) mod order_pages;
pub(crate) mod queue;
mod readable;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cancel::Cancel;
use crate::contract::operation::for_each_operation;
use crate::error::{Error, ErrorCode, Outcome};
use crate::log::LogLevel;
use crate::reply::Reply;
use crate::wire;
use execute::{ClientState, execute, execute_blocking};

/// An asynchronous client. Cheap to clone; all clones share connections and budgets.
///
/// It may be used from any number of tasks and threads, and from any async runtime: the requests run
/// on the library's own I/O thread. A dropped future of a submit does not stop the request; it runs
/// to its end unobserved, so ask the vendor before you send again. After `fork()` both processes may
/// go on using it, provided that no thread was inside the library at that moment.
#[derive(Clone)]
pub struct Client {
    state: Arc<ClientState>,
}

/// The data of a successful call, with the whole reply.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    /// The vendor's fields.
    pub data: T,
    /// The reply: warnings, meta, raw bytes.
    pub reply: Reply,
}

/// A call that did not succeed; [`Failure::outcome`] says whether its effect exists all the same.
#[derive(Debug, Clone)]
pub struct Failure {
    error: Box<Error>,
    reply: Box<Reply>,
}

impl Failure {
    /// Whether the effect asked for exists at the vendor.
    pub fn outcome(&self) -> Outcome {
        self.reply.outcome()
    }

    /// The error.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// The whole reply.
    pub fn reply(&self) -> &Reply {
        &self.reply
    }

    /// The case that the call belongs to, or that is in its way; None without a store, and where no case is concerned.
    pub fn case(&self) -> Option<wire::Case> {
        case_of(&self.reply)
    }
}

impl<T> Answer<T> {
    /// The case that the call belongs to: that of a submit or of a follow-up by key, for example.
    pub fn case(&self) -> Option<wire::Case> {
        case_of(&self.reply)
    }
}

fn case_of(reply: &Reply) -> Option<wire::Case> {
    #[derive(serde::Deserialize)]
    struct Concerned {
        case: Option<wire::Case>,
    }
    serde_json::from_str::<Concerned>(reply.json()).ok()?.case
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Failure {}

impl Client {
    /// Makes a client from a JSON configuration; the keys are documented at the top of the C header and in README.
    ///
    /// Nothing is sent and no thread is started yet.
    pub fn new(config: &str) -> Result<Client, Error> {
        Ok(Client { state: Arc::new(ClientState::new(config)?) })
    }

    /// Calls an operation by its name with JSON, as the C and Python bindings do.
    ///
    /// `options` may be empty. Every failure is reported by the reply.
    pub async fn call(&self, operation: &str, request: &str, options: &str) -> Reply {
        self.call_with(operation, request, options, None).await
    }

    /// As [`Client::call`], with a token that cancels it.
    pub async fn call_with(&self, operation: &str, request: &str, options: &str, cancel: Option<&Cancel>) -> Reply {
        execute(&self.state, operation, request, options, cancel).await
    }

    /// Lets log lines up to this level come with replies ([`Reply::log`]); None for no lines (the default).
    pub fn set_log_level(&self, level: Option<LogLevel>) {
        self.state.log_level.store(level.map_or(0, |l| l as u8), Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Client").field(&self.state.config).finish()
    }
}

/// Turns a typed request into JSON, and a reply into a typed answer.
fn request_text(request: &impl Serialize) -> String {
    serde_json::to_string(request).unwrap_or_default()
}

fn answer<T: DeserializeOwned>(reply: Reply) -> Result<Answer<T>, Failure> {
    match reply.error() {
        Some(error) => Err(Failure { error: Box::new(error.clone()), reply: Box::new(reply) }),
        None => match serde_json::from_str(reply.data()) {
            Ok(data) => Ok(Answer { data, reply }),
            // The reply was written along the same table, so this cannot fail; if it does, the outcome must be kept.
            Err(e) => {
                let mut error = Error::new(ErrorCode::Internal, format!("the reply does not fit its type: {e}"));
                error.outcome = reply.outcome();
                Err(Failure { error: Box::new(error), reply: Box::new(reply) })
            }
        },
    }
}

macro_rules! async_methods {
    ($($(#[doc = $doc:literal])* $method:ident, $name:literal, $request:ident, $reply:ident;)*) => {
        impl Client {
            $(
                $(#[doc = $doc])*
                pub async fn $method(&self, request: &wire::$request) -> Result<Answer<wire::$reply>, Failure> {
                    answer(self.call($name, &request_text(request), "").await)
                }
            )*
        }
    };
}
for_each_operation!(async_methods);

/// The same client for code without async. A call blocks its thread; inside a foreign async runtime
/// it blocks that worker but does not panic.
pub mod blocking {
    use super::{
        Answer, Cancel, Duration, Error, ErrorCode, Failure, LogLevel, Reply, answer, execute_blocking,
        for_each_operation, request_text, wire,
    };

    /// A blocking client. Cheap to clone; may be used from any number of threads.
    #[derive(Clone, Debug)]
    pub struct Client {
        inner: super::Client,
    }

    impl Client {
        /// As [`super::Client::new`].
        pub fn new(config: &str) -> Result<Client, Error> {
            Ok(Client { inner: super::Client::new(config)? })
        }

        /// As [`super::Client::call`], blocking.
        pub fn call(&self, operation: &str, request: &str, options: &str) -> Reply {
            self.call_with(operation, request, options, None)
        }

        /// As [`super::Client::call_with`], blocking. Any thread, also a signal handler's, may cancel.
        pub fn call_with(&self, operation: &str, request: &str, options: &str, cancel: Option<&Cancel>) -> Reply {
            // Without a watcher there is always a reply.
            execute_blocking(&self.inner.state, operation, request, options, cancel, None).unwrap_or_else(|| {
                Reply::failed(operation, Error::new(ErrorCode::Internal, "a call ended without a reply"))
            })
        }

        /// As [`Client::call`], asking `keep_waiting` every `slice`. When it says no, the call is left to run
        /// on unobserved and there is no reply: of a submit, the outcome is unknown then.
        pub fn call_watched(
            &self,
            operation: &str,
            request: &str,
            options: &str,
            slice: Duration,
            keep_waiting: &mut dyn FnMut() -> bool,
        ) -> Option<Reply> {
            execute_blocking(&self.inner.state, operation, request, options, None, Some((slice, keep_waiting)))
        }

        pub(crate) fn state(&self) -> &std::sync::Arc<super::ClientState> {
            &self.inner.state
        }

        /// As [`super::Client::set_log_level`].
        pub fn set_log_level(&self, level: Option<LogLevel>) {
            self.inner.set_log_level(level);
        }
    }

    macro_rules! blocking_methods {
        ($($(#[doc = $doc:literal])* $method:ident, $name:literal, $request:ident, $reply:ident;)*) => {
            impl Client {
                $(
                    $(#[doc = $doc])*
                    pub fn $method(&self, request: &wire::$request) -> Result<Answer<wire::$reply>, Failure> {
                        answer(self.call($name, &request_text(request), ""))
                    }
                )*
            }
        };
    }
    for_each_operation!(blocking_methods);
}
