//! Stores: layouts, change numbers, purge, witness and rewound stores.

use std::path::{Path, PathBuf};

use atlas_postbooking::blocking::Client;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::file_only;
use crate::fixture::Fixture;

pub fn call(client: &Client, operation: &str, request: Value) -> Value {
    serde_json::from_str(client.call(operation, &request.to_string(), "").json()).unwrap()
}

pub fn beside(file: &Path, end: &str) -> PathBuf {
    PathBuf::from(format!("{}{end}", file.display()))
}

pub fn voidable(fixture: &Fixture) -> String {
    fixture.order(json!({"airline": "Y4", "paymentMethod": 1}))
}

pub fn void(order: &str, key: &str) -> Value {
    json!({"kind": "void", "orderNo": order, "key": key})
}

/// Copies the store as a file tool does while nobody has it open.
pub fn copy(fixture: &Fixture) -> PathBuf {
    Connection::open(&fixture.file).unwrap().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let to = beside(&fixture.file, "-yesterday");
    std::fs::copy(&fixture.file, &to).unwrap();
    to
}

/// Puts the copy back: into the same file, or as another file of that name.
pub fn put_back(fixture: &Fixture, copy: &Path, same_file: bool) {
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(beside(&fixture.file, end));
    }
    match same_file {
        true => drop(std::fs::copy(copy, &fixture.file).unwrap()),
        false => {
            let new = beside(copy, "-again");
            std::fs::copy(copy, &new).unwrap();
            std::fs::rename(new, &fixture.file).unwrap();
        }
    }
}

pub fn client(fixture: &Fixture) -> Client {
    Fixture::client(&fixture.vendor, &fixture.file, &json!({}))
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}

/// A store file as an earlier release wrote it: one case for each client id and key.
pub fn layout_1(fixture: &Fixture, keys: &[(&str, &str)]) {
    let model = Fixture::new("default");
    let order = voidable(&model);
    model.call("case.open", void(&order, "k"));
    let body: String =
        Connection::open(&model.file).unwrap().query_row("SELECT body FROM cases", [], |row| row.get(0)).unwrap();
    let connection = Connection::open(&fixture.file).unwrap();
    connection.execute_batch("PRAGMA journal_mode = WAL").unwrap();
    connection.execute_batch(include_str!("layout_1.sql")).unwrap();
    connection.execute_batch("PRAGMA application_id = 0x41504243; PRAGMA user_version = 1").unwrap();
    for (nth, (client, key)) in keys.iter().enumerate() {
        let identity = format!("{}\n{client}", fixture.vendor.url());
        let digest = ring::digest::digest(&ring::digest::SHA256, identity.as_bytes());
        let account: String = digest.as_ref()[..12].iter().map(|b| format!("{b:02x}")).collect();
        let id = format!("01J{nth:023}");
        let mut case: Value = serde_json::from_str(&body).unwrap();
        case["id"] = json!(id);
        case["key"] = json!(key);
        case["order_no"] = json!(format!("OLD{nth}"));
        case["holds"] = json!([format!("OLD{nth}")]);
        connection
            .execute(
                "INSERT INTO cases (id, account, key, kind, order_no, open, unknown, due, version, updated, body)
                 VALUES (?1, ?2, ?3, 'void', ?4, 1, 0, NULL, 7, ?5, ?6)",
                rusqlite::params![
                    id,
                    account,
                    key,
                    format!("OLD{nth}"),
                    case["updated"].as_i64().unwrap(),
                    case.to_string()
                ],
            )
            .unwrap();
        connection
            .execute(
                "INSERT INTO holds (account, order_no, case_id) VALUES (?1, ?2, ?3)",
                rusqlite::params![account, format!("OLD{nth}"), id],
            )
            .unwrap();
    }
    connection
        .execute("INSERT INTO purged (account, key) SELECT account, 'gone' FROM cases ORDER BY id LIMIT 1", [])
        .unwrap();
}

fn without_files(fixture: &Fixture) {
    for end in ["", "-wal", "-shm", "-witness"] {
        let _ = std::fs::remove_file(beside(&fixture.file, end));
    }
}

