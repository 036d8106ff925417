//! Stores that are older than what was sent through them.

use atlas_postbooking::blocking::Client;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::fixture::Fixture;
use crate::stores::{beside, call, client, copy, put_back, void, voidable};

/// What a rewound store refuses, and what goes on.
fn assert_rewound(fixture: &Fixture, client: &Client, lost: &Value) {
    let sent = fixture.sent("void");
    let reply = call(client, "case.open", lost.clone());
    assert_eq!((&reply["error"]["code"], &reply["outcome"]), (&json!("store_rewound"), &json!("unknown")), "{reply}");
    let order = voidable(fixture);
    let offer = call(client, "voidQuotation", json!({"orderNo": order}))["data"]["voidOfferId"].clone();
    let direct = call(client, "void", json!({"orderNo": order, "voidOfferId": offer}));
    assert_eq!((&direct["error"]["code"], &direct["outcome"]), (&json!("store_rewound"), &json!("not_executed")));
    let purge = call(client, "case.purge", json!({"olderThan": "0h"}));
    assert_eq!(purge["error"]["code"], "store_rewound", "{purge}");
    for (operation, request) in [
        ("case.list", json!({})),
        ("case.export", json!({})),
        ("case.stats", json!({})),
        ("case.reconcile", json!({"all": true})),
        ("case.follow", json!({"all": true})),
    ] {
        assert_eq!(call(client, operation, request)["ok"], true, "{operation}");
    }
    assert_eq!(fixture.sent("void"), sent);
}

#[test]
fn a_store_that_is_older_than_what_was_sent_through_it_sends_nothing_until_somebody_confirmed() {
    crate::file_only!();
    // Overwritten in place, also on a file system without extended attributes; or another file of that name.
    for (same_file, attributes) in [(true, true), (true, false), (false, true)] {
        let fixture = Fixture::new("default");
        let kept = fixture.call("case.open", void(&voidable(&fixture), "kept"));
        let yesterday = copy(&fixture);
        let order = voidable(&fixture);
        let done = fixture.call("case.open", void(&order, "lost"));
        assert_eq!(done["outcome"], "executed", "{done}");
        put_back(&fixture, &yesterday, same_file);
        if !attributes {
            rustix::fs::removexattr(&fixture.file, "user.atlas_postbooking.last_intent").unwrap();
        }
        let client = client(&fixture);
        assert_rewound(&fixture, &client, &void(&order, "lost"));
        // A known key is answered as it stands; so it is by the process that had the file open.
        for client in [&client, &fixture.client] {
            let known = call(client, "case.open", void(kept["case"]["orderNo"].as_str().unwrap(), "kept"));
            assert_eq!((&known["ok"], &known["outcome"]), (&json!(true), &json!("executed")), "{known}");
        }
        let confirmed = call(&client, "case.confirmStore", json!({"by": "me", "evidence": "looked"}));
        assert_eq!(confirmed["data"]["confirmed"], true, "{confirmed}");
        let change = call(&client, "case.get", json!({"key": "kept"}))["case"]["change"].as_i64().unwrap();
        assert!(change > 1 << 32 && change < 1 << 53, "open cases are renumbered: {change}");
        let next = call(&client, "case.open", void(&voidable(&fixture), "next"));
        assert_eq!(next["outcome"], "executed", "{next}");
        let again = call(&client, "case.confirmStore", json!({"by": "me", "evidence": "looked"}));
        assert_eq!(again["error"]["code"], "bad_request", "{again}");
    }
}

#[test]
fn confirm_store_wants_every_unknown_case_asked_about() {
    crate::file_only!();
    confirm_wants(false);
}

#[test]
fn confirm_store_wants_every_planned_case_with_a_step_asked_about() {
    crate::file_only!();
    confirm_wants(true);
}

