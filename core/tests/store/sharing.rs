//! One store used by several processes, forks and accounts.

use std::path::Path;
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use serde_json::{Value, json};

use crate::child;
use crate::fixture::{Fixture, beside, call, client, void};

/// Descriptors without locks that a process keeps of a store at most: one of the file for each call of five at a time,
/// the one by which the file was looked at, one of its log's index, and those on which the locks of both are taken.
const KEPT: usize = 9;

/// Descriptors of this process that are open on the store.
fn open_descriptors(file: &Path) -> Vec<String> {
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let links = std::fs::read_dir("/proc/self/fd").unwrap().flatten().filter_map(|f| std::fs::read_link(f.path()).ok());
    links.map(|l| l.to_string_lossy().into_owned()).filter(|l| l.contains(&name)).collect()
}

#[test]
fn a_forked_child_uses_the_store_beside_its_parent() {
    let fixture = Fixture::new("default");
    let orders: Vec<String> = (0..64).map(|_| fixture.voidable()).collect();
    let plan = json!({"scenario": "fork", "config": fixture.config(), "orders": orders});
    child::results(child::start(&plan));
    let client = fixture.client();
    for order in &orders[..61] {
        assert_eq!((fixture.executed("void", order), fixture.sent("void", order)), (1, 1), "{order}");
        let case = call(&client, "case.get", json!({"key": order}));
        assert_eq!(case["case"]["outcome"], "executed", "{case}");
    }
}

/// Forks in a process of its own, in which nothing else runs. Four threads have used the client and are idle.
pub fn fork_scenario(plan: &Value) {
    let orders: Vec<String> = serde_json::from_value(plan["orders"].clone()).unwrap();
    let file = Path::new(plan["config"]["store"]["path"].as_str().unwrap()).to_owned();
    let client = client(&plan["config"]);
    let open = |order: &str| {
        let reply = call(&client, "case.open", void(order, order));
        reply["outcome"] == "executed" && open_descriptors(&file).len() <= KEPT
    };
    assert!(open(&orders[0]));
    let (stop, wait) = (std::sync::Barrier::new(5), std::sync::Barrier::new(5));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                assert_eq!(call(&client, "case.get", json!({"key": orders[0]}))["ok"], true);
                wait.wait();
                stop.wait();
            });
        }
        wait.wait();
        for nth in 0..20 {
            let kept = open_descriptors(&file);
            assert!(kept.len() <= KEPT && !kept.iter().any(|name| name.ends_with("-wal")), "{kept:?}");
            let (mine, theirs, grandchilds) = (&orders[1 + nth], &orders[21 + nth], &orders[41 + nth]);
            // SAFETY: the other threads of this test are outside the library and hold no lock, and the child ends by _exit.
            match unsafe { fork() }.unwrap() {
                ForkResult::Child => {
                    // Reads a case of its parent, opens one, and forks a child that opens one.
                    let seen = call(&client, "case.get", json!({"key": orders[0]}))["case"]["outcome"] == "executed";
                    let done = open(theirs);
                    // SAFETY: the child has this one thread, outside the library, and its child ends by _exit.
                    let again = match unsafe { fork() } {
                        // SAFETY: _exit runs no destructor and no exit handler, which belong to the parent.
                        Ok(ForkResult::Child) => unsafe { nix::libc::_exit(i32::from(!open(grandchilds))) },
                        Ok(ForkResult::Parent { child }) => waitpid(child, None),
                        Err(error) => Err(error),
                    };
                    let is_passed = seen && done && open(theirs) && matches!(again, Ok(WaitStatus::Exited(_, 0)));
                    // SAFETY: as above.
                    unsafe { nix::libc::_exit(i32::from(!is_passed)) }
                }
                ForkResult::Parent { child } => {
                    // While the child runs.
                    assert!(open(mine));
                    assert!(matches!(waitpid(child, None), Ok(WaitStatus::Exited(_, 0))), "child {nth}");
                    assert_eq!(call(&client, "case.get", json!({"key": theirs}))["case"]["outcome"], "executed");
                }
            }
        }
        stop.wait();
    });
}