#[test]
fn a_file_of_an_earlier_release_is_migrated_at_first_opening() {
    crate::file_only!();
    let fixture = Fixture::new("default");
    without_files(&fixture);
    layout_1(&fixture, &[("demo", "k")]);
    let old = Connection::open(&fixture.file).unwrap();
    let client = client(&fixture);
    let case = call(&client, "case.get", json!({"key": "k"}));
    assert_eq!((&case["ok"], &case["case"]["change"]), (&json!(true), &json!(1)), "{case}");
    // The hold is there, and the purged key.
    let held = call(&client, "case.open", void("OLD0", "k2"));
    assert_eq!(held["error"]["code"], "conflict", "{held}");
    let purged = call(&client, "case.open", void("OLD9", "gone"));
    assert_eq!(purged["error"]["code"], "key_reused", "{purged}");
    // A process of the earlier release that still has it open can neither take, write nor remove a case.
    for sql in [
        "UPDATE cases SET version = version + 1, owner = 'x', lease_until = 1",
        "SELECT body, version, owner, lease_until FROM cases",
        "INSERT INTO cases (id, account, key, kind, open, unknown, version, updated, body) VALUES ('i','a','z','void',1,0,1,1,'')",
        "INSERT OR IGNORE INTO purged (account, key) SELECT account, key FROM cases",
    ] {
        assert!(old.prepare(sql).and_then(|mut statement| statement.execute([])).is_err(), "{sql}");
    }
}

#[test]
fn a_file_on_whose_case_an_earlier_release_is_at_work_is_not_migrated() {
    crate::file_only!();
    let fixture = Fixture::new("default");
    without_files(&fixture);
    layout_1(&fixture, &[("demo", "k")]);
    let boot = fnv1a(&std::fs::read("/proc/sys/kernel/random/boot_id").unwrap()) >> 1;
    let connection = Connection::open(&fixture.file).unwrap();
    // A process of another container.
    let owner = format!("{boot:x} pid:[1] 77 12345 1");
    connection
        .execute("UPDATE cases SET owner = ?1, lease_until = ?2", rusqlite::params![owner, i64::MAX / 4])
        .unwrap();
    let config = json!({
        "baseUrl": fixture.vendor.url(), "clientId": "demo", "clientSecret": "s", "store": {"path": fixture.file},
    });
    let error = Client::new(&config.to_string()).err().unwrap();
    assert_eq!(error.code.as_str(), "store_busy", "{error}");
    let version = |c: &Connection| c.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(version(&connection), 1);
    connection.execute("UPDATE cases SET lease_until = 1", []).unwrap();
    Client::new(&config.to_string()).unwrap();
    assert_eq!(version(&connection), 2);
}

