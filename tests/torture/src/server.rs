//! Small servers of the harness' own: one that answers, and one that dies on its callers.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A listener with a thread for each connection; dropped, it takes no more.
pub struct Server {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
}

impl Server {
    /// Hands every connection to `serve`.
    pub fn start(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> io::Result<Server> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let (address, stopped) = (listener.local_addr()?, Arc::new(AtomicBool::new(false)));
        let (mine, serve) = (stopped.clone(), Arc::new(serve));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if mine.load(Ordering::Acquire) {
                    return;
                }
                let serve = serve.clone();
                std::thread::spawn(move || serve(stream));
            }
        });
        Ok(Server { address, stopped })
    }

    /// Answers every request's body with a body, on one connection each.
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
        // It sleeps in accept; one last caller wakes it.
        TcpStream::connect(self.address).ok();
    }
}

/// A request as far as it has come.
#[derive(Default)]
pub struct Request {
    bytes: Vec<u8>,
}

impl Request {
    /// Reads until the request is whole or has so many bytes; whether it is whole.
    pub fn read(&mut self, stream: &mut TcpStream, most: usize) -> bool {
        let mut piece = [0; 4096];
        while !self.whole() && self.bytes.len() < most {
            let room = piece.len().min(most - self.bytes.len());
            match stream.read(piece.get_mut(..room).unwrap_or_default()) {
                Ok(0) | Err(_) => break,
                Ok(got) => self.bytes.extend_from_slice(piece.get(..got).unwrap_or_default()),
            }
        }
        self.whole()
    }

    /// Where the body begins, once the head is there.
    pub fn head(&self) -> Option<usize> {
        self.bytes.windows(4).position(|end| end == b"\r\n\r\n").map(|at| at + 4)
    }

    /// Head and body are complete.
    pub fn whole(&self) -> bool {
        self.head().is_some_and(|start| {
            let head = String::from_utf8_lossy(self.bytes.get(..start).unwrap_or_default()).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            self.bytes.len() >= start + length.unwrap_or(0)
        })
    }

    /// What follows the head.
    pub fn body(&self) -> &[u8] {
        self.head().and_then(|start| self.bytes.get(start..)).unwrap_or_default()
    }
}
