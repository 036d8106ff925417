//! Decoding and normalising by this library, compared with `serde_json::Value`, in alternating rounds.
#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::time::Instant;

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn time(rounds: usize, each: usize, mut body: impl FnMut()) -> Vec<f64> {
    (0..rounds)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..each {
                body();
            }
            start.elapsed().as_secs_f64() * 1e6 / each as f64
        })
        .collect()
}

fn main() {
    let small = atlas_bench::small();
    let large = atlas_bench::list(13_000);
    for (name, operation, text, each) in
        [("small", "queryRefundOrders", &small, 2000), ("large", "orderList", &large, 1)]
    {
        let (mut ours, mut value) = (Vec::new(), Vec::new());
        for _ in 0..7 {
            ours.extend(time(3, each, || {
                black_box(atlas_postbooking::dispatch::decode(
                    operation.as_bytes(),
                    b"{}",
                    200,
                    black_box(text).as_bytes(),
                ));
            }));
            value.extend(time(3, each, || {
                black_box(serde_json::from_str::<serde_json::Value>(black_box(text)).ok());
            }));
        }
        let (ours, value) = (median(ours), median(value));
        println!(
            "decode {name} ({} bytes): ours {ours:.1} us, Value {value:.1} us, ratio {:.2}",
            text.len(),
            ours / value
        );
    }
}
