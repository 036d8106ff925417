//! A minimal HTTP/1.1 reader and writer. No HTTP library is used because the
//! faults control every byte on the socket.

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::io::{self, Read, Write};

const HEAD_LIMIT: usize = 64 * 1024;
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// A request, complete or truncated.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `POST`
    pub method: String,
    /// Without the query.
    pub path: String,
    /// Lower-case names.
    pub headers: Vec<(String, String)>,
    /// The body, with chunked encoding removed.
    pub body: Vec<u8>,
    /// The whole body was received.
    pub complete: bool,
}

impl Request {
    /// The first header of that (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The client sent `Connection: close`.
    pub fn closes_connection(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }

    /// The client accepts gzip.
    pub fn accepts_gzip(&self) -> bool {
        self.header("accept-encoding").is_some_and(|value| value.contains("gzip"))
    }

    /// The entry of the request log: everything but the secret.
    pub fn record(&self) -> Value {
        let headers = self.headers.iter().filter(|(name, _)| name != "x-atlas-client-secret");
        let headers: serde_json::Map<_, _> =
            headers.map(|(name, value)| (name.clone(), value.clone().into())).collect();
        json!({
            "method": self.method,
            "path": self.path,
            "headers": headers,
            "body": String::from_utf8_lossy(&self.body),
            "bodyBytes": self.body.len(),
            "bodyComplete": self.complete,
        })
    }
}

/// Reads the requests of one connection.
pub struct Reader<S> {
    stream: S,
    buffer: Vec<u8>,
}

impl<S: Read + Write> Reader<S> {
    /// A reader of a new connection.
    pub fn new(stream: S) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    /// The next request; `None` if the connection ended between two requests. A
    /// truncated request is returned with `complete` false.
    pub fn next(&mut self) -> Option<Request> {
        let mut request = loop {
            match self.head() {
                Ok(Some(request)) => break request,
                Ok(None) if self.buffer.len() > HEAD_LIMIT => return Some(Request::default()),
                Ok(None) => {
                    if !self.fill() {
                        return (!self.buffer.is_empty()).then(Request::default);
                    }
                }
                Err(_) => return Some(Request::default()),
            }
        };
        if request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok();
        }
        request.complete = if request.header("transfer-encoding").is_some_and(|value| value.contains("chunked")) {
            self.chunks(&mut request.body).is_some()
        } else {
            let length = request.header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0_usize);
            length <= BODY_LIMIT && self.take(length, &mut request.body)
        };
        Some(request)
    }

    fn head(&mut self) -> Result<Option<Request>, httparse::Error> {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Request::new(&mut headers);
        let httparse::Status::Complete(length) = parsed.parse(&self.buffer)? else {
            return Ok(None);
        };
        let target = parsed.path.unwrap_or("/");
        let request = Request {
            method: parsed.method.unwrap_or_default().to_owned(),
            path: target.split('?').next().unwrap_or(target).to_owned(),
            headers: parsed
                .headers
                .iter()
                .map(|h| (h.name.to_ascii_lowercase(), String::from_utf8_lossy(h.value).into_owned()))
                .collect(),
            ..Request::default()
        };
        self.buffer.drain(..length);
        Ok(Some(request))
    }

    fn fill(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.buffer.extend(buffer.iter().take(count));
                true
            }
        }
    }

    /// Moves `length` bytes to `body`, or as many as arrive; `false` if truncated.
    fn take(&mut self, length: usize, body: &mut Vec<u8>) -> bool {
        while self.buffer.len() < length {
            if !self.fill() {
                body.append(&mut self.buffer);
                return false;
            }
        }
        body.extend(self.buffer.drain(..length));
        true
    }

    fn chunks(&mut self, body: &mut Vec<u8>) -> Option<()> {
        loop {
            let (start, size) = loop {
                match httparse::parse_chunk_size(&self.buffer) {
                    Ok(httparse::Status::Complete(found)) => break found,
                    Ok(httparse::Status::Partial) if self.fill() => {}
                    _ => return None,
                }
            };
            self.buffer.drain(..start);
            let size = usize::try_from(size).ok().filter(|size| body.len() + size <= BODY_LIMIT)?;
            let whole = self.take(size, body);
            let ended = self.take(2, &mut Vec::new());
            match (whole && ended, size) {
                (false, _) => return None,
                (true, 0) => return Some(()),
                _ => {}
            }
        }
    }
}

/// A response that has not been written yet.
#[derive(Clone, Debug)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Reason phrase.
    pub reason: String,
    /// Content type.
    pub content_type: &'static str,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body before compression.
    pub body: Vec<u8>,
}

impl Response {
    /// A JSON response.
    pub fn json(status: u16, body: &Value) -> Self {
        let reason = if status < 300 { "OK" } else { "Error" };
        Self {
            status,
            reason: reason.to_owned(),
            content_type: "application/json;charset=UTF-8",
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
        }
    }

    /// An HTML page, as the servlet container sends it instead of the service.
    pub fn html(status: u16, reason: &str, text: &str) -> Self {
        let page = format!(
            "<!doctype html><html lang=\"en\"><head><title>HTTP Status {status} - {reason}</title></head>\
             <body><h1>HTTP Status {status} - {reason}</h1><p>{text}</p></body></html>"
        );
        Self {
            status,
            reason: reason.to_owned(),
            content_type: "text/html;charset=utf-8",
            headers: Vec::new(),
            body: page.into_bytes(),
        }
    }

    /// The bytes of the head; without a length the body is chunked.
    pub fn head(&self, length: Option<usize>, gzip: bool, close: bool) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\nContent-Type: {}\r\n", self.status, self.reason, self.content_type);
        match length {
            Some(length) => head.push_str(&format!("Content-Length: {length}\r\n")),
            None => head.push_str("Transfer-Encoding: chunked\r\n"),
        }
        if gzip {
            head.push_str("Content-Encoding: gzip\r\n");
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(if close { "Connection: close\r\n\r\n" } else { "Connection: keep-alive\r\n\r\n" });
        head.into_bytes()
    }

    /// The bytes of the whole response. Bodies above 200 bytes are compressed.
    pub fn bytes(&self, gzip: bool, close: bool) -> Vec<u8> {
        let compressed = if gzip && self.body.len() > 200 { compress(&self.body).ok() } else { None };
        let body = compressed.as_ref().unwrap_or(&self.body);
        let mut bytes = self.head(Some(body.len()), compressed.is_some(), close);
        bytes.extend_from_slice(body);
        bytes
    }
}

/// Compresses with gzip.
pub fn compress(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}
