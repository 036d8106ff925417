//! Accounts by name.

use atlas_postbooking::blocking::Client;
use serde_json::{Value, json};

use crate::fixture::Fixture;
use crate::stores::layout_1;

fn call(client: &Client, operation: &str, request: Value) -> Value {
    serde_json::from_str(client.call(operation, &request.to_string(), "").json()).unwrap()
}

fn voided(fixture: &Fixture, client: &Client, key: &str) -> Value {
    let order = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
    call(client, "case.open", json!({"kind": "void", "orderNo": order, "key": key}))
}

/// A store without a client yet.
fn fixture() -> Fixture {
    let fixture = Fixture::new("default");
    for end in ["", "-wal", "-shm", "-witness"] {
        let _ = std::fs::remove_file(format!("{}{end}", fixture.file.display()));
    }
    fixture
}

fn client(fixture: &Fixture, extra: Value) -> Client {
    Fixture::client(&fixture.vendor, &fixture.file, &extra)
}

/// The error of making a client.
fn refused(fixture: &Fixture, extra: Value) -> String {
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| client(fixture, extra)));
    assert!(result.is_err());
    "refused".to_owned()
}

#[test]
fn keys_of_one_account_are_one_space_whatever_the_credentials() {
    let fixture = fixture();
    let one = client(&fixture, json!({"account": "a"}));
    let rotated = client(&fixture, json!({"account": "a", "clientId": "rotated"}));
    let case = voided(&fixture, &one, "k");
    assert_eq!(case["outcome"], "executed", "{case}");
    assert_eq!(call(&rotated, "case.get", json!({"key": "k"}))["case"]["id"], case["case"]["id"]);
    let other = client(&fixture, json!({"account": "b"}));
    assert_eq!(call(&other, "case.get", json!({"key": "k"}))["error"]["code"], "not_found");
    // One host and client id made two accounts: without a name it is not known which is meant.
    refused(&fixture, json!({}));
}

#[test]
fn the_unnamed_account_gets_its_name_from_the_first_client_of_its_host_and_client_id() {
    let fixture = fixture();
    let unnamed = client(&fixture, json!({}));
    let case = voided(&fixture, &unnamed, "k");
    let named = client(&fixture, json!({"account": "a"}));
    assert_eq!(call(&named, "case.get", json!({"key": "k"}))["case"]["id"], case["case"]["id"]);
    // Both go on.
    let later = client(&fixture, json!({}));
    for client in [&unnamed, &later] {
        assert_eq!(call(client, "case.get", json!({"key": "k"}))["ok"], true);
    }
    let rotated = client(&fixture, json!({"account": "a", "clientId": "rotated"}));
    assert_eq!(call(&rotated, "case.get", json!({"key": "k"}))["ok"], true);
    // No name, and credentials that neither made nor named it.
    refused(&fixture, json!({"clientId": "rotated"}));
}

#[test]
fn while_a_store_holds_an_unnamed_account_no_new_account_is_made_in_it() {
    let fixture = fixture();
    let unnamed = client(&fixture, json!({}));
    voided(&fixture, &unnamed, "k");
    let other = client(&fixture, json!({"account": "a", "clientId": "rotated"}));
    for (operation, request) in [
        ("case.get", json!({"key": "k"})),
        ("case.list", json!({})),
        ("case.stats", json!({})),
        ("balance", json!({})),
        ("void", json!({"orderNo": "X", "voidOfferId": "q"})),
    ] {
        let reply = call(&other, operation, request);
        assert_eq!(reply["error"]["code"], "store_account", "{operation} {reply}");
        let help = reply["error"]["help"].as_str().unwrap();
        assert!(help.contains("127.0.0.1") && help.contains("demo"), "{help}");
    }
    let wrong = json!({"clientId": "nobody", "baseUrl": fixture.vendor.url(), "account": "a"});
    assert_eq!(call(&other, "case.adoptAccount", wrong)["error"]["code"], "store_account");
    let adopt = json!({"clientId": "demo", "baseUrl": fixture.vendor.url(), "account": "a"});
    for _ in 0..2 {
        let adopted = call(&other, "case.adoptAccount", adopt.clone());
        assert_eq!(adopted["data"]["account"], "a", "{adopted}");
    }
    assert_eq!(call(&other, "case.get", json!({"key": "k"}))["ok"], true);
    assert_eq!(call(&unnamed, "case.get", json!({"key": "k"}))["ok"], true);
}

