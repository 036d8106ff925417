//! Many calls in flight: calls are started, and their replies are taken from a queue.

use std::ffi::c_char;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use atlas_postbooking::{ErrorCode, Next, Queue, StartError, dispatch};

use crate::cancel::{acquire, apb_cancel};
use crate::client::{ClientObject, apb_client, get as get_client};
use crate::consts::*;
use crate::guard::catch_panic_or;
use crate::handle::Registry;
use crate::memory;
use crate::reply::{apb_reply, write_reply};
use crate::text::bytes;

/// A queue of replies. Any number of threads may start calls with it and read it.
/// The value is an id, not an address: a freed or invented one gives APB_E_HANDLE.
pub struct apb_queue {
    _opaque: [u8; 0],
}

/// With each completion comes the client, whose log receiver gets the lines of the call.
type QueueObject = Queue<Option<Arc<ClientObject>>>;

/// Set in the ids of queues only.
const KIND: usize = 1 << 30;

pub static QUEUES: Registry<QueueObject> = Registry::of_kind(KIND);

/// Queues of the parent that a forked child has freed: never dropped, since their locks may be held by threads that are
/// not in this process.
pub static INHERITED: Mutex<Vec<Arc<QueueObject>>> = Mutex::new(Vec::new());

/// The queue of a handle, if this process made it.
fn get(queue: *const apb_queue) -> Option<Arc<QueueObject>> {
    QUEUES.get(queue.addr()).filter(|queue| queue.is_usable())
}

/// Makes a queue. Free it with apb_queue_free(). It takes three file descriptors.
///
/// out_queue: receives the queue; NULL on failure.
/// Returns APB_OK, APB_E_NULL, APB_E_IO (no descriptors left) or APB_E_MEMORY.
///
/// # Safety
/// PROMISES of the header: out parameters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_queue_new(out_queue: *mut *mut apb_queue) -> apb_status {
    if out_queue.is_null() {
        return APB_E_NULL;
    }
    // SAFETY: not NULL, so the caller promises (PROMISES, out parameters) that it may be written.
    unsafe { *out_queue = std::ptr::null_mut() };
    catch_panic_or(APB_E_PANIC, || {
        if !memory::is_left() {
            return APB_E_MEMORY;
        }
        let queue = match Queue::new() {
            Ok(queue) => queue,
            Err(error) => return error.status.number(),
        };
        let Some(id) = QUEUES.insert(queue) else { return ErrorCode::Memory.status().number() };
        // SAFETY: as above. What is written is an id, which nothing dereferences.
        unsafe { *out_queue = std::ptr::without_provenance_mut(id) };
        APB_OK
    })
}

/// A file descriptor for the host's loop (epoll, libuv, asyncio ...): readable while a completion waits,
/// and for good once the queue is closed and drained. The same each time; -1 for a bad handle.
///
/// It is the read end of a socket pair, non-blocking, and lent: what closes the descriptors that it is
/// given (streams of Node, Go, PHP ...) gets a dup() of it. Whether something waits is decided by
/// apb_queue_next() alone. When the descriptor is readable, or a stream has read a byte from it: call
/// apb_queue_next() with timeout 0 until it returns APB_E_TIMEOUT. A completion that arrives after that
/// makes the descriptor readable again; there is one byte, not one per completion.
#[unsafe(no_mangle)]
pub extern "C" fn apb_queue_fd(queue: *const apb_queue) -> i32 {
    catch_panic_or(-1, || get(queue).map_or(-1, |queue| queue.fd()))
}

/// Starts a call and returns at once: no I/O, no waiting. Exactly one completion with this tag comes out
/// of apb_queue_next(), whatever happens to the call; a request that is refused is a completion too.
///
/// client, operation, request_json, len, options_json, options_len: as in apb_call(). The texts are not
/// used after this function has returned. Calls beyond the configuration's maxInFlight wait for their
/// turn, and the wait counts against their timeoutMs; operations that only ask the store never wait.
/// queue: where the reply goes. tag: any number; it comes back with the reply.
/// cancel: a token from apb_cancel_new(), or NULL. The token may be freed at once.
/// Returns APB_OK, or else nothing was sent and there is no completion: APB_E_NULL, APB_E_HANDLE (client,
/// queue or token; a queue of another process), APB_E_CLOSED, APB_E_BUSY (on a thread of the library),
/// APB_E_MEMORY or APB_E_PANIC.
///
/// # Safety
/// PROMISES of the header: texts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_start(
    client: *const apb_client,
    operation: *const c_char,
    request_json: *const c_char,
    len: usize,
    options_json: *const c_char,
    options_len: usize,
    queue: *mut apb_queue,
    tag: u64,
    cancel: *const apb_cancel,
) -> apb_status {
    catch_panic_or(APB_E_PANIC, || {
        if operation.is_null() || queue.is_null() {
            return APB_E_NULL;
        }
        // SAFETY: the caller promises (PROMISES, texts) that `operation` ends with a NUL.
        let Some(operation) = (unsafe { bytes(operation, usize::MAX) }) else { return APB_E_NULL };
        // SAFETY: the caller promises (PROMISES, texts) that both are readable for their lengths or up to their NULs.
        let (request, options) = unsafe { (bytes(request_json, len), bytes(options_json, options_len)) };
        let (Some(request), Some(options)) = (request, options) else { return APB_E_NULL };
        let Some(queue) = get(queue) else { return APB_E_HANDLE };
        if !memory::is_left() {
            return APB_E_MEMORY;
        }
        let object = get_client(client);
        let token = acquire(cancel);
        if (object.is_none() && !client.is_null()) || (token.is_none() && !cancel.is_null()) {
            return APB_E_HANDLE;
        }
        // The token is kept by the call until its end.
        let token = token.map(crate::cancel::TokenInUse::into_token);
        let call = dispatch::Call { operation, request, options, tag };
        let core = object.as_ref().map(|object| &object.core);
        match dispatch::start(&queue, core, call, object.clone(), token.as_ref()) {
            Ok(()) => APB_OK,
            Err(StartError::Closed) => APB_E_CLOSED,
            Err(StartError::Freed) => APB_E_HANDLE,
            Err(StartError::Busy) => APB_E_BUSY,
        }
    })
}

