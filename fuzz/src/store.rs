//! A store of cases to begin with: made once by the library and the simulated vendor, then copied for every input.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use atlas_postbooking::blocking::Client;
use atlas_simulator::{Options, Simulator};
use serde_json::{Value, json};

use crate::{CLOSED_PORT, SECRET, folder};

/// Keys of the cases in the store.
pub const KEYS: [&str; 4] = ["settled", "unknown", "refused", "bag"];

/// A whole store: its file, and the orders of its cases.
pub struct Template {
    pub bytes: Vec<u8>,
    pub orders: Vec<String>,
}

pub static TEMPLATE: LazyLock<Template> = LazyLock::new(make);

/// The configuration of a client whose vendor cannot be reached.
pub fn config(file: &Path) -> Value {
    json!({
        "baseUrl": CLOSED_PORT, "clientId": "fuzz", "clientSecret": SECRET, "account": "fuzz", "store": {"path": file},
        "clock": {"fixed": "2026-04-01T10:00:00Z"}, "timeoutMs": 300, "retry": {"maxAttempts": 1},
        "follow": {"perSecond": 100_000, "burst": 100_000},
    })
}

/// Writes a store with these bytes, and removes the one of the input before. Each has a name of its own: a client that was
/// dropped closes its store a little later, and takes the log of that name away.
pub fn place(bytes: &[u8]) -> PathBuf {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let file = |number: usize| folder().join(format!("cases-{number}.db"));
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", file(number.wrapping_sub(1)).display()));
    }
    std::fs::write(file(number), bytes).unwrap();
    file(number)
}

fn make() -> Template {
    let vendor = Simulator::start(Options::default()).unwrap();
    let file = folder().join("template.db");
    let mut config = config(&file);
    config["baseUrl"] = vendor.url().into();
    config["timeoutMs"] = 30_000.into();
    config["clock"] = json!({"url": format!("{}/_sim/clock", vendor.url())});
    let client = Client::new(&config.to_string()).unwrap();
    let mut orders = Vec::new();
    for (key, kind) in KEYS.into_iter().zip(["void", "void", "refund", "ancillary"]) {
        let order = vendor.create_order(json!({"airline": "Y4", "paymentMethod": 1})).unwrap();
        let order = order["orderNo"].as_str().unwrap().to_owned();
        if key == "unknown" {
            vendor.fault(json!({"endpoint": "void", "mode": "drop_before"})).unwrap();
        }
        let mut request = json!({"kind": kind, "orderNo": order, "key": key});
        if kind == "ancillary" {
            request["products"] = json!([{"productCode": "BAG20"}]);
        }
        client.call("case.open", &request.to_string(), "");
        orders.push(order);
    }
    // All of the log into the file, which then stands alone.
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop((client, connection));
    Template { bytes: std::fs::read(&file).unwrap(), orders }
}
