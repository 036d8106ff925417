//! A simulator in a process of its own, and stores with many cases.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use atlas_postbooking::blocking::Client;
use atlas_simulator::{Options, Simulator};
use rusqlite::{Connection, params};
use serde_json::{Value, json};

/// A simulator controlled by standard input: `order OPTIONS` creates an order, any other line advances the clock. It
/// stops at the end of the input.
pub fn vendor() {
    let vendor = Simulator::start(Options::default()).expect("a simulator");
    println!("{}", vendor.url());
    for line in std::io::stdin().lines() {
        let line = line.expect("a line");
        let answer = match line.strip_prefix("order ") {
            Some(options) => {
                let options = serde_json::from_str(options).expect("JSON");
                vendor.create_order(options).expect("an order")["orderNo"].to_string()
            }
            None => vendor.advance(line.as_str()).expect("a duration").to_string(),
        };
        println!("{answer}");
        std::io::stdout().flush().expect("a reader");
    }
}

/// A running simulator.
pub struct Vendor {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
    /// Its address.
    pub url: String,
}

impl Vendor {
    /// Starts this program once more as `vendor`.
    pub fn start() -> Vendor {
        let me = std::env::current_exe().expect("this program");
        let mut child =
            Command::new(me).arg("vendor").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a vendor");
        let lines = BufReader::new(child.stdout.take().expect("its output"));
        let mut vendor = Vendor { child, lines, url: String::new() };
        vendor.url = vendor.line();
        vendor
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("an answer");
        line.trim().to_owned()
    }

    /// One line for it, and its answer.
    pub fn command(&mut self, line: &str) -> Value {
        writeln!(self.child.stdin.as_mut().expect("its input"), "{line}").expect("a running vendor process");
        serde_json::from_str(&self.line()).expect("JSON")
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// A client of this vendor with a store in `file`.
pub fn client(url: &str, file: &Path) -> Client {
    let config = json!({
        "baseUrl": url, "clientId": "demo", "clientSecret": "secret", "store": {"path": file},
        "clock": {"url": format!("{url}/_sim/clock")}, "follow": {"perSecond": 1_000_000, "burst": 1_000_000},
    });
    Client::new(&config.to_string()).expect("a client")
}

/// The reply of a call.
pub fn call(client: &Client, operation: &str, request: &Value) -> Value {
    serde_json::from_str(client.call(operation, &request.to_string(), "").json()).expect("JSON")
}

/// Fills the store with copies of the opened cases: same orders, other ids and keys.
pub fn copy(file: &Path, count: usize) {
    let mut connection = Connection::open(file).expect("the store");
    let sql = "SELECT id, account, kind, order_no, open, unknown, due, updated, body FROM cases ORDER BY id";
    type Row = (String, String, String, String, i64, i64, Option<i64>, i64, String);
    let rows: Vec<Row> = connection
        .prepare(sql)
        .and_then(|mut s| {
            let rows = s.query_map([], |r| {
                Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?, r.get(6)?, r.get(7)?, r.get(8)?))
            })?;
            rows.collect()
        })
        .expect("rows");
    let transaction = connection.transaction().expect("a transaction");
    for (i, row) in rows.iter().cycle().take(count - rows.len()).enumerate() {
        let (id, account, kind, order, open, unknown, due, updated, body) = row;
        let mut case: Value = serde_json::from_str(body).expect("a case");
        let (new, key) = (format!("{}{i:08}", id.get(..18).unwrap_or(id)), format!("copy{i}"));
        (case["id"], case["key"]) = (json!(new), json!(key));
        transaction
            .prepare_cached(
                "INSERT INTO cases (id, account, key, kind, order_no, open, unknown, due, token, updated, body, change)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9, ?10, 1)",
            )
            .and_then(|mut s| {
                s.execute(params![new, account, key, kind, order, open, unknown, due, updated, case.to_string()])
            })
            .expect("a copy");
    }
    transaction.commit().expect("copies");
}
