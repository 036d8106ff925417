//! Small servers of the harness: one that answers requests, and one that hands over raw connections.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A listener with a thread for each connection. Dropping it stops accepting.
pub struct Server {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
}

impl Server {
    /// Passes every connection to `serve`.
    pub fn start(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> io::Result<Server> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let (address, stopped) = (listener.local_addr()?, Arc::new(AtomicBool::new(false)));
        let (stop_flag, serve) = (stopped.clone(), Arc::new(serve));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop_flag.load(Ordering::Acquire) {
                    return;
                }
                let serve = serve.clone();
                std::thread::spawn(move || serve(stream));
            }
        });
        Ok(Server { address, stopped })
    }

    /// Answers the body of each request with a body, one request for each connection.
    pub fn answering(answer: impl Fn(&[u8]) -> String + Send + Sync + 'static) -> io::Result<Server> {
        Server::start(move |mut stream| {
            stream.set_read_timeout(Some(Duration::from_secs(5))).ok();
            let mut reader = Request::default();
            if reader.read(&mut stream, usize::MAX) {
                let body = answer(reader.body());
                let length = body.len();
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
                write!(stream, "{head}Content-Length: {length}\r\n\r\n{body}").ok();
            }
        })
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        // The listener blocks in accept; this connection makes it return and see the stop flag.
        TcpStream::connect(self.address).ok();
    }
}

/// The bytes of a request received so far.
#[derive(Default)]
pub struct Request {
    bytes: Vec<u8>,
}

impl Request {
    /// Reads until the request is complete or has `limit` bytes; whether it is complete.
    pub fn read(&mut self, stream: &mut TcpStream, limit: usize) -> bool {
        let mut piece = [0; 4096];
        while !self.complete() && self.bytes.len() < limit {
            let room = piece.len().min(limit - self.bytes.len());
            match stream.read(piece.get_mut(..room).unwrap_or_default()) {
                Ok(0) | Err(_) => break,
                Ok(got) => self.bytes.extend_from_slice(piece.get(..got).unwrap_or_default()),
            }
        }
        self.complete()
    }

    /// The position of the body, once the head is complete.
    pub fn head(&self) -> Option<usize> {
        self.bytes.windows(4).position(|end| end == b"\r\n\r\n").map(|at| at + 4)
    }

    /// Head and body are complete.
    pub fn complete(&self) -> bool {
        self.head().is_some_and(|start| {
            let head = String::from_utf8_lossy(self.bytes.get(..start).unwrap_or_default()).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            self.bytes.len() >= start + length.unwrap_or(0)
        })
    }

    /// The bytes after the head.
    pub fn body(&self) -> &[u8] {
        self.head().and_then(|start| self.bytes.get(start..)).unwrap_or_default()
    }
}
