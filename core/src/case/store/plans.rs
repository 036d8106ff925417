//! Every statement of the store asks for rows by an index: a case costs the same beside one other case and beside a
//! million. The statements are those that SQLite is given while every method of the store is called once.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use super::file::Sqlite;
use super::identity::Identity;
use super::{Claim, Filter, KnownOffer, Lease, Name, Row, Store};
use crate::case::clock;
use crate::case::hold::Hold;
use crate::case::model::Case;
use crate::case::passengers::OrderPassengers;
use crate::case::vocabulary::{Kind, Way};
use crate::config::FileStore;
use crate::token_bucket::Rate;

thread_local! {
    static SEEN: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
    static COMMITS: Cell<usize> = const { Cell::new(0) };
}

/// How many commits of batches this thread has made.
pub(super) fn commits() -> usize {
    COMMITS.get()
}

/// Records what a connection is given.
pub(super) fn traced(mut connection: Connection) -> Connection {
    let record = |event: TraceEvent<'_>| {
        if let TraceEvent::Stmt(statement, _) = event {
            let sql = statement.sql().into_owned();
            COMMITS.set(COMMITS.get() + usize::from(sql == "COMMIT"));
            SEEN.with_borrow_mut(|seen| seen.insert(sql));
        }
    };
    connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(record)).unwrap();
    connection
}

/// Tables that grow with the cases.
const LARGE: [&str; 7] = ["cases", "holds", "replies", "remnants", "notices", "offers", "order_passengers"];

/// Statements that read all rows of an account on purpose, by their beginning.
const WHOLE: [&str; 4] = [
    // The first row of an index.
    "SELECT min(due) FROM cases",
    // Purge: what is closed and old.
    "SELECT body, token, change FROM cases",
    // A store that is rewound, before it is confirmed.
    "SELECT id FROM cases WHERE open = 1",
    // Once per opening of the file.
    "SELECT owner, lease_until FROM cases WHERE owner IS NOT NULL",
];

fn plan(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let values: Vec<&str> = (0..statement.parameter_count()).map(|_| "x").collect();
    let steps = statement.query_map(rusqlite::params_from_iter(values), |row| row.get(3)).unwrap();
    steps.collect::<Result<_, _>>().unwrap()
}

/// A step of a plan that reads a large table without a value of an index beyond the account.
fn is_slow(step: &str) -> bool {
    let mut words = step.split(' ');
    let (verb, table) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let terms = step.rsplit_once('(').map_or("", |(_, terms)| terms);
    let is_account_only = terms.starts_with("account=?)");
    LARGE.contains(&table) && (verb == "SCAN" || verb == "SEARCH" && is_account_only)
}

fn claim(store: &Sqlite, case: &Case, lease: &Lease) -> Row {
    match store.claim(case, lease).unwrap() {
        Claim::New(row) => row,
        other => panic!("{other:?}"),
    }
}

