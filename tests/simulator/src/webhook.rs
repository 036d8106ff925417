//! Webhook notifications: unsigned, sent once without retry, from a separate
//! thread, so that a slow receiver does not delay the simulator.

use serde_json::{Value, json};
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(2);

type Log = Arc<Mutex<Vec<Value>>>;

struct Delivery {
    url: String,
    body: String,
    log: Log,
    at: usize,
}

/// The webhook URL and the log of all notifications.
pub struct Webhooks {
    /// The receiver; `None`: notifications are only logged.
    pub url: Option<String>,
    /// The number of times each notification is sent (switch `webhooks`).
    pub copies: usize,
    log: Log,
    sender: Sender<Delivery>,
}

impl Webhooks {
    /// Starts the sending thread, which ends when the last `Webhooks` is dropped.
    pub fn start() -> io::Result<Self> {
        let (sender, deliveries) = channel();
        std::thread::Builder::new().name("webhooks".into()).spawn(move || deliver_all(&deliveries))?;
        Ok(Self { url: None, copies: 1, log: Log::default(), sender })
    }

    /// The same sending thread, with an empty log and no URL.
    pub fn empty(&self) -> Self {
        Self { url: None, copies: 1, log: Log::default(), sender: self.sender.clone() }
    }

    /// Logs a notification and queues it for sending.
    pub fn emit(&mut self, event: Value) {
        let body = event.to_string();
        let mut log = lock(&self.log);
        let at = log.len();
        log.push(json!({"event": event, "delivered": null}));
        for _ in 0..self.copies {
            if let Some(url) = self.url.clone() {
                self.sender.send(Delivery { url, body: body.clone(), log: self.log.clone(), at }).ok();
            }
        }
    }

    /// All notifications, and whether they were delivered.
    pub fn events(&self) -> Vec<Value> {
        lock(&self.log).clone()
    }
}

fn lock(log: &Log) -> MutexGuard<'_, Vec<Value>> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

fn deliver_all(deliveries: &Receiver<Delivery>) {
    while let Ok(delivery) = deliveries.recv() {
        let arrived = deliver(&delivery.url, &delivery.body).unwrap_or(false);
        if let Some(entry) = lock(&delivery.log).get_mut(delivery.at).and_then(Value::as_object_mut) {
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
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
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
