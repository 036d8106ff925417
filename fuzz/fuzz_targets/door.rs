//! The C ABI: a call in each line, as `OPERATION⇥REQUEST⇥OPTIONS⇥POINTER`, with a vendor that cannot be reached.
//! `validate` and `describe` in place of a request's options, and `new` in place of an operation, call those functions.
#![no_main]

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr::{null, null_mut};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use atlas_fuzz::store::{TEMPLATE, config, place};
use atlas_fuzz::{CLOSED_PORT, SECRET, check_reply, folder, is_submit, operation, split};
use atlas_fuzz_door as _;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

type Client = c_void;
type Reply = c_void;
type Cancel = c_void;
type Queue = c_void;

unsafe extern "C" {
    fn apb_client_new(config: *const c_char, len: usize, client: *mut *mut Client, reply: *mut *mut Reply) -> i32;
    fn apb_client_free(client: *mut Client);
    fn apb_call(
        client: *const Client,
        operation: *const c_char,
        request: *const c_char,
        len: usize,
        options: *const c_char,
        options_len: usize,
        cancel: *const Cancel,
        reply: *mut *mut Reply,
    ) -> i32;
    fn apb_start(
        client: *const Client,
        operation: *const c_char,
        request: *const c_char,
        len: usize,
        options: *const c_char,
        options_len: usize,
        queue: *mut Queue,
        tag: u64,
        cancel: *const Cancel,
    ) -> i32;
    fn apb_queue_new(queue: *mut *mut Queue) -> i32;
    fn apb_queue_next(queue: *mut Queue, timeout_ms: i64, tag: *mut u64, reply: *mut *mut Reply) -> i32;
    fn apb_queue_free(queue: *mut Queue);
    fn apb_validate(operation: *const c_char, request: *const c_char, len: usize, reply: *mut *mut Reply) -> i32;
    fn apb_describe(operation: *const c_char, reply: *mut *mut Reply) -> i32;
    fn apb_cancel_all();
    fn apb_live_handles() -> u64;
    fn apb_reply_json(reply: *const Reply, len: *mut usize) -> *const c_char;
    fn apb_reply_status(reply: *const Reply) -> i32;
    fn apb_reply_outcome(reply: *const Reply) -> i32;
    fn apb_reply_message(reply: *const Reply) -> *const c_char;
    fn apb_reply_get(reply: *const Reply, pointer: *const c_char, len: *mut usize) -> *const c_char;
    fn apb_reply_get_int(reply: *const Reply, pointer: *const c_char, ok: *mut i32) -> i64;
    fn apb_reply_count(reply: *const Reply, pointer: *const c_char) -> usize;
    fn apb_reply_free(reply: *mut Reply);
}

/// Most lines of an input that are called.
const CALLS: usize = 6;

/// Counts calls: one that waits is cancelled.
static CALL: AtomicU64 = AtomicU64::new(0);

fuzz_target!(|input: &[u8]| {
    watch();
    // Each text in a block of its own size, so that reading beyond it is seen.
    let client = open(&client_config(input));
    for line in input.split(|byte| *byte == b'\n').take(CALLS) {
        let (name, rest) = split(line, b'\t');
        let (request, rest) = split(rest, b'\t');
        let (options, pointer) = split(rest, b'\t');
        if name == b"new" {
            try_config(request);
        } else if !touches_files(operation(name), request) {
            call(client, operation(name), request, options, pointer, input);
        }
    }
    unsafe { apb_client_free(client) };
    assert_eq!(unsafe { apb_live_handles() }, 0, "a handle is left");
});

/// With a store if cases are called: making one takes longer than a call.
fn client_config(input: &[u8]) -> Value {
    if input.split(|byte| *byte == b'\n').any(|line| operation(split(line, b'\t').0).starts_with("case.")) {
        return config(&place(&TEMPLATE.bytes));
    }
    json!({"baseUrl": CLOSED_PORT, "clientId": "fuzz", "clientSecret": SECRET, "retry": {"maxAttempts": 1}})
}

fn open(config: &Value) -> *mut Client {
    let (text, mut client) = (config.to_string(), null_mut());
    let status = unsafe { apb_client_new(text.as_ptr().cast(), text.len(), &mut client, null_mut()) };
    assert_eq!(status, 0, "{config}");
    client
}

/// Any configuration, without a call; none that names files.
fn try_config(config: &[u8]) {
    let text = String::from_utf8_lossy(config);
    if text.contains("path") || text.contains("File") || text.contains('\\') {
        return;
    }
    let (config, mut client, mut reply) = (config.to_vec(), null_mut(), null_mut());
    let status = unsafe { apb_client_new(config.as_ptr().cast(), config.len(), &mut client, &mut reply) };
    assert_eq!(status == 0, !client.is_null());
    assert_eq!(status == 0, reply.is_null());
    read(reply, b"/error/field", &config);
    unsafe { apb_client_free(client) };
}

/// Whether a request may name a file outside of this process's folder.
fn touches_files(operation: &str, request: &[u8]) -> bool {
    matches!(operation, "case.backup" | "case.import") && request.iter().any(|byte| matches!(byte, b'/' | b'\\'))
}

