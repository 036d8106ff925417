//! The iterators over the follow-up, blocking and async, against the simulator.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use atlas_postbooking::{Client, Status, blocking, wire::*};
use atlas_simulator::{Options, Simulator};
use serde_json::json;

struct Fixture {
    vendor: Simulator,
    config: String,
    directory: std::path::PathBuf,
}

impl Fixture {
    fn new(name: &str) -> Fixture {
        let vendor = Simulator::start(Options::default()).unwrap();
        let directory = std::env::temp_dir().join(format!("apb-follow-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let config = json!({
            "baseUrl": vendor.url(), "clientId": "demo", "clientSecret": "secret",
            "store": {"path": directory.join("cases.db")}, "clock": {"url": format!("{}/_sim/clock", vendor.url())},
        });
        Fixture { vendor, config: config.to_string(), directory }
    }

    fn void(&self) -> CaseOpenRequest {
        let order = self.vendor.create_order(json!({"airline": "F9"})).unwrap();
        CaseOpenRequest {
            kind: Some("void".into()),
            order_no: order["orderNo"].as_str().map(str::to_owned),
            key: Some("k".into()),
            ..CaseOpenRequest::default()
        }
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn by_key() -> CaseFollowRequest {
    CaseFollowRequest { key: Some("k".into()), timeout_ms: Some(30_000.into()), ..CaseFollowRequest::default() }
}

fn open(step: &CaseFollowReply) -> Option<i64> {
    step.open.as_ref()?.to_i64()
}

#[test]
fn the_blocking_iterator_ends_when_no_case_is_open() {
    let fixture = Fixture::new("blocking");
    let client = blocking::Client::new(&fixture.config).unwrap();
    let opened = client.case_open(&fixture.void()).unwrap();
    assert_eq!((opened.data.outcome.as_deref(), opened.data.r#final), (Some("executed"), Some(false)));
    let mut steps = Vec::new();
    for step in client.follow(by_key()).every(Duration::from_millis(20)) {
        steps.push(open(&step.unwrap()));
        fixture.vendor.advance("2h").unwrap();
    }
    assert_eq!(steps.first(), Some(&Some(1)), "nothing is due at first");
    assert_eq!(steps.last(), Some(&Some(0)));
    let case = client.case_get(&CaseGetRequest { key: Some("k".into()), id: None }).unwrap().data;
    assert_eq!((case.state.as_deref(), case.r#final), (Some("refunded"), Some(true)));
    assert_eq!(client.follow(CaseFollowRequest::default()).count(), 1, "without an open case there is one step");
}

#[test]
fn the_async_iterator_ends_when_no_case_is_open() {
    let fixture = Fixture::new("async");
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
        let client = Client::new(&fixture.config).unwrap();
        client.case_open(&fixture.void()).await.unwrap();
        // This runtime has no timers: the library waits on its own thread.
        let mut steps = client.follow(by_key()).every(Duration::from_millis(20));
        let mut last = None;
        while let Some(step) = steps.next().await {
            last = open(&step.unwrap());
            fixture.vendor.advance("2h").unwrap();
        }
        assert_eq!(last, Some(0));
    });
}

#[test]
fn the_iterator_ends_at_its_timeout_and_after_an_error() {
    let fixture = Fixture::new("ends");
    let client = blocking::Client::new(&fixture.config).unwrap();
    client.case_open(&fixture.void()).unwrap();
    let request = CaseFollowRequest { timeout_ms: Some(200.into()), ..CaseFollowRequest::default() };
    let steps: Vec<_> = client.follow(request).map(|step| open(&step.unwrap())).collect();
    assert!(steps.len() >= 2 && steps.iter().all(|open| *open == Some(1)), "{steps:?}");
    let unknown = CaseFollowRequest { key: Some("no such key".into()), ..CaseFollowRequest::default() };
    let steps: Vec<_> = client.follow(unknown).collect();
    assert_eq!(steps.len(), 1);
    assert_eq!(steps[0].as_ref().unwrap_err().error().status, Status::NOT_FOUND);
}
