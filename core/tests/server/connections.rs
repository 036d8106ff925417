//! Connections: encryption, passwords, servers that are not there, tables of another release.

use atlas_postbooking::blocking::Client;
use serde_json::{Value, json};

use crate::fixture::{Fixture, server};
use crate::needs_server;

/// Another client of the fixture's vendor.
fn made(fixture: &Fixture, store: &Value) -> Result<Client, atlas_postbooking::Error> {
    let config = json!({"baseUrl": fixture.vendor.url(), "clientId": "demo", "clientSecret": "s", "store": store});
    Client::new(&config.to_string())
}

#[test]
fn the_password_is_in_no_error() {
    needs_server!();
    let fixture = Fixture::new("default");
    let url = server::url(&fixture.file);
    let name = fixture.file.file_stem().unwrap().to_str().unwrap().to_owned();
    for store in [
        json!({"url": url.replace("canary-password", "canary-wrong")}),
        json!({"url": url.replace(&name, "canary-nowhere")}),
        json!({"url": "postgres://u:canary-password@127.0.0.1:1/d?sslmode=disable"}),
        json!({"url": "postgres://u@127.0.0.1:1/d?sslmode=disable", "password": "canary-password"}),
        json!({"url": "postgres://u:canary-password@127.0.0.1/d?sslmode=prefer"}),
        json!({"url": "postgres://u:canary-password@nowhere.invalid/d"}),
        json!({"url": "postgres://u:canary-password@h:x/d"}),
    ] {
        let error = made(&fixture, &store).err().unwrap();
        let text = format!("{error} {error:?}");
        assert!(!text.contains("canary"), "{text}");
        assert!(["store_unavailable", "bad_config"].contains(&error.code.as_str()), "{text}");
    }
}

#[test]
fn every_certificate_is_verified_in_full() {
    needs_server!();
    let Ok(ca) = std::env::var("APB_TEST_POSTGRES_CA") else {
        eprintln!("SKIPPED: the server has no certificate");
        return;
    };
    let fixture = Fixture::new("default");
    let plain = server::url(&fixture.file);
    for mode in ["require", "verify-ca", "verify-full"] {
        let url = plain.replace("sslmode=disable", &format!("sslmode={mode}"));
        let client = made(&fixture, &json!({"url": url, "caFile": ca})).unwrap();
        let listed: Value = serde_json::from_str(client.call("case.list", "{}", "").json()).unwrap();
        assert_eq!(listed["ok"], true, "{listed}");
        // A root that is not its own, and a name that is not in its certificate.
        let error = made(&fixture, &json!({"url": url})).err().unwrap();
        assert_eq!(error.code.as_str(), "store_unavailable", "{mode} {error}");
        let other = url.replace("127.0.0.1", "localhost");
        let error = made(&fixture, &json!({"url": other, "caFile": ca})).err().unwrap();
        assert_eq!(error.code.as_str(), "store_unavailable", "{mode} {error}");
    }
    let url = plain.replace("?sslmode=disable", "");
    assert!(made(&fixture, &json!({"url": url, "caFile": ca})).is_ok(), "encrypted without a word about it");
}

#[test]
fn tables_of_a_newer_release_are_refused_also_by_a_client_that_had_them_open() {
    needs_server!();
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
    server::run(&server::url(&fixture.file), "UPDATE apb.store SET layout = 99");
    for (operation, request) in [
        ("case.get", json!({"key": "k"})),
        ("case.open", json!({"kind": "void", "orderNo": order, "key": "k2"})),
        ("case.purge", json!({"olderThan": "0h"})),
    ] {
        let reply = fixture.call(operation, request);
        assert_eq!(reply["error"]["code"], "store_version", "{operation} {reply}");
    }
    let error = made(&fixture, &json!({"url": server::url(&fixture.file)})).err().unwrap();
    assert_eq!(error.code.as_str(), "store_version", "{error}");
    server::run(&server::url(&fixture.file), "UPDATE apb.store SET layout = 0");
    let error = made(&fixture, &json!({"url": server::url(&fixture.file)})).err().unwrap();
    assert_eq!(error.code.as_str(), "store_corrupt", "{error}");
}

#[test]
fn connections_that_the_server_ended_are_made_anew() {
    needs_server!();
    let fixture = Fixture::new("default");
    for n in 0..3 {
        let order = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
        let opened = fixture.call("case.open", json!({"kind": "void", "orderNo": order, "key": format!("k{n}")}));
        assert_eq!(opened["outcome"], "executed", "{opened}");
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'atlas-postbooking'
                   AND datname = current_database()";
        server::run(&server::url(&fixture.file), sql);
    }
    assert_eq!((fixture.sent("void"), fixture.executed("void")), (3, 3));
}

/// What the guide says that a user needs, once the tables are there.
#[test]
fn a_user_without_rights_beyond_the_rows_opens_cases() {
    needs_server!();
    let fixture = Fixture::new("default");
    let url = server::url(&fixture.file);
    let role = fixture.file.file_stem().unwrap().to_str().unwrap().to_owned();
    for sql in [
        format!("CREATE ROLE \"{role}\" LOGIN PASSWORD 'canary-password'"),
        format!("GRANT USAGE ON SCHEMA apb TO \"{role}\""),
        format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA apb TO \"{role}\""),
        format!("GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA apb TO \"{role}\""),
    ] {
        server::run(&url, &sql);
    }
    let client = made(&fixture, &json!({"url": url.replace("postgres:canary", &format!("{role}:canary"))})).unwrap();
    let order = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
    let request = json!({"kind": "void", "orderNo": order, "key": "k"}).to_string();
    let opened: Value = serde_json::from_str(client.call("case.open", &request, "").json()).unwrap();
    assert_eq!(opened["outcome"], "executed", "{opened}");
    drop(client);
    server::run(&url, &format!("DROP OWNED BY \"{role}\""));
    server::run(&url, &format!("DROP ROLE \"{role}\""));
}

#[test]
fn several_hosts_are_tried_in_their_order() {
    needs_server!();
    let fixture = Fixture::new("default");
    let url = server::url(&fixture.file).replace("@", "@127.0.0.1:1,") + "&target_session_attrs=read-write";
    assert!(made(&fixture, &json!({"url": url})).is_ok());
}
