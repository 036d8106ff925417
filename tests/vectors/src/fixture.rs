//! A simulated Atlas and a store of its own, for vectors about cases: what happened before the call, and what of a
//! reply may differ between two runs of the same calls.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use atlas_simulator::{Options, Simulator};
use serde_json::Value;

use crate::callers::{Call, Caller};
use crate::vector::{Atlas, Earlier, Verb, bytes_of};

/// The scene of one run.
pub struct Fixture {
    simulator: Simulator,
    orders: Vec<String>,
    /// The latest case and the latest offer that a reply told of.
    case: String,
    offer: String,
    directory: PathBuf,
}

impl Fixture {
    /// Starts the simulator, makes the orders, and a directory for the store.
    pub fn set(atlas: &Atlas, directory: &Path) -> Result<Fixture, String> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let profile = atlas.profile.clone().unwrap_or_else(|| "default".to_owned());
        let simulator = Simulator::start(Options { profile, ..Options::default() }).map_err(|e| e.to_string())?;
        let mut orders = Vec::new();
        for spec in &atlas.orders {
            let spec = serde_json::from_str(spec.get()).map_err(|e| e.to_string())?;
            let order = simulator.create_order(spec).map_err(|e| e.0)?;
            orders.push(order["orderNo"].as_str().unwrap_or_default().to_owned());
        }
        let directory = directory.join(format!("store-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        std::fs::create_dir_all(&directory).map_err(|e| e.to_string())?;
        Ok(Fixture { simulator, orders, case: String::new(), offer: String::new(), directory })
    }

    /// `${url}`, `${store}`, `${order}`, `${order2}` …, `${case}`, `${offer}`.
    pub fn fill(&self, text: &str) -> String {
        let mut text = text
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

    /// Does what was done before the call.
    pub fn play(&mut self, earlier: &Earlier, config: &str, caller: &mut dyn Caller) -> Result<(), String> {
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
                return Err(format!("{operation}, which comes before, answers {reply}"));
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

    /// How many submits the vendor carried out.
    pub fn executed(&self) -> usize {
        self.simulator.ledger().iter().filter(|row| row["executed"] == true).count()
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Keys whose value is chosen by chance: moments with jitter, waits.
const CHANCE: &[&str] = &["nextDueAt", "waitMs"];

/// The reply with what chance chose made the same: those values are 0, ids of cases are `ID1`, `ID2` … in the order of
/// their appearance. Rows of an export are JSON inside of a text, so their quotes are escaped.
pub fn steady(json: &str) -> String {
    let mut out = json.to_owned();
    for key in CHANCE {
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
        let word = &json[start..at];
        let is_id = word.len() == 26 && word.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        if is_id && !ids.iter().any(|id| id == word) {
            ids.push(word.to_owned());
        }
        start = at + 1;
    }
    for (i, id) in ids.iter().enumerate() {
        out = out.replace(id.as_str(), &format!("ID{}", i + 1));
    }
    out
}