fn confirm_wants(planned: bool) {
    let fixture = Fixture::new("default");
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "drop_before"})).unwrap();
    let unknown = fixture.call("case.open", void(&voidable(&fixture), "unknown"));
    if planned {
        // As after an attempt that did not leave. A later one may have.
        let sql = "UPDATE cases SET unknown = 0, due = NULL, body = json_set(body, '$.state', 'planned', '$.due', NULL,
                   '$.outcome', 'pending', '$.steps[0].outcome', 'not_executed')";
        Connection::open(&fixture.file).unwrap().execute(sql, []).unwrap();
    }
    let yesterday = copy(&fixture);
    let order = voidable(&fixture);
    fixture.call("case.open", void(&order, "lost"));
    put_back(&fixture, &yesterday, true);
    let client = client(&fixture);
    let confirm = json!({"by": "me", "evidence": "looked"});
    let refused = call(&client, "case.confirmStore", confirm.clone());
    assert_eq!(refused["error"]["code"], "conflict", "{refused}");
    assert_eq!(refused["error"]["details"][0]["message"], unknown["case"]["id"], "{refused}");
    let not_executed = json!({"id": unknown["case"]["id"], "as": "not_executed", "by": "me", "evidence": "none"});
    let resolved = call(&client, "case.resolve", not_executed);
    assert_eq!(resolved["error"]["code"], "store_rewound", "{resolved}");
    if planned {
        let (order, sent) = (unknown["case"]["orderNo"].as_str().unwrap(), fixture.sent("void"));
        let reply = call(&client, "case.open", void(order, "unknown"));
        assert_eq!((&reply["error"]["code"], &reply["case"]["state"]), (&json!("store_rewound"), &json!("planned")));
        assert_eq!(fixture.sent("void"), sent);
    }
    let asked = call(&client, "case.reconcile", json!({"key": "unknown"}));
    assert_eq!(asked["case"]["outcome"], "unknown", "{asked}");
    let confirmed = call(&client, "case.confirmStore", confirm);
    assert_eq!(confirmed["data"]["confirmed"], true, "{confirmed}");
}

#[test]
fn a_missing_witness_a_foreign_one_and_a_lost_store_are_noticed() {
    crate::file_only!();
    // Deleted witness; deleted store beside its witness; both put back together into the file that had sent more.
    for what in ["witness", "store", "both"] {
        let fixture = Fixture::new("default");
        fixture.call("case.open", void(&voidable(&fixture), "kept"));
        let yesterday = copy(&fixture);
        let witness = beside(&fixture.file, "-witness");
        let old_witness = std::fs::read(&witness).unwrap();
        let order = voidable(&fixture);
        fixture.call("case.open", void(&order, "lost"));
        match what {
            "witness" => {
                put_back(&fixture, &yesterday, true);
                std::fs::remove_file(&witness).unwrap();
            }
            "store" => {
                ["", "-wal", "-shm"].iter().for_each(|end| drop(std::fs::remove_file(beside(&fixture.file, end))))
            }
            _ => {
                put_back(&fixture, &yesterday, true);
                std::fs::write(&witness, old_witness).unwrap();
            }
        }
        assert_rewound(&fixture, &client(&fixture), &void(&order, "lost"));
    }
}

/// With yesterday's file of another inode: nothing that stands in the witness's place lets it pass.
#[test]
fn a_witness_that_something_else_has_the_name_of_is_missing() {
    crate::file_only!();
    for what in ["directory", "link to itself", "file where its directory was"] {
        let fixture = Fixture::new("default");
        let folder = beside(&fixture.file, "-elsewhere");
        std::fs::create_dir(&folder).unwrap();
        let witness = folder.join("witness");
        let config = json!({"store": {"path": fixture.file, "witnessFile": witness}});
        let client = || Fixture::client(&fixture.vendor, &fixture.file, &config);
        call(&client(), "case.open", void(&voidable(&fixture), "kept"));
        let yesterday = copy(&fixture);
        let order = voidable(&fixture);
        call(&client(), "case.open", void(&order, "lost"));
        put_back(&fixture, &yesterday, false);
        std::fs::remove_file(&witness).unwrap();
        match what {
            "directory" => std::fs::create_dir(&witness).unwrap(),
            "link to itself" => std::os::unix::fs::symlink(&witness, &witness).unwrap(),
            _ => {
                std::fs::remove_dir(&folder).unwrap();
                std::fs::write(&folder, "").unwrap();
            }
        }
        assert_rewound(&fixture, &client(), &void(&order, "lost"));
        let _ = std::fs::remove_dir_all(&folder).or_else(|_| std::fs::remove_file(&folder));
    }
}

