//! One call: check → encode → send → keep the raw reply → decode → judge, and again where that is harmless.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::cancel::{Cancel, Ticker};
use crate::case;
use crate::config::Config;
use crate::json::Node;
use crate::judge::Asked;
use crate::live::{Inner, Live};
use crate::log::{Log, LogLevel};
use crate::operation::{Operation, OperationKind, nearest_operation};
use crate::options::Options;
use crate::outcome::{Error, Outcome, Status};
use crate::reply::{Call, Reply};
use crate::retry::{self, Next};
use crate::runtime::Generation;
use crate::transport::{Exchange, Fault, Limits};
use crate::wire;

/// A request that has been checked.
pub(crate) struct Prepared {
    pub op: &'static Operation,
    body: String,
    asked: Asked,
    options: Options,
    timeout: Duration,
    started: Instant,
    cancel: Option<Cancel>,
}

impl Prepared {
    /// The same call, with a token that cancels it.
    pub fn with(self, cancel: Option<&Cancel>) -> Prepared {
        Prepared { cancel: cancel.cloned(), ..self }
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
pub(crate) fn lost_task(op: &Operation) -> Error {
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
pub(crate) fn prepare(
    config: Option<&Config>,
    operation: &str,
    request: &str,
    options: &str,
) -> Result<Prepared, Box<Reply>> {
    let started = Instant::now();
    let Some(op) = Operation::find(operation) else {
        return Err(Box::new(unknown_operation(operation)));
    };
    if op.kind == OperationKind::Local && !op.is_case() {
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
    let limit = if op.name == "case.follow" { "timeoutMs" } else { "timeout" };
    let millis = match (op.kind, request.get(limit)) {
        (OperationKind::Submit | OperationKind::RepeatableSubmit, _) => 150_000,
        // A follow-up says itself how long it goes on.
        (_, wait) if op.name == "case.follow" => wait
            .and_then(|n| if let Node::Num(text) = n { text.parse::<u64>().ok() } else { None })
            .unwrap_or(0)
            .min(crate::config::MAX_MILLIS)
            .saturating_add(30_000),
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

/// What a call has while it runs on the library's thread.
pub(crate) struct Course {
    pub inner: Arc<Inner>,
    pub live: Arc<Live>,
    pub started: Instant,
    pub deadline: tokio::time::Instant,
    pub cancel: Option<Cancel>,
    pub log: Log,
    pub options: Options,
    ticker: &'static Ticker,
    /// Requests made, by a call that makes several.
    pub requests: u32,
}

/// One request to the vendor.
pub(crate) struct Request {
    pub op: &'static Operation,
    pub body: bytes::Bytes,
    pub asked: Arc<Asked>,
}

impl Request {
    pub fn new(op: &'static Operation, node: &Node<'_>, body: String, deadline: Duration) -> Request {
        Request { op, body: body.into(), asked: Arc::new(Asked::of(op, node, deadline.as_millis() as u64)) }
    }
}

/// Runs a prepared call on the library's thread. Its future is some kilobytes large, and a task moves its
/// future several times: box it.
pub(crate) async fn run(inner: Arc<Inner>, prepared: Prepared, generation: Generation) -> Reply {
    let Prepared { op, body, asked, options, timeout, started, cancel } = prepared;
    generation.pacer.keep();
    let live = match inner.live(generation.pid) {
        Ok(live) => live,
        Err(error) => return Reply::failed(op.name, error),
    };
    let log = Log::new(inner.log_level.load(Ordering::Relaxed));
    let mut course = Course {
        deadline: tokio::time::Instant::from_std(started) + timeout,
        inner,
        live: live.clone(),
        started,
        cancel,
        log,
        options,
        ticker: generation.ticker,
        requests: 0,
    };
    let permit = course.limits().run(live.in_flight.acquire()).await;
    let refused = match permit {
        Ok(Ok(_)) => None,
        Err(Fault::Cancelled) => Some(Fault::Cancelled),
        _ => Some(Fault::RateWaitTimeout),
    };
    let mut reply = match refused {
        None if op.is_case() => Box::pin(case::desk::run(&mut course, op, &body)).await,
        refused => {
            let request = Request { op, body: body.into(), asked: Arc::new(asked) };
            match &live.store {
                Some(store) if op.kind == OperationKind::Submit && refused.is_none() => {
                    Box::pin(case::direct::submit(&mut course, store, request)).await
                }
                _ => course.ask(&request, refused).await,
            }
        }
    };
    reply.set_log(course.log.lines);
    reply
}

impl Course {
    pub fn limits(&self) -> Limits<'_> {
        Limits { deadline: self.deadline, cancel: self.cancel.as_ref(), ticker: self.ticker }
    }

    /// Until the call's deadline.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(tokio::time::Instant::now())
    }

    /// One exchange, within the request budget.
    pub async fn exchange(&mut self, request: &Request) -> Exchange {
        self.requests += 1;
        let limits = self.limits();
        match self.live.wait_for_place(&limits).await {
            Ok(()) => {
                let single = request.op.kind.has_effect();
                let (path, headers) = (request.op.path, &self.options.headers);
                self.live.transport.exchange(path, request.body.clone(), headers, single, &limits).await
            }
            Err(fault) => Exchange::unsent(fault),
        }
    }

    /// Makes a reply of an exchange.
    pub async fn decode(&self, request: &Request, exchange: Exchange, call: Call) -> Reply {
        let size = exchange.body.as_ref().map_or(0, Vec::len);
        let decode = {
            let (op, asked, inner) = (request.op, request.asked.clone(), self.inner.clone());
            move || Reply::of_exchange(op, &asked, exchange, &call, &inner.config.client_secret)
        };
        if size < LARGE {
            return decode();
        }
        tokio::task::spawn_blocking(decode)
            .await
            .unwrap_or_else(|_| Reply::failed(request.op.name, lost_task(request.op)))
    }

    /// What a reply says about the call itself.
    pub fn call(&self, attempts: u32) -> Call {
        Call {
            attempts,
            elapsed_ms: self.started.elapsed().as_millis() as u64,
            client_request_id: self.options.client_request_id.clone(),
            ..Call::default()
        }
    }

    /// Asks, and asks again where that is harmless.
    pub async fn ask(&mut self, request: &Request, refused: Option<Fault>) -> Reply {
        let op = request.op;
        let retry_config = self.options.retry.unwrap_or(self.inner.config.retry);
        let mut attempt = 0;
        let mut in_doubt = false;
        loop {
            attempt += 1;
            let exchange = match refused {
                None => self.exchange(request).await,
                Some(fault) => Exchange::unsent(fault),
            };
            let retry_ignored = self.options.retry.is_some() && !op.kind.may_repeat();
            let call = Call { in_doubt, retry_ignored, ..self.call(attempt) };
            let elapsed_ms = call.elapsed_ms;
            let reply = self.decode(request, exchange, call).await;
            // Of a repeated submit, an earlier attempt may be the one that was executed.
            in_doubt |= op.kind.has_effect() && reply.outcome() == Outcome::Unknown;
            log_attempt(&mut self.log, op, &reply, attempt);
            self.live.heed(&reply).await;
            let next = retry::next(
                op.kind,
                reply.error(),
                reply.http_status(),
                attempt,
                self.left(),
                retry_config,
                fastrand::f64(),
            );
            let Next::After(pause) = next else {
                log_end(&mut self.log, op, &reply, attempt, elapsed_ms);
                if let Some(store) = self.live.store.clone().filter(|_| op.kind == OperationKind::Quote) {
                    case::desk::remember(self, &store, op, &reply).await;
                }
                return reply;
            };
            self.log.add(LogLevel::Warn, "retry", || format!("{} is repeated after {} ms", op.name, pause.as_millis()));
            if self.limits().run(tokio::time::sleep(pause)).await.is_err() {
                // Cancelled in the pause: the next round says so, and makes no attempt.
                attempt -= 1;
            }
        }
    }
}

pub(crate) fn log_attempt(log: &mut Log, op: &Operation, reply: &Reply, attempt: u32) {
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

pub(crate) fn log_end(log: &mut Log, op: &Operation, reply: &Reply, attempts: u32, elapsed_ms: u64) {
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

/// A call without a client: local operations only.
pub(crate) fn call_without_client(operation: &str, request: &str, options: &str) -> Reply {
    match prepare(None, operation, request, options) {
        Err(reply) => *reply,
        Ok(prepared) => {
            Reply::failed(prepared.op.name, Error::local("null_argument", Status::NULL, "a client is needed"))
        }
    }
}
