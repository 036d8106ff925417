//! Servers that are put back, copied, failed over with and without a loss, and come back: noticed before anything is
//! sent, by a process that lived on and by a new one with the host's witness file.

use atlas_postbooking::blocking::Client;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::fixture::Fixture;
use crate::needs_server;

/// An agency on a server of its own. `lived` is a process without a witness file that lives through everything.
struct Agency {
    fixture: Fixture,
    url: String,
    witness: String,
    lived: Client,
}

impl Agency {
    fn new(url: String, witness: String) -> Agency {
        let fixture = Fixture::new("default");
        let lived = Fixture::client(&fixture.vendor, &fixture.file, &json!({"store": {"url": url}}));
        Agency { fixture, url, witness, lived }
    }

    /// A new process of a host that has a witness file.
    fn process(&self) -> Client {
        let store = json!({"url": self.url, "witnessFile": self.witness});
        Fixture::client(&self.fixture.vendor, &self.fixture.file, &json!({"store": store}))
    }

    fn open(&self, client: &Client, key: &str) -> Value {
        let order = self.fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
        let request = json!({"kind": "void", "orderNo": order, "key": key}).to_string();
        serde_json::from_str(client.call("case.open", &request, r#"{"timeoutMs": 60000}"#).json()).unwrap()
    }

    /// Opens a case that is executed; the codes of its warnings.
    fn opened(&self, client: &Client, key: &str) -> Vec<String> {
        let opened = self.open(client, key);
        assert_eq!(opened["outcome"], "executed", "{opened}");
        let mut codes: Vec<String> =
            opened["warnings"].as_array().unwrap().iter().map(|w| w["code"].as_str().unwrap().to_owned()).collect();
        codes.sort();
        codes
    }

    /// Nothing is sent by this client, and it says why.
    fn refused(&self, client: &Client, key: &str, why: &str) {
        let sent = self.fixture.vendor.requests().len();
        let refused = self.open(client, key);
        let seen = (&refused["error"]["code"], &refused["outcome"]);
        assert_eq!(seen, (&json!("store_rewound"), &json!("unknown")), "{refused}");
        assert!(refused["error"]["message"].as_str().unwrap().contains(why), "{refused}");
        assert_eq!(self.fixture.sent("void"), self.fixture.executed("void"));
        assert_eq!(self.fixture.vendor.requests().len(), sent, "{refused}");
    }
}

/// What one process has noticed is forgotten: the next one must notice it by itself.
fn forget_losses(server: &Cluster) {
    // Without waiting for a standby that is gone.
    let sql =
        "SET synchronous_commit = local; WITH gone AS (DELETE FROM apb.losses RETURNING 1) SELECT count(*) FROM gone";
    assert_ne!(server.sql(sql), "0");
}

const LAST_INTENT: &str = "does not have the last intent";

#[test]
fn a_dump_that_was_restored_in_place_is_noticed() {
    needs_server!();
    let server = Cluster::new();
    let agency = Agency::new(server.url(), server.file("witness"));
    assert_eq!(agency.opened(&agency.lived, "k0"), ["store_no_witness"]);
    let dump = server.file("dump");
    server.run("pg_dump", &["-Fc", "-n", "apb", "-d", &server.url(), "-f", &dump]);
    assert!(agency.opened(&agency.lived, "k1").is_empty(), "it is told once");
    assert!(agency.opened(&agency.process(), "k2").is_empty());
    // The connections of the process that lives on stay open.
    server.run("pg_restore", &["--clean", "-n", "apb", "-d", &server.url(), &dump]);
    assert_eq!(server.sql("SELECT count(*) FROM apb.cases"), "1");
    agency.refused(&agency.lived, "k3", "");
    forget_losses(&server);
    agency.refused(&agency.process(), "k4", "");
}

/// The rows alone: the tables stay the same ones.
#[test]
fn rows_that_were_restored_in_place_are_noticed() {
    needs_server!();
    let server = Cluster::new();
    let agency = Agency::new(server.url(), server.file("witness"));
    agency.opened(&agency.lived, "k0");
    let dump = server.file("dump");
    server.run("pg_dump", &["-Fc", "--data-only", "-n", "apb", "-d", &server.url(), "-f", &dump]);
    agency.opened(&agency.lived, "k1");
    agency.opened(&agency.process(), "k2");
    let tables = server.sql("SELECT string_agg('apb.' || tablename, ', ') FROM pg_tables WHERE schemaname = 'apb'");
    server.sql(&format!("TRUNCATE {tables}"));
    server.run("pg_restore", &["--data-only", "-n", "apb", "-d", &server.url(), &dump]);
    agency.refused(&agency.lived, "k3", LAST_INTENT);
    forget_losses(&server);
    agency.refused(&agency.process(), "k4", LAST_INTENT);
}

#[test]
fn a_base_backup_that_was_started_as_it_is_is_noticed() {
    needs_server!();
    let mut server = Cluster::new();
    let agency = Agency::new(server.url(), server.file("witness"));
    agency.opened(&agency.lived, "k0");
    let mut copy = server.copy("copy", false);
    agency.opened(&agency.lived, "k1");
    agency.opened(&agency.process(), "k2");
    server.stop();
    copy.start(&[]);
    agency.refused(&agency.lived, "k3", LAST_INTENT);
    forget_losses(&copy);
    agency.refused(&agency.process(), "k4", LAST_INTENT);
    // A host that was asked, and whose cases are looked after, may confirm: then the store is used again.
    let confirmed = agency.lived.call("case.confirmStore", r#"{"by": "me", "evidence": "looked"}"#, "");
    let confirmed: Value = serde_json::from_str(confirmed.json()).unwrap();
    assert_eq!(confirmed["ok"], true, "{confirmed}");
    assert!(agency.opened(&agency.lived, "k5").is_empty());
    assert!(agency.opened(&agency.process(), "k6").is_empty(), "its loss was confirmed");
}

#[test]
fn a_fail_over_that_lost_the_tail_is_noticed() {
    needs_server!();
    let mut primary = Cluster::new();
    let mut standby = primary.copy("behind", true);
    standby.start(&[]);
    primary.wait_for("EXISTS (SELECT 1 FROM pg_stat_replication WHERE state = 'streaming')");
    let agency = Agency::new(primary.url_with(&standby), primary.file("witness"));
    assert_eq!(agency.opened(&agency.lived, "k0"), ["store_no_witness", "store_standby_async"]);
    primary.wait_for("pg_current_wal_lsn() <= (SELECT replay_lsn FROM pg_stat_replication)");
    // It is cut off from its primary.
    standby.sql("ALTER SYSTEM SET primary_conninfo = ''");
    standby.sql("SELECT pg_reload_conf()");
    primary.wait_for("NOT EXISTS (SELECT 1 FROM pg_stat_replication)");
    agency.opened(&agency.lived, "k1");
    agency.opened(&agency.process(), "k2");
    primary.stop();
    standby.promote();
    agency.refused(&agency.lived, "k3", LAST_INTENT);
    forget_losses(&standby);
    agency.refused(&agency.process(), "k4", LAST_INTENT);
}

/// A clean one needs nobody; the old primary that comes back after it is an older store.
#[test]
fn a_clean_fail_over_needs_nobody_and_the_old_primary_is_noticed() {
    needs_server!();
    let mut primary = Cluster::new();
    let mut standby = primary.copy("second", true);
    standby.start(&[]);
    primary.sql("ALTER SYSTEM SET synchronous_standby_names = 'second'");
    primary.sql("SELECT pg_reload_conf()");
    primary.wait_for("EXISTS (SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync')");
    let agency = Agency::new(primary.url_with(&standby), primary.file("witness"));
    assert_eq!(agency.opened(&agency.lived, "k0"), ["store_no_witness"]);
    assert!(agency.opened(&agency.process(), "k1").is_empty());
    let looks_on = agency.process();
    assert!(agency.opened(&looks_on, "k2").is_empty());
    primary.stop();
    standby.promote();
    assert_eq!(agency.opened(&agency.lived, "k3"), ["store_failed_over"]);
    assert!(agency.opened(&agency.lived, "k4").is_empty(), "it is told once");
    // Its last intent is on both; it sees the new timeline only.
    let listed: Value = serde_json::from_str(looks_on.call("case.list", "{}", "").json()).unwrap();
    assert_eq!(listed["warnings"][0]["code"], "store_failed_over", "{listed}");
    assert_eq!(listed["data"]["cases"].as_array().unwrap().len(), 5, "{listed}");

    standby.stop();
    // It waits for its standby at each commit; what is noticed is written all the same.
    primary.start(&[]);
    agency.refused(&agency.lived, "k5", "its timeline is 1, and it was 2 before");
    forget_losses(&primary);
    agency.refused(&looks_on, "k6", "its timeline is 1, and it was 2 before");
    forget_losses(&primary);
    agency.refused(&agency.process(), "k7", "its timeline is 1, and it was 2 before");
}

#[test]
fn a_server_that_may_lose_what_it_confirmed_is_warned_about() {
    needs_server!();
    let mut server = Cluster::new();
    let agency = Agency::new(server.url(), server.file("witness"));
    let process = agency.process();
    assert!(agency.opened(&process, "k0").is_empty());
    server.stop();
    server.start(&["fsync=off"]);
    assert_eq!(agency.opened(&process, "k1"), ["store_fsync_off"]);
    assert!(agency.opened(&process, "k2").is_empty(), "it is told once");
    server.stop();
    server.start(&[]);
    // A user without pg_monitor sees that there is a standby, and no more.
    let mut standby = server.copy("second", true);
    standby.start(&[]);
    server.wait_for("EXISTS (SELECT 1 FROM pg_stat_replication WHERE state = 'streaming')");
    server.sql("CREATE ROLE clerk LOGIN");
    server.sql("CREATE DATABASE clerk OWNER clerk");
    let url = server.url().replace("postgres@", "clerk@").replace("/postgres?", "/clerk?");
    let store = json!({"url": url, "witnessFile": server.file("other-witness")});
    let clerk = Fixture::client(&agency.fixture.vendor, &agency.fixture.file, &json!({"store": store}));
    assert_eq!(agency.opened(&clerk, "k3"), ["store_durability_unknown"]);
    server.sql("GRANT pg_monitor TO clerk");
    let clerk = Fixture::client(&agency.fixture.vendor, &agency.fixture.file, &json!({"store": store}));
    assert_eq!(agency.opened(&clerk, "k4"), ["store_standby_async"]);
}
