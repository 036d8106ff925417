//! Runs a call: on the library's thread, within the places in flight, as a case operation, a journaled submit or a
//! plain exchange.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use super::offline;
use crate::cancel::{CallCancel, Cancel};
use crate::case::engine::lease::is_alive;
use crate::case::operations;
use crate::case::service::{self, CaseService};
use crate::config::Config;
use crate::contract::operation::{Operation, OperationKind};
use crate::error::{Error, ErrorCode, Status};
use crate::exchange::context::CallContext;
use crate::exchange::prepare::{PreparedCall, VendorRequest, prepare};
use crate::exchange::rate_limiter::{LocalLimiter, RateLimiter};
use crate::exchange::runtime::{self, RuntimeHandle, Watch, panicked};
use crate::exchange::session::Session;
use crate::process::{self, PerProcess, ProcessId};
use crate::reply::Reply;
use crate::transport::Fault;

/// What a client holds.
pub(crate) struct ClientState {
    pub config: Arc<Config>,
    /// The process that made it, and what belongs to that process.
    process: PerProcess<Option<(ProcessId, Arc<ProcessState>)>>,
    pub log_level: AtomicU8,
}

/// What belongs to one process: a forked child makes its own.
struct ProcessState {
    session: Arc<Session>,
    /// None without a store.
    cases: Option<Arc<CaseService>>,
}

impl ProcessState {
    fn new(config: &Arc<Config>) -> Result<Arc<ProcessState>, Error> {
        let store = CaseService::open_store(config, is_alive)?;
        let limiter = match &store {
            Some(store) => CaseService::limiter(store, config),
            None => Arc::new(LocalLimiter::new(config.rate_limit)) as Arc<dyn RateLimiter>,
        };
        let session = Arc::new(Session::new(config.clone(), limiter)?);
        let cases = store.map(|store| Arc::new(CaseService::new(store, session.clone())));
        Ok(Arc::new(ProcessState { session, cases }))
    }
}

impl ClientState {
    pub fn new(config: &str) -> Result<ClientState, Error> {
        let config = Arc::new(Config::parse(config)?);
        let process = ProcessState::new(&config)?;
        let own = PerProcess::default();
        *own.lock() = Some((process::current(), process));
        Ok(ClientState { config, process: own, log_level: AtomicU8::new(0) })
    }

    /// What belongs to this process. In a forked child the inherited state is forgotten, never dropped:
    /// closing its connections would disturb the parent's.
    ///
    /// `id` is the process of the runtime that runs the call, hence this one.
    fn process(&self, id: ProcessId) -> Result<Arc<ProcessState>, Error> {
        let mut current = self.process.lock();
        if let Some((owner, process)) = &*current
            && *owner == id
        {
            return Ok(process.clone());
        }
        let own = ProcessState::new(&self.config)?;
        std::mem::forget(current.replace((id, own.clone())));
        Ok(own)
    }
}

impl Drop for ClientState {
    fn drop(&mut self) {
        for process in self.process.all() {
            if process.as_ref().is_some_and(|(owner, _)| *owner != process::current()) {
                std::mem::forget(process.take());
            }
        }
    }
}

/// A call that has been checked, or the reply that it has already.
#[allow(clippy::large_enum_variant)] // Boxing the usual variant would cost an allocation per call.
pub(super) enum Started {
    Done(Box<Reply>),
    Call(PreparedCall),
}

/// Checks a call; operations that need no client end here.
pub(super) fn start(state: &ClientState, operation: &str, request: &str, options: &str, cancel: CallCancel) -> Started {
    let op = match offline::find_operation(operation) {
        Ok(op) => op,
        Err(reply) => return Started::Done(reply),
    };
    if let Some(reply) = offline::call(op, request) {
        return Started::Done(Box::new(reply));
    }
    match prepare(&state.config, op, request, options, cancel) {
        Ok(call) => Started::Call(call),
        Err(error) => Started::Done(Box::new(Reply::failed(op.name, error))),
    }
}

