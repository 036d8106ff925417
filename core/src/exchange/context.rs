//! One call while it runs on the library's thread: its limits, its log, its exchanges with the vendor.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::{Duration, Instant};

use super::prepare::{PreparedCall, VendorRequest};
use super::retry::{self, Next};
use super::runtime::{RuntimeHandle, panicked};
use super::session::Session;
use crate::cancel::{CallCancel, Ticker};
use crate::config::options::Options;
use crate::contract::operation::Operation;
use crate::error::Outcome;
use crate::log::{Log, LogLevel};
use crate::reply::Reply;
use crate::reply::decode::{CallMeta, decode};
use crate::transport::{Exchange, Fault, Limits};
use crate::unix_time::{Millis, boot_clock};
use crate::workers;

/// Replies above this many bytes are decoded beside the I/O thread, so that other calls do not wait for it.
const LARGE: usize = 64 << 10;

/// Something that the caller should know of a call, beside its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Warning {
    pub code: &'static str,
    pub text: String,
}

/// See the module.
pub(crate) struct CallContext {
    pub session: Arc<Session>,
    pub deadline: tokio::time::Instant,
    /// The time that the call had at its start, for messages.
    pub timeout: Duration,
    /// The deadline on the clock that counts while the machine is suspended.
    boot_deadline: Millis,
    pub cancel: CallCancel,
    pub log: Log,
    pub options: Options,
    /// Requests made, by a call that makes several.
    pub requests: u32,
    /// The end of the lease that the present submit rests on, where it is renewed.
    pub lease_end: Option<Arc<AtomicI64>>,
    /// What is to be said of the store.
    pub store_warnings: Vec<Warning>,
    started: Instant,
    ticker: &'static Ticker,
}

impl CallContext {
    /// The context of a call, and its request.
    pub fn new(
        session: Arc<Session>,
        call: PreparedCall,
        runtime: RuntimeHandle,
        log_limit: u8,
    ) -> (CallContext, VendorRequest) {
        let deadline = tokio::time::Instant::from_std(call.started) + call.timeout;
        let context = CallContext {
            session,
            deadline,
            timeout: call.timeout,
            boot_deadline: boot_clock::after(deadline.saturating_duration_since(tokio::time::Instant::now())),
            cancel: call.cancel,
            log: Log::new(log_limit),
            options: call.options,
            requests: 0,
            lease_end: None,
            store_warnings: Vec::new(),
            started: call.started,
            ticker: runtime.ticker,
        };
        (context, call.request)
    }

    /// Each code once in a reply, with its last text.
    pub fn warn_of_store(&mut self, warning: Warning) {
        self.store_warnings.retain(|known| known.code != warning.code);
        self.store_warnings.push(warning);
    }

