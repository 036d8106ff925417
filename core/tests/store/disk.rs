//! Disks that are full, and files and directories that must not be written.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

use crate::child;
use crate::stage::{Stage, beside, bytes, call, checkpoint, void};

#[test]
fn a_full_disk_at_any_write() {
    let stage = Stage::new("default");
    let orders: Vec<String> = (0..90).map(|_| stage.young()).collect();
    let key = |nth: usize| format!("full-{nth}");
    let steps: Vec<Value> = orders
        .iter()
        .enumerate()
        .map(|(nth, order)| json!({"room": nth * 2_100, "call": "case.open", "request": void(order, &key(nth))}))
        .collect();
    let told = child::answers(child::start(&json!({"config": stage.config(), "steps": steps})));
    assert_eq!(told.len(), orders.len());
    let mut seen = std::collections::BTreeMap::new();
    for (nth, (reply, order)) in told.iter().zip(&orders).enumerate() {
        let (sent, executed) = (stage.sent("void", order), stage.executed("void", order));
        let word = reply["outcome"].as_str().unwrap();
        let status = reply["error"]["status"].as_i64().unwrap_or(0);
        *seen.entry((status, word.to_owned())).or_insert(0) += 1;
        match word {
            "executed" => assert_eq!(executed, 1, "{nth} {reply}"),
            "not_executed" => assert_eq!((executed, sent), (0, 0), "{nth} {reply}"),
            _ => {}
        }
        assert!(status == 0 || status == -60, "{nth} {reply}");
        if status == -60 {
            let code = reply["error"]["code"].as_str().unwrap();
            assert!(["store_full", "store_io"].contains(&code), "{nth} {reply}");
        }
    }
    let some = |status: i64, word: &str| seen.get(&(status, word.to_owned())).is_some_and(|n| *n > 0);
    assert!(
        some(-60, "not_executed") && some(-60, "executed") && some(0, "executed"),
        "not every place was hit: {seen:?}"
    );
    // There is room again: the same keys find out, and nothing is sent twice.
    let client = stage.client();
    for (nth, order) in orders.iter().enumerate() {
        call(&client, "case.open", void(order, &key(nth)));
        let case = stage.settle(&client, &key(nth));
        assert_eq!(case["outcome"], "executed", "{nth} {case}");
        assert_eq!((stage.sent("void", order), stage.executed("void", order)), (1, 1), "{nth} {case}");
    }
}

/// Rights do not bind root: then the child is nobody.
fn nobody(stage: &Stage, file: &Path, steps: Value) -> Vec<Value> {
    let mut plan = json!({"config": stage.config_at(file), "steps": steps});
    if nix::unistd::geteuid().is_root() {
        plan["uid"] = json!(65534);
    }
    child::answers(child::start(&plan))
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_must_not_be_written_is_refused() {
    let stage = Stage::new("default");
    mode(&stage.dir, 0o755);
    let order = stage.young();
    let steps = json!([{"call": "case.open", "request": void(&order, "k")}]);
    // A directory that takes no new file.
    let closed = stage.dir.join("closed");
    std::fs::create_dir(&closed).unwrap();
    mode(&closed, 0o555);
    let told = nobody(&stage, &closed.join("cases.db"), steps.clone());
    assert_eq!(told, [json!({"code": "store_readonly", "status": -60})]);
    // Stores with too few rights on the file, or on the directory that the log belongs into.
    for (name, directory, rights, code) in [
        ("no-file", 0o755, 0o600, "store_readonly"),
        ("read-file", 0o755, 0o644, "store_readonly"),
        ("read-directory", 0o555, 0o666, "store_readonly"),
    ] {
        let home = stage.dir.join(name);
        std::fs::create_dir(&home).unwrap();
        let file = home.join("cases.db");
        drop(crate::stage::client(&stage.config_at(&file)));
        checkpoint(&file);
        for end in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(beside(&file, end));
        }
        mode(&file, if nix::unistd::geteuid().is_root() { rights } else { rights & 0o444 });
        mode(&home, directory);
        let before = bytes(&file);
        let told = nobody(&stage, &file, steps.clone());
        assert_eq!(told, [json!({"code": code, "status": -60})], "{name}");
        assert_eq!(bytes(&file), before, "{name}");
        mode(&home, 0o755);
    }
    mode(&closed, 0o755);
    assert_eq!(stage.sent("void", &order), 0);
}

#[test]
fn only_the_owner_can_read_it() {
    for umask in [0o000, 0o022, 0o177, 0o777] {
        let stage = Stage::new("default");
        let order = stage.young();
        stage.vendor.fault(json!({"endpoint": "void", "mode": "drop_after"})).unwrap();
        let steps = json!([{"call": "case.open", "request": void(&order, "k")}]);
        let told = child::answers(child::start(&json!({"config": stage.config(), "umask": umask, "steps": steps})));
        assert!(told[0]["case"].is_object(), "{told:?}");
        modes(&stage, &format!("umask {umask:o}"));
    }
    // A file that lay there empty, and a copy that was restored with wider rights.
    let stage = Stage::new("default");
    std::fs::write(stage.file(), "").unwrap();
    mode(&stage.file(), 0o666);
    call(&stage.client(), "case.open", void(&stage.young(), "k"));
    modes(&stage, "an empty file");
    for end in ["", "-wal", "-shm"] {
        mode(&beside(&stage.file(), end), 0o644);
    }
    call(&stage.client(), "case.list", json!({}));
    modes(&stage, "a restored file");
}

fn modes(stage: &Stage, what: &str) {
    for end in ["", "-wal", "-shm"] {
        let mode = std::fs::metadata(beside(&stage.file(), end)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{what}: {mode:o} of {end:?}");
    }
}
