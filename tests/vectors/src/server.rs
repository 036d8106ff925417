//! A scripted server: it answers, truncates, stalls or resets. It contains no vendor logic.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flate2::{Compression, write::GzEncoder};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::vector::{Answer, Step, unhex};

/// A request that arrived complete.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

#[derive(Default)]
struct State {
    steps: VecDeque<Step>,
    requests: Vec<Request>,
    connections: usize,
    stopped: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    stop_signal: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_step(&self) -> Step {
        let unscripted = Answer { status: Some(599), text: Some("not in the script".to_owned()), ..Answer::default() };
        self.lock().steps.pop_front().unwrap_or(Step { answer: Some(unscripted), ..Step::default() })
    }

    /// Waits for `time` (60 s by default), or until the server is dropped.
    fn pause(&self, time: Option<Duration>) {
        let state = self.lock();
        let limit = time.unwrap_or(Duration::from_secs(60));
        drop(self.stop_signal.wait_timeout_while(state, limit, |s| !s.stopped));
    }
}

/// A running server. Dropping it stops it.
pub struct Server {
    pub port: u16,
    shared: Arc<Shared>,
}

impl Server {
    /// Starts with a script, with or without TLS.
    pub fn start(steps: &[Step], tls: Option<Arc<ServerConfig>>) -> io::Result<Server> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared::default());
        shared.lock().steps = steps.iter().flat_map(|s| std::iter::repeat_n(s.clone(), s.times.unwrap_or(1))).collect();
        let thread_state = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { continue };
                {
                    let mut state = thread_state.lock();
                    if state.stopped {
                        return;
                    }
                    state.connections += 1;
                }
                let (shared, tls) = (thread_state.clone(), tls.clone());
                std::thread::spawn(move || {
                    let _ = serve(stream, tls, &shared);
                });
            }
        });
        Ok(Server { port, shared })
    }

    /// Takes the requests that arrived so far.
    pub fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.shared.lock().requests)
    }

    pub fn connections(&self) -> usize {
        self.shared.lock().connections
    }

    /// Adds a step.
    pub fn push(&self, step: Step) {
        self.shared.lock().steps.push_back(step);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.lock().stopped = true;
        self.shared.stop_signal.notify_all();
        // The listener blocks in accept; this connection makes it return and see the stop flag.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

fn serve(socket: TcpStream, tls: Option<Arc<ServerConfig>>, shared: &Shared) -> io::Result<()> {
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(Duration::from_secs(30)))?;
    let closer = socket.try_clone()?;
    if shared.lock().steps.front().is_some_and(|s| s.at.as_deref() == Some("accept")) {
        let step = shared.next_step();
        return perform_action(&mut { socket }, &closer, step.perform_action.as_deref().unwrap_or("close"), shared);
    }
    let mut stream: Box<dyn Stream> = match tls {
        None => Box::new(socket),
        Some(config) => {
            let connection = ServerConnection::new(config).map_err(io::Error::other)?;
            Box::new(StreamOwned::new(connection, socket))
        }
    };
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer)? {
        let close_requested = request.headers.iter().any(|(k, v)| k == "connection" && v.eq_ignore_ascii_case("close"));
        shared.lock().requests.push(request);
        let step = shared.next_step();
        if let Some(answer) = &step.answer {
            if !write_answer(&mut stream, &closer, answer, shared)? {
                return Ok(());
            }
        } else {
            return perform_action(&mut stream, &closer, step.perform_action.as_deref().unwrap_or("close"), shared);
        }
        if close_requested {
            break;
        }
    }
    Ok(())
}

fn perform_action(stream: &mut dyn Stream, closer: &TcpStream, what: &str, shared: &Shared) -> io::Result<()> {
    match what {
        "close" => {}
        "reset" => reset(closer)?,
        "stall" => shared.pause(None),
        "garbage" => {
            stream.write_all(b"\x00\x01 this is not HTTP\r\n\r\n")?;
            stream.flush()?;
        }
        unknown => panic!("unknown action in the script: `{unknown}`"),
    }
    Ok(())
}