fn use_every_method(store: &Sqlite) {
    let lease = Lease { owner: "o".into(), until: i64::MAX };
    let made = |id: &str| {
        let mut case =
            Case::new(id.into(), format!("k {id}"), Kind::Void, Some(format!("N {id}")), "c".into(), clock::at(0));
        case.holds = vec![Hold::Order(format!("N {id}")), Hold::Payment(format!("P {id}"))];
        case
    };
    let mut row = claim(store, &made("a"), &lease);
    let version = store.save(&row, Some(&lease)).unwrap().unwrap();
    row.saved(version);
    store.write_witness("a", version).unwrap();
    store.store_reply("a", "s", 1, b"{}").unwrap();
    store.stored_reply("a", "s", 1).unwrap();
    store.lease("a", &lease, &|_, _| true).unwrap();
    row = store.load(&Name::Key("k a".into())).unwrap().unwrap();
    store.release(&row).unwrap();
    store.load(&Name::Id("a".into())).unwrap();
    store.reclaim(&row, &lease).unwrap();
    row = store.load(&Name::Id("a".into())).unwrap().unwrap();
    row.case.closed = true;
    store.settle(&row, &|_, _| Some("{}".into())).unwrap().unwrap();
    claim(store, &made("b"), &lease);
    for after in [None, Some("a".to_owned())] {
        for changed_since in [None, Some(0)] {
            for order_no in [None, Some("N a".to_owned())] {
                for (open, kind, unknown) in [(None, None, false), (Some(true), Some(Kind::Void), true)] {
                    let (after, order_no) = (after.clone(), order_no.clone());
                    let filter = Filter { after, changed_since, order_no, open, kind, unknown, limit: 10 };
                    store.page(&filter).unwrap();
                    store.list(&filter).unwrap();
                }
            }
        }
    }
    store.purged(&Name::Key("k".into())).unwrap();
    store.purged(&Name::Id("i".into())).unwrap();
    store.made_by_purged().unwrap();
    store.gave_back_by_purged("N a").unwrap();
    store.has_made("N a").unwrap();
    store.rival(&row.case).unwrap();
    store.rewound().unwrap();
    store.to_be_asked().unwrap();
    store.due(1, 10, &|_, _| false).unwrap();
    store.counts(1).unwrap();
    store.cases_for_order("N a").unwrap();
    store.record_notification("d", 1).unwrap();
    let offer = KnownOffer {
        way: Way::Void,
        order_no: "N a".into(),
        positions: vec![],
        tickets: vec![],
        quote: Default::default(),
    };
    store.remember_offer("q", &offer, clock::at(0)).unwrap();
    store.known_offer("q").unwrap();
    store.remember_listing().unwrap();
    store.listing().unwrap();
    let people = OrderPassengers::of(&[], "salt".into());
    store.remember_order_passengers("N a", &people).unwrap();
    store.order_passengers("N a").unwrap();
    let rate = Rate { per_second: 1.0, burst: 1 };
    store.acquire("requests", rate, 0).unwrap();
    store.epoch("requests").unwrap();
    store.on_rate_limited(Some(1), Some(1)).unwrap();
    store.current_rate("requests", rate).unwrap();
    store.pause_left(Some(0), &[("requests", rate)]).unwrap();
    store.unpause(0, &[("requests", rate)]).unwrap();
    store.purge(i64::MAX).unwrap();
}

#[test]
fn no_statement_of_the_store_reads_all_rows_of_a_table() {
    let directory = std::env::temp_dir().join(format!("apb-plans-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let config = FileStore { path: directory.join("cases.db"), witness: directory.join("cases.db-witness") };
    let identity = Identity::new("https://vendor.test", "vendor.test", "client", None);
    let store = Sqlite::open(&config, identity, |_, _| false).unwrap();
    use_every_method(&store);
    let seen = SEEN.take();
    let connection = Connection::open(&config.path).unwrap();
    let asks = |sql: &&String| ["SELECT", "UPDATE", "INSERT", "DELETE"].iter().any(|verb| sql.starts_with(verb));
    let is_whole = |sql: &&String| WHOLE.iter().any(|start| sql.starts_with(start));
    let mut of_large = 0;
    for sql in seen.iter().filter(asks).filter(|sql| !is_whole(sql)) {
        let steps = plan(&connection, sql);
        of_large += usize::from(steps.iter().any(|step| LARGE.iter().any(|table| step.contains(table))));
        let slow: Vec<_> = steps.iter().filter(|step| is_slow(step)).collect();
        assert!(slow.is_empty(), "{sql}\n{slow:#?}");
    }
    assert!(of_large > 30, "{of_large} statements");
    // The tests' own condition sees what they look for.
    for sql in ["SELECT body FROM cases WHERE account = 'a' AND updated = 1", "SELECT body FROM cases"] {
        assert!(plan(&connection, sql).iter().any(|step| is_slow(step)), "{sql}");
    }
    let _ = std::fs::remove_dir_all(directory);
}