#[test]
fn a_newer_layout_answers_store_version_and_stays_untouched_also_in_a_process_that_had_it_open() {
    crate::file_only!();
    let fixture = Fixture::new("default");
    fixture.call("case.open", void(&voidable(&fixture), "k"));
    let connection = Connection::open(&fixture.file).unwrap();
    connection.execute_batch("PRAGMA user_version = 3; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let bytes = || [std::fs::read(&fixture.file).unwrap(), std::fs::read(beside(&fixture.file, "-wal")).unwrap()];
    let before = bytes();
    for (operation, request) in [
        ("case.get", json!({"key": "k"})),
        ("case.open", void(&voidable(&fixture), "k2")),
        ("case.purge", json!({"olderThan": "0h"})),
    ] {
        let reply = fixture.call(operation, request);
        assert_eq!(reply["error"]["code"], "store_version", "{operation} {reply}");
    }
    assert!(before == bytes());
}

#[test]
fn no_change_is_skipped_and_next_is_always_a_number() {
    let fixture = Fixture::new("default");
    let empty = fixture.call("case.list", json!({"changedSince": 0}))["data"].clone();
    assert_eq!((&empty["cases"], empty["next"].is_number()), (&json!([]), true), "{empty}");
    let opened: Vec<Value> = (0..5)
        .map(|n| fixture.call("case.open", void(&voidable(&fixture), &format!("k{n}")))["case"].clone())
        .collect();
    let (mut since, mut seen) = (json!(0), Vec::new());
    loop {
        let page = fixture.call("case.list", json!({"changedSince": since, "limit": 2}))["data"].clone();
        let cases = page["cases"].as_array().unwrap().clone();
        since = page["next"].clone();
        let is_last = cases.len() < 2;
        seen.extend(cases);
        if is_last {
            break;
        }
    }
    // Also the number in the reply of the call that made the change.
    assert_eq!(seen, opened);
    let numbers: Vec<i64> = seen.iter().map(|case| case["change"].as_i64().unwrap()).collect();
    assert!(numbers.is_sorted() && numbers.iter().all(|n| *n < 1 << 53), "{numbers:?}");
    assert_eq!(fixture.call("case.list", json!({"changedSince": since}))["data"]["cases"], json!([]));
    fixture.vendor.advance("10m").unwrap();
    let changed = fixture.call("case.reconcile", json!({"key": "k1"}))["case"].clone();
    let page = fixture.call("case.list", json!({"changedSince": since}))["data"]["cases"].clone();
    assert_eq!(page, json!([changed]));
    // Without it, `next` is an id or null.
    assert_eq!(fixture.call("case.list", json!({"limit": 2}))["data"]["next"], opened[1]["id"]);
    assert!(fixture.call("case.list", json!({}))["data"]["next"].is_null());
    let ahead = fixture.call("case.list", json!({"changedSince": 1_000_000}));
    assert_eq!(ahead["error"]["code"], "store_rewound", "{ahead}");
    assert!(ahead["error"]["details"][0]["highest"].as_i64().unwrap() >= *numbers.last().unwrap(), "{ahead}");
}

/// Case `k`: an ancillary order that was paid and ticketed.
fn paid_ancillary(fixture: &Fixture) -> (Value, Value) {
    let order = fixture.order(json!({"passengers": 1}));
    let mut request = fixture.ancillary(&order, "k");
    request["payment"] = json!({"paymentMethod": 1});
    let opened = fixture.call("case.open", request.clone());
    let case = fixture.follow(&opened["case"]["id"], "5m", 20);
    assert_eq!((&case["final"], &case["outcome"]), (&json!(true), &json!("executed")), "{case}");
    (request, case)
}

#[test]
fn purge_does_not_forget_what_a_key_meant_nor_that_an_order_was_paid() {
    let fixture = Fixture::new("default");
    let (request, case) = paid_ancillary(&fixture);
    let early = fixture.call("case.purge", json!({"olderThan": "1h"}));
    assert_eq!(early["data"]["purged"], 0, "{early}");
    let purged = fixture.call("case.purge", json!({"olderThan": "0h"}));
    assert_eq!(purged["data"]["purged"], 1, "{purged}");
    let remnant = json!({
        "id": case["id"], "key": "k", "kind": "ancillary", "orderNo": case["orderNo"], "outcome": "executed",
        "final": true, "purged": true,
    });
    for (operation, request) in
        [("case.get", json!({"key": "k"})), ("case.get", json!({"id": case["id"]})), ("case.open", request.clone())]
    {
        let reply = fixture.call(operation, request);
        assert_eq!((&reply["data"], &reply["outcome"]), (&remnant, &json!("executed")), "{operation} {reply}");
    }
    let mut other = request;
    other["products"][0]["productCode"] = json!("SIM_BAG_1PC_20KG");
    assert_eq!(fixture.call("case.open", other)["error"]["code"], "key_reused");
    let again = fixture.call("pay", json!({"orderNo": case["code"], "paymentMethod": 1}));
    assert_eq!((&again["error"]["code"], &again["outcome"]), (&json!("conflict"), &json!("not_executed")), "{again}");
    assert_eq!(fixture.sent("pay"), 1);
    // A reader of changes is warned that something is gone.
    let changes = fixture.call("case.list", json!({"changedSince": 0}));
    assert_eq!(changes["warnings"][0]["code"], "changes_purged", "{changes}");
    let changes = fixture.call("case.list", json!({"changedSince": changes["data"]["next"]}));
    assert_eq!(changes["warnings"], json!([]), "{changes}");
    // The bytes are gone from file and log; what a server keeps in its log is its own.
    crate::file_only!();
    for end in ["", "-wal"] {
        let bytes = std::fs::read(beside(&fixture.file, end)).unwrap();
        assert!(!bytes.windows(14).any(|window| window == b"SIM_BAG_1PC_15"), "{end}");
    }
}

#[test]
fn a_key_that_was_never_bound_becomes_free() {
    let fixture = Fixture::new("default");
    let order = voidable(&fixture);
    let mut request = void(&order, "k");
    request["expect"] = json!({"currency": "EUR"});
    let refused = fixture.call("case.open", request);
    assert_eq!(refused["error"]["code"], "guard_currency", "{refused}");
    assert_eq!(fixture.call("case.purge", json!({"olderThan": "0h"}))["data"]["purged"], 1);
    assert_eq!(fixture.call("case.get", json!({"key": "k"}))["error"]["code"], "not_found");
    let opened = fixture.call("case.open", void(&order, "k"));
    assert_eq!(opened["outcome"], "executed", "{opened}");
}

#[test]
fn purge_takes_only_final_unwatched_cases() {
    let fixture = Fixture::new("default");
    let open = fixture.call("case.open", void(&voidable(&fixture), "open"));
    assert_eq!(open["case"]["final"], false, "{open}");
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "drop_before"})).unwrap();
    let watched = fixture.call("case.open", void(&voidable(&fixture), "watched"));
    let watched = fixture.follow(&watched["case"]["id"], "40s", 20);
    assert_eq!(watched["outcome"], "not_executed", "{watched}");
    assert_eq!(fixture.call("case.purge", json!({"olderThan": "0h"}))["data"]["purged"], 0);
    assert_eq!(fixture.call("case.purge", json!({"olderThan": "2100-01-01T00:00:00+08:00"}))["data"]["purged"], 0);
    let bad = fixture.call("case.purge", json!({"olderThan": "2100-01-01T00:00:00"}));
    assert_eq!(bad["error"]["code"], "bad_request", "{bad}");
}