#[test]
fn of_eight_processes_that_open_one_order_one_submits() {
    let fixture = Fixture::new("default");
    let orders: Vec<String> = (0..20).map(|_| fixture.voidable()).collect();
    let children: Vec<_> = (0..8)
        .map(|process| {
            // Each process in a sequence of its own, so that every pair of them meets.
            let order = |nth: usize| &orders[(nth * 7 + process * 5) % orders.len()];
            let open =
                |nth| json!({"call": "case.open", "request": void(order(nth), &format!("{process}-{}", order(nth)))});
            child::start(&json!({"config": fixture.config(), "steps": (0..20).map(open).collect::<Vec<_>>()}))
        })
        .collect();
    let replies: Vec<Value> = children.into_iter().flat_map(child::results).collect();
    assert_eq!(replies.len(), 160);
    for order in &orders {
        let of = |reply: &&Value| reply["case"]["orderNo"] == **order;
        let executed = replies.iter().filter(of).filter(|r| r["ok"] == true && r["outcome"] == "executed").count();
        let conflicts = replies.iter().filter(of).filter(|r| r["error"]["code"] == "conflict").count();
        assert_eq!((executed, conflicts), (1, 7), "{order}");
        assert_eq!((fixture.sent("void", order), fixture.executed("void", order)), (1, 1), "{order}");
    }
}

/// All of them find no file at the same moment.
#[test]
fn eight_processes_can_create_one_store_at_once() {
    let fixture = Fixture::new("default");
    let begin = now() + 1_000;
    let plan = json!({"scenario": "create", "config": fixture.config(), "begin": begin, "files": 60});
    let children: Vec<_> = (0..8).map(|_| child::start(&plan)).collect();
    children.into_iter().for_each(|child| drop(child::results(child)));
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64
}

/// Opens a new store every 40 ms, at moments that all processes share.
pub fn create_scenario(plan: &Value) {
    let mut config = plan["config"].clone();
    let path = config["store"]["path"].as_str().unwrap().to_owned();
    for nth in 0..plan["files"].as_u64().unwrap() {
        let file = format!("{path}-{nth}");
        config["store"]["path"] = json!(file);
        while now() < plan["begin"].as_u64().unwrap() + nth * 40 {
            std::thread::yield_now();
        }
        client(&config);
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn an_account_sees_neither_cases_nor_holds_nor_offers_of_another() {
    let fixture = Fixture::new("default");
    let mut config = fixture.config();
    config["account"] = json!("one");
    let one = client(&config);
    config["clientId"] = json!("other");
    config["account"] = json!("two");
    let two = client(&config);
    let (order, second) = (fixture.voidable(), fixture.voidable());
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "drop_before"})).unwrap();
    let mine = call(&one, "case.open", void(&order, "k"));
    assert_eq!(mine["outcome"], "unknown", "{mine}");
    let id = mine["case"]["id"].clone();
    for (operation, request) in [
        ("case.get", json!({"id": id})),
        ("case.get", json!({"key": "k"})),
        ("case.reconcile", json!({"id": id})),
        ("case.follow", json!({"id": id})),
        ("case.follow", json!({"key": "k"})),
        ("case.resolve", json!({"id": id, "as": "not_executed", "by": "me", "evidence": "none"})),
    ] {
        let reply = call(&two, operation, request);
        assert_eq!(reply["error"]["code"], "not_found", "{operation}: {reply}");
    }
    fixture.vendor.advance("1h").unwrap();
    let notification = json!({"body": {"type": "void.updated", "data": {"orderNo": order, "voidStatus": 1}}});
    assert_eq!(call(&two, "case.list", json!({}))["data"]["cases"], json!([]));
    assert_eq!(call(&two, "case.export", json!({}))["data"]["count"], 0);
    assert_eq!(call(&two, "case.follow", json!({"all": true}))["data"]["open"], 0);
    assert_eq!(call(&two, "case.reconcile", json!({"all": true}))["data"]["asked"], 0);
    assert_eq!(call(&two, "case.notify", notification.clone())["data"]["cases"], json!([]));
    assert_eq!(call(&two, "case.purge", json!({"olderThan": "2100-01-01T00:00:00Z"}))["data"]["purged"], 0);
    // Keys and holds are per account.
    let theirs = call(&two, "case.open", void(&second, "k"));
    assert_eq!(theirs["outcome"], "executed", "{theirs}");
    let held = call(&two, "case.open", void(&order, "k2"));
    assert_ne!(held["error"]["code"], "conflict", "{held}");
    assert_eq!(call(&one, "case.get", json!({"key": "k"}))["case"]["id"], id);
    assert_eq!(call(&one, "case.list", json!({}))["data"]["cases"].as_array().unwrap().len(), 1);
    assert_eq!(call(&one, "case.notify", notification)["data"]["cases"], json!([id]));
    // So are offers.
    let third = fixture.voidable();
    let quote = call(&one, "voidQuotation", json!({"orderNo": third}));
    let mut foreign = void(&third, "k3");
    foreign["offerId"] = quote["data"]["voidOfferId"].clone();
    let refused = call(&two, "case.open", foreign);
    assert_eq!(refused["error"]["code"], "guard_offer_age", "{refused}");
    // A trailing slash of the base URL makes no other account.
    let mut config = fixture.config();
    config["baseUrl"] = json!(format!("{}/", fixture.vendor.url()));
    assert_eq!(call(&client(&config), "case.get", json!({"key": "k"}))["case"]["id"], id);
}

