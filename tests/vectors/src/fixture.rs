//! The fixture of vectors about cases: a simulator, a store, and the calls before the vector's own. Also: the parts
//! of a reply that may differ between two runs of the same calls.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use atlas_simulator::{Options, Simulator};
use serde_json::Value;

use crate::callers::{Call, Caller};
use crate::vector::{Atlas, Earlier, Verb, bytes_of};

fn make_database(server: &str, name: &str) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    let made = runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(server, tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        client.batch_execute(&format!("CREATE DATABASE {name}")).await
    });
    made.map_err(|e| format!("no database: {e}"))
}

/// The simulator and the store of one run.
pub struct Fixture {
    simulator: Simulator,
    orders: Vec<String>,
    /// The ids of the latest case and of the latest offer in a reply.
    case: String,
    offer: String,
    directory: PathBuf,
    /// The configuration of the store: a file, or a database of the server that `APB_TEST_POSTGRES` names.
    store: String,
}

impl Fixture {
    /// Starts the simulator, creates the orders and a directory for the store.
    pub fn new(atlas: &Atlas, directory: &Path) -> Result<Fixture, String> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let profile = atlas.profile.clone().unwrap_or_else(|| "default".to_owned());
        let simulator = Simulator::start(Options { profile, ..Options::default() }).map_err(|e| e.to_string())?;
        let mut orders = Vec::new();
        for options in &atlas.orders {
            let options = serde_json::from_str(options.get()).map_err(|e| e.to_string())?;
            let order = simulator.create_order(options).map_err(|e| e.0)?;
            orders.push(order["orderNo"].as_str().unwrap_or_default().to_owned());
        }
        let directory = directory.join(format!("store-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        std::fs::create_dir_all(&directory).map_err(|e| e.to_string())?;
        let store = match std::env::var("APB_TEST_POSTGRES") {
            Ok(server) => {
                let name = format!("vectors_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
                make_database(&server, &name)?;
                let url = server.replace("/postgres?", &format!("/{name}?"));
                serde_json::json!({"url": url, "witnessFile": directory.join("cases.db-witness")})
            }
            Err(_) => serde_json::json!({"path": directory.join("cases.db")}),
        };
        let store = store.to_string();
        Ok(Fixture { simulator, orders, case: String::new(), offer: String::new(), directory, store })
    }

    /// Replaces `${url}`, `${store}`, `${order}`, `${order2}` …, `${case}`, `${offer}`.
    pub fn fill(&self, text: &str) -> String {
        let mut text = text
            .replace(r#"{"path":"${store}"}"#, &self.store)
            .replace("${url}", &self.simulator.url())
            .replace("${store}", &self.directory.join("cases.db").display().to_string())
            .replace("${case}", &self.case)
            .replace("${offer}", &self.offer);
        for (i, order) in self.orders.iter().enumerate() {
            let name = if i == 0 { "${order}".to_owned() } else { format!("${{order{}}}", i + 1) };
            text = text.replace(&name, order);
        }
        text
    }

    /// Executes one entry of `before`.
    pub fn replay(&mut self, earlier: &Earlier, config: &str, caller: &mut dyn Caller) -> Result<(), String> {
        if let Some(path) = &earlier.control {
            let body = earlier.body.as_ref().map_or("{}", |b| b.get());
            let body = serde_json::from_str(&self.fill(body)).map_err(|e| e.to_string())?;
            self.simulator.control("POST", path, body).map_err(|e| e.0)?;
        }
        if let Some(operation) = &earlier.operation {
            let request = String::from_utf8_lossy(&bytes_of(earlier.request.as_ref())).into_owned();
            let answer = caller.call(&Call {
                verb: Verb::Call,
                times: 1,
                operation: operation.clone().into_bytes(),
                config: config.as_bytes().to_vec(),
                request: self.fill(&request).into_bytes(),
                options: Vec::new(),
            })?;
            let reply: Value = serde_json::from_slice(&answer.json).map_err(|e| e.to_string())?;
            let outcome = reply["outcome"].as_str().unwrap_or_default();
            if outcome != earlier.outcome.as_deref().unwrap_or("executed") {
                return Err(format!("{operation} in `before` replies {reply}"));
            }
            if let Some(id) = reply["case"]["id"].as_str() {
                id.clone_into(&mut self.case);
            }
            let data = &reply["data"];
            if let Some(offer) = data["voidOfferId"].as_str().or(data["refundOfferId"].as_str()) {
                offer.clone_into(&mut self.offer);
            }
        }
        Ok(())
    }

    /// The number of submits that the simulator executed.
    pub fn executed(&self) -> usize {
        self.simulator.ledger().iter().filter(|row| row["executed"] == true).count()
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Keys with random values: times with jitter, delays.
const RANDOM_KEYS: &[&str] = &["nextDueAt", "waitMs"];

/// The reply with random values replaced: those of `RANDOM_KEYS` by 0, case ids by `ID1`, `ID2` … in order of
/// appearance. Rows of an export are JSON inside a string with escaped quotes, so this works on text.
pub fn normalise_random(json: &str) -> String {
    let mut out = json.to_owned();
    for key in RANDOM_KEYS {
        let mut from = 0;
        while let Some(at) = out[from..].find(key).map(|i| from + i + key.len()) {
            let start = at + out[at..].find(':').map_or(0, |i| i + 1);
            let end = start + out[start..].find([',', '}']).unwrap_or(0);
            if &out[start..end] != "null" {
                out.replace_range(start..end, "0");
            }
            from = start;
        }
    }
    let mut ids: Vec<String> = Vec::new();
    let mut start = 0;
    for (at, _) in json.match_indices(|c: char| !c.is_ascii_alphanumeric()) {
        let token = &json[start..at];
        let is_id = token.len() == 26 && token.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        if is_id && !ids.iter().any(|id| id == token) {
            ids.push(token.to_owned());
        }
        start = at + 1;
    }
    for (i, id) in ids.iter().enumerate() {
        out = out.replace(id.as_str(), &format!("ID{}", i + 1));
    }
    out
}
