//! Tens of thousands of open cases in one store: how much memory and time it takes to follow them.
//!
//! `many [cases]` opens a few hundred refunds and voids at a simulator in a process of its own, copies their rows under
//! other ids and keys, and follows them all once, again in a process of its own, beside one whose store is empty.
#![allow(clippy::print_stdout, clippy::expect_used, clippy::indexing_slicing)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use atlas_postbooking::blocking::Client;
use atlas_simulator::{Options, Simulator};
use rusqlite::{Connection, params};
use serde_json::{Value, json};

/// Cases that are really opened.
const REAL: usize = 400;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["vendor"] => vendor(),
        ["follow", url, file, most] => follow(url, Path::new(file), most.parse().expect("a number")),
        _ => measure(words.first().map_or(50_000, |n| n.parse().expect("a number of cases"))),
    }
}

/// A simulator that obeys its standard input: a line advances the clock; its end is the end.
fn vendor() {
    let vendor = Simulator::start(Options::default()).expect("a simulator");
    println!("{}", vendor.url());
    for line in std::io::stdin().lines() {
        let line = line.expect("a line");
        let answer = match line.strip_prefix("order ") {
            Some(wish) => {
                let wish = serde_json::from_str(wish).expect("a wish");
                vendor.create_order(wish).expect("an order")["orderNo"].to_string()
            }
            None => vendor.advance(line.as_str()).expect("a step of time").to_string(),
        };
        println!("{answer}");
        std::io::stdout().flush().expect("a reader");
    }
}

struct Vendor {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
    url: String,
}

impl Vendor {
    fn start() -> Vendor {
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

    fn ask(&mut self, what: &str) -> Value {
        writeln!(self.child.stdin.as_mut().expect("its input"), "{what}").expect("a vendor that listens");
        serde_json::from_str(&self.line()).expect("JSON")
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn client(url: &str, file: &Path) -> Client {
    let config = json!({
        "baseUrl": url, "clientId": "demo", "clientSecret": "secret", "store": {"path": file},
        "clock": {"url": format!("{url}/_sim/clock")}, "follow": {"perSecond": 1_000_000, "burst": 1_000_000},
    });
    Client::new(&config.to_string()).expect("a client")
}

fn call(client: &Client, operation: &str, request: &Value) -> Value {
    serde_json::from_str(client.call(operation, &request.to_string(), "").json()).expect("JSON")
}

/// Looks at that many cases, as one process of a customer would, and says what it took.
fn follow(url: &str, file: &Path, most: u64) {
    let client = client(url, file);
    let (began, before) = (Instant::now(), cpu());
    let mut done = 0;
    let mut calls = 0u32;
    loop {
        let reply = call(&client, "case.follow", &json!({"all": true, "until": "step"}));
        assert!(reply["ok"] == true, "{reply}");
        let looked = reply["data"]["done"].as_u64().unwrap_or(0);
        (done, calls) = (done + looked, calls + 1);
        if looked == 0 || done >= most {
            break;
        }
    }
    let (wall, cpu) = (began.elapsed().as_secs_f64(), cpu() - before);
    let report = json!({
        "looked": done, "calls": calls, "seconds": wall, "cpu": cpu, "rss": memory("VmRSS"), "peak": memory("VmHWM"),
    });
    println!("{report}");
}

/// Kilobytes of this process.
fn memory(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|l| l.starts_with(what)).expect("a line");
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number")
}

/// Seconds of CPU that this process used, of all its threads.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields = stat.rsplit_once(')').expect("a name").1.split_whitespace().skip(11).take(2);
    // Ticks of a hundredth of a second.
    fields.map(|ticks| ticks.parse::<f64>().expect("ticks")).sum::<f64>() / 100.0
}

fn run(url: &str, file: &Path, most: usize) -> Value {
    let me = std::env::current_exe().expect("this program");
    let out = Command::new(me).args(["follow", url]).arg(file).arg(most.to_string()).output().expect("a follower");
    let text = String::from_utf8_lossy(&out.stdout);
    serde_json::from_str(&text).unwrap_or_else(|_| json!({"failed": String::from_utf8_lossy(&out.stderr)}))
}

fn measure(count: usize) {
    let directory = std::env::temp_dir().join(format!("apb-many-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    let (empty, full) = (directory.join("empty.db"), directory.join("full.db"));
    let mut vendor = Vendor::start();
    let url = vendor.url.clone();
    {
        let client = client(&url, &full);
        for i in 0..REAL.min(count) {
            let kind = if i % 3 == 0 { "void" } else { "refund" };
            let order = vendor.ask(r#"order {"airline": "Y4", "paymentMethod": 1}"#);
            let reply = call(&client, "case.open", &json!({"kind": kind, "orderNo": order, "key": format!("k{i}")}));
            assert!(reply["outcome"] == "executed", "{reply}");
        }
    }
    copy(&full, count);
    // All of them are due once by then, and hardly one twice.
    vendor.ask("8h");
    let nothing = run(&url, &empty, 1);
    let all = run(&url, &full, count);
    println!("empty store: {nothing}");
    println!("{count} cases: {all}");
    let number = |value: &Value, key: &str| value[key].as_f64().unwrap_or(f64::NAN);
    let more = (number(&all, "peak") - number(&nothing, "peak")) / 1024.0;
    let each = (number(&all, "cpu") - number(&nothing, "cpu")) / number(&all, "looked");
    println!("{more:.1} MB more than with an empty store at the peak, {:.3} ms of CPU per look", each * 1000.0);
    println!(
        "{:.0} s of the scheduler's CPU per simulated day, if each is asked about three times",
        each * 3.0 * count as f64
    );
    let _ = std::fs::remove_dir_all(directory);
}

/// Fills the store with copies of the real rows: same orders, other ids and keys.
fn copy(file: &Path, count: usize) {
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
