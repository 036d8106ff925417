//! The time of `case.open` with few and many cases in the store, from one thread and from many, and of opening a client.
//!
//! `store [rows] [opens]` prints a line for each measurement: what, and then numbers. One simulator in a process of its
//! own answers all; the stores differ only in their rows.
#![allow(clippy::print_stdout, clippy::expect_used, clippy::indexing_slicing)]

use std::path::Path;
use std::time::{Duration, Instant};

use atlas_bench::cases::{Vendor, call, client, copy, vendor};
use serde_json::json;

/// Cases that are opened before, so that there is something to copy.
const OPENED: usize = 40;
const THREADS: usize = 64;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|a| a == "vendor") {
        return vendor();
    }
    let number = |i: usize, or: usize| args.get(i).map_or(or, |n| n.parse().expect("a number"));
    measure(number(0, 50_000), number(1, 100));
}

fn measure(rows: usize, opens: usize) {
    let directory = std::env::temp_dir().join(format!("apb-store-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    let (few, many) = (directory.join("few.db"), directory.join("many.db"));
    let mut vendor = Vendor::start();
    for file in [&few, &many] {
        open(&mut vendor, file, 1, OPENED);
    }
    copy(&many, rows);
    // Alternately: the speed of a machine varies over time.
    for _ in 0..3 {
        for (name, file) in [("few", &few), ("many", &many)] {
            let (one, p50) = open(&mut vendor, file, 1, opens);
            let (all, p50_of_all) = open(&mut vendor, file, THREADS, 4 * opens);
            let opening = opening(&vendor.url, file);
            println!("{name}: {one:.0} {p50:.2} {all:.0} {p50_of_all:.2} {opening:.2}");
        }
    }
    let _ = std::fs::remove_dir_all(directory);
}

/// Opens cases from many threads with one client; gives cases per second, and the median time of one in milliseconds.
fn open(vendor: &mut Vendor, file: &Path, threads: usize, count: usize) -> (f64, f64) {
    let count = count.div_ceil(threads) * threads;
    let orders: Vec<_> = (0..count).map(|_| vendor.command(r#"order {"airline": "Y4", "paymentMethod": 1}"#)).collect();
    let client = client(&vendor.url, file);
    let begun = Instant::now();
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let workers: Vec<_> = orders
            .chunks(count / threads)
            .map(|orders| {
                let client = &client;
                scope.spawn(move || {
                    let open = |order| {
                        let begun = Instant::now();
                        let request = json!({"kind": "void", "orderNo": order, "key": format!("open {order}")});
                        let reply = call(client, "case.open", &request);
                        assert!(reply["ok"] == true, "{reply}");
                        begun.elapsed()
                    };
                    orders.iter().map(open).collect::<Vec<_>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker")).collect()
    });
    let rate = count as f64 / begun.elapsed().as_secs_f64();
    times.sort();
    (rate, times[times.len() / 2].as_secs_f64() * 1000.0)
}

/// The median time of making a client, after a clean end of the one before, in milliseconds.
fn opening(url: &str, file: &Path) -> f64 {
    let mut times: Vec<Duration> = (0..9)
        .map(|_| {
            let begun = Instant::now();
            drop(client(url, file));
            begun.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}
