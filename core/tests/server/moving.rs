//! Moves between a file and a server: all of it once, in both directions, stopped and killed at every step.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use atlas_postbooking::blocking::Client;
use atlas_simulator::{Options, Simulator};
use serde_json::{Value, json};

use crate::fixture::{Fixture, server};
use crate::needs_server;
use crate::process::Host;

/// A file of a test; removed at the end.
struct File(PathBuf);

impl Drop for File {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm", "-witness"] {
            let _ = std::fs::remove_file(format!("{}{end}", self.0.display()));
        }
    }
}

impl File {
    fn beside(fixture: &Fixture, name: &str) -> File {
        File(PathBuf::from(format!("{}.{name}", fixture.file.display())))
    }

    fn store(&self) -> Value {
        json!({"path": self.0})
    }
}

fn named() -> Fixture {
    Fixture::with("default", json!({"account": "a"}))
}

fn client(fixture: &Fixture, store: &Value) -> Client {
    Fixture::client(&fixture.vendor, &fixture.file, &json!({"store": store, "account": "a"}))
}

fn call(client: &Client, operation: &str, request: Value) -> Value {
    serde_json::from_str(client.call(operation, &request.to_string(), "").json()).unwrap()
}

fn open_void(fixture: &Fixture, client: &Client, key: &str) -> (Value, Value) {
    let order = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
    let request = json!({"kind": "void", "orderNo": order, "key": key});
    (call(client, "case.open", request.clone()), request)
}

fn import(client: &Client, from: &Value) -> Value {
    call(client, "case.import", json!({"from": from}))
}

/// Keys, holds, verdicts and change numbers of the source are those of the target; it takes the next cases.
fn moved(fixture: &Fixture, from: &Value, to: &Value) {
    let source = client(fixture, from);
    let (done, first) = open_void(fixture, &source, "k1");
    assert_eq!(done["outcome"], "executed", "{done}");
    let (_, purged) = open_void(fixture, &source, "k0");
    fixture.vendor.advance("40d").unwrap();
    for _ in 0..4 {
        call(&source, "case.reconcile", json!({"key": "k0"}));
    }
    let count = call(&source, "case.purge", json!({"olderThan": "0h"}))["data"]["purged"].clone();
    assert!(count.as_i64() >= Some(1), "{count}");
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "drop_before"})).unwrap();
    let (lost, second) = open_void(fixture, &source, "k2");
    assert_eq!(lost["outcome"], "unknown", "{lost}");
    let before = call(&source, "case.list", json!({"changedSince": 0}))["data"].clone();

    let target = client(fixture, to);
    let dry = call(&target, "case.import", json!({"from": from, "dryRun": true}));
    assert_eq!((&dry["data"]["imported"], &dry["data"]["accounts"]), (&json!(false), &json!(["a"])), "{dry}");
    assert_eq!(call(&target, "case.get", json!({"key": "k2"}))["error"]["code"], "not_found");
    let reply = import(&target, from);
    assert_eq!(reply["data"]["imported"], true, "{reply}");
    assert_eq!(reply["data"]["cases"], before["cases"].as_array().unwrap().len(), "{reply}");
    let again = import(&target, from);
    assert_eq!((&again["data"]["imported"], &again["data"]["done"]), (&json!(false), &json!(true)), "{again}");

    // Nothing is written to the source; what it knew can be read, by clients of before and new ones.
    for source in [source, client(fixture, from)] {
        for (operation, request) in [
            ("case.open", json!({"kind": "void", "orderNo": "x", "key": "k9"})),
            ("case.reconcile", json!({"key": "k2"})),
            ("case.purge", json!({"olderThan": "0h"})),
            ("case.unpause", json!({})),
            ("case.adoptAccount", json!({"clientId": "demo", "baseUrl": fixture.vendor.url(), "account": "a"})),
        ] {
            let reply = call(&source, operation, request);
            assert_eq!(reply["error"]["code"], "store_moved", "{operation} {reply}");
        }
        assert_eq!(call(&source, "case.get", json!({"key": "k2"}))["case"]["id"], lost["case"]["id"]);
        let listed = call(&source, "case.list", json!({"changedSince": 0}))["data"]["cases"].clone();
        assert_eq!(listed, before["cases"]);
        let unknown = call(&source, "case.open", json!({"kind": "void", "orderNo": "x", "key": "k9"}));
        assert_eq!(unknown["outcome"], "unknown", "the store that it was moved into may have the key: {unknown}");
    }

    // The target answers for the keys, and finds out what is unknown.
    for request in [&first, &purged] {
        let known = call(&target, "case.open", request.clone());
        assert_eq!((&known["outcome"], &known["case"]["final"]), (&json!("executed"), &json!(true)), "{known}");
    }
    let rival = json!({"kind": "void", "orderNo": second["orderNo"], "key": "other"});
    assert_eq!(call(&target, "case.open", rival)["error"]["code"], "conflict");
    let next = call(&target, "case.list", json!({"changedSince": before["next"]}))["data"]["cases"].clone();
    assert_eq!(next.as_array().unwrap().len(), before["cases"].as_array().unwrap().len(), "each has a new number");
    for _ in 0..8 {
        fixture.vendor.advance("70s").unwrap();
        call(&target, "case.reconcile", json!({"key": "k2"}));
    }
    assert_eq!(call(&target, "case.open", second)["outcome"], "not_executed");
    assert_eq!(open_void(fixture, &target, "k3").0["outcome"], "executed");
    assert_eq!((fixture.sent("void"), fixture.executed("void")), (4, 3));
}

