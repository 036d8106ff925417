//! Writes the reply to one request, with or without a fault.

use crate::fault::{Fault, Mode};
use crate::http::{Request, Response};
use crate::json::Object;
use crate::router;
use crate::schedule::Event;
use crate::server::Shared;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use socket2::SockRef;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

/// Replies without a fault. `true`: the connection stays open.
pub fn respond(shared: &Shared, request: &Request, stream: &TcpStream) -> io::Result<bool> {
    let response = execute(shared, request);
    send(shared, request, stream, &response)
}

/// Replies with a fault. `true`: the connection stays open.
pub fn respond_with_fault(
    shared: &Arc<Shared>,
    request: &Request,
    stream: &TcpStream,
    fault: &Fault,
) -> io::Result<bool> {
    let mut wire = stream;
    match fault.mode {
        Mode::DropBefore => reset(stream),
        Mode::DropAfter => {
            execute(shared, request);
            reset(stream)
        }
        Mode::Cut => {
            let bytes = encode(shared, request, &execute(shared, request));
            let length = fault.after_bytes.unwrap_or(bytes.len() / 2).min(bytes.len());
            wire.write_all(bytes.get(..length).unwrap_or_default())?;
            Ok(false)
        }
        Mode::Delay => {
            let response = execute(shared, request);
            shared.sleep(delay(fault, 1_000));
            send(shared, request, stream, &response)
        }
        Mode::Http => {
            if fault.execute == Some(true) {
                execute(shared, request);
            }
            send(shared, request, stream, &error_page(fault.status.unwrap_or(503)))
        }
        Mode::RateLimit => send(shared, request, stream, &rate_limited(fault)),
        Mode::Garbage => {
            send_garbage(shared, request, stream, fault)?;
            Ok(false)
        }
        Mode::Oversize => {
            execute(shared, request);
            send_oversize(stream, fault)?;
            Ok(false)
        }
        Mode::Trickle => {
            let bytes = encode(shared, request, &execute(shared, request));
            for byte in bytes {
                if shared.stopped() {
                    break;
                }
                wire.write_all(&[byte])?;
                shared.sleep(delay(fault, 20));
            }
            Ok(true)
        }
        Mode::LateExecution => {
            schedule_late_execution(shared, request, fault)?;
            wait_for_disconnect(shared, stream)?;
            Ok(false)
        }
        Mode::Reply => {
            let response =
                if fault.execute == Some(false) { Response::json(200, &json!({})) } else { execute(shared, request) };
            send(shared, request, stream, &override_reply(response, fault))
        }
    }
}

fn execute(shared: &Shared, request: &Request) -> Response {
    let mut world = shared.world();
    world.catch_up();
    router::execute(&mut world, request)
}

fn encode(shared: &Shared, request: &Request, response: &Response) -> Vec<u8> {
    let gzip = request.accepts_gzip() && shared.world().profile.is("gzip", "on");
    response.bytes(gzip, request.closes_connection())
}

fn send(shared: &Shared, request: &Request, mut stream: &TcpStream, response: &Response) -> io::Result<bool> {
    stream.write_all(&encode(shared, request, response))?;
    Ok(true)
}

/// With a linger time of zero, close sends a TCP reset, which a client cannot
/// mistake for the end of a reply.
fn reset(stream: &TcpStream) -> io::Result<bool> {
    SockRef::from(stream).set_linger(Some(Duration::ZERO))?;
    Ok(false)
}

fn delay(fault: &Fault, default: u64) -> Duration {
    Duration::from_millis(fault.delay_ms.unwrap_or(default))
}

fn error_page(status: u16) -> Response {
    let reason = match status {
        301 | 302 | 307 | 308 => "Moved",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Unexpected",
    };
    let mut response = Response::html(status, reason, "The request could not be handled.");
    if reason == "Moved" {
        response.headers.push(("Location", "/moved.do".into()));
    }
    response
}

