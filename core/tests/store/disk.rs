//! Full disks, and files and directories without the right to write.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

use crate::child;
use crate::fixture::{Fixture, beside, bytes, call, checkpoint, void};

#[test]
fn a_full_disk_at_any_write_gives_the_outcome_of_the_ledger() {
    let fixture = Fixture::new("default");
    let orders: Vec<String> = (0..90).map(|_| fixture.voidable()).collect();
    let key = |nth: usize| format!("full-{nth}");
    let steps: Vec<Value> = orders
        .iter()
        .enumerate()
        .map(|(nth, order)| json!({"room": nth * 2_100, "call": "case.open", "request": void(order, &key(nth))}))
        .collect();
    let results = child::results(child::start(&json!({"config": fixture.config(), "steps": steps})));
    assert_eq!(results.len(), orders.len());
    let mut seen = std::collections::BTreeMap::new();
    for (nth, (reply, order)) in results.iter().zip(&orders).enumerate() {
        let (sent, executed) = (fixture.sent("void", order), fixture.executed("void", order));
        let outcome = reply["outcome"].as_str().unwrap();
        let status = reply["error"]["status"].as_i64().unwrap_or(0);
        *seen.entry((status, outcome.to_owned())).or_insert(0) += 1;
        match outcome {
            "executed" => assert_eq!(executed, 1, "{nth} {reply}"),
            "not_executed" | "pending" => assert_eq!((executed, sent), (0, 0), "{nth} {reply}"),
            _ => {}
        }
        assert!(status == 0 || status == -60, "{nth} {reply}");
        if status == -60 {
            let code = reply["error"]["code"].as_str().unwrap();
            assert!(["store_full", "store_io"].contains(&code), "{nth} {reply}");
        }
    }
    let is_seen = |status: i64, outcome: &str| seen.get(&(status, outcome.to_owned())).is_some_and(|n| *n > 0);
    assert!(
        is_seen(-60, "pending") && is_seen(-60, "executed") && is_seen(0, "executed"),
        "not every write was hit: {seen:?}"
    );
    // There is room again: opening the same keys settles each case, and nothing is sent twice.
    let client = fixture.client();
    for (nth, order) in orders.iter().enumerate() {
        call(&client, "case.open", void(order, &key(nth)));
        let case = fixture.settle(&client, &key(nth));
        assert_eq!(case["outcome"], "executed", "{nth} {case}");
        assert_eq!((fixture.sent("void", order), fixture.executed("void", order)), (1, 1), "{nth} {case}");
    }
}

/// Runs steps in a child that file permissions apply to: root has the child run as user 65534.
fn without_privileges(fixture: &Fixture, file: &Path, steps: Value) -> Vec<Value> {
    let mut plan = json!({"config": fixture.config_at(file), "steps": steps});
    if nix::unistd::geteuid().is_root() {
        plan["uid"] = json!(65534);
    }
    child::results(child::start(&plan))
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_store_without_the_right_to_write_is_refused_unchanged() {
    let fixture = Fixture::new("default");
    mode(&fixture.dir, 0o755);
    let order = fixture.voidable();
    let steps = json!([{"call": "case.open", "request": void(&order, "k")}]);
    // A directory in which no file can be created.
    let closed = fixture.dir.join("closed");
    std::fs::create_dir(&closed).unwrap();
    mode(&closed, 0o555);
    let results = without_privileges(&fixture, &closed.join("cases.db"), steps.clone());
    assert_eq!(results, [json!({"code": "store_readonly", "status": -60})]);
    // Stores whose file cannot be read or written, or whose directory cannot take the log.
    for (name, directory, rights, code) in [
        ("no-file", 0o755, 0o600, "store_readonly"),
        ("read-file", 0o755, 0o644, "store_readonly"),
        ("read-directory", 0o555, 0o666, "store_readonly"),
    ] {
        let home = fixture.dir.join(name);
        std::fs::create_dir(&home).unwrap();
        let file = home.join("cases.db");
        drop(crate::fixture::client(&fixture.config_at(&file)));
        checkpoint(&file);
        for end in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(beside(&file, end));
        }
        mode(&file, if nix::unistd::geteuid().is_root() { rights } else { rights & 0o444 });
        mode(&home, directory);
        let before = bytes(&file);
        let results = without_privileges(&fixture, &file, steps.clone());
        assert_eq!(results, [json!({"code": code, "status": -60})], "{name}");
        assert_eq!(bytes(&file), before, "{name}");
        mode(&home, 0o755);
    }
    mode(&closed, 0o755);
    assert_eq!(fixture.sent("void", &order), 0);
}

#[test]
fn the_files_of_a_store_have_mode_600() {
    for umask in [0o000, 0o022, 0o177, 0o777] {
        let fixture = Fixture::new("default");
        let order = fixture.voidable();
        fixture.vendor.fault(json!({"endpoint": "void", "mode": "drop_after"})).unwrap();
        let steps = json!([{"call": "case.open", "request": void(&order, "k")}]);
        let results =
            child::results(child::start(&json!({"config": fixture.config(), "umask": umask, "steps": steps})));
        assert!(results[0]["case"].is_object(), "{results:?}");
        modes(&fixture, &format!("umask {umask:o}"));
    }
    // A file that was there, empty, and a copy that was restored with more rights.
    let fixture = Fixture::new("default");
    std::fs::write(fixture.file(), "").unwrap();
    mode(&fixture.file(), 0o666);
    call(&fixture.client(), "case.open", void(&fixture.voidable(), "k"));
    modes(&fixture, "an empty file");
    for end in ["", "-wal", "-shm"] {
        mode(&beside(&fixture.file(), end), 0o644);
    }
    call(&fixture.client(), "case.list", json!({}));
    modes(&fixture, "a restored file");
}

fn modes(fixture: &Fixture, what: &str) {
    for end in ["", "-wal", "-shm"] {
        let mode = std::fs::metadata(beside(&fixture.file(), end)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{what}: {mode:o} of {end:?}");
    }
}
