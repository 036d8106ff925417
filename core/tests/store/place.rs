//! Where a store's file lies: under two names, on mounts, restored beside a log that is not its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use atlas_postbooking::blocking::Client;
use serde_json::{Value, json};

use crate::child;
use crate::fixture::{Fixture, beside, bytes, call, checkpoint, client, void};

fn refusal(config: &Value) -> (String, String) {
    match Client::new(&config.to_string()) {
        Ok(_) => ("opened".to_owned(), String::new()),
        Err(error) => (error.code.as_str().to_owned(), error.message),
    }
}

/// A mount that is gone at the end; None, and a word, where this process may not mount.
struct Mounted(PathBuf);

impl Mounted {
    fn new(options: &[&str], from: &Path, to: &Path) -> Option<Mounted> {
        let done = Command::new("mount").args(options).arg(from).arg(to).output();
        match done.is_ok_and(|done| done.status.success()) {
            true => Some(Mounted(to.to_owned())),
            false => {
                println!("SKIPPED: mount {} is not possible here", options.join(" "));
                None
            }
        }
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_file_with_a_second_name_is_refused_and_opens_when_the_name_is_gone() {
    let fixture = Fixture::new("default");
    call(&fixture.client(), "case.open", void(&fixture.voidable(), "k"));
    let other = fixture.dir.join("other.db");
    std::fs::hard_link(fixture.file(), &other).unwrap();
    let before = (bytes(&fixture.file()), bytes(&beside(&fixture.file(), "-wal")));
    for file in [&fixture.file(), &other] {
        let (code, message) = refusal(&fixture.config_at(file));
        assert!(code == "store_unavailable" && message.contains("hard link"), "{code} {message}");
    }
    assert!(!beside(&other, "-wal").exists());
    assert_eq!((bytes(&fixture.file()), bytes(&beside(&fixture.file(), "-wal"))), before);
    std::fs::remove_file(other).unwrap();
    let reply = call(&fixture.client(), "case.get", json!({"key": "k"}));
    assert_eq!(reply["outcome"], "executed", "{reply}");
    // A name that leads to the one name is none of its own.
    let link = fixture.dir.join("link.db");
    std::os::unix::fs::symlink(fixture.file(), &link).unwrap();
    let mut config = fixture.config_at(&link);
    config["store"]["witnessFile"] = json!(beside(&fixture.file(), "-witness"));
    let reply = call(&client(&config), "case.get", json!({"key": "k"}));
    assert_eq!(reply["outcome"], "executed", "{reply}");
}

#[test]
fn a_file_that_is_mounted_by_itself_is_refused_and_a_mounted_directory_is_not() {
    let fixture = Fixture::new("default");
    let order = fixture.voidable();
    call(&fixture.client(), "case.open", void(&order, "k"));
    let container = fixture.dir.join("container");
    std::fs::create_dir(&container).unwrap();
    let inside = container.join("cases.db");
    std::fs::write(&inside, "").unwrap();
    let Some(mounted) = Mounted::new(&["--bind"], &fixture.file(), &inside) else { return };
    let (code, message) = refusal(&fixture.config_at(&inside));
    assert!(code == "store_unavailable" && message.contains("mount its directory"), "{code} {message}");
    assert!(!beside(&inside, "-wal").exists());
    drop(mounted);
    let Some(_mounted) = Mounted::new(&["--bind"], &fixture.dir, &container) else { return };
    let mut config = fixture.config_at(&inside);
    config["store"]["witnessFile"] = json!(beside(&fixture.file(), "-witness"));
    let reply = call(&client(&config), "case.get", json!({"key": "k"}));
    assert_eq!(reply["outcome"], "executed", "{reply}");
}

#[test]
fn processes_share_a_store_on_an_overlay() {
    let fixture = Fixture::new("default");
    let [lower, upper, work, merged] = ["lower", "upper", "work", "merged"].map(|name| fixture.dir.join(name));
    for directory in [&lower, &upper, &work, &merged] {
        std::fs::create_dir(directory).unwrap();
    }
    let options = format!("lowerdir={},upperdir={},workdir={}", lower.display(), upper.display(), work.display());
    let Some(_mounted) = Mounted::new(&["-t", "overlay", "-o", &options], Path::new("overlay"), &merged) else {
        return;
    };
    let order = fixture.voidable();
    let plan = json!({
        "config": fixture.config_at(&merged.join("cases.db")),
        "steps": [{"call": "case.open", "request": void(&order, "k")}],
    });
    let children: Vec<_> = (0..4).map(|_| child::start(&plan)).collect();
    for replies in children.into_iter().map(child::results) {
        assert!(["executed", "pending"].contains(&replies[0]["outcome"].as_str().unwrap()), "{replies:?}");
    }
    assert_eq!((fixture.sent("void", &order), fixture.executed("void", &order)), (1, 1));
}

/// Yesterday's file, by its name or over its bytes, beside the log of today: nothing may be sent on the strength of it.
#[test]
fn a_restored_file_beside_a_newer_log_is_noticed_or_has_every_case() {
    for (nth, in_place) in [false, true].into_iter().enumerate() {
        let fixture = Fixture::new("default");
        let first = fixture.voidable();
        call(&fixture.client(), "case.open", void(&first, "first"));
        checkpoint(&fixture.file());
        let yesterday = bytes(&fixture.file());
        for day in ["moved", "in the log"] {
            for part in 0..3 {
                let reply = call(&fixture.client(), "case.open", void(&fixture.voidable(), &format!("{day} {part}")));
                assert_eq!(reply["outcome"], "executed", "{reply}");
            }
            if day == "moved" {
                checkpoint(&fixture.file());
            }
        }
        if !in_place {
            std::fs::remove_file(fixture.file()).unwrap();
        }
        std::fs::write(fixture.file(), yesterday).unwrap();
        let new = fixture.voidable();
        let code = match Client::new(&fixture.config().to_string()) {
            Err(error) => error.code.as_str().to_owned(),
            Ok(client) => {
                call(&client, "case.open", void(&new, "new"))["error"]["code"].as_str().unwrap_or("none").to_owned()
            }
        };
        // Part of its pages are of yesterday: that is damage, or seen to be older.
        assert!(["store_corrupt", "store_rewound"].contains(&&*code), "{nth}: {code}");
        assert_eq!(fixture.sent("void", &new), 0);
    }
}

#[test]
fn an_index_of_the_log_that_is_cut_is_made_anew() {
    let fixture = Fixture::new("default");
    let client = fixture.client();
    for (nth, length) in [0, 1, 100, 32_768, 40_000].into_iter().enumerate() {
        let key = format!("k{nth}");
        let reply = call(&client, "case.open", void(&fixture.voidable(), &key));
        assert_eq!(reply["outcome"], "executed", "{reply}");
        let index = beside(&fixture.file(), "-shm");
        std::fs::OpenOptions::new().write(true).open(index).unwrap().set_len(length).unwrap();
        for part in 0..=nth {
            let reply = call(&client, "case.get", json!({"key": format!("k{part}")}));
            assert_eq!(reply["outcome"], "executed", "{length}: {reply}");
        }
    }
    let connection = rusqlite::Connection::open(fixture.file()).unwrap();
    let sound: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
}

/// A process that was stopped in the middle of a write keeps the file locked: calls of others cost their own time.
#[test]
fn a_stopped_process_that_holds_the_lock_costs_a_call_its_own_time() {
    use nix::sys::signal::{Signal, kill};
    let fixture = Fixture::new("default");
    let client = fixture.client();
    let order = fixture.voidable();
    let holder = Command::new("python3")
        .arg("-c")
        .arg("import sqlite3,sys,time; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('BEGIN IMMEDIATE'); print('held', flush=True); time.sleep(60)")
        .arg(fixture.file())
        .stdout(std::process::Stdio::piped())
        .spawn();
    let Ok(mut holder) = holder else { return println!("SKIPPED: no python3") };
    let mut word = [0; 4];
    std::io::Read::read_exact(holder.stdout.as_mut().unwrap(), &mut word).unwrap();
    let pid = nix::unistd::Pid::from_raw(holder.id() as i32);
    kill(pid, Signal::SIGSTOP).unwrap();
    let begun = Instant::now();
    let reply = client.call("case.open", &void(&order, "k").to_string(), r#"{"timeoutMs":700}"#).json().to_owned();
    let spent = begun.elapsed();
    kill(pid, Signal::SIGKILL).unwrap();
    holder.wait().unwrap();
    let reply: Value = serde_json::from_str(&reply).unwrap();
    assert_eq!(reply["error"]["code"], "store_busy", "{reply}");
    assert!(spent < Duration::from_secs(4), "{spent:?}");
    assert_eq!(fixture.sent("void", &order), 0);
    let reply = call(&client, "case.open", void(&order, "k"));
    assert_eq!((&reply["outcome"], fixture.sent("void", &order)), (&json!("executed"), 1), "{reply}");
}

#[test]
fn a_reader_without_end_is_reported_and_stops_new_cases_before_the_disk_is_full() {
    let fixture = Fixture::new("default");
    let client = fixture.client();
    call(&client, "case.open", void(&fixture.voidable(), "first"));
    let reader = rusqlite::Connection::open(fixture.file()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM cases").unwrap();
    call(&client, "case.open", void(&fixture.voidable(), "second"));
    let log = beside(&fixture.file(), "-wal");
    let warnings = || call(&client, "case.stats", json!({}))["warnings"].clone();
    assert_eq!(warnings(), json!([]));
    // What is behind the last transaction is nothing to SQLite.
    let grow =
        |megabytes: u64| std::fs::OpenOptions::new().write(true).open(&log).unwrap().set_len(megabytes << 20).unwrap();
    grow(17);
    assert_eq!(warnings()[0]["code"], "store_log_held");
    grow(513);
    let order = fixture.voidable();
    let reply = call(&client, "case.open", void(&order, "third"));
    assert_eq!((&reply["error"]["code"], &reply["outcome"]), (&json!("store_busy"), &json!("not_executed")), "{reply}");
    assert_eq!(fixture.sent("void", &order), 0);
    assert_eq!(call(&client, "case.get", json!({"key": "second"}))["outcome"], "executed");
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(warnings(), json!([]));
    let reply = call(&client, "case.open", void(&order, "third"));
    assert_eq!(reply["outcome"], "executed", "{reply}");
}
