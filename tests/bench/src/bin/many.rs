//! Memory and CPU time to follow tens of thousands of open cases in one store.
//!
//! `many [cases]` opens a few hundred refunds and voids at a simulator (a separate process), copies their rows under
//! other ids and keys, and follows all cases once in a separate process. The same with an empty store is the reference.
#![allow(clippy::print_stdout, clippy::expect_used, clippy::indexing_slicing)]

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use atlas_bench::cases::{Vendor, call, client, copy, vendor};
use serde_json::{Value, json};

/// The number of cases that are opened; the others are copies.
const OPENED: usize = 400;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["vendor"] => vendor(),
        ["follow", url, file, limit] => follow(url, Path::new(file), limit.parse().expect("a number")),
        _ => measure(args.first().map_or(50_000, |n| n.parse().expect("a number of cases"))),
    }
}

/// Follows until `limit` cases have been queried, and prints the time and memory used.
fn follow(url: &str, file: &Path, limit: u64) {
    let client = client(url, file);
    let (started, cpu_before) = (Instant::now(), cpu_seconds());
    let mut done = 0;
    let mut calls = 0u32;
    loop {
        let reply = call(&client, "case.follow", &json!({"all": true, "until": "step"}));
        assert!(reply["ok"] == true, "{reply}");
        let queried = reply["data"]["done"].as_u64().unwrap_or(0);
        (done, calls) = (done + queried, calls + 1);
        if queried == 0 || done >= limit {
            break;
        }
    }
    let (wall, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds() - cpu_before);
    let report = json!({
        "queried": done, "calls": calls, "seconds": wall, "cpu": cpu,
        "rss": memory_kb("VmRSS"), "peak": memory_kb("VmHWM"),
    });
    println!("{report}");
}

/// A memory figure of this process, in kilobytes.
fn memory_kb(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|l| l.starts_with(field)).expect("a line");
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number")
}

/// CPU time of all threads of this process, in seconds.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields = stat.rsplit_once(')').expect("a name").1.split_whitespace().skip(11).take(2);
    // Ticks of 10 ms.
    fields.map(|ticks| ticks.parse::<f64>().expect("ticks")).sum::<f64>() / 100.0
}

fn run(url: &str, file: &Path, limit: usize) -> Value {
    let me = std::env::current_exe().expect("this program");
    let out = Command::new(me).args(["follow", url]).arg(file).arg(limit.to_string()).output().expect("a process");
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
        for i in 0..OPENED.min(count) {
            let kind = if i % 3 == 0 { "void" } else { "refund" };
            let order = vendor.command(r#"order {"airline": "Y4", "paymentMethod": 1}"#);
            let reply = call(&client, "case.open", &json!({"kind": kind, "orderNo": order, "key": format!("k{i}")}));
            assert!(reply["outcome"] == "executed", "{reply}");
        }
    }
    copy(&full, count);
    // After eight hours every case is due once, and hardly any twice.
    vendor.command("8h");
    let reference = run(&url, &empty, 1);
    let all = run(&url, &full, count);
    println!("empty store: {reference}");
    println!("{count} cases: {all}");
    let number = |value: &Value, key: &str| value[key].as_f64().unwrap_or(f64::NAN);
    let more = (number(&all, "peak") - number(&reference, "peak")) / 1024.0;
    let each = (number(&all, "cpu") - number(&reference, "cpu")) / number(&all, "queried");
    println!("{more:.1} MB more than with an empty store at the peak, {:.3} ms of CPU per query", each * 1000.0);
    println!("{:.0} s of the scheduler's CPU per simulated day, at three queries per case", each * 3.0 * count as f64);
    let _ = std::fs::remove_dir_all(directory);
}