#[test]
fn a_file_is_moved_into_a_server() {
    needs_server!();
    let fixture = named();
    let file = File::beside(&fixture, "source");
    moved(&fixture, &file.store(), &json!({"url": server::url(&fixture.file)}));
}

#[test]
fn a_server_is_moved_into_a_file() {
    needs_server!();
    let fixture = named();
    let file = File::beside(&fixture, "target");
    moved(&fixture, &json!({"url": server::url(&fixture.file)}), &file.store());
}

#[test]
fn the_witness_of_the_file_goes_on_with_the_server() {
    needs_server!();
    let fixture = named();
    let (file, witness) = (File::beside(&fixture, "source"), File::beside(&fixture, "witness"));
    let source = client(&fixture, &json!({"path": file.0, "witnessFile": witness.0}));
    assert_eq!(open_void(&fixture, &source, "k1").0["outcome"], "executed");
    let url = server::url(&fixture.file);
    let from = json!({"path": file.0, "witnessFile": witness.0});
    assert_eq!(import(&fixture.client, &from)["data"]["imported"], true);
    let store = json!({"url": url, "witnessFile": witness.0});
    assert_eq!(open_void(&fixture, &client(&fixture, &store), "k2").0["outcome"], "executed");
    // It names an intent of the server now; one that is missing is noticed.
    server::run(&url, "DELETE FROM apb.cases WHERE key = 'k2'");
    let refused = open_void(&fixture, &client(&fixture, &store), "k3").0;
    assert_eq!(refused["error"]["code"], "store_rewound", "{refused}");
}

#[test]
fn what_must_not_be_moved_is_refused_and_nothing_changes() {
    needs_server!();
    let fixture = named();
    let file = File::beside(&fixture, "source");
    let url = json!({"url": server::url(&fixture.file)});
    let code = |client: &Client, from: &Value| import(client, from)["error"]["code"].clone();
    assert_eq!(code(&fixture.client, &file.store()), "store_unavailable", "no file is made");
    assert!(!file.0.exists());
    assert_eq!(code(&fixture.client, &url), "bad_request", "the store itself");
    assert_eq!(code(&fixture.client, &json!({"path": file.0, "caFile": "x"})), "bad_request");
    // Without a name.
    let unnamed = Fixture::client(&fixture.vendor, &fixture.file, &json!({"store": file.store()}));
    open_void(&fixture, &unnamed, "k1");
    assert_eq!(code(&fixture.client, &file.store()), "store_account");
    let source = client(&fixture, &file.store());
    // With a case of the target's own.
    open_void(&fixture, &fixture.client, "own");
    let reply = import(&fixture.client, &file.store());
    assert_eq!(reply["error"]["code"], "conflict", "{reply}");
    assert_eq!(open_void(&fixture, &source, "k2").0["outcome"], "executed", "the source goes on");
    assert_eq!(open_void(&fixture, &fixture.client, "own2").0["outcome"], "executed", "and so does the target");
}