/// The connection ends with a RST instead of a FIN when its last handle is dropped.
fn reset(socket: &TcpStream) -> io::Result<()> {
    socket2::SockRef::from(socket).set_linger(Some(Duration::ZERO))
}

/// Reads one request; None if the connection ended before a complete one.
pub fn read_request(stream: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<Option<Request>> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Request::new(&mut headers);
        if let httparse::Status::Complete(head) = parsed.parse(buffer).map_err(io::Error::other)? {
            let headers: Vec<_> = parsed
                .headers
                .iter()
                .map(|h| (h.name.to_ascii_lowercase(), String::from_utf8_lossy(h.value).into_owned()))
                .collect();
            let length: usize =
                headers.iter().find(|(k, _)| k == "content-length").and_then(|(_, v)| v.parse().ok()).unwrap_or(0);
            if buffer.len() >= head + length {
                let method = parsed.method.unwrap_or_default().to_owned();
                let path = parsed.path.unwrap_or_default().to_owned();
                let body = buffer[head..head + length].to_vec();
                buffer.drain(..head + length);
                return Ok(Some(Request { method, path, headers, body }));
            }
        }
        let mut chunk = [0; 8192];
        match stream.read(&mut chunk)? {
            0 => return Ok(None),
            n => buffer.extend_from_slice(&chunk[..n]),
        }
    }
}

/// Writes an answer; false if the connection must not be reused.
fn write_answer(stream: &mut dyn Stream, closer: &TcpStream, answer: &Answer, shared: &Shared) -> io::Result<bool> {
    let mut body = match (&answer.body, &answer.text, &answer.hex) {
        (Some(json), _, _) => json.get().as_bytes().to_vec(),
        (_, Some(text), _) => text.clone().into_bytes(),
        (_, _, Some(hex)) => unhex(hex),
        _ => Vec::new(),
    };
    body = body.repeat(answer.repeat.unwrap_or(1));
    let status = answer.status.unwrap_or(200);
    let mut head = String::new();
    if let Some(interim) = answer.interim {
        head.push_str(&format!("HTTP/1.1 {interim} Interim\r\n\r\n"));
    }
    head.push_str(&format!("HTTP/1.1 {status} Scripted\r\n"));
    if !answer.headers.keys().any(|k| k.eq_ignore_ascii_case("content-type")) {
        head.push_str("Content-Type: application/json;charset=UTF-8\r\n");
    }
    if answer.gzip {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&body)?;
        body = encoder.finish()?;
        head.push_str("Content-Encoding: gzip\r\n");
    }
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    for line in &answer.head {
        head.push_str(&format!("{line}\r\n"));
    }
    if answer.chunked {
        head.push_str("Transfer-Encoding: chunked\r\n");
        let mut framed = Vec::new();
        for buffer in body.chunks(7) {
            framed.extend_from_slice(format!("{:x}\r\n", buffer.len()).as_bytes());
            framed.extend_from_slice(buffer);
            framed.extend_from_slice(b"\r\n");
        }
        framed.extend_from_slice(b"0\r\n\r\n");
        body = framed;
    } else if answer.until_close {
        head.push_str("Connection: close\r\n");
    } else if status != 204 && status != 304 {
        head.push_str(&format!("Content-Length: {}\r\n", answer.length.unwrap_or(body.len())));
    }
    head.push_str("\r\n");
    if let Some(delay) = answer.delay_ms {
        shared.pause(Some(Duration::from_millis(delay)));
    }
    let sent = &body[..answer.cut.unwrap_or(body.len()).min(body.len())];
    if let Some(pause) = answer.trickle_ms {
        stream.write_all(head.as_bytes())?;
        for byte in sent {
            stream.write_all(&[*byte])?;
            stream.flush()?;
            shared.pause(Some(Duration::from_millis(pause)));
        }
    } else {
        stream.write_all(&[head.as_bytes(), sent].concat())?;
    }
    stream.flush()?;
    if answer.cut.is_some() {
        // The client must receive these bytes before the end of the connection.
        shared.pause(Some(Duration::from_millis(50)));
        perform_action(stream, closer, answer.then.as_deref().unwrap_or("close"), shared)?;
    }
    Ok(answer.cut.is_none() && !answer.until_close)
}