/// Runs a call; awaiting it blocks no thread.
pub(crate) async fn execute(
    state: &Arc<ClientState>,
    operation: &str,
    request: &str,
    options: &str,
    cancel: Option<&Cancel>,
) -> Reply {
    let call = match start(state, operation, request, options, CallCancel::new(cancel)) {
        Started::Done(reply) => return *reply,
        Started::Call(call) => call,
    };
    let op = call.request.op;
    match runtime::current() {
        Err(error) => Reply::failed(op.name, error),
        Ok(runtime) => match runtime.spawn(Box::pin(run(state.clone(), call, runtime))).await {
            Ok(reply) => reply,
            Err(_) => Reply::failed(op.name, panicked(op)),
        },
    }
}

/// As [`execute`], blocking this thread; None if `watch` ended the wait.
pub(crate) fn execute_blocking(
    state: &Arc<ClientState>,
    operation: &str,
    request: &str,
    options: &str,
    cancel: Option<&Cancel>,
    watch: Option<Watch<'_>>,
) -> Option<Reply> {
    let call = match start(state, operation, request, options, CallCancel::new(cancel)) {
        Started::Done(reply) => return Some(*reply),
        Started::Call(call) => call,
    };
    let op = call.request.op;
    let answered =
        runtime::current().and_then(|runtime| runtime.wait(Box::pin(run(state.clone(), call, runtime)), watch));
    match answered {
        Ok(reply) => reply,
        Err(error) if error.status == Status::PANIC => Some(Reply::failed(op.name, panicked(op))),
        Err(error) => Some(Reply::failed(op.name, error)),
    }
}

/// Its future is some kilobytes large, and a task moves its future several times: box it.
pub(super) async fn run(state: Arc<ClientState>, call: PreparedCall, runtime: RuntimeHandle) -> Reply {
    let op = call.request.op;
    runtime.pacer.keep();
    let process = match state.process(runtime.process) {
        Ok(process) => process,
        Err(error) => return Reply::failed(op.name, error),
    };
    let log_limit = state.log_level.load(Ordering::Relaxed);
    let (mut context, request) = CallContext::new(process.session.clone(), call, runtime, log_limit);
    let deadline = context.deadline;
    let mut reply = service::until(deadline, answer(&mut context, &process, request)).await;
    reply.set_log(context.log.lines);
    reply
}

/// The reply of a call, once there is a place for it.
async fn answer(context: &mut CallContext, process: &ProcessState, request: VendorRequest) -> Reply {
    let op = request.op;
    // What only the store answers does not wait behind the vendor.
    let is_local = op.is_case() && !operations::asks_vendor(op);
    let permit = match is_local {
        _ if context.is_cancelled() => Err(Fault::Cancelled),
        true => Ok(None),
        false => match context.limits().run(process.session.in_flight.acquire()).await {
            Ok(Ok(permit)) => Ok(Some(permit)),
            Err(Fault::Cancelled) => Err(Fault::Cancelled),
            Err(_) | Ok(Err(_)) => Err(Fault::RateWaitTimeout),
        },
    };
    match (permit, &process.cases) {
        (Err(fault), cases) if op.is_case() => {
            let error = context.unsent(&request, fault).await.error().cloned();
            let error = error.unwrap_or_else(|| Error::new(ErrorCode::Internal, "the call was not run"));
            operations::not_run(context, cases.as_ref(), op, &request.body, error).await
        }
        (Err(fault), _) => context.unsent(&request, fault).await,
        (Ok(_), cases) if op.is_case() => Box::pin(operations::run(context, cases.as_ref(), op, &request.body)).await,
        (Ok(_), Some(cases)) if op.kind == OperationKind::Submit => {
            Box::pin(operations::direct_submit(context, cases, request)).await
        }
        (Ok(_), cases) => {
            if let Some(cases) = cases
                && let Ok(Some(error)) = cases.run_blocking(|store| Ok(store.refusal())).await
            {
                return Reply::failed(op.name, error);
            }
            let reply = context.call_vendor(&request).await;
            if let Some(cases) = cases {
                cases.remember(op, &reply).await;
            }
            reply
        }
    }
}

/// The reply for a panic on the caller's side of a call.
pub(crate) fn caller_panicked(operation: &str, text: &str) -> Reply {
    let mut error = match Operation::find(operation) {
        Some(op) => panicked(op),
        None => Error::new(ErrorCode::Panic, ""),
    };
    error.message = format!("the library panicked: {text}");
    Reply::failed(operation, error)
}
