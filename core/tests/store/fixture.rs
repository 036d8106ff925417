//! A simulated vendor, a temporary directory, and clients with a store in it.

use std::path::{Path, PathBuf};

use atlas_postbooking::blocking::Client;
use atlas_simulator::{Options, Simulator};
use serde_json::{Value, json};

pub struct Fixture {
    pub vendor: Simulator,
    pub dir: PathBuf,
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

impl Fixture {
    pub fn new(profile: &str) -> Fixture {
        let vendor = Simulator::start(Options { profile: profile.to_owned(), ..Options::default() }).unwrap();
        let dir = std::env::temp_dir().join(format!("apb-store-{}-{:x}", std::process::id(), random()));
        std::fs::create_dir(&dir).unwrap();
        Fixture { vendor, dir }
    }

    pub fn file(&self) -> PathBuf {
        self.dir.join("cases.db")
    }

    pub fn config(&self) -> Value {
        self.config_at(&self.file())
    }

    pub fn config_at(&self, file: &Path) -> Value {
        json!({
            "baseUrl": self.vendor.url(), "clientId": "demo", "clientSecret": "s3cr3t", "store": {"path": file},
            "clock": {"url": format!("{}/_sim/clock", self.vendor.url())}, "settleMs": 60_000,
            "follow": {"perSecond": 1000, "burst": 1000},
        })
    }

    pub fn client(&self) -> Client {
        client(&self.config())
    }

    pub fn order(&self, order_spec: Value) -> String {
        self.vendor.create_order(order_spec).unwrap()["orderNo"].as_str().unwrap().to_owned()
    }

    /// An order that can be voided.
    pub fn voidable(&self) -> String {
        self.order(json!({"airline": "Y4", "paymentMethod": 1}))
    }

    /// How many requests for that endpoint named that order.
    pub fn sent(&self, endpoint: &str, order: &str) -> usize {
        let named = |r: &&Value| r["endpoint"] == endpoint && r["body"].to_string().contains(order);
        self.vendor.requests().iter().filter(named).count()
    }

    pub fn executed(&self, endpoint: &str, order: &str) -> usize {
        let named = |r: &&Value| r["endpoint"] == endpoint && r["orderNo"] == order && r["executed"] == true;
        self.vendor.ledger().iter().filter(named).count()
    }

    /// Advances the virtual clock and reconciles until the outcome is settled, 20 times at most.
    pub fn settle(&self, client: &Client, key: &str) -> Value {
        let mut case = Value::Null;
        for _ in 0..20 {
            case = call(client, "case.reconcile", json!({"key": key}))["case"].clone();
            if case["outcome"] == "executed" || case["outcome"] == "not_executed" {
                break;
            }
            self.vendor.advance("40s").unwrap();
        }
        case
    }
}

pub fn client(config: &Value) -> Client {
    Client::new(&config.to_string()).unwrap()
}

pub fn call(client: &Client, operation: &str, request: Value) -> Value {
    serde_json::from_str(client.call(operation, &request.to_string(), "").json()).unwrap()
}

pub fn void(order: &str, key: &str) -> Value {
    json!({"kind": "void", "orderNo": order, "key": key})
}

pub fn beside(file: &Path, end: &str) -> PathBuf {
    PathBuf::from(format!("{}{end}", file.display()))
}

/// A file's bytes; empty if there is no such file.
pub fn bytes(file: &Path) -> Vec<u8> {
    std::fs::read(file).unwrap_or_default()
}

/// Moves the log into the file and empties it.
pub fn checkpoint(file: &Path) {
    let connection = rusqlite::Connection::open(file).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
}

pub fn random() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}
