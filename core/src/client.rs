//! The client: one method for any operation, one for each, async and blocking.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::call::{lost_task, prepare, run};
use crate::cancel::Cancel;
use crate::config::Config;
use crate::live::{Inner, Live};
use crate::log::LogLevel;
use crate::operation::for_each_operation;
use crate::outcome::{Error, Outcome, Status};
use crate::reply::Reply;
use crate::runtime;
use crate::wire;

/// An asynchronous client. Cheap to clone; all clones share connections and budgets.
///
/// It may be used from any number of tasks and threads, and from any async runtime: the requests run
/// on the library's own I/O thread. A dropped future of a submit does not stop the request; it runs
/// to its end unobserved, so ask the vendor before you send again. After `fork()` both processes may
/// go on using it, provided that no thread was inside the library at that moment.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

/// The data of a successful call, with the whole reply.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    /// The vendor's fields.
    pub data: T,
    /// The reply: warnings, meta, raw bytes.
    pub reply: Reply,
}

/// A call that did not succeed; [`Failure::outcome`] says whether it happened all the same.
#[derive(Debug, Clone)]
pub struct Failure {
    error: Box<Error>,
    reply: Box<Reply>,
}

impl Failure {
    /// Did it happen?
    pub fn outcome(&self) -> Outcome {
        self.reply.outcome()
    }

    /// What went wrong.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// The whole reply.
    pub fn reply(&self) -> &Reply {
        &self.reply
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Failure {}

impl Client {
    /// Makes a client from a JSON configuration (keys: see the guide, or `Config` in the error messages).
    ///
    /// Nothing is sent and no thread is started yet.
    pub fn new(config: &str) -> Result<Client, Error> {
        let config = Config::parse(config)?;
        let live = Live::new(&config)?;
        Ok(Client {
            inner: Arc::new(Inner {
                config,
                live: Mutex::new(Some((std::process::id(), live))),
                log_level: AtomicU8::new(0),
            }),
        })
    }

    /// Calls an operation by its name with JSON, as the C and Python faces do.
    ///
    /// `options` may be empty. It never fails otherwise than by its reply.
    pub async fn call(&self, operation: &str, request: &str, options: &str) -> Reply {
        self.call_with(operation, request, options, None).await
    }

    /// As [`Client::call`], with a token that cancels it.
    pub async fn call_with(&self, operation: &str, request: &str, options: &str, cancel: Option<&Cancel>) -> Reply {
        let prepared = match prepare(Some(&self.inner.config), operation, request, options) {
            Ok(prepared) => prepared.with(cancel),
            Err(reply) => return *reply,
        };
        let op = prepared.op;
        match runtime::current() {
            Err(error) => Reply::failed(op.name, error),
            Ok(generation) => match generation.spawn(Box::pin(run(self.inner.clone(), prepared, generation))).await {
                Ok(reply) => reply,
                Err(_) => Reply::failed(op.name, lost_task(op)),
            },
        }
    }

    /// As [`Client::call_with`], blocking this thread; None if the watcher gave up waiting.
    pub(crate) fn call_blocking(
        &self,
        operation: &str,
        request: &str,
        options: &str,
        cancel: Option<&Cancel>,
        watch: Option<runtime::Watch<'_>>,
    ) -> Option<Reply> {
        let prepared = match prepare(Some(&self.inner.config), operation, request, options) {
            Ok(prepared) => prepared.with(cancel),
            Err(reply) => return Some(*reply),
        };
        let op = prepared.op;
        let answered = runtime::current()
            .and_then(|generation| generation.wait(Box::pin(run(self.inner.clone(), prepared, generation)), watch));
        match answered {
            Ok(reply) => reply,
            Err(error) if error.status == Status::PANIC => Some(Reply::failed(op.name, lost_task(op))),
            Err(error) => Some(Reply::failed(op.name, error)),
        }
    }
}

impl Client {
    /// Lets log lines up to this level come with replies ([`Reply::log`]); None for no lines (the default).
    pub fn set_log_level(&self, level: Option<LogLevel>) {
        self.inner.log_level.store(level.map_or(0, |l| l as u8), Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Client").field(&self.inner.config).finish()
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
            // The reply was written by us along the same table, so this cannot fail; if it does, the
            // outcome must survive.
            Err(e) => {
                let mut error =
                    Error::local("internal", Status::INTERNAL, format!("the reply does not fit its type: {e}"));
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
        Answer, Cancel, Duration, Error, Failure, LogLevel, Reply, Status, answer, for_each_operation, request_text,
        wire,
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
            self.inner.call_blocking(operation, request, options, cancel, None).unwrap_or_else(|| {
                Reply::failed(operation, Error::local("internal", Status::INTERNAL, "a call ended without a reply"))
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
            self.inner.call_blocking(operation, request, options, None, Some((slice, keep_waiting)))
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