#[test]
fn nothing_is_moved_while_a_case_is_being_sent() {
    needs_server!();
    let fixture = named();
    let file = File::beside(&fixture, "source");
    let source = client(&fixture, &file.store());
    call(&source, "case.list", json!({}));
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "delay", "delayMs": 4_000})).unwrap();
    let order = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
    thread::scope(|scope| {
        let sending = scope.spawn(|| call(&source, "case.open", json!({"kind": "void", "orderNo": order, "key": "k"})));
        let begun = Instant::now();
        while fixture.sent("void") == 0 {
            assert!(begun.elapsed() < Duration::from_secs(20), "nothing was sent");
            thread::sleep(Duration::from_millis(20));
        }
        let reply = import(&fixture.client, &file.store());
        let named = reply["error"]["details"].as_array().map(Vec::len);
        assert_eq!((&reply["error"]["code"], named), (&json!("conflict"), Some(1)), "{reply}");
        assert_eq!(sending.join().unwrap()["outcome"], "executed");
    });
    assert_eq!(import(&fixture.client, &file.store())["data"]["imported"], true);
}

fn config(fixture: &Fixture, store: &Value) -> Value {
    json!({
        "baseUrl": fixture.vendor.url(), "clientId": "demo", "clientSecret": "canary-secret", "store": store, "account": "a",
        "clock": {"url": format!("{}/_sim/clock", fixture.vendor.url())}, "settleMs": 60_000,
    })
}

/// The source's host has a clock that is three hours behind: what it noted counts for nothing by the target's clock.
fn counts_anew(fixture: &Fixture, from: &Value, to: &Value) {
    let behind = Simulator::start(Options::default()).unwrap();
    let clock = json!({"url": format!("{}/_sim/clock", behind.url())});
    fixture.vendor.advance("3h").unwrap();
    let source = json!({"store": from, "account": "a", "clock": clock});
    let source = Fixture::client(&fixture.vendor, &fixture.file, &source);
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "drop_before", "times": 2})).unwrap();
    let asked_before = open_void(fixture, &source, "asked").0;
    behind.advance("70s").unwrap();
    let first = call(&source, "case.reconcile", json!({"key": "asked"}));
    let is_fair = first["case"]["evidence"].as_array().unwrap().iter().any(|e| e["strength"] == "fair");
    assert!(first["outcome"] == "unknown" && is_fair, "one answer without it: {first}");
    let fresh = open_void(fixture, &source, "fresh").0;
    assert_eq!((&asked_before["outcome"], &fresh["outcome"]), (&json!("unknown"), &json!("unknown")));
    let target = client(fixture, to);
    assert_eq!(import(&target, from)["data"]["imported"], true);
    let human = json!({"id": fresh["case"]["id"], "as": "not_executed", "by": "a", "evidence": "b"});
    assert_eq!(call(&target, "case.resolve", human)["error"]["code"], "in_progress");
    let outcomes = |passed: &str| {
        fixture.vendor.advance(passed).unwrap();
        ["asked", "fresh"].map(|key| {
            let reply = call(&target, "case.reconcile", json!({"key": key}));
            assert_eq!(reply["ok"], true, "{key} {reply}");
            let sent = reply["case"]["steps"][0]["sentAt"].clone();
            assert_eq!(sent, [&asked_before, &fresh][usize::from(key == "fresh")]["case"]["steps"][0]["sentAt"]);
            reply["outcome"].as_str().unwrap().to_owned()
        })
    };
    for passed in ["1s", "25s", "32s", "20s"] {
        assert_eq!(outcomes(passed), ["unknown"; 2], "after {passed} more");
    }
    assert_eq!(outcomes("21s"), ["not_executed"; 2]);
}

