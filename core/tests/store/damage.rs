//! Files that are not a case store, or are damaged.

use std::path::Path;

use atlas_postbooking::blocking::Client;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::fixture::{Fixture, beside, bytes, call, checkpoint, client, void};

/// The file is refused with one of these codes, and was not changed.
fn refused(fixture: &Fixture, file: &Path, codes: &[&str]) -> Result<(), String> {
    let all = |file: &Path| [bytes(file), bytes(&beside(file, "-wal"))];
    let before = all(file);
    let (code, status) = match Client::new(&fixture.config_at(file).to_string()) {
        Ok(_) => ("opened".to_owned(), 0),
        Err(error) => (error.code.as_str().to_owned(), error.status.number()),
    };
    let unchanged = before == all(file);
    match codes.contains(&&*code) && status == -60 && unchanged {
        true => Ok(()),
        false => Err(format!("{}: {code} {status}, unchanged: {unchanged}", file.display())),
    }
}

/// Makes a store with a settled and an unknown case, with an empty log; gives the cases as `case.get` has them.
fn store(fixture: &Fixture) -> Vec<(String, Value)> {
    let client = fixture.client();
    let (one, two) = (fixture.voidable(), fixture.voidable());
    call(&client, "case.open", void(&one, "settled"));
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "drop_before"})).unwrap();
    call(&client, "case.open", void(&two, "unknown"));
    checkpoint(&fixture.file());
    ["settled", "unknown"]
        .map(|key| (key.to_owned(), call(&client, "case.get", json!({"key": key}))["case"].clone()))
        .to_vec()
}

#[test]
fn a_file_that_is_not_a_case_store_is_refused_unchanged() {
    let fixture = Fixture::new("default");
    let mut wrong = Vec::new();
    let mut expect = |name: &str, codes: &[&str], make: &dyn Fn(&Path)| {
        let file = fixture.dir.join(name);
        make(&file);
        wrong.extend(refused(&fixture, &file, codes).err());
    };
    expect("text", &["store_corrupt"], &|file| {
        std::fs::write(file, "Dear diary, today nothing was refunded.").unwrap()
    });
    expect("long-text", &["store_corrupt"], &|file| std::fs::write(file, "no ".repeat(9000)).unwrap());
    expect("zeros", &["store_corrupt"], &|file| std::fs::write(file, vec![0; 8192]).unwrap());
    expect("directory", &["store_unavailable"], &|file| std::fs::create_dir(file).unwrap());
    expect("missing/cases.db", &["store_unavailable"], &|_| {});
    let foreign = |file: &Path, pragmas: &str| {
        let connection = Connection::open(file).unwrap();
        connection.execute_batch(pragmas).unwrap();
        connection
            .execute_batch("CREATE TABLE bookings (id INTEGER PRIMARY KEY); INSERT INTO bookings VALUES (7)")
            .unwrap();
        connection
    };
    for (name, pragmas) in [
        ("foreign", ""),
        ("foreign-1", "PRAGMA user_version = 1"),
        ("foreign-9", "PRAGMA user_version = 9"),
        ("foreign-app", "PRAGMA application_id = 1196444487"),
        ("foreign-wal", "PRAGMA journal_mode = WAL"),
        ("foreign-cases", "CREATE TABLE cases (id TEXT)"),
    ] {
        expect(name, &["store_corrupt"], &|file| drop(foreign(file, pragmas)));
    }
    // Another program has its database open, and its tables are still in the log.
    let open = foreign(&fixture.dir.join("foreign-open"), "PRAGMA journal_mode = WAL");
    expect("foreign-open", &["store_corrupt"], &|_| {});
    drop(open);
    // A case store of a newer layout; also while only the log has the number.
    for (name, moved) in [("newer", true), ("newer-in-log", false)] {
        expect(name, &["store_version"], &|file| {
            drop(client(&fixture.config_at(file)));
            checkpoint(file);
            let connection = Connection::open(file).unwrap();
            connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !moved).unwrap();
            connection.execute_batch("PRAGMA user_version = 3").unwrap();
        });
    }
    expect("log-alone", &["store_corrupt"], &|file| {
        std::fs::write(file, "").unwrap();
        std::fs::write(beside(file, "-wal"), vec![7; 5000]).unwrap();
    });
    assert_eq!(wrong, Vec::<String>::new());
    let sent: Vec<Value> = fixture.vendor.requests().into_iter().filter(|r| r["endpoint"] != Value::Null).collect();
    assert_eq!(sent, Vec::<Value>::new());
}

