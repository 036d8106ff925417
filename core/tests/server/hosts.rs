//! Hosts that are killed, and hosts that come back from the dead.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::fixture::{Fixture, server, store};
use crate::moving::{Gate, port_of, through};
use crate::needs_server;
use crate::process::Host;

fn voidable(fixture: &Fixture) -> String {
    fixture.order(json!({"airline": "Y4", "paymentMethod": 1}))
}

/// The configuration of another host.
fn config(fixture: &Fixture) -> Value {
    json!({
        "baseUrl": fixture.vendor.url(), "clientId": "demo", "clientSecret": "canary-secret",
        "store": store(&fixture.file), "clock": {"url": format!("{}/_sim/clock", fixture.vendor.url())},
        "settleMs": 60_000, "follow": {"perSecond": 1000, "burst": 1000},
    })
}

fn wait_for(what: &str, limit: Duration, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < limit, "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_case_of_a_killed_host_is_taken_up_within_30_seconds() {
    needs_server!();
    let fixture = Fixture::new("default");
    let order = voidable(&fixture);
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "delay", "delayMs": 60_000})).unwrap();
    let host = Host::start(&config(&fixture), &json!([["case.open", {"kind": "void", "orderNo": order, "key": "k"}]]));
    wait_for("nothing was sent", Duration::from_secs(20), || fixture.sent("void") == 1);
    host.kill();
    let begun = Instant::now();
    let asked = || fixture.with_options("case.reconcile", &json!({"key": "k"}), r#"{"timeoutMs": 300}"#);
    let seen = asked();
    assert_eq!(seen["case"]["state"], "sending", "its lease lasts for a while: {seen}");
    wait_for("the case rests", Duration::from_secs(30), || {
        let state = asked()["case"]["state"].clone();
        state != "sending" && !state.is_null()
    });
    println!("a killed host's case was taken up after {:.1} s", begun.elapsed().as_secs_f64());
    let case = fixture.follow(&seen["case"]["id"], "70s", 20);
    assert_eq!(
        (&case["outcome"], fixture.executed("void"), fixture.sent("void")),
        (&json!("executed"), 1, 1),
        "{case}"
    );
}

/// Hosts are killed at any moment; what another one makes of their cases agrees with the vendor's ledger.
#[test]
fn hosts_killed_at_any_moment_lose_no_case_and_double_none() {
    needs_server!();
    let fixture = Fixture::new("default");
    let config = config(&fixture);
    fixture.call("case.list", json!({}));
    let mut seed: u64 = 20_261_128;
    let mut opened = Vec::new();
    for round in 0..12 {
        let hosts: Vec<Host> = (0..2)
            .map(|host| {
                let calls: Vec<Value> = (0..6)
                    .map(|n| {
                        let order = voidable(&fixture);
                        let key = format!("k{round}.{host}.{n}");
                        opened.push((order.clone(), key.clone()));
                        json!(["case.open", {"kind": "void", "orderNo": order, "key": key}])
                    })
                    .collect();
                Host::start(&config, &json!(calls))
            })
            .collect();
        for host in hosts {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            // After some of its requests, however slow the machine is.
            let (seen, begun) = (fixture.vendor.ledger().len(), Instant::now());
            let most = seen + 1 + (seed >> 33) as usize % 10;
            while fixture.vendor.ledger().len() < most && begun.elapsed() < Duration::from_secs(2) {
                thread::sleep(Duration::from_millis(1 + (seed >> 40) % 20));
            }
            host.kill();
        }
    }
    // Their leases end, and this process has seen them stand still.
    thread::sleep(Duration::from_secs(16));
    for _ in 0..2 {
        assert_eq!(fixture.call("case.follow", json!({"all": true}))["ok"], true);
        thread::sleep(Duration::from_secs(16));
    }
    for _ in 0..30 {
        fixture.vendor.advance("70s").unwrap();
        assert_eq!(fixture.call("case.follow", json!({"all": true}))["ok"], true);
    }
    let ledger = fixture.vendor.ledger();
    let (mut settled, mut executed) = (0, 0);
    for (order, key) in &opened {
        let at_vendor = ledger
            .iter()
            .filter(|r| r["endpoint"] == "void" && r["executed"] == true && r["orderNo"] == **order)
            .count();
        assert!(at_vendor <= 1, "{order} was voided {at_vendor} times");
        let case = fixture.call("case.get", json!({"key": key}));
        if case["error"]["code"] == "not_found" {
            assert_eq!(at_vendor, 0, "{key} was lost");
            continue;
        }
        let outcome = case["case"]["outcome"].as_str().unwrap();
        match outcome {
            "executed" => assert_eq!(at_vendor, 1, "{case}"),
            "not_executed" => assert_eq!(at_vendor, 0, "{case}"),
            // Killed before its intent: it waits for its caller.
            "pending" => assert_eq!(at_vendor, 0, "{case}"),
            other => panic!("{other} after everything has settled: {case}"),
        }
        settled += usize::from(outcome != "pending");
        executed += at_vendor;
    }
    println!("{} opens under 24 kills: {settled} settled, {executed} executed", opened.len());
    assert!(executed > 5 && settled < opened.len(), "the kills came too early or too late");
}

