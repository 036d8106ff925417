//! The listener: one thread for each connection. Requests are logged and faults
//! are applied here.

use crate::exchange;
use crate::http::{Reader, Request, Response};
use crate::world::World;
use crate::{clock, control, operations};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{self, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The state that all connections share.
pub struct Shared {
    world: Mutex<World>,
    stopped: AtomicBool,
    connections: Mutex<HashMap<u64, TcpStream>>,
    count: AtomicU64,
}

impl Shared {
    /// The state at start-up.
    pub fn new(world: World) -> Self {
        Self {
            world: Mutex::new(world),
            stopped: AtomicBool::new(false),
            connections: Mutex::default(),
            count: AtomicU64::new(0),
        }
    }

    /// Locks the world.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The simulator is stopping.
    pub fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Sleeps in real time; returns early when the simulator stops.
    pub fn sleep(&self, length: Duration) {
        let end = Instant::now() + length;
        while let Some(left) = end.checked_duration_since(Instant::now()).filter(|_| !self.stopped()) {
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
    }

    /// Stops the simulator and closes all connections.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        for stream in self.open_connections().values() {
            stream.shutdown(Shutdown::Both).ok();
        }
    }

    fn open_connections(&self) -> MutexGuard<'_, HashMap<u64, TcpStream>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// With `clock=real`, executes due events also while no request arrives, so that
/// notifications are sent on time.
pub fn tick(shared: &Shared) {
    while !shared.stopped() {
        shared.sleep(Duration::from_millis(200));
        shared.world().catch_up();
    }
}

/// Accepts connections until the simulator stops.
pub fn listen(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stopped() {
            return;
        }
        let Ok(stream) = stream else { continue };
        let number = shared.count.fetch_add(1, Ordering::Relaxed) + 1;
        if let Ok(handle) = stream.try_clone() {
            shared.open_connections().insert(number, handle);
        }
        let state = shared.clone();
        let spawned = std::thread::Builder::new().name(format!("connection {number}")).spawn(move || {
            serve(&state, &stream, number).ok();
            state.open_connections().remove(&number);
        });
        if spawned.is_err() {
            shared.open_connections().remove(&number);
        }
    }
}

fn serve(shared: &Arc<Shared>, stream: &TcpStream, number: u64) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = Reader::new(stream.try_clone()?);
    while let Some(request) = reader.next() {
        if request.path.starts_with("/_sim/") && request.complete {
            let mut stream = stream;
            stream.write_all(&control_response(shared, &request).bytes(false, request.closes_connection()))?;
        } else {
            let fault = log(shared, &request, number);
            if !request.complete {
                return Ok(());
            }
            let keep_open = match fault {
                None => exchange::respond(shared, &request, stream)?,
                Some(fault) => exchange::respond_with_fault(shared, &request, stream, &fault)?,
            };
            if !keep_open {
                return Ok(());
            }
        }
        if request.closes_connection() {
            return Ok(());
        }
    }
    Ok(())
}

fn log(shared: &Shared, request: &Request, connection: u64) -> Option<crate::fault::Fault> {
    let mut world = shared.world();
    world.catch_up();
    let name = operations::operation(&request.path).map_or("", |operation| operation.name);
    let fault = if request.complete { world.faults.matching(name, &request.path) } else { None };
    let mut record = request.record();
    if let Some(map) = record.as_object_mut() {
        map.insert("seq".into(), (world.requests.len() + 1).into());
        map.insert("at".into(), clock::utc(world.now).into());
        map.insert("endpoint".into(), json!(Some(name).filter(|name| !name.is_empty())));
        map.insert("connection".into(), connection.into());
        map.insert("fault".into(), json!(fault.as_ref().map(|fault| fault.name())));
    }
    world.requests.push(record);
    fault
}

fn control_response(shared: &Shared, request: &Request) -> Response {
    let body = if request.body.is_empty() { Ok(json!({})) } else { serde_json::from_slice(&request.body) };
    let answer = match body {
        Ok(body) => control::run(&mut shared.world(), &request.method, &request.path, &body),
        Err(error) => Err(format!("the body is not JSON: {error}")),
    };
    match answer {
        Ok(answer) => Response::json(200, &answer),
        Err(message) => Response::json(400, &Value::from_iter([("error", message)])),
    }
}
