//! One store, several processes, forks and accounts.

use std::path::Path;
use std::time::Duration;

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use serde_json::{Value, json};

use crate::child;
use crate::stage::{Stage, beside, call, client, void};

/// Descriptors of this process that lead to the store.
fn held(file: &Path) -> Vec<String> {
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let links = std::fs::read_dir("/proc/self/fd").unwrap().flatten().filter_map(|f| std::fs::read_link(f.path()).ok());
    links.map(|l| l.to_string_lossy().into_owned()).filter(|l| l.contains(&name)).collect()
}

#[test]
fn forks() {
    let stage = Stage::new("default");
    let orders: Vec<String> = (0..64).map(|_| stage.young()).collect();
    let plan = json!({"play": "fork", "config": stage.config(), "orders": orders});
    child::answers(child::start(&plan));
    let client = stage.client();
    for order in &orders[..61] {
        assert_eq!((stage.executed("void", order), stage.sent("void", order)), (1, 1), "{order}");
        let case = call(&client, "case.get", json!({"key": order}));
        assert_eq!(case["case"]["outcome"], "executed", "{case}");
    }
}

/// The process in which it is forked: nothing else runs in it. Four threads have used the client and are idle.
pub fn fork_play(plan: &Value) {
    let orders: Vec<String> = serde_json::from_value(plan["orders"].clone()).unwrap();
    let file = Path::new(plan["config"]["store"]["path"].as_str().unwrap()).to_owned();
    let client = client(&plan["config"]);
    let open = |order: &str| {
        let reply = call(&client, "case.open", void(order, order));
        reply["outcome"] == "executed" && held(&file).is_empty()
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
            assert_eq!(held(&file), Vec::<String>::new());
            let (mine, theirs, grand) = (&orders[1 + nth], &orders[21 + nth], &orders[41 + nth]);
            match unsafe { fork() }.unwrap() {
                ForkResult::Child => {
                    // Looks at what its parent did, does something of its own, and has a child, which does as well.
                    let seen = call(&client, "case.get", json!({"key": orders[0]}))["case"]["outcome"] == "executed";
                    let done = open(theirs);
                    let again = match unsafe { fork() } {
                        Ok(ForkResult::Child) => unsafe { nix::libc::_exit(i32::from(!open(grand))) },
                        Ok(ForkResult::Parent { child }) => waitpid(child, None),
                        Err(error) => Err(error),
                    };
                    let fine = seen && done && open(theirs) && matches!(again, Ok(WaitStatus::Exited(_, 0)));
                    unsafe { nix::libc::_exit(i32::from(!fine)) }
                }
                ForkResult::Parent { child } => {
                    // At the same time.
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
fn eight_processes_and_the_same_orders() {
    let stage = Stage::new("default");
    let orders: Vec<String> = (0..20).map(|_| stage.young()).collect();
    let children: Vec<_> = (0..8)
        .map(|process| {
            // Each in an order of its own, so that they meet everywhere.
            let order = |nth: usize| &orders[(nth * 7 + process * 5) % orders.len()];
            let open =
                |nth| json!({"call": "case.open", "request": void(order(nth), &format!("{process}-{}", order(nth)))});
            child::start(&json!({"config": stage.config(), "steps": (0..20).map(open).collect::<Vec<_>>()}))
        })
        .collect();
    let told: Vec<Value> = children.into_iter().flat_map(child::answers).collect();
    assert_eq!(told.len(), 160);
    for order in &orders {
        let of = |reply: &&Value| reply["case"]["orderNo"] == **order;
        let won = told.iter().filter(of).filter(|r| r["ok"] == true && r["outcome"] == "executed").count();
        let conflicts = told.iter().filter(of).filter(|r| r["error"]["code"] == "conflict").count();
        assert_eq!((won, conflicts), (1, 7), "{order}");
        assert_eq!((stage.sent("void", order), stage.executed("void", order)), (1, 1), "{order}");
    }
}

/// Several processes are the first, at the same moment.
#[test]
fn eight_processes_make_one_store() {
    let stage = Stage::new("default");
    let begin = now() + 1_000;
    let plan = json!({"play": "make", "config": stage.config(), "begin": begin, "files": 60});
    let children: Vec<_> = (0..8).map(|_| child::start(&plan)).collect();
    children.into_iter().for_each(|child| drop(child::answers(child)));
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64
}

/// Opens a new store every few milliseconds, by the clock.
pub fn make_play(plan: &Value) {
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
fn accounts_do_not_see_each_other() {
    let stage = Stage::new("default");
    let one = stage.client();
    let mut config = stage.config();
    config["clientId"] = json!("other");
    let two = client(&config);
    let (order, second) = (stage.young(), stage.young());
    stage.vendor.fault(json!({"endpoint": "void", "mode": "drop_before"})).unwrap();
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
    stage.vendor.advance("1h").unwrap();
    let notice = json!({"body": {"type": "void.updated", "data": {"orderNo": order, "voidStatus": 1}}});
    assert_eq!(call(&two, "case.list", json!({}))["data"]["cases"], json!([]));
    assert_eq!(call(&two, "case.export", json!({}))["data"]["count"], 0);
    assert_eq!(call(&two, "case.follow", json!({"all": true}))["data"]["open"], 0);
    assert_eq!(call(&two, "case.reconcile", json!({"all": true}))["data"]["asked"], 0);
    assert_eq!(call(&two, "case.notify", notice.clone())["data"]["cases"], json!([]));
    assert_eq!(call(&two, "case.purge", json!({"olderThan": "2100-01-01T00:00:00Z"}))["data"]["purged"], 0);
    // The same key is another key, and a hold is no hold.
    let theirs = call(&two, "case.open", void(&second, "k"));
    assert_eq!(theirs["outcome"], "executed", "{theirs}");
    let held = call(&two, "case.open", void(&order, "k2"));
    assert_ne!(held["error"]["code"], "conflict", "{held}");
    assert_eq!(call(&one, "case.get", json!({"key": "k"}))["case"]["id"], id);
    assert_eq!(call(&one, "case.list", json!({}))["data"]["cases"].as_array().unwrap().len(), 1);
    assert_eq!(call(&one, "case.notify", notice)["data"]["cases"], json!([id]));
    // An offer that one was given is not known to the other.
    let third = stage.young();
    let quote = call(&one, "voidQuotation", json!({"orderNo": third}));
    let mut foreign = void(&third, "k3");
    foreign["offerId"] = quote["data"]["voidOfferId"].clone();
    let refused = call(&two, "case.open", foreign);
    assert_eq!(refused["error"]["code"], "guard_offer_age", "{refused}");
    // The same account in other words of the same URL.
    let mut config = stage.config();
    config["baseUrl"] = json!(format!("{}/", stage.vendor.url()));
    assert_eq!(call(&client(&config), "case.get", json!({"key": "k"}))["case"]["id"], id);
}

/// SQLite's locks belong to the process, and go when it closes any descriptor of the file. A second client must not
/// take them from a call of the first: another program (an older `sqlite3`, say) that closes the file would then
/// throw away the log under it.
#[test]
fn a_second_client_leaves_the_locks_of_the_first() {
    use std::os::unix::fs::MetadataExt;
    let stage = Stage::new("default");
    let first = stage.client();
    let order = stage.young();
    let file = format!(":{} ", std::fs::metadata(stage.file()).unwrap().ino());
    let locked = || std::fs::read_to_string("/proc/locks").unwrap().lines().any(|line| line.contains(&file));
    stage.vendor.fault(json!({"endpoint": "voidQuotation", "mode": "delay", "delayMs": 2500})).unwrap();
    std::thread::scope(|scope| {
        let opened = scope.spawn(|| call(&first, "case.open", void(&order, "k")));
        // The call waits for its quotation, its connection is open.
        std::thread::sleep(Duration::from_millis(800));
        assert!(locked());
        let second = stage.client();
        call(&second, "case.list", json!({}));
        assert!(locked());
        let reply = opened.join().unwrap();
        assert_eq!(reply["outcome"], "executed", "{reply}");
    });
    assert!(!locked());
}

/// A host that goes to another directory, as daemons do, keeps its store; so does its child.
#[test]
fn a_relative_path_is_one_file() {
    let stage = Stage::new("default");
    let orders: Vec<String> = (0..3).map(|_| stage.young()).collect();
    for name in ["cases.db", "file:cases.db?mode=memory"] {
        let home = stage.dir.join(if name == "cases.db" { "plain" } else { "odd" });
        std::fs::create_dir_all(home.join("elsewhere")).unwrap();
        let config = stage.config_at(Path::new(name));
        let plan = json!({"play": "elsewhere", "config": config, "home": home, "orders": orders, "name": name});
        child::answers(child::start(&plan));
        assert!(std::fs::read_dir(home.join("elsewhere")).unwrap().next().is_none());
        let client = client(&stage.config_at(&home.join(name)));
        assert_eq!(call(&client, "case.list", json!({}))["data"]["cases"].as_array().unwrap().len(), 3, "{name}");
        assert!(beside(&home.join(name), "-wal").exists(), "{name}");
    }
}

pub fn elsewhere_play(plan: &Value) {
    let home = Path::new(plan["home"].as_str().unwrap());
    std::env::set_current_dir(home).unwrap();
    let client = client(&plan["config"]);
    let open = |nth: usize| {
        let order = plan["orders"][nth].as_str().unwrap();
        let reply = call(&client, "case.open", void(order, order));
        reply["case"]["key"] == order
    };
    assert!(open(0));
    std::env::set_current_dir(home.join("elsewhere")).unwrap();
    assert!(open(1));
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => unsafe { nix::libc::_exit(i32::from(!(open(2) && open(0)))) },
        ForkResult::Parent { child } => assert!(matches!(waitpid(child, None), Ok(WaitStatus::Exited(_, 0)))),
    }
}
