//! The client: check → encode → send → keep the raw reply → decode → judge.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use crate::budget::Budget;
use crate::cancel::Cancel;
use crate::config::{Config, Options};
use crate::json::Node;
use crate::judge::Asked;
use crate::log::{Log, LogLevel};
use crate::operation::{Operation, OperationKind, for_each_operation, nearest_operation};
use crate::outcome::{Error, Outcome, Status};
use crate::reply::{Call, Reply};
use crate::retry::{self, Next};
use crate::runtime::{self, Generation};
use crate::transport::{Exchange, Fault, Limits, Transport};
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

struct Inner {
    config: Config,
    /// The process that made it, and its connections.
    live: Mutex<Option<(u32, Arc<Live>)>>,
    log_level: AtomicU8,
}

/// What belongs to one process: a forked child makes its own.
struct Live {
    transport: Transport,
    in_flight: Semaphore,
    budget: Option<Mutex<Budget>>,
    since: Instant,
}

impl Live {
    fn new(config: &Config) -> Result<Arc<Live>, Error> {
        Ok(Arc::new(Live {
            transport: Transport::new(config)?,
            in_flight: Semaphore::new(config.max_in_flight),
            budget: config.rate_limit.map(|rate| Mutex::new(Budget::new(rate))),
            since: Instant::now(),
        }))
    }
}

/// A request that has been checked.
struct Prepared {
    op: &'static Operation,
    body: String,
    asked: Asked,
    options: Options,
    timeout: Duration,
    started: Instant,
    cancel: Option<Cancel>,
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
            Ok(prepared) => Prepared { cancel: cancel.cloned(), ..prepared },
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
            Ok(prepared) => Prepared { cancel: cancel.cloned(), ..prepared },
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

/// A panic on the caller's side of a call.
pub(crate) fn panicked(operation: &str, words: &str) -> Reply {
    let mut error = match Operation::find(operation) {
        Some(op) => lost_task(op),
        None => Error::local("panic", Status::PANIC, ""),
    };
    error.message = format!("the library panicked: {words}");
    Reply::failed(operation, error)
}

/// A call whose task ended without an answer: for a submit nobody knows what happened.
fn lost_task(op: &Operation) -> Error {
    let mut error = Error::local("panic", Status::PANIC, "a call panicked on the library's thread");
    if op.kind.has_effect() {
        error.outcome = Outcome::Unknown;
        error.advice = crate::outcome::Advice::Reconcile;
        error.next = op.resolved_by;
        error.help = format!("The {} may have been accepted; ask the vendor before anything else.", op.name);
    }
    error
}

/// Checks everything that can be checked without network. Local operations end here.
fn prepare(config: Option<&Config>, operation: &str, request: &str, options: &str) -> Result<Prepared, Box<Reply>> {
    let started = Instant::now();
    let Some(op) = Operation::find(operation) else {
        return Err(Box::new(unknown_operation(operation)));
    };
    if op.kind == OperationKind::Local {
        return Err(Box::new(crate::local::parse_webhook(request)));
    }
    let Some(config) = config else {
        let error = Error::local("null_argument", Status::NULL, format!("{} needs a client", op.name));
        return Err(Box::new(Reply::failed(op.name, error)));
    };
    let fail = |error| Box::new(Reply::failed(op.name, error));
    let options = Options::parse(options, config.retry).map_err(fail)?;
    let (node, body) = check(op, request, options.allow_unknown).map_err(fail)?;
    let timeout = options.timeout.or(config.timeout).unwrap_or_else(|| default_timeout(op, &node));
    let asked = Asked::of(op, &node, timeout.as_millis() as u64);
    Ok(Prepared { op, body, asked, options, timeout, started, cancel: None })
}

pub(crate) fn unknown_operation(operation: &str) -> Reply {
    let shown: String = operation.chars().take(100).collect();
    let mut message = format!("there is no operation `{shown}`");
    if let Some(near) = nearest_operation(operation) {
        message.push_str(&format!("; did you mean `{near}`?"));
    }
    Reply::failed(&shown, Error::local("unknown_operation", Status::OPERATION, message))
}

/// Parses and checks a request; gives its tree and the body to send.
pub(crate) fn check<'r>(op: &Operation, request: &'r str, allow_unknown: bool) -> Result<(Node<'r>, String), Error> {
    let text = if request.trim().is_empty() { "{}" } else { request };
    let node = Node::parse(text)
        .map_err(|e| Error::local("bad_json", Status::JSON, format!("the request is not JSON: {e}")))?;
    let body = wire::encode(op.request, &node, allow_unknown)
        .map_err(|problems| Error::problems("bad_request", Status::REQUEST, op.name, problems))?;
    Ok((node, body))
}