/// SQLite's locks belong to the process and end when it closes any descriptor of the file. Without them another program
/// that closes the file (an older `sqlite3`, for example) would delete the log during the call.
#[test]
fn a_second_client_does_not_end_the_locks_of_the_first() {
    use std::os::unix::fs::MetadataExt;
    let fixture = Fixture::new("default");
    let first = fixture.client();
    let order = fixture.voidable();
    let file = format!(":{} ", std::fs::metadata(fixture.file()).unwrap().ino());
    let locked = || std::fs::read_to_string("/proc/locks").unwrap().lines().any(|line| line.contains(&file));
    fixture.vendor.fault(json!({"endpoint": "voidQuotation", "mode": "delay", "delayMs": 2500})).unwrap();
    std::thread::scope(|scope| {
        let opened = scope.spawn(|| call(&first, "case.open", void(&order, "k")));
        // The call waits for its quotation, with its connection open.
        std::thread::sleep(Duration::from_millis(800));
        assert!(locked());
        let second = fixture.client();
        call(&second, "case.list", json!({}));
        assert!(locked());
        let reply = opened.join().unwrap();
        assert_eq!(reply["outcome"], "executed", "{reply}");
    });
    assert!(!locked());
}

/// The process and its child change the directory, as daemons do.
#[test]
fn a_relative_store_path_stays_one_file_after_chdir() {
    let fixture = Fixture::new("default");
    let orders: Vec<String> = (0..3).map(|_| fixture.voidable()).collect();
    for name in ["cases.db", "file:cases.db?mode=memory"] {
        let home = fixture.dir.join(if name == "cases.db" { "plain" } else { "uri" });
        std::fs::create_dir_all(home.join("other")).unwrap();
        let config = fixture.config_at(Path::new(name));
        let plan = json!({"scenario": "chdir", "config": config, "home": home, "orders": orders, "name": name});
        child::results(child::start(&plan));
        assert!(std::fs::read_dir(home.join("other")).unwrap().next().is_none());
        let client = client(&fixture.config_at(&home.join(name)));
        assert_eq!(call(&client, "case.list", json!({}))["data"]["cases"].as_array().unwrap().len(), 3, "{name}");
        assert!(beside(&home.join(name), "-wal").exists(), "{name}");
    }
}

pub fn chdir_scenario(plan: &Value) {
    let home = Path::new(plan["home"].as_str().unwrap());
    std::env::set_current_dir(home).unwrap();
    let client = client(&plan["config"]);
    let open = |nth: usize| {
        let order = plan["orders"][nth].as_str().unwrap();
        let reply = call(&client, "case.open", void(order, order));
        reply["case"]["key"] == order
    };
    assert!(open(0));
    std::env::set_current_dir(home.join("other")).unwrap();
    assert!(open(1));
    // SAFETY: no other thread of this process is inside the library, and the child ends by _exit.
    match unsafe { fork() }.unwrap() {
        // SAFETY: _exit runs no destructor and no exit handler, which belong to the parent.
        ForkResult::Child => unsafe { nix::libc::_exit(i32::from(!(open(2) && open(0)))) },
        ForkResult::Parent { child } => assert!(matches!(waitpid(child, None), Ok(WaitStatus::Exited(_, 0)))),
    }
}

/// Another program that keeps the file locked until it is dropped.
struct Locked {
    _connection: rusqlite::Connection,
}

impl Locked {
    fn new(file: &Path) -> Locked {
        let connection = rusqlite::Connection::open(file).unwrap();
        connection.busy_timeout(Duration::from_secs(5)).unwrap();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        Locked { _connection: connection }
    }
}