#[test]
fn a_store_that_was_moved_takes_no_writes_and_the_other_one_has_its_cases() {
    file_only!();
    let fixture = Fixture::with("default", json!({"account": "a"}));
    let order = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
    let request = json!({"kind": "void", "orderNo": order, "key": "k"});
    let opened = fixture.call("case.open", request.clone());
    assert_eq!(opened["outcome"], "executed", "{opened}");
    let other = Fixture::with("default", json!({"account": "a"}));
    let from = json!({"path": fixture.file});
    let moved = other.call("case.import", json!({"from": from}));
    let data = &moved["data"];
    assert_eq!(
        (&data["imported"], &data["cases"], &data["accounts"]),
        (&json!(true), &json!(1), &json!(["a"])),
        "{moved}"
    );
    let again = other.call("case.import", json!({"from": from}));
    assert_eq!((&again["data"]["imported"], &again["data"]["done"]), (&json!(false), &json!(true)), "{again}");
    assert_eq!(other.call("case.open", request.clone())["case"]["id"], opened["case"]["id"]);
    let refused = fixture.call("case.open", json!({"kind": "void", "orderNo": order, "key": "k2"}));
    assert_eq!(
        (&refused["error"]["code"], &refused["outcome"]),
        (&json!("store_moved"), &json!("unknown")),
        "{refused}"
    );
    assert_eq!(fixture.call("case.get", json!({"key": "k"}))["case"]["id"], opened["case"]["id"]);
    // A third store gets nothing of it.
    let third = Fixture::with("default", json!({"account": "a"}));
    assert_eq!(third.call("case.import", json!({"from": from}))["error"]["code"], "store_moved");
}
