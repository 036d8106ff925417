//! One answer on the wire, right or wrong.

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

/// Answers as the vendor does. `true`: the connection lives on.
pub fn plain(shared: &Shared, request: &Request, stream: &TcpStream) -> io::Result<bool> {
    let response = execute(shared, request);
    send(shared, request, stream, &response)
}

/// Answers under a fault.
pub fn faulty(shared: &Arc<Shared>, request: &Request, stream: &TcpStream, fault: &Fault) -> io::Result<bool> {
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
            send(shared, request, stream, &page(fault.status.unwrap_or(503)))
        }
        Mode::RateLimit => send(shared, request, stream, &limited(fault)),
        Mode::Garbage => {
            garble(shared, request, stream, fault)?;
            Ok(false)
        }
        Mode::Oversize => {
            execute(shared, request);
            flood(stream, fault)?;
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
        Mode::Late => {
            put_off(shared, request, fault)?;
            wait_for_the_client(shared, stream)?;
            Ok(false)
        }
        Mode::Reply => {
            let response =
                if fault.execute == Some(false) { Response::json(200, &json!({})) } else { execute(shared, request) };
            send(shared, request, stream, &changed(response, fault))
        }
    }
}

fn execute(shared: &Shared, request: &Request) -> Response {
    let mut world = shared.world();
    world.settle();
    router::execute(&mut world, request)
}

fn encode(shared: &Shared, request: &Request, response: &Response) -> Vec<u8> {
    let gzip = request.takes_gzip() && shared.world().profile.is("gzip", "on");
    response.bytes(gzip, request.closes())
}

fn send(shared: &Shared, request: &Request, mut stream: &TcpStream, response: &Response) -> io::Result<bool> {
    stream.write_all(&encode(shared, request, response))?;
    Ok(true)
}

/// Zero linger turns the close into a reset, which a client cannot mistake for
/// the end of an answer.
fn reset(stream: &TcpStream) -> io::Result<bool> {
    SockRef::from(stream).set_linger(Some(Duration::ZERO))?;
    Ok(false)
}

fn delay(fault: &Fault, default: u64) -> Duration {
    Duration::from_millis(fault.delay_ms.unwrap_or(default))
}

fn page(status: u16) -> Response {
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

/// The limiter's own envelope: `code`, no `status`.
fn limited(fault: &Fault) -> Response {
    let wait = fault.delay_ms.map_or(1, |ms| ms.div_ceil(1_000));
    let body = json!({"code": 429, "message": "Too many requests", "limitType": "SIMULATED_QPS", "limit": 10, "retryAfter": wait});
    let mut response = Response::json(fault.status.unwrap_or(429), &body);
    response.reason = "Too Many Requests".into();
    response.headers.push(("Retry-After", wait.to_string()));
    response
}

fn garble(shared: &Shared, request: &Request, mut stream: &TcpStream, fault: &Fault) -> io::Result<()> {
    let good = if fault.execute == Some(false) { Response::json(200, &json!({})) } else { execute(shared, request) };
    let half = good.body.get(..good.body.len() / 2).unwrap_or_default().to_vec();
    let body = match fault.variant.as_str() {
        "json" => half,
        "array" => b"[]".to_vec(),
        "nostatus" => b"{\"message\":\"no envelope\"}".to_vec(),
        "empty" => Vec::new(),
        "gzip" => {
            let mut packed = crate::http::pack(&good.body)?;
            packed.iter_mut().skip(10).for_each(|byte| *byte ^= 0x5a);
            let mut bytes = good.head(Some(packed.len()), true, true);
            bytes.append(&mut packed);
            return stream.write_all(&bytes);
        }
        _ => b"<html><body>It works!</body></html>".to_vec(),
    };
    stream.write_all(&Response { body, ..good }.bytes(false, true))
}

/// A body without end (or almost), plain or as a small gzip stream that unpacks
/// to one.
fn flood(mut stream: &TcpStream, fault: &Fault) -> io::Result<()> {
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

/// The effect comes later than any client waits: after real time, or when the
/// virtual clock gets there.
fn put_off(shared: &Arc<Shared>, request: &Request, fault: &Fault) -> io::Result<()> {
    let request = request.clone();
    if fault.by_virtual_clock {
        let mut world = shared.world();
        let at = world.now + i64::try_from(fault.delay_ms.unwrap_or(60_000)).unwrap_or(i64::MAX / 2);
        world.plan(at, Event::Late(Box::new(request)));
        return Ok(());
    }
    let (shared, wait) = (shared.clone(), delay(fault, 1_000));
    let generation = shared.world().generation;
    std::thread::Builder::new().name("late".into()).spawn(move || {
        shared.sleep(wait);
        if !shared.stopped() && shared.world().generation == generation {
            execute(&shared, &request);
        }
    })?;
    Ok(())
}

fn wait_for_the_client(shared: &Shared, mut stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_millis(100)))?;
    let mut piece = [0; 256];
    while !shared.stopped() {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Err(error) if !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                break;
            }
            _ => {}
        }
    }
    Ok(())
}

fn changed(mut response: Response, fault: &Fault) -> Response {
    let mut body: Object = serde_json::from_slice(&response.body).unwrap_or_default();
    if let Some(fields) = fault.body.as_object() {
        body.extend(fields.clone());
    }
    response.body = Value::from(body).to_string().into_bytes();
    response.status = fault.status.unwrap_or(response.status);
    response
}