#[test]
fn settle_times_are_counted_anew_by_the_clock_of_the_target() {
    needs_server!();
    for into_server in [true, false] {
        let fixture = named();
        let file = File::beside(&fixture, "file").store();
        let server = json!({"url": server::url(&fixture.file)});
        let (from, to) = if into_server { (&file, &server) } else { (&server, &file) };
        counts_anew(&fixture, from, to);
    }
}

/// A proxy before the server that lets so many messages of the client through. The next one is lost, or its answer is.
pub struct Gate {
    pub port: u16,
    pub seen: Arc<AtomicUsize>,
}

impl Gate {
    pub fn new(to: u16, most: usize, loses_answer: bool) -> Gate {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(AtomicUsize::new(0));
        let counter = seen.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let counter = counter.clone();
                thread::spawn(move || {
                    pass(client, TcpStream::connect(("127.0.0.1", to)).unwrap(), most, loses_answer, &counter)
                });
            }
        });
        Gate { port, seen }
    }
}

fn pass(mut client: TcpStream, mut server: TcpStream, most: usize, loses_answer: bool, seen: &Arc<AtomicUsize>) {
    let (mut back, mut forth) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let counter = seen.clone();
    thread::spawn(move || {
        let mut buffer = [0; 65_536];
        while let Ok(read @ 1..) = back.read(&mut buffer) {
            if counter.load(Ordering::SeqCst) <= most {
                let _ = forth.write_all(&buffer[..read]);
            }
        }
        let _ = forth.shutdown(Shutdown::Both);
    });
    let mut buffer = [0; 65_536];
    while let Ok(read @ 1..) = client.read(&mut buffer) {
        let is_last = seen.fetch_add(1, Ordering::SeqCst) >= most;
        if (!is_last || loses_answer) && server.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
}

/// Which of source and target takes writes now, and whether the target has the case.
fn standing(fixture: &Fixture, from: &Value, to: &Value) -> (bool, bool, bool) {
    let takes = |store: &Value| {
        let reply = call(&client(fixture, store), "case.unpause", json!({}));
        let code = reply["error"]["code"].as_str().unwrap_or_default().to_owned();
        assert!(["", "store_moved", "store_busy"].contains(&code.as_str()), "{reply}");
        code.is_empty()
    };
    let known = call(&client(fixture, to), "case.get", json!({"key": "k1"}));
    (takes(from), takes(to), known["ok"] == true)
}

/// Killed somewhere in a move: never both take the case. The next move ends it.
fn ends_well(fixture: &Fixture, from: &Value, to: &Value, request: &Value, what: &str) -> &'static str {
    let found = standing(fixture, from, to);
    let stage = match found {
        (true, true, false) => "not begun",
        (true, false, false) => "copying",
        (false, false, false) => "sealed",
        (false, true, true) => "moved",
        _ => panic!("{what}: source, target take writes, target has the case: {found:?}"),
    };
    let reply = import(&client(fixture, to), from);
    assert_eq!(reply["data"]["done"], true, "{what} ({stage}): {reply}");
    assert_eq!(standing(fixture, from, to), (false, true, true), "{what} ({stage})");
    let known = call(&client(fixture, to), "case.open", request.clone());
    assert_eq!((&known["outcome"], fixture.sent("void")), (&json!("executed"), 1), "{what} ({stage}): {known}");
    stage
}

pub fn through(url: &str, port: u16) -> Value {
    let at: u16 = url.split(':').nth(3).unwrap().split('/').next().unwrap().parse().unwrap();
    json!({"url": url.replace(&format!(":{at}/"), &format!(":{port}/"))})
}

pub fn port_of(url: &str) -> u16 {
    url.split(':').nth(3).unwrap().split('/').next().unwrap().parse().unwrap()
}