    pub fn limits(&self) -> Limits<'_> {
        Limits {
            deadline: self.deadline,
            boot_deadline: self.boot_deadline,
            lease_end: self.lease_end.as_ref(),
            cancel: &self.cancel,
            ticker: self.ticker,
        }
    }

    /// Until the call's deadline.
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(tokio::time::Instant::now())
    }

    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_set()
    }

    /// One exchange, within the request budget.
    pub async fn exchange(&mut self, request: &VendorRequest) -> Exchange {
        self.requests += 1;
        let limits = self.limits();
        match self.session.acquire(&limits).await {
            Ok(()) => {
                let single = request.op.kind.has_effect();
                let (path, headers) = (request.op.path, &self.options.headers);
                self.session.transport.exchange(path, request.body.clone(), headers, single, &limits).await
            }
            Err(fault) => Exchange::unsent(fault),
        }
    }

    /// Makes a reply of an exchange.
    pub async fn decode(&self, request: &VendorRequest, exchange: Exchange, meta: CallMeta) -> Reply {
        let size = exchange.body.as_ref().map_or(0, Vec::len);
        let work = {
            let (op, echo, session) = (request.op, request.echo.clone(), self.session.clone());
            move || decode(op, &echo, exchange, &meta, &session.config.client_secret)
        };
        if size < LARGE {
            return work();
        }
        match workers::current().decoding.spawn(work) {
            Ok(done) => match done.await {
                Ok(Ok(reply)) => reply,
                _ => Reply::failed(request.op.name, panicked(request.op)),
            },
            // Other calls wait; the answer is told.
            Err((_, work)) => work(),
        }
    }

    /// What a reply reports about this call.
    pub fn meta(&self, attempts: u32) -> CallMeta {
        CallMeta {
            attempts,
            elapsed_ms: self.started.elapsed().as_millis() as u64,
            client_request_id: self.options.client_request_id.clone(),
            ..CallMeta::default()
        }
    }

    /// Sends a request, and sends it again where that is harmless.
    pub async fn call_vendor(&mut self, request: &VendorRequest) -> Reply {
        self.call(request, None).await
    }

    /// The reply to a call that ends with `fault` before anything is sent.
    pub async fn unsent(&mut self, request: &VendorRequest, fault: Fault) -> Reply {
        self.call(request, Some(fault)).await
    }

    async fn call(&mut self, request: &VendorRequest, unsent: Option<Fault>) -> Reply {
        let op = request.op;
        let retry_config = self.options.retry.unwrap_or(self.session.config.retry);
        let mut attempt = 0;
        let mut earlier_unknown = false;
        loop {
            attempt += 1;
            let began = Instant::now();
            let exchange = match unsent {
                None => self.exchange(request).await,
                Some(fault) => Exchange::unsent(fault),
            };
            let retry_ignored = self.options.retry.is_some() && !op.kind.may_repeat();
            let meta = CallMeta { earlier_unknown, retry_ignored, ..self.meta(attempt) };
            let elapsed_ms = meta.elapsed_ms;
            let reply = self.decode(request, exchange, meta).await;
            // Of a repeated submit, an earlier attempt may be the one that was executed.
            earlier_unknown |= op.kind.has_effect() && reply.outcome() == Outcome::Unknown;
            self.log_attempt(op, &reply, attempt, began);
            self.session.on_reply(&reply).await;
            let next = retry::next(
                op.kind,
                reply.error(),
                reply.http_status(),
                attempt,
                self.time_left(),
                retry_config,
                fastrand::f64(),
            );
            let Next::After(pause) = next else {
                self.log_end(op, &reply, attempt, elapsed_ms);
                return reply;
            };
            self.log.add(LogLevel::Warn, "retry", || format!("{} is repeated after {} ms", op.name, pause.as_millis()));
            if self.limits().run(tokio::time::sleep(pause)).await.is_err() {
                // Cancelled in the pause: the next round reports that, and makes no attempt.
                attempt -= 1;
            }
        }
    }

    pub fn log_attempt(&mut self, op: &Operation, reply: &Reply, attempt: u32, began: Instant) {
        self.log.add(LogLevel::Debug, "transport", || {
            format!(
                "{} attempt {attempt}: {}, {}, http {}, vendor status {}, request id {}, {} bytes, {} ms",
                op.name,
                reply.outcome().name(),
                reply.error().map_or("ok", |e| e.code.as_str()),
                reply.http_status().map_or("none".to_owned(), |s| s.to_string()),
                reply.vendor_status().map_or("none".to_owned(), |s| s.to_string()),
                reply.meta("requestId").as_deref().unwrap_or("none"),
                reply.raw().map_or(0, <[u8]>::len),
                began.elapsed().as_millis(),
            )
        });
    }

    pub fn log_end(&mut self, op: &Operation, reply: &Reply, attempts: u32, elapsed_ms: u64) {
        let level = match (reply.outcome(), reply.error()) {
            (Outcome::Unknown, _) => LogLevel::Error,
            (_, Some(_)) => LogLevel::Warn,
            (_, None) => LogLevel::Info,
        };
        self.log.add(level, "call", || {
            let code = reply.error().map_or("ok", |e| e.code.as_str());
            format!("{}: {}, {code}, {attempts} attempts, {elapsed_ms} ms", op.name, reply.outcome().name())
        });
    }
}