fn call(client: *mut Client, operation: &str, request: &[u8], options: &[u8], pointer: &[u8], input: &[u8]) {
    let (name, request, given) = (CString::new(operation).unwrap(), request.to_vec(), options.to_vec());
    let (text, len) = (request.as_ptr().cast::<c_char>(), request.len());
    let mut reply = null_mut();
    CALL.fetch_add(1, Ordering::SeqCst);
    let status = match options {
        b"validate" => unsafe { apb_validate(name.as_ptr(), text, len, &mut reply) },
        b"describe" => unsafe { apb_describe(name.as_ptr(), &mut reply) },
        // Every other call goes through a queue.
        _ if request.len().is_multiple_of(2) => unsafe {
            apb_call(client, name.as_ptr(), text, len, given.as_ptr().cast(), given.len(), null(), &mut reply)
        },
        _ => start(client, &name, &request, &given, &mut reply),
    };
    CALL.fetch_add(1, Ordering::SeqCst);
    let outcome = unsafe { apb_reply_outcome(reply) };
    assert!(!reply.is_null() && status == unsafe { apb_reply_status(reply) });
    let value = read(reply, pointer, input);
    // Of a case, the outcome is the case's own, which an earlier line may have settled.
    if is_submit(operation) && !operation.starts_with("case.") && !matches!(options, b"validate" | b"describe") {
        assert_eq!(outcome, 2, "nothing can have left: {operation} {value}");
    }
}

fn start(client: *mut Client, name: &CStr, request: &[u8], options: &[u8], reply: &mut *mut Reply) -> i32 {
    let (mut queue, mut tag) = (null_mut(), 0);
    let (text, given) = (request.as_ptr().cast(), options.as_ptr().cast());
    unsafe {
        assert_eq!(apb_queue_new(&mut queue), 0);
        let started = apb_start(client, name.as_ptr(), text, request.len(), given, options.len(), queue, 4711, null());
        assert_eq!((started, apb_queue_next(queue, -1, &mut tag, reply), tag), (0, 0, 4711));
        apb_queue_free(queue);
        apb_reply_status(*reply)
    }
}

/// Reads a reply in every way, and frees it.
fn read(reply: *mut Reply, pointer: &[u8], input: &[u8]) -> Value {
    if reply.is_null() {
        return Value::Null;
    }
    let mut len = 0;
    let json = unsafe { apb_reply_json(reply, &mut len) };
    // SAFETY: the library promises a NUL behind len bytes.
    let json = unsafe { std::slice::from_raw_parts(json.cast::<u8>(), len + 1) };
    assert_eq!(json[len], 0);
    let json = std::str::from_utf8(&json[..len]).unwrap();
    let value = check_reply(json, unsafe { apb_reply_outcome(reply) }, unsafe { apb_reply_status(reply) }, input);
    let message = unsafe { CStr::from_ptr(apb_reply_message(reply)) }.to_str().unwrap();
    assert_eq!(message, value["error"]["message"].as_str().unwrap_or_default().replace('\0', " "));
    for pointer in [pointer, b"/error/help", b"/data/orderNo", b"/meta/attempts", b"/warnings", b"/case/steps/0/name"] {
        let Ok(pointer) = std::str::from_utf8(pointer) else { continue };
        let Ok(with_nul) = CString::new(pointer) else { continue };
        let (mut len, mut ok) = (0, 0);
        let text = unsafe { apb_reply_get(reply, with_nul.as_ptr(), &mut len) };
        let number = unsafe { apb_reply_get_int(reply, with_nul.as_ptr(), &mut ok) };
        let found = value.pointer(pointer);
        let expected = match found {
            Some(Value::String(text)) => Some(text.as_bytes()),
            _ => None,
        };
        if let Some(expected) = expected {
            // SAFETY: as above.
            let text = unsafe { std::slice::from_raw_parts(text.cast::<u8>(), len + 1) };
            assert_eq!((&text[..len], text[len]), (expected, 0), "{pointer}");
        }
        if let Some(Value::Number(expected)) = found.filter(|number| number.is_i64()) {
            assert_eq!((number, ok), (expected.as_i64().unwrap(), 1), "{pointer}");
        }
        let elements = found.and_then(Value::as_array).map_or(0, Vec::len);
        if found.is_none_or(|value| !value.is_object()) {
            assert_eq!(unsafe { apb_reply_count(reply, with_nul.as_ptr()) }, elements, "{pointer}");
        }
    }
    unsafe { apb_reply_free(reply) };
    value
}

/// Cancels what waits: a follow-up may wait for hours. Files with relative names are in this process's folder.
fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::env::set_current_dir(folder()).unwrap();
        std::thread::spawn(|| {
            let mut seen = 0;
            loop {
                std::thread::sleep(Duration::from_millis(100));
                let now = CALL.load(Ordering::SeqCst);
                // Odd: inside a call.
                if now == seen && now % 2 == 1 {
                    unsafe { apb_cancel_all() };
                }
                seen = now;
            }
        });
    });
}