/// Takes the next completion. The log lines of its call are delivered before this returns, on this thread.
///
/// timeout_ms: how long to wait for one; 0 does not wait, -1 waits for ever. Another thread's
/// apb_queue_close() and apb_queue_free() end the wait.
/// out_tag: may be NULL; receives the tag. out_reply: receives the reply, whose status and outcome are
/// the call's. Free it with apb_reply_free().
/// Returns APB_OK with a completion; else there is none: APB_E_TIMEOUT (none yet), APB_E_CLOSED (closed,
/// and everything was taken), APB_E_HANDLE, APB_E_NULL (nothing is taken) or APB_E_PANIC.
///
/// # Safety
/// PROMISES of the header: out parameters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_queue_next(
    queue: *mut apb_queue,
    timeout_ms: i64,
    out_tag: *mut u64,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    if out_reply.is_null() {
        return APB_E_NULL;
    }
    // SAFETY: not NULL, so the caller promises (PROMISES, out parameters) that it may be written.
    unsafe { *out_reply = std::ptr::null_mut() };
    catch_panic_or(APB_E_PANIC, || {
        if queue.is_null() {
            return APB_E_NULL;
        }
        let Some(queue) = get(queue) else { return APB_E_HANDLE };
        let timeout = u64::try_from(timeout_ms).ok().map(Duration::from_millis);
        match queue.next(timeout) {
            Next::Done(completion) => {
                if let Some(client) = &completion.context {
                    client.deliver(completion.reply.log());
                }
                if !out_tag.is_null() {
                    // SAFETY: not NULL, as above for `out_reply`.
                    unsafe { *out_tag = completion.tag };
                }
                // SAFETY: as above.
                unsafe { write_reply(completion.reply, out_reply) };
                APB_OK
            }
            Next::None => APB_E_TIMEOUT,
            Next::Closed => APB_E_CLOSED,
            Next::Freed => APB_E_HANDLE,
        }
    })
}

/// Closes a queue: nothing can be started with it any more. apb_queue_next() gives what is in flight as
/// it ends, then APB_E_CLOSED, also to threads that wait. To leave sooner, cancel the calls first.
/// NULL, stale and freed queues are ignored.
#[unsafe(no_mangle)]
pub extern "C" fn apb_queue_close(queue: *mut apb_queue) {
    catch_panic_or((), || {
        if let Some(queue) = get(queue) {
            queue.close();
        }
    });
}

/// Frees a queue. Threads that wait in apb_queue_next() return APB_E_HANDLE. Reads in flight are
/// cancelled; submits and case operations run to their end, and their replies are dropped. The lent
/// descriptor is closed, if it still is that socket. In a forked child it closes what was inherited.
/// NULL, stale and freed queues are ignored.
#[unsafe(no_mangle)]
pub extern "C" fn apb_queue_free(queue: *mut apb_queue) {
    catch_panic_or((), || {
        if let Some(queue) = QUEUES.remove(queue.addr()) {
            queue.free();
            if !queue.is_of_this_process() {
                INHERITED.lock().unwrap_or_else(PoisonError::into_inner).push(queue);
            }
        }
    });
}

/// Cancels, once, every call of this process that began before; later ones are untouched. For the exit
/// handlers of other runtimes. Async-signal-safe.
///
/// A submit that is cancelled before its request was handed to a connection ends as APB_NOT_EXECUTED,
/// a later one as APB_UNKNOWN.
#[unsafe(no_mangle)]
pub extern "C" fn apb_cancel_all() {
    // Without catch_panic_or(): catching is not async-signal-safe, and two atomic additions cannot panic.
    atlas_postbooking::Cancel::all();
}