fn default_timeout(op: &Operation, request: &Node<'_>) -> Duration {
    let millis = match (op.kind, request.get("timeout")) {
        (OperationKind::Submit | OperationKind::RepeatableSubmit, _) => 150_000,
        // The vendor's own limit for asking the airline, and time to say so.
        (_, Some(Node::Num(text))) if op.name == "extractPnr" => extract_millis(text),
        (_, Some(Node::Str(text))) if op.name == "extractPnr" => extract_millis(text),
        _ => 30_000,
    };
    Duration::from_millis(millis)
}

/// The vendor's own limit, given as number or text, and the time to say so.
fn extract_millis(text: &str) -> u64 {
    let limit = wire::whole(text).and_then(|ms| u64::try_from(ms).ok()).unwrap_or(25_000);
    limit.min(crate::config::MAX_MILLIS) + 5_000
}

/// Replies above this size are decoded beside the I/O thread, so that other calls do not wait for it.
const LARGE: usize = 64 << 10;

/// Runs a prepared call on the library's thread. Its future is some kilobytes large, and a task moves its
/// future several times: box it.
async fn run(inner: Arc<Inner>, prepared: Prepared, generation: Generation) -> Reply {
    let Prepared { op, body, asked, options, timeout, started, cancel } = prepared;
    let ticker = generation.ticker;
    generation.pacer.keep();
    let body = bytes::Bytes::from(body);
    let live = match inner.live(generation.pid) {
        Ok(live) => live,
        Err(error) => return Reply::failed(op.name, error),
    };
    let mut log = Log::new(inner.log_level.load(Ordering::Relaxed));
    let limits =
        Limits { deadline: tokio::time::Instant::from_std(started) + timeout, cancel: cancel.as_ref(), ticker };
    let retry_config = options.retry.unwrap_or(inner.config.retry);
    let permit = limits.run(live.in_flight.acquire()).await;
    let mut attempt = 0;
    let mut in_doubt = false;
    let asked = Arc::new(asked);
    loop {
        attempt += 1;
        let exchange = match &permit {
            Ok(Ok(_)) => match live.wait_for_place(&limits).await {
                Ok(()) => {
                    let single = op.kind.has_effect();
                    live.transport.exchange(op.path, body.clone(), &options.headers, single, &limits).await
                }
                Err(fault) => Exchange::unsent(fault),
            },
            Err(Fault::Cancelled) => Exchange::unsent(Fault::Cancelled),
            _ => Exchange::unsent(Fault::RateWaitTimeout),
        };
        // Of a repeated submit, an earlier attempt may be the one that was executed.
        let call = Call {
            attempts: attempt,
            elapsed_ms: started.elapsed().as_millis() as u64,
            client_request_id: options.client_request_id.clone(),
            in_doubt,
            retry_ignored: options.retry.is_some() && !op.kind.may_repeat(),
        };
        let elapsed_ms = call.elapsed_ms;
        let size = exchange.body.as_ref().map_or(0, Vec::len);
        let decode = {
            let (asked, inner) = (asked.clone(), inner.clone());
            move || Reply::of_exchange(op, &asked, exchange, &call, &inner.config.client_secret)
        };
        let mut reply = if size < LARGE {
            decode()
        } else {
            tokio::task::spawn_blocking(decode).await.unwrap_or_else(|_| Reply::failed(op.name, lost_task(op)))
        };
        // Of a repeated submit, an earlier attempt may be the one that was executed.
        in_doubt |= op.kind.has_effect() && reply.outcome() == Outcome::Unknown;
        log_attempt(&mut log, op, &reply, attempt);
        let next = retry::next(
            op.kind,
            reply.error(),
            reply.http_status(),
            attempt,
            limits.left(),
            retry_config,
            fastrand::f64(),
        );
        let Next::After(pause) = next else {
            log_end(&mut log, op, &reply, attempt, elapsed_ms);
            reply.set_log(log.lines);
            return reply;
        };
        log.add(LogLevel::Warn, "retry", || format!("{} is repeated after {} ms", op.name, pause.as_millis()));
        if limits.run(tokio::time::sleep(pause)).await.is_err() {
            // Cancelled in the pause: the next round says so, and makes no attempt.
            attempt -= 1;
        }
    }
}