/// A host sends through a proxy that lets it wait between its intent and its bytes. Stopped there for longer than its
/// lease it sends nothing; for less, it does.
fn stopped(for_longer: bool) {
    let fixture = Fixture::with("default", json!({"account": "a"}));
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = config(&fixture);
    config["account"] = json!("a");
    config["proxy"] = json!(format!("socks5://{}", proxy.local_addr().unwrap()));
    config["baseUrl"] = json!("http://127.0.0.1:9");
    // What stops it must be its lease.
    config["connectTimeoutMs"] = json!(100_000);
    let order = voidable(&fixture);
    let quote = fixture.call("voidQuotation", json!({"orderNo": order}));
    let request = json!({"orderNo": order, "voidOfferId": quote["data"]["voidOfferId"]});
    // The clock of the cases is read through no proxy: a real one.
    config.as_object_mut().unwrap().remove("clock");
    let host = Host::start(&config, &json!([["void", request, {"timeoutMs": 120_000}]]));
    let (mut stream, _) = proxy.accept().unwrap();
    let mut greeting = [0; 3];
    stream.read_exact(&mut greeting).unwrap();
    let listed = fixture.call("case.list", json!({}))["data"]["cases"].clone();
    assert_eq!(listed[0]["state"], "sending", "the intent is stored before the connection is made: {listed}");
    host.stop();
    let request = json!({"id": listed[0]["id"]});
    if for_longer {
        // Another host takes the case over, and settles it.
        wait_for("the case of a stopped host rests", Duration::from_secs(40), || {
            fixture.with_options("case.reconcile", &request, r#"{"timeoutMs": 1000}"#)["case"]["state"] == "unknown"
        });
    } else {
        thread::sleep(Duration::from_secs(3));
    }
    stream.write_all(&[5, 0]).unwrap();
    let answer = thread::spawn(move || {
        let mut request = [0; 10];
        if stream.read_exact(&mut request).is_ok() {
            let _ = stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 9]);
        }
        let mut sent = Vec::new();
        let mut buffer = [0; 4096];
        let _ = stream.set_read_timeout(Some(Duration::from_secs(3)));
        while let Ok(read @ 1..) = stream.read(&mut buffer) {
            sent.extend_from_slice(&buffer[..read]);
        }
        String::from_utf8_lossy(&sent).into_owned()
    });
    host.go_on();
    let sent = answer.join().unwrap();
    let reply = host.replies().remove(0);
    assert_eq!(sent.contains("voidOfferId"), !for_longer, "{reply}\n{sent}");
    // Overtaken, it says no more than that the case counts as sent.
    assert_eq!(reply["outcome"], "unknown", "{reply}");
}

#[test]
fn a_host_that_was_stopped_for_longer_than_its_lease_sends_nothing() {
    needs_server!();
    stopped(true);
}

#[test]
fn a_host_that_was_stopped_for_less_than_its_lease_sends() {
    needs_server!();
    stopped(false);
}

/// Cut off and stopped at one of its first messages: if that is within a transaction, others wait for its locks for some
/// seconds, and not for as long as the server takes the connection for alive.
#[test]
fn a_host_that_is_stopped_within_a_transaction_keeps_nobody_waiting() {
    needs_server!();
    let fixture = Fixture::new("default");
    fixture.call("case.list", json!({}));
    let url = server::url(&fixture.file);
    let mut longest = Duration::ZERO;
    for most in 3..12 {
        let gate = Gate::new(port_of(&url), most, false);
        let mut config = config(&fixture);
        config["store"] = through(&url, gate.port);
        let host = Host::start(&config, &json!([["case.list", {}]]));
        wait_for("nothing was cut off", Duration::from_secs(20), || gate.seen.load(Ordering::SeqCst) > most);
        host.stop();
        let begun = Instant::now();
        let request = json!({"kind": "void", "orderNo": voidable(&fixture), "key": format!("k{most}")});
        let reply = fixture.call("case.open", request);
        assert_eq!(reply["outcome"], "executed", "stopped at message {most}: {reply}");
        longest = longest.max(begun.elapsed());
        host.kill();
    }
    assert!(longest > Duration::from_secs(3), "no host was stopped within a transaction");
    assert!(longest < Duration::from_secs(9), "{longest:?}");
}

#[test]
fn a_case_is_opened_on_one_host_and_followed_on_another() {
    needs_server!();
    let fixture = Fixture::new("default");
    let order = voidable(&fixture);
    let request = json!({"kind": "void", "orderNo": order, "key": "k"});
    let opened = Host::start(&config(&fixture), &json!([["case.open", request]])).replies().remove(0);
    assert_eq!(opened["outcome"], "executed", "{opened}");
    let again = fixture.call("case.open", request);
    assert_eq!(again["case"]["id"], opened["case"]["id"], "{again}");
    let case = fixture.follow(&opened["case"]["id"], "6h", 30);
    assert_eq!((&case["final"], fixture.sent("void")), (&json!(true), 1), "{case}");
}