/// Stops a move at the message `most` to the server and kills it there; None once there are no more messages.
fn stopped_at(most: usize, loses_answer: bool, into_server: bool) -> Option<&'static str> {
    let fixture = named();
    let file = File::beside(&fixture, "file");
    let url = server::url(&fixture.file);
    let at_server = json!({"url": url});
    let (from, to) = if into_server { (file.store(), at_server) } else { (at_server, file.store()) };
    let (opened, request) = open_void(&fixture, &client(&fixture, &from), "k1");
    assert_eq!(opened["outcome"], "executed", "{opened}");
    call(&client(&fixture, &to), "case.list", json!({}));
    let gate = Gate::new(port_of(&url), most, loses_answer);
    let stopped = through(&url, gate.port);
    let (source, target) = if into_server { (&from, &stopped) } else { (&stopped, &to) };
    let host = Host::start(&config(&fixture, target), &json!([["case.import", {"from": source}]]));
    let begun = Instant::now();
    let (mut is_over, mut host) = (false, Some(host));
    while gate.seen.load(Ordering::SeqCst) <= most && !is_over {
        assert!(begun.elapsed() < Duration::from_secs(30), "neither stopped nor over");
        thread::sleep(Duration::from_millis(5));
        is_over = host.as_mut().unwrap().is_over();
    }
    if !is_over {
        thread::sleep(Duration::from_millis(20));
        host.take().unwrap().kill();
    }
    let what = format!("message {most}, {}", if loses_answer { "answer lost" } else { "not sent" });
    let stage = ends_well(&fixture, &from, &to, &request, &what);
    (!is_over).then_some(stage)
}

#[test]
fn stopped_at_every_step_a_move_leaves_one_store_that_has_the_cases() {
    needs_server!();
    for into_server in [true, false] {
        let mut stages = std::collections::BTreeMap::new();
        let mut most = 0;
        // The client of the import itself has some messages first.
        while stopped_at(most, false, into_server) == Some("not begun") {
            most += 6;
        }
        most = most.saturating_sub(6);
        while let Some(stage) = stopped_at(most, false, into_server) {
            *stages.entry(stage).or_insert(0) += 1;
            // Carried out, and its answer is lost: of the copying itself, some.
            if (stage != "copying" || most.is_multiple_of(4))
                && let Some(stage) = stopped_at(most, true, into_server)
            {
                *stages.entry(stage).or_insert(0) += 1;
            }
            most += 1;
        }
        // The last message to the side that the server is.
        if let Some(stage) = stopped_at(most - 1, true, into_server) {
            *stages.entry(stage).or_insert(0) += 1;
        }
        println!("stopped and killed at each message of a move, into the server: {into_server}: {stages:?}");
        assert!(stages.len() >= 3, "{stages:?}");
    }
}

#[test]
fn killed_at_any_moment_a_move_leaves_one_store_that_has_the_cases() {
    needs_server!();
    let mut seed: u64 = 20_261_129;
    for round in 0..16 {
        let fixture = named();
        let file = File::beside(&fixture, "file");
        let at_server = json!({"url": server::url(&fixture.file)});
        let (from, to) = if round % 2 == 0 { (file.store(), at_server) } else { (at_server, file.store()) };
        let (_, request) = open_void(&fixture, &client(&fixture, &from), "k1");
        let host = Host::start(&config(&fixture, &to), &json!([["case.import", {"from": from}]]));
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        thread::sleep(Duration::from_millis(20 + (seed >> 33) % 180));
        host.kill();
        ends_well(&fixture, &from, &to, &request, &format!("round {round}"));
    }
}

/// Beside others that go on in the target.
#[test]
fn other_accounts_of_the_target_go_on_meanwhile() {
    needs_server!();
    let fixture = named();
    let file = File::beside(&fixture, "source");
    let source = client(&fixture, &file.store());
    for n in 0..20 {
        open_void(&fixture, &source, &format!("k{n}"));
    }
    let other = Fixture::client(&fixture.vendor, &fixture.file, &json!({"account": "b"}));
    let path: &Path = &file.0;
    thread::scope(|scope| {
        let moving = scope.spawn(|| import(&fixture.client, &json!({"path": path})));
        for n in 0..10 {
            let opened = open_void(&fixture, &other, &format!("o{n}")).0;
            assert_eq!(opened["outcome"], "executed", "{opened}");
        }
        assert_eq!(moving.join().unwrap()["data"]["cases"], 20);
    });
    let numbers = call(&other, "case.list", json!({"limit": 500}))["data"]["cases"].as_array().unwrap().len();
    assert_eq!(numbers, 10);
}