fn log_attempt(log: &mut Log, op: &Operation, reply: &Reply, attempt: u32) {
    log.add(LogLevel::Debug, "transport", || {
        format!(
            "{} attempt {attempt}: http {}, vendor status {}, {} bytes",
            op.name,
            reply.http_status().map_or("none".to_owned(), |s| s.to_string()),
            reply.vendor_status().map_or("none".to_owned(), |s| s.to_string()),
            reply.raw().map_or(0, <[u8]>::len),
        )
    });
}

fn log_end(log: &mut Log, op: &Operation, reply: &Reply, attempts: u32, elapsed_ms: u64) {
    let level = match (reply.outcome(), reply.error()) {
        (Outcome::Unknown, _) => LogLevel::Error,
        (_, Some(_)) => LogLevel::Warn,
        (_, None) => LogLevel::Info,
    };
    log.add(level, "call", || {
        let code = reply.error().map_or("ok", |e| e.code);
        format!("{}: {}, {code}, {attempts} attempts, {elapsed_ms} ms", op.name, reply.outcome().name())
    });
}

impl Inner {
    /// This process' connections. In a forked child the inherited ones are forgotten, never dropped:
    /// closing them would disturb the parent's sockets.
    ///
    /// `pid` is the process of the runtime that asks, hence this one: its thread runs nowhere else.
    fn live(&self, pid: u32) -> Result<Arc<Live>, Error> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((owner, live)) = &*live
            && *owner == pid
        {
            return Ok(live.clone());
        }
        let own = Live::new(&self.config)?;
        std::mem::forget(live.replace((pid, own.clone())));
        Ok(own)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let live = self.live.get_mut().unwrap_or_else(PoisonError::into_inner);
        if live.as_ref().is_some_and(|(owner, _)| *owner != std::process::id()) {
            std::mem::forget(live.take());
        }
    }
}

impl Live {
    /// Waits for a place in the request budget, unless there is none before the deadline.
    async fn wait_for_place(&self, limits: &Limits<'_>) -> Result<(), Fault> {
        let wait = match &self.budget {
            None => Some(Duration::ZERO),
            Some(budget) => {
                let mut budget = budget.lock().unwrap_or_else(PoisonError::into_inner);
                budget.take_within(self.since.elapsed().as_secs_f64(), limits.left())
            }
        };
        match wait {
            None => Err(Fault::RateWaitTimeout),
            Some(wait) if wait.is_zero() => Ok(()),
            Some(wait) => match limits.run(tokio::time::sleep(wait)).await {
                Err(Fault::Timeout) => Err(Fault::RateWaitTimeout),
                other => other,
            },
        }
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

/// A call without a client: local operations only.
pub(crate) fn call_without_client(operation: &str, request: &str, options: &str) -> Reply {
    match prepare(None, operation, request, options) {
        Err(reply) => *reply,
        Ok(prepared) => {
            Reply::failed(prepared.op.name, Error::local("null_argument", Status::NULL, "a client is needed"))
        }
    }
}
