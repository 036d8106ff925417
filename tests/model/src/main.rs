//! Explores the whole spaces and prints how many states each has: `make model`. Names choose some of them.
#![allow(clippy::print_stdout)]

use std::process::ExitCode;

use atlas_model::explorations::{explore, whole};

fn main() -> ExitCode {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let mut failed = false;
    for planned in whole().into_iter().filter(|p| names.is_empty() || names.iter().any(|name| name == p.name)) {
        let done = explore(&planned, &[]);
        println!(
            "{:30} {:>9} states, all of them, {:>3} moves deep; {} cases, {} steps of the state machine; {:.0} s",
            done.name,
            done.states,
            done.depth,
            done.cases,
            done.steps,
            done.time.as_secs_f64()
        );
        for (promise, moves) in &done.broken {
            println!("  BROKEN: {promise}: {moves:?}");
        }
        failed |= !done.broken.is_empty();
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