/// The rate limiter's envelope, which has `code` instead of `status`.
fn rate_limited(fault: &Fault) -> Response {
    let retry_after = fault.delay_ms.map_or(1, |ms| ms.div_ceil(1_000));
    let body = json!({"code": 429, "message": "Too many requests", "limitType": "SIMULATED_QPS", "limit": 10, "retryAfter": retry_after});
    let mut response = Response::json(fault.status.unwrap_or(429), &body);
    response.reason = "Too Many Requests".into();
    response.headers.push(("Retry-After", retry_after.to_string()));
    response
}

fn send_garbage(shared: &Shared, request: &Request, mut stream: &TcpStream, fault: &Fault) -> io::Result<()> {
    let response =
        if fault.execute == Some(false) { Response::json(200, &json!({})) } else { execute(shared, request) };
    let first_half = response.body.get(..response.body.len() / 2).unwrap_or_default().to_vec();
    let body = match fault.variant.as_str() {
        "json" => first_half,
        "array" => b"[]".to_vec(),
        "nostatus" => b"{\"message\":\"no envelope\"}".to_vec(),
        "empty" => Vec::new(),
        "gzip" => {
            let mut compressed = crate::http::compress(&response.body)?;
            compressed.iter_mut().skip(10).for_each(|byte| *byte ^= 0x5a);
            let mut bytes = response.head(Some(compressed.len()), true, true);
            bytes.append(&mut compressed);
            return stream.write_all(&bytes);
        }
        _ => b"<html><body>It works!</body></html>".to_vec(),
    };
    stream.write_all(&Response { body, ..response }.bytes(false, true))
}

/// A chunked body of `fault.bytes` bytes, plain or compressed with gzip.
fn send_oversize(mut stream: &TcpStream, fault: &Fault) -> io::Result<()> {
    let gzip = fault.variant == "gzip";
    stream.write_all(&Response::json(200, &Value::Null).head(None, gzip, true))?;
    let start = b"{\"status\":0,\"msg\":\"";
    let filler = [b'x'; 16 * 1024];
    let chunks = Chunks(stream);
    let mut sink: Box<dyn Write + '_> =
        if gzip { Box::new(GzEncoder::new(chunks, Compression::fast())) } else { Box::new(chunks) };
    sink.write_all(start)?;
    for _ in 0..fault.bytes / filler.len() as u64 {
        sink.write_all(&filler)?;
    }
    sink.write_all(b"\"}")?;
    drop(sink);
    stream.write_all(b"0\r\n\r\n")
}

struct Chunks<'a>(&'a TcpStream);

impl Write for Chunks<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !bytes.is_empty() {
            let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
            chunk.extend_from_slice(bytes);
            chunk.extend_from_slice(b"\r\n");
            self.0.write_all(&chunk)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Executes the request after `delayMs`, in real time or on the virtual clock.
fn schedule_late_execution(shared: &Arc<Shared>, request: &Request, fault: &Fault) -> io::Result<()> {
    let request = request.clone();
    if fault.by_virtual_clock {
        let mut world = shared.world();
        let at = world.now + i64::try_from(fault.delay_ms.unwrap_or(60_000)).unwrap_or(i64::MAX / 2);
        world.schedule_at(at, Event::LateExecution(Box::new(request)));
        return Ok(());
    }
    let (shared, delay) = (shared.clone(), delay(fault, 1_000));
    let generation = shared.world().generation;
    std::thread::Builder::new().name("late".into()).spawn(move || {
        shared.sleep(delay);
        if !shared.stopped() && shared.world().generation == generation {
            execute(&shared, &request);
        }
    })?;
    Ok(())
}

fn wait_for_disconnect(shared: &Shared, mut stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_millis(100)))?;
    let mut buffer = [0; 256];
    while !shared.stopped() {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Err(error) if !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                break;
            }
            _ => {}
        }
    }
    Ok(())
}

fn override_reply(mut response: Response, fault: &Fault) -> Response {
    let mut body: Object = serde_json::from_slice(&response.body).unwrap_or_default();
    if let Some(fields) = fault.body.as_object() {
        body.extend(fields.clone());
    }
    response.body = Value::from(body).to_string().into_bytes();
    response.status = fault.status.unwrap_or(response.status);
    response
}
