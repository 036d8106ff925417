//! A database that is older than what was sent through it.

use serde_json::{Value, json};

use crate::fixture::{Fixture, server};
use crate::needs_server;

fn void(fixture: &Fixture, key: &str) -> Value {
    let order = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
    fixture.call("case.open", json!({"kind": "void", "orderNo": order, "key": key}))
}

fn end_connections(fixture: &Fixture) {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'atlas-postbooking'
               AND datname = current_database()";
    server::run(&server::url(&fixture.file), sql);
}

/// As after a fail-over that lost the tail, or a snapshot put back: the last intent is not there.
#[test]
fn an_intent_that_is_gone_stops_the_store_until_somebody_confirmed() {
    needs_server!();
    let fixture = Fixture::new("default");
    let opened = void(&fixture, "k");
    assert_eq!(opened["outcome"], "executed", "{opened}");
    let id = opened["case"]["id"].as_str().unwrap();
    server::run(&server::url(&fixture.file), &format!("DELETE FROM apb.holds WHERE case_id = '{id}'"));
    server::run(&server::url(&fixture.file), &format!("DELETE FROM apb.cases WHERE id = '{id}'"));
    end_connections(&fixture);
    let refused = void(&fixture, "k2");
    assert_eq!(
        (&refused["error"]["code"], &refused["outcome"]),
        (&json!("store_rewound"), &json!("unknown")),
        "{refused}"
    );
    assert_eq!(fixture.sent("void"), 1);
    // Every client of the store, and not only who noticed.
    let other = Fixture::client(&fixture.vendor, &fixture.file, &json!({}));
    let order = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
    let request = json!({"kind": "void", "orderNo": order, "key": "k3"}).to_string();
    let refused: Value = serde_json::from_str(other.call("case.open", &request, "").json()).unwrap();
    assert_eq!(refused["error"]["code"], "store_rewound", "{refused}");
    let confirmed = fixture.call("case.confirmStore", json!({"by": "me", "evidence": "looked"}));
    assert_eq!(confirmed["data"]["confirmed"], true, "{confirmed}");
    end_connections(&fixture);
    let opened = void(&fixture, "k4");
    assert_eq!(opened["outcome"], "executed", "{opened}");
}

/// As a dump that was restored in place leaves it: the same database, another table.
#[test]
fn tables_that_were_made_anew_stop_the_store() {
    needs_server!();
    let fixture = Fixture::new("default");
    assert_eq!(void(&fixture, "k")["outcome"], "executed");
    let url = server::url(&fixture.file);
    for sql in [
        "ALTER TABLE apb.cases RENAME TO cases_before",
        "CREATE TABLE apb.cases (LIKE apb.cases_before INCLUDING ALL)",
        "INSERT INTO apb.cases SELECT * FROM apb.cases_before",
        "DROP TABLE apb.cases_before",
    ] {
        server::run(&url, sql);
    }
    end_connections(&fixture);
    let refused = void(&fixture, "k2");
    assert_eq!(refused["error"]["code"], "store_rewound", "{refused}");
    let confirmed = fixture.call("case.confirmStore", json!({"by": "me", "evidence": "looked"}));
    assert_eq!(confirmed["data"]["confirmed"], true, "{confirmed}");
    assert_eq!(void(&fixture, "k3")["outcome"], "executed");
}

/// A witness file outlives the process: another one of the host notices what is gone.
#[test]
fn the_witness_file_of_a_host_names_the_last_intent() {
    needs_server!();
    let fixture = Fixture::new("default");
    let witness = fixture.file.with_extension("db-witness");
    let store = json!({"url": server::url(&fixture.file), "witnessFile": witness});
    let client = || Fixture::client(&fixture.vendor, &fixture.file, &json!({"store": store}));
    let open = |key: &str| -> Value {
        let order = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
        let request = json!({"kind": "void", "orderNo": order, "key": key}).to_string();
        serde_json::from_str(client().call("case.open", &request, "").json()).unwrap()
    };
    let opened = open("k");
    assert_eq!((&opened["outcome"], opened["warnings"].as_array().unwrap().len()), (&json!("executed"), 0), "{opened}");
    let named: Value = serde_json::from_str(&std::fs::read_to_string(&witness).unwrap()).unwrap();
    assert_eq!(named["case"], opened["case"]["id"]);
    server::run(&server::url(&fixture.file), "DELETE FROM apb.cases");
    let refused = open("k2");
    assert_eq!(refused["error"]["code"], "store_rewound", "{refused}");
}