/// Longer than any call of these tests may take, and shorter than the library would wait for itself.
const PATIENCE: Duration = Duration::from_secs(8);

#[test]
fn a_file_that_another_program_keeps_locked_costs_a_call_its_own_time() {
    let fixture = Fixture::new("default");
    let order = fixture.voidable();
    let client = fixture.client();
    assert_eq!(call(&client, "case.stats", json!({}))["ok"], true);
    let locked = Locked::new(&fixture.file());
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let request = void(&order, "k").to_string();
            sender.send(client.call("case.open", &request, r#"{"timeoutMs":300}"#).json().to_owned()).unwrap();
        });
        let reply = receiver.recv_timeout(PATIENCE);
        drop(locked);
        let reply: Value = serde_json::from_str(&reply.expect("the call outlived its time")).unwrap();
        assert_eq!(
            (&reply["error"]["code"], &reply["outcome"]),
            (&json!("store_busy"), &json!("not_executed")),
            "{reply}"
        );
    });
    assert_eq!(fixture.sent("void", &order), 0);
    let reply = call(&client, "case.open", void(&order, "k"));
    assert_eq!((&reply["outcome"], fixture.executed("void", &order)), (&json!("executed"), 1), "{reply}");
}

#[test]
fn an_answer_in_hand_is_told_though_the_file_is_locked() {
    let fixture = Fixture::new("default");
    let order = fixture.voidable();
    let client = fixture.client();
    let fault = json!({"endpoint": "void", "mode": "delay", "delayMs": 400});
    fixture.vendor.fault(fault).unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let request = void(&order, "k").to_string();
            sender.send(client.call("case.open", &request, r#"{"timeoutMs":2000}"#).json().to_owned()).unwrap();
        });
        while fixture.sent("void", &order) == 0 {
            std::thread::sleep(Duration::from_millis(2));
        }
        let locked = Locked::new(&fixture.file());
        let reply = receiver.recv_timeout(PATIENCE);
        drop(locked);
        let reply: Value = serde_json::from_str(&reply.expect("the call outlived its time")).unwrap();
        assert_eq!(reply["outcome"], "executed", "{reply}");
    });
    let case = fixture.settle(&client, "k");
    assert_eq!((&case["outcome"], fixture.executed("void", &order)), (&json!("executed"), 1), "{case}");
}

/// The first process of a container forks a container: parent and child both have the number 1.
#[test]
fn a_child_with_the_number_of_its_parent_is_a_process_of_its_own() {
    let fixture = Fixture::new("default");
    let orders = [fixture.voidable(), fixture.voidable()];
    let results =
        child::results(child::start(&json!({"scenario": "same number", "config": fixture.config(), "orders": orders})));
    if results.iter().any(|result| result["skipped"] == true) {
        return println!("SKIPPED: pid namespaces need the right to make them");
    }
    for order in &orders {
        assert_eq!((fixture.executed("void", order), fixture.sent("void", order)), (1, 1), "{order}");
    }
}

/// In a process of its own, whose children are the first ones of pid namespaces.
pub fn same_number_scenario(plan: &Value) {
    if unshare(CloneFlags::CLONE_NEWPID).is_err() {
        return child::report(&json!({"skipped": true}));
    }
    let orders: Vec<String> = serde_json::from_value(plan["orders"].clone()).unwrap();
    in_child(|| {
        assert_eq!(std::process::id(), 1);
        let client = client(&plan["config"]);
        let opened = call(&client, "case.open", void(&orders[0], "a"))["outcome"] == "executed";
        unshare(CloneFlags::CLONE_NEWPID).unwrap();
        in_child(|| {
            // With the client of its parent, whose I/O thread it does not have.
            std::process::id() == 1 && call(&client, "case.open", void(&orders[1], "b"))["outcome"] == "executed"
        });
        opened
    });
}

/// Runs a part in a forked child, and fails if it does.
fn in_child(part: impl FnOnce() -> bool) {
    // SAFETY: no other thread of this process holds a lock that the child needs.
    match unsafe { fork() }.unwrap() {
        ForkResult::Parent { child } => assert_eq!(waitpid(child, None).unwrap(), WaitStatus::Exited(child, 0)),
        ForkResult::Child => {
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(part)).unwrap_or(false);
            // SAFETY: ends this process without running what belongs to its parent.
            unsafe { nix::libc::_exit(i32::from(!done)) }
        }
    }
}