/// Store, log and witness are overwritten while a client is at work, which sends nothing a second time.
#[test]
fn a_client_notices_that_its_file_was_overwritten_in_place() {
    crate::file_only!();
    for attributes in [true, false] {
        let fixture = Fixture::new("default");
        fixture.call("case.open", void(&voidable(&fixture), "kept"));
        let witness = beside(&fixture.file, "-witness");
        let (yesterday, old_witness) = (copy(&fixture), std::fs::read(&witness).unwrap());
        let order = voidable(&fixture);
        fixture.call("case.open", void(&order, "lost"));
        put_back(&fixture, &yesterday, true);
        std::fs::write(&witness, old_witness).unwrap();
        if !attributes {
            rustix::fs::removexattr(&fixture.file, "user.atlas_postbooking.last_intent").unwrap();
        }
        for key in ["lost", "other"] {
            let again = fixture.call("case.open", void(&order, key));
            assert_eq!(again["error"]["code"], "store_rewound", "{again}");
        }
        assert_eq!(fixture.sent("void"), 2);
        assert_rewound(&fixture, &client(&fixture), &void(&order, "lost"));
    }
}

/// The witness is not synced: a loss of power may take its last intents, which the synced store has.
#[test]
fn an_older_witness_beside_a_whole_file_is_no_loss() {
    crate::file_only!();
    let fixture = Fixture::new("default");
    fixture.call("case.open", void(&voidable(&fixture), "one"));
    let witness = beside(&fixture.file, "-witness");
    let older = std::fs::read(&witness).unwrap();
    fixture.call("case.open", void(&voidable(&fixture), "two"));
    std::fs::write(&witness, older).unwrap();
    let reply = call(&client(&fixture), "case.open", void(&voidable(&fixture), "three"));
    assert_eq!((&reply["outcome"], &reply["warnings"]), (&json!("executed"), &json!([])), "{reply}");
}

#[test]
fn another_place_for_the_witness_of_the_same_file_is_no_loss() {
    crate::file_only!();
    let fixture = Fixture::new("default");
    fixture.call("case.open", void(&voidable(&fixture), "one"));
    let elsewhere = beside(&fixture.file, "-elsewhere");
    let store = json!({"store": {"path": fixture.file, "witnessFile": elsewhere}});
    let moved = Fixture::client(&fixture.vendor, &fixture.file, &store);
    let reply = call(&moved, "case.open", void(&voidable(&fixture), "two"));
    assert_eq!((&reply["outcome"], &reply["warnings"]), (&json!("executed"), &json!([])), "{reply}");
    assert!(std::fs::read_to_string(&elsewhere).unwrap().contains(reply["case"]["id"].as_str().unwrap()));
    // A client that still has the old place goes on as well.
    for (client, key) in [(&fixture.client, "three"), (&moved, "four")] {
        let reply = call(client, "case.open", void(&voidable(&fixture), key));
        assert_eq!((&reply["outcome"], &reply["warnings"]), (&json!("executed"), &json!([])), "{reply}");
    }
    std::fs::remove_file(elsewhere).unwrap();
}

#[test]
fn a_witness_that_cannot_be_written_is_a_warning() {
    crate::file_only!();
    let fixture = Fixture::new("default");
    let store = json!({"store": {"path": fixture.file, "witnessFile": "/proc/no-such-place/witness"}});
    let client = Fixture::client(&fixture.vendor, &fixture.file, &store);
    let reply = call(&client, "case.open", void(&voidable(&fixture), "k"));
    assert_eq!((&reply["outcome"], &reply["warnings"][0]["code"]), (&json!("executed"), &json!("witness_failed")));
    let order = voidable(&fixture);
    let offer = call(&client, "voidQuotation", json!({"orderNo": order}))["data"]["voidOfferId"].clone();
    let direct = call(&client, "void", json!({"orderNo": order, "voidOfferId": offer}));
    assert_eq!((&direct["outcome"], &direct["warnings"][0]["code"]), (&json!("executed"), &json!("witness_failed")));
}

