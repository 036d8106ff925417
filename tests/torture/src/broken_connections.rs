//! E3: connections that end during a submit. The server counts connections and complete requests.

use std::net::Shutdown;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::json;
use socket2::SockRef;

use crate::harness::{Plan, Report, Result, lock, text};
use crate::server::{Request, Server};
use crate::worker::Worker;

/// How a connection ends.
#[derive(Clone, Copy, Debug, Default)]
struct Ending {
    /// Bytes that are read before the end.
    after: usize,
    /// A TCP reset; else an orderly close.
    reset: bool,
    /// Delay before the end.
    pause: Duration,
}

#[derive(Default)]
struct Wire {
    ending: Mutex<Ending>,
    connections: AtomicUsize,
    complete: AtomicUsize,
}

/// `E3 broken connections`
pub fn run(plan: &Plan) -> Result<Report> {
    let started = Instant::now();
    let calls = plan.size(1_000, 20_000);
    let mut rng = Rng::with_seed(plan.seed_of(3, 0));
    let wire = Arc::new(Wire::default());
    let observed = wire.clone();
    let server = Server::start(move |mut stream| {
        let ending = *lock(&observed.ending);
        observed.connections.fetch_add(1, Ordering::SeqCst);
        stream.set_read_timeout(Some(Duration::from_secs(2))).ok();
        if Request::default().read(&mut stream, ending.after) {
            observed.complete.fetch_add(1, Ordering::SeqCst);
        }
        std::thread::sleep(ending.pause);
        if ending.reset {
            SockRef::from(&stream).set_linger(Some(Duration::ZERO)).ok();
        } else {
            stream.shutdown(Shutdown::Both).ok();
        }
    })?;
    let mut worker = Worker::start(&json!({
        "baseUrl": server.url(), "clientId": "torture", "clientSecret": "torture-secret",
        "retry": {"maxAttempts": 3, "baseDelayMs": 0, "maxDelayMs": 1},
    }))?;
    let (mut violations, mut outcomes) = (Vec::new(), std::collections::BTreeMap::<String, usize>::new());
    for nth in 0..calls {
        let ending = Ending {
            after: *rng.choice(&[0, 1, 40, 200, 235, 10_000]).unwrap_or(&0),
            reset: rng.bool(),
            pause: Duration::from_micros(rng.u64(0..300)),
        };
        *lock(&wire.ending) = ending;
        let before = (wire.connections.load(Ordering::SeqCst), wire.complete.load(Ordering::SeqCst));
        let reply = worker.call("void", &json!({"orderNo": format!("TEST{nth}"), "voidOfferId": "q_1"}))?;
        // The server's thread may count a little after the client has seen the end of the connection.
        std::thread::sleep(Duration::from_micros(50));
        let connections = wire.connections.load(Ordering::SeqCst) - before.0;
        let complete = wire.complete.load(Ordering::SeqCst) - before.1;
        let outcome = text(&reply, "outcome");
        *outcomes.entry(outcome.to_owned()).or_default() += 1;
        if connections > 1 || complete > 1 || outcome == "executed" || (outcome == "not_executed" && complete > 0) {
            violations.push(format!(
                "{ending:?}: {connections} connections, {complete} complete requests, {outcome}\n    {reply}"
            ));
        }
    }
    let complete = wire.complete.load(Ordering::SeqCst);
    let connections = wire.connections.load(Ordering::SeqCst);
    if connections > calls || complete > calls {
        violations.push(format!("{connections} connections and {complete} complete requests for {calls} calls"));
    }
    let outcome_counts: Vec<String> = outcomes.iter().map(|(outcome, count)| format!("{outcome} {count}")).collect();
    let figures = format!(
        "{calls} direct voids: {connections} connections, {complete} complete requests, at most one each; {}; \
         violations {}, in {:.0} s",
        outcome_counts.join(", "),
        violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(Report { figures, violations })
}