#[test]
fn unnamed_accounts_of_an_earlier_release_are_merged_under_one_name_unless_they_collide() {
    crate::file_only!();
    let fixture = fixture();
    let keys = [("one", "k1"), ("two", "k2"), ("three", "k1")];
    layout_1(&fixture, &keys);
    let adopt = |client: &Client, id: &str| {
        call(client, "case.adoptAccount", json!({"clientId": id, "baseUrl": fixture.vendor.url(), "account": "a"}))
    };
    let stranger = client(&fixture, json!({"account": "a", "clientId": "new"}));
    let help = call(&stranger, "case.list", json!({}))["error"]["help"].as_str().unwrap().to_owned();
    assert!(help.contains("earlier release with 1 cases, the last of 20"), "{help}");
    let adopted = adopt(&stranger, "one");
    assert_eq!(adopted["ok"], true, "{adopted}");
    // A stale client of the merged account goes on in the one that took it in.
    let two = client(&fixture, json!({"clientId": "two"}));
    let reply = call(&two, "case.get", json!({"key": "k2"}));
    assert_eq!(reply["ok"], true, "{reply}");
    let highest = call(&stranger, "case.list", json!({"changedSince": 0}))["data"]["next"].clone();
    let adopted = adopt(&stranger, "two");
    assert_eq!(adopted["ok"], true, "{adopted}");
    let reply = call(&two, "case.get", json!({"key": "k1"}));
    assert_eq!(reply["ok"], true, "{reply}");
    let changes = call(&stranger, "case.list", json!({"changedSince": highest}));
    assert_eq!(changes["data"]["cases"][0]["key"], "k2", "{changes}");
    // One key stands in both.
    let reply = adopt(&stranger, "three");
    assert_eq!(reply["error"]["code"], "store_account", "{reply}");
    assert!(reply["error"]["help"].as_str().unwrap().contains("k1"), "{reply}");
    let three = client(&fixture, json!({"clientId": "three", "account": "a"}));
    assert_eq!(call(&three, "case.list", json!({}))["error"]["code"], "store_account");
    let three = client(&fixture, json!({"clientId": "three"}));
    assert_eq!(call(&three, "case.get", json!({"key": "k1"}))["ok"], true);
}

/// The positions of two accounts do not count the same list.
#[test]
fn accounts_with_passengers_of_one_order_are_not_merged() {
    crate::file_only!();
    let fixture = fixture();
    layout_1(&fixture, &[("one", "k1"), ("two", "k2")]);
    let order = fixture.vendor.create_order(json!({"passengers": 2, "paymentMethod": 1})).unwrap();
    for (id, position) in [("one", 1), ("two", 2)] {
        let refund = json!({"kind": "refund", "orderNo": order["orderNo"], "key": id, "passengers": [position]});
        let reply = call(&client(&fixture, json!({"clientId": id})), "case.open", refund);
        assert_eq!((&reply["ok"], &reply["case"]["passengers"]), (&json!(true), &json!([position])), "{reply}");
    }
    let stranger = client(&fixture, json!({"account": "a", "clientId": "new"}));
    let adopt = |id: &str| {
        call(&stranger, "case.adoptAccount", json!({"clientId": id, "baseUrl": fixture.vendor.url(), "account": "a"}))
    };
    assert_eq!(adopt("one")["ok"], true);
    // What a key meant is known by the passengers that the store knows of the order.
    let again = json!({"kind": "refund", "orderNo": order["orderNo"], "key": "one", "passengers": [1]});
    let same = call(&stranger, "case.open", again);
    assert_eq!((&same["ok"], &same["case"]["key"]), (&json!(true), &json!("one")), "{same}");
    let reply = adopt("two");
    assert_eq!(reply["error"]["code"], "store_account", "{reply}");
    let help = reply["error"]["help"].as_str().unwrap();
    assert!(help.contains(&format!("the orders {}.", order["orderNo"].as_str().unwrap())), "{help}");
}