#[test]
fn a_cut_file_is_refused() {
    let fixture = Fixture::new("default");
    store(&fixture);
    let whole = bytes(&fixture.file());
    let mut wrong = Vec::new();
    for length in [1, 15, 16, 99, 100, 101, 511, 4095, 4096, 4097, 8192, 20_000, whole.len() - 4096, whole.len() - 1] {
        let file = fixture.dir.join(format!("cut-{length}"));
        std::fs::write(&file, &whole[..length]).unwrap();
        wrong.extend(refused(&fixture, &file, &["store_corrupt"]).err());
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_file_whose_first_page_was_cut_while_it_was_made_is_made() {
    let fixture = Fixture::new("default");
    let file = fixture.dir.join("begun");
    Connection::open(&file).unwrap().execute_batch("PRAGMA journal_mode = WAL").unwrap();
    let page = bytes(&file);
    // The journal of a file that was empty before (sqlite.org/fileformat2.html, section 3): no page in it, 512 bytes.
    let mut journal = [0; 512];
    journal[..8].copy_from_slice(&[0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]);
    (journal[22], journal[26]) = (2, 0x10);
    for length in [108, 512, 2048, 4095] {
        let file = fixture.dir.join(format!("begun-{length}"));
        std::fs::write(&file, &page[..length]).unwrap();
        assert_eq!(refused(&fixture, &file, &["store_corrupt"]), Ok(()), "without its journal");
        std::fs::write(beside(&file, "-journal"), journal).unwrap();
        let client = client(&fixture.config_at(&file));
        let opened = call(&client, "case.open", void(&fixture.voidable(), &format!("k{length}")));
        assert_eq!(opened["outcome"], "executed", "{length}: {opened}");
    }
    // No file that was made once.
    let whole = fixture.file();
    store(&fixture);
    let file = fixture.dir.join("cut");
    std::fs::write(&file, &bytes(&whole)[..2048]).unwrap();
    std::fs::write(beside(&file, "-journal"), journal).unwrap();
    assert_eq!(refused(&fixture, &file, &["store_corrupt"]), Ok(()));
}

#[test]
fn a_row_with_another_id_in_its_text_is_the_case_of_its_column() {
    let fixture = Fixture::new("default");
    store(&fixture);
    let connection = Connection::open(fixture.file()).unwrap();
    let sql = "UPDATE cases SET body = json_set(body, '$.id', '00000000000000000000000000') WHERE key = 'unknown'";
    assert_eq!(connection.execute(sql, []).unwrap(), 1);
    drop(connection);
    let (sender, receiver) = std::sync::mpsc::channel();
    let client = fixture.client();
    std::thread::spawn(move || sender.send(call(&client, "case.reconcile", json!({"all": true}))));
    let ended = receiver.recv_timeout(std::time::Duration::from_secs(30));
    assert_eq!(ended.expect("the same page came again and again")["data"]["asked"], 1);
}

/// What other cases have done with the order cannot be read for a moment: that is no refusal.
#[test]
fn a_quotation_beside_a_store_that_cannot_be_read_leaves_the_case_planned() {
    for (kind, endpoint) in [("void", "voidQuotation"), ("refund", "refundQuotation")] {
        let fixture = Fixture::new("default");
        let client = fixture.client();
        call(&client, "case.list", json!({}));
        fixture.vendor.fault(json!({"endpoint": endpoint, "mode": "delay", "delayMs": 1500})).unwrap();
        let request = json!({"kind": kind, "orderNo": fixture.voidable(), "key": "k"});
        let rename = |from: &str, to: &str| {
            let connection = Connection::open(fixture.file()).unwrap();
            connection.execute_batch(&format!("ALTER TABLE {from} RENAME TO {to}")).unwrap();
        };
        let asked = || fixture.vendor.requests().iter().any(|r| r["endpoint"] == endpoint);
        let opened = std::thread::scope(|scope| {
            let opening = scope.spawn(|| call(&client, "case.open", request.clone()));
            let begun = std::time::Instant::now();
            while !asked() {
                assert!(begun.elapsed().as_secs() < 20, "nothing was asked");
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            rename("remnants", "away");
            let opened = opening.join().unwrap();
            rename("away", "remnants");
            opened
        });
        assert_eq!((&opened["outcome"], &opened["case"]["state"]), (&json!("pending"), &json!("planned")), "{opened}");
        assert_eq!(opened["error"]["code"], "store_corrupt", "{opened}");
        let again = call(&client, "case.open", request);
        assert_eq!(again["outcome"], "executed", "{again}");
    }
}

#[test]
fn a_flipped_bit_in_the_header_is_refused_or_changes_no_case() {
    let fixture = Fixture::new("default");
    let cases = store(&fixture);
    let whole = bytes(&fixture.file());
    let file = fixture.dir.join("flipped");
    let mut wrong = Vec::new();
    for bit in 0..800 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&file, &flipped).unwrap();
        match Client::new(&fixture.config_at(&file).to_string()) {
            Err(error) => {
                let known = ["store_corrupt", "store_version", "store_readonly"].contains(&error.code.as_str());
                if !known || bytes(&file) != flipped {
                    let same = bytes(&file) == flipped;
                    wrong.push(format!("byte {} bit {}: {error}, {}, unchanged: {same}", bit / 8, bit % 8, error.code));
                }
            }
            Ok(client) => {
                for (key, case) in &cases {
                    let reply = call(&client, "case.get", json!({"key": key}));
                    if reply["case"] != *case {
                        wrong.push(format!("byte {} bit {}: {reply}", bit / 8, bit % 8));
                    }
                }
            }
        }
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(beside(&file, end));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_flipped_bit_anywhere_gives_an_error_and_never_a_panic() {
    let fixture = Fixture::new("default");
    store(&fixture);
    let whole = bytes(&fixture.file());
    let file = fixture.dir.join("flipped");
    for _ in 0..300 {
        let mut flipped = whole.clone();
        let at = crate::fixture::random() as usize % (flipped.len() * 8);
        flipped[at / 8] ^= 1 << (at % 8);
        std::fs::write(&file, &flipped).unwrap();
        match Client::new(&fixture.config_at(&file).to_string()) {
            Err(error) => assert!(error.status.number() == -60 && bytes(&file) == flipped, "bit {at}: {error}"),
            // Damage that the check at the start cannot see is reported by the call that reads it.
            Ok(client) => {
                let reply = call(&client, "case.get", json!({"key": "settled"}));
                let codes = ["store_corrupt", "store_io", "not_found"];
                let is_reported = reply["error"]["code"].as_str().is_some_and(|code| codes.contains(&code));
                assert!(reply["ok"] == true || is_reported, "bit {at}: {reply}");
            }
        }
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(beside(&file, end));
        }
    }
}

#[test]
fn a_torn_log_loses_nothing_that_a_call_reported() {
    let fixture = Fixture::new("default");
    let log = beside(&fixture.file(), "-wal");
    let client = fixture.client();
    let base = bytes(&fixture.file());
    // Unknown cases: nothing is settled, so that the log only grows. Each with the length of the log behind it.
    let mut reported = Vec::new();
    for nth in 0..4 {
        let (order, key) = (fixture.voidable(), format!("k{nth}"));
        fixture.vendor.fault(json!({"endpoint": "void", "mode": "drop_before"})).unwrap();
        let reply = call(&client, "case.open", void(&order, &key));
        assert_eq!(reply["outcome"], "unknown", "{reply}");
        reported.push((key, reply["case"].clone(), bytes(&log).len()));
    }
    assert_eq!(bytes(&fixture.file()), base, "the log was moved into the file: use fewer cases");
    let whole = bytes(&log);
    const FRAME: usize = 4096 + 24;
    let mut cuts: Vec<(usize, usize)> = vec![(0, 0), (1, 0), (31, 0), (32, 0)];
    for at in (32..=whole.len()).step_by(FRAME) {
        cuts.extend([(at, 0), (at, 100), (at + 23, 0), (at + 24, 0), (at + 2000, 0), (at + 2000, 3000)]);
    }
    let mut tried = 0;
    for (at, garbage) in cuts.into_iter().filter(|(at, _)| *at <= whole.len()) {
        tried += 1;
        let file = fixture.dir.join(format!("torn-{at}-{garbage}"));
        std::fs::write(&file, &base).unwrap();
        let mut torn = whole[..at].to_vec();
        torn.extend((0..garbage).map(|n| (n * 31 + at) as u8));
        std::fs::write(beside(&file, "-wal"), torn).unwrap();
        let client = crate::fixture::client(&fixture.config_at(&file));
        for (key, case, length) in &reported {
            let reply = call(&client, "case.get", json!({"key": key}));
            if *length <= at {
                assert_eq!(reply["case"], *case, "cut at {at} and {garbage} bytes of garbage");
            } else {
                assert!(reply["ok"] == true || reply["error"]["code"] == "not_found", "{reply}");
            }
        }
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(beside(&file, end));
        }
    }
    assert!(tried > 200, "{tried}");
}
