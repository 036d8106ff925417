//! A stateful, seeded Atlas for tests and demos.
//!
//! It serves the vendor's HTTP API, keeps the state of orders, refunds and
//! voids over days of virtual time, and injects faults on request. It shares no
//! code with the library it tests: every wire name is written here a second
//! time, so that a misspelt name in the library is found.
//!
//! ```
//! use atlas_simulator::{Options, Simulator};
//! use serde_json::json;
//!
//! let atlas = Simulator::start(Options::default())?;
//! let order = atlas.create_order(json!({"passengers": 2, "segments": 2}))?;
//! atlas.fault(json!({"endpoint": "refund", "mode": "drop_after"}))?;
//! atlas.advance("30m")?;
//! assert_eq!(order["orderStatus"], "2");
//! assert!(atlas.url().starts_with("http://127.0.0.1:"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod account;
mod ancillary;
mod baggage_selection;
mod case;
mod clock;
mod control;
mod exchange;
mod fault;
mod http;
mod json;
mod maintenance;
mod offer;
mod operations;
mod order;
mod order_json;
mod order_options;
mod pay;
mod pnr;
mod profile;
mod query;
mod refund;
mod refund_list;
mod router;
mod schedule;
mod server;
mod void;
mod webhook;
mod world;

use profile::Profile;
pub use profile::help as switches;
use serde_json::{Value, json};
use server::Shared;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

/// Start-up options.
#[derive(Clone, Debug)]
pub struct Options {
    /// The TCP port; 0 takes any free one.
    pub port: u16,
    /// The same seed and the same calls give the same bytes.
    pub seed: u64,
    /// A comma-separated list of `default`, `strict` and `switch=value`.
    pub profile: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { port: 0, seed: 1, profile: "default".into() }
    }
}

/// A running simulator. Dropping it stops it.
pub struct Simulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Simulator {
    /// Starts a simulator on the loopback interface.
    pub fn start(options: Options) -> io::Result<Self> {
        let profile = Profile::parse(&options.profile).map_err(io::Error::other)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))?;
        let address = listener.local_addr()?;
        let world = world::World::new(options.seed, profile, webhook::Webhooks::start()?);
        let shared = Arc::new(Shared::new(world));
        let (mine, ticking) = (shared.clone(), shared.clone());
        std::thread::Builder::new().name("clock".into()).spawn(move || server::tick(&ticking))?;
        let thread =
            std::thread::Builder::new().name("simulator".into()).spawn(move || server::listen(&listener, &mine))?;
        Ok(Self { shared, address, thread: Some(thread) })
    }

    /// The base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Runs until the process ends.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }

    /// Any control call: `control("GET", "/_sim/ledger", json!({}))`.
    pub fn control(&self, method: &str, path: &str, body: Value) -> Result<Value, Error> {
        control::run(&mut self.shared.world(), method, path, &body).map_err(Error)
    }

    /// `POST /_sim/orders`
    pub fn create_order(&self, options: Value) -> Result<Value, Error> {
        self.control("POST", "/_sim/orders", options)
    }

    /// `GET /_sim/orders/NO`
    pub fn order(&self, number: &str) -> Result<Value, Error> {
        self.control("GET", &format!("/_sim/orders/{number}"), json!({}))
    }

    /// `POST /_sim/pnrs`
    pub fn create_pnr(&self, options: Value) -> Result<Value, Error> {
        self.control("POST", "/_sim/pnrs", options)
    }

    /// `POST /_sim/clock` with `advance`: seconds, `"30m"`, `"P1D"`.
    pub fn advance(&self, by: impl Into<Value>) -> Result<Value, Error> {
        self.control("POST", "/_sim/clock", json!({ "advance": by.into() }))
    }

    /// `GET /_sim/clock`
    pub fn now(&self) -> Result<Value, Error> {
        self.control("GET", "/_sim/clock", json!({}))
    }

    /// `POST /_sim/faults`
    pub fn fault(&self, fault: Value) -> Result<Value, Error> {
        self.control("POST", "/_sim/faults", fault)
    }

    /// `DELETE /_sim/faults`
    pub fn clear_faults(&self) -> Result<Value, Error> {
        self.control("DELETE", "/_sim/faults", json!({}))
    }

    /// `POST /_sim/webhook`
    pub fn webhook(&self, url: &str) -> Result<Value, Error> {
        self.control("POST", "/_sim/webhook", json!({ "url": url }))
    }

    /// `POST /_sim/profile`
    pub fn profile(&self, switches: Value) -> Result<Value, Error> {
        self.control("POST", "/_sim/profile", switches)
    }

    /// The entries of `GET /_sim/ledger`.
    pub fn ledger(&self) -> Vec<Value> {
        self.shared.world().ledger.clone()
    }

    /// The entries of `GET /_sim/requests`.
    pub fn requests(&self) -> Vec<Value> {
        self.shared.world().requests.clone()
    }

    /// The requests after the first `seen` ones; only these are copied.
    pub fn requests_since(&self, seen: usize) -> Vec<Value> {
        self.shared.world().requests.get(seen..).map(<[Value]>::to_vec).unwrap_or_default()
    }

    /// The number of vendor requests received since the last reset.
    pub fn request_count(&self) -> usize {
        self.shared.world().requests.len()
    }

    /// `POST /_sim/reset`
    pub fn reset(&self) -> Result<Value, Error> {
        self.control("POST", "/_sim/reset", json!({}))
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.shared.stop();
        // The listener blocks in accept; this connection makes it return and see the stop flag.
        TcpStream::connect(self.address).ok();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// A rejected control call, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(pub String);

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}
