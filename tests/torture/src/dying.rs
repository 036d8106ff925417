//! E3: connections that die under a submit. Every byte that arrives is counted.

use std::net::Shutdown;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::json;
use socket2::SockRef;

use crate::harness::{Plan, Report, Res, lock, text};
use crate::server::{Request, Server};
use crate::worker::Worker;

/// How a connection ends.
#[derive(Clone, Copy, Debug, Default)]
struct Death {
    /// Bytes that are read first.
    after: usize,
    /// A reset; else an orderly end.
    reset: bool,
    /// A moment later than at once.
    pause: Duration,
}

#[derive(Default)]
struct Wire {
    death: Mutex<Death>,
    connections: AtomicUsize,
    whole: AtomicUsize,
}

/// `E3 dying connections`
pub fn run(plan: &Plan) -> Res<Report> {
    let started = Instant::now();
    let calls = plan.size(1_000, 20_000);
    let mut dice = Rng::with_seed(plan.seed_of(3, 0));
    let wire = Arc::new(Wire::default());
    let seen = wire.clone();
    let server = Server::start(move |mut stream| {
        let death = *lock(&seen.death);
        seen.connections.fetch_add(1, Ordering::SeqCst);
        stream.set_read_timeout(Some(Duration::from_secs(2))).ok();
        if Request::default().read(&mut stream, death.after) {
            seen.whole.fetch_add(1, Ordering::SeqCst);
        }
        std::thread::sleep(death.pause);
        if death.reset {
            SockRef::from(&stream).set_linger(Some(Duration::ZERO)).ok();
        } else {
            stream.shutdown(Shutdown::Both).ok();
        }
    })?;
    let mut worker = Worker::start(&json!({
        "baseUrl": server.url(), "clientId": "torture", "clientSecret": "torture-secret",
        "retry": {"maxAttempts": 3, "baseDelayMs": 0, "maxDelayMs": 1},
    }))?;
    let (mut violations, mut words) = (Vec::new(), std::collections::BTreeMap::<String, usize>::new());
    for nth in 0..calls {
        let death = Death {
            after: *dice.choice(&[0, 1, 40, 200, 235, 10_000]).unwrap_or(&0),
            reset: dice.bool(),
            pause: Duration::from_micros(dice.u64(0..300)),
        };
        *lock(&wire.death) = death;
        let before = (wire.connections.load(Ordering::SeqCst), wire.whole.load(Ordering::SeqCst));
        let reply = worker.call("void", &json!({"orderNo": format!("TEST{nth}"), "voidOfferId": "q_1"}))?;
        // The thread that reads may be behind the answer that its peer's end was.
        std::thread::sleep(Duration::from_micros(50));
        let connections = wire.connections.load(Ordering::SeqCst) - before.0;
        let whole = wire.whole.load(Ordering::SeqCst) - before.1;
        let outcome = text(&reply, "outcome");
        *words.entry(outcome.to_owned()).or_default() += 1;
        if connections > 1 || whole > 1 || outcome == "executed" || (outcome == "not_executed" && whole > 0) {
            violations
                .push(format!("{death:?}: {connections} connections, {whole} whole requests, {outcome}\n    {reply}"));
        }
    }
    let whole = wire.whole.load(Ordering::SeqCst);
    let connections = wire.connections.load(Ordering::SeqCst);
    if connections > calls || whole > calls {
        violations.push(format!("{connections} connections and {whole} whole requests for {calls} calls"));
    }
    let reported: Vec<String> = words.iter().map(|(word, count)| format!("{word} {count}")).collect();
    let figures = format!(
        "{calls} direct voids: {connections} connections, {whole} whole requests, at most one each; {}; violations {}, in {:.0} s",
        reported.join(", "),
        violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(Report { figures, violations })
}
