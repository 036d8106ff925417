//! Notifications: best effort, unsigned, from a thread of their own, so that a
//! slow listener never holds the vendor up.

use serde_json::{Value, json};
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(2);

type Log = Arc<Mutex<Vec<Value>>>;

struct Parcel {
    url: String,
    body: String,
    log: Log,
    at: usize,
}

/// The notification address and everything ever delivered.
pub struct Hooks {
    /// Where to.
    pub url: Option<String>,
    /// How often each is sent: the vendor promises nothing.
    pub copies: usize,
    log: Log,
    post: Sender<Parcel>,
}

impl Hooks {
    /// Starts the postman; he stops when the last `Hooks` is gone.
    pub fn start() -> io::Result<Self> {
        let (post, parcels) = channel();
        std::thread::Builder::new().name("webhooks".into()).spawn(move || deliver_all(&parcels))?;
        Ok(Self { url: None, copies: 1, log: Log::default(), post })
    }

    /// The same postman, nothing delivered yet.
    pub fn cleared(&self) -> Self {
        Self { url: None, copies: 1, log: Log::default(), post: self.post.clone() }
    }

    /// Tells an event.
    pub fn emit(&mut self, event: Value) {
        let body = event.to_string();
        let mut log = held(&self.log);
        let at = log.len();
        log.push(json!({"event": event, "delivered": null}));
        for _ in 0..self.copies {
            if let Some(url) = self.url.clone() {
                self.post.send(Parcel { url, body: body.clone(), log: self.log.clone(), at }).ok();
            }
        }
    }

    /// Every event delivered, and whether it arrived.
    pub fn events(&self) -> Vec<Value> {
        held(&self.log).clone()
    }
}

fn held(log: &Log) -> MutexGuard<'_, Vec<Value>> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

fn deliver_all(parcels: &Receiver<Parcel>) {
    while let Ok(parcel) = parcels.recv() {
        let arrived = deliver(&parcel.url, &parcel.body).unwrap_or(false);
        if let Some(entry) = held(&parcel.log).get_mut(parcel.at).and_then(Value::as_object_mut) {
            entry.insert("delivered".into(), arrived.into());
        }
    }
}

fn deliver(url: &str, body: &str) -> io::Result<bool> {
    let refused = || io::Error::from(io::ErrorKind::InvalidInput);
    let rest = url.strip_prefix("http://").ok_or_else(refused)?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let port = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
    let address = port.to_socket_addrs()?.next().ok_or_else(refused)?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let head = format!(
        "POST /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json;charset=UTF-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    Ok(answer.starts_with(b"HTTP/1.1 2") || answer.starts_with(b"HTTP/1.0 2"))
}