#[test]
fn a_copy_made_by_case_backup_opens_as_rewound() {
    crate::file_only!();
    let fixture = Fixture::new("default");
    let order = voidable(&fixture);
    fixture.call("case.open", void(&order, "k"));
    let to = beside(&fixture.file, "-backup");
    let made = fixture.call("case.backup", json!({"path": to}));
    assert_eq!((&made["data"]["path"], &made["ok"]), (&json!(to), &json!(true)), "{made}");
    let again = fixture.call("case.backup", json!({"path": to}));
    assert_eq!(again["error"]["code"], "bad_request", "{again}");
    // The store itself goes on.
    let next = fixture.call("case.open", void(&voidable(&fixture), "next"));
    assert_eq!(next["outcome"], "executed", "{next}");
    let client = Fixture::client(&fixture.vendor, &to, &json!({}));
    assert_eq!(call(&client, "case.get", json!({"key": "k"}))["case"]["outcome"], "executed");
    assert_rewound(&fixture, &client, &void(&order, "new"));
    let confirmed = call(&client, "case.confirmStore", json!({"by": "me", "evidence": "looked"}));
    assert_eq!(confirmed["data"]["confirmed"], true, "{confirmed}");
    let opened = call(&client, "case.open", void(&voidable(&fixture), "after"));
    assert_eq!(opened["outcome"], "executed", "{opened}");
    ["", "-wal", "-shm", "-witness"].iter().for_each(|end| drop(std::fs::remove_file(beside(&to, end))));
}

#[test]
fn a_file_replaced_during_a_call_makes_no_second_submit() {
    crate::file_only!();
    // Before the intent, and after the body has left.
    for endpoint in ["voidQuotation", "void"] {
        let fixture = Fixture::new("default");
        let yesterday = copy(&fixture);
        let order = voidable(&fixture);
        fixture.vendor.fault(json!({"endpoint": endpoint, "mode": "delay", "delayMs": 1200})).unwrap();
        let reply = std::thread::scope(|scope| {
            let opened = scope.spawn(|| fixture.call("case.open", void(&order, "k")));
            std::thread::sleep(std::time::Duration::from_millis(600));
            put_back(&fixture, &yesterday, false);
            opened.join().unwrap()
        });
        let executed = fixture.executed("void");
        match reply["outcome"].as_str().unwrap() {
            "executed" => assert_eq!(executed, 1, "{reply}"),
            "not_executed" => assert_eq!(executed, 0, "{reply}"),
            _ => {}
        }
        for client in [&client(&fixture), &fixture.client] {
            for key in ["k", "k2"] {
                let again = call(client, "case.open", void(&order, key));
                assert_eq!(again["error"]["code"], "store_rewound", "{endpoint} {again}");
            }
        }
        assert!(fixture.sent("void") <= 1, "{endpoint}");
    }
}

#[test]
fn a_reader_of_changes_sees_after_confirm_store_what_ended_before_it() {
    crate::file_only!();
    let fixture = Fixture::new("default");
    let kept = fixture.call("case.open", void(&voidable(&fixture), "kept"));
    let yesterday = copy(&fixture);
    for key in ["a", "b", "c"] {
        fixture.call("case.open", void(&voidable(&fixture), key));
    }
    let since = fixture.call("case.list", json!({"changedSince": 0}))["data"]["next"].clone();
    put_back(&fixture, &yesterday, true);
    let client = client(&fixture);
    // The case ends while the store is rewound, under a number that the reader has seen for another change.
    let code = kept["case"]["code"].clone();
    fixture.vendor.control("POST", "/_sim/cases", json!({"code": code, "status": 2})).unwrap();
    let ended = call(&client, "case.reconcile", json!({"key": "kept"}));
    assert_eq!((&ended["case"]["final"], &ended["ok"]), (&json!(true), &json!(true)), "{ended}");
    let confirmed = call(&client, "case.confirmStore", json!({"by": "me", "evidence": "looked"}));
    assert_eq!(confirmed["data"]["confirmed"], true, "{confirmed}");
    let page = call(&client, "case.list", json!({"changedSince": since}))["data"].clone();
    assert_eq!((&page["cases"][0]["key"], &page["cases"][0]["final"]), (&json!("kept"), &json!(true)), "{page}");
}
