//! Following cases step by step, blocking and async, against the simulator.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use atlas_postbooking::{Client, Status, blocking, wire::*};
use atlas_simulator::{Options, Simulator};
use serde_json::json;

struct Stage {
    vendor: Simulator,
    config: String,
    place: std::path::PathBuf,
}

impl Stage {
    fn new(name: &str) -> Stage {
        let vendor = Simulator::start(Options::default()).unwrap();
        let place = std::env::temp_dir().join(format!("apb-follow-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&place).unwrap();
        let config = json!({
            "baseUrl": vendor.url(), "clientId": "demo", "clientSecret": "secret",
            "store": {"path": place.join("cases.db")}, "clock": {"url": format!("{}/_sim/clock", vendor.url())},
        });
        Stage { vendor, config: config.to_string(), place }
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

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.place);
    }
}

fn by_key() -> CaseFollowRequest {
    CaseFollowRequest { key: Some("k".into()), timeout_ms: Some(30_000.into()), ..CaseFollowRequest::default() }
}

fn open(step: &CaseFollowReply) -> Option<i64> {
    step.open.as_ref()?.to_i64()
}

#[test]
fn to_the_end_blocking() {
    let stage = Stage::new("blocking");
    let client = blocking::Client::new(&stage.config).unwrap();
    let opened = client.case_open(&stage.void()).unwrap();
    assert_eq!((opened.data.outcome.as_deref(), opened.data.r#final), (Some("executed"), Some(false)));
    let mut steps = Vec::new();
    for step in client.follow(by_key()).every(Duration::from_millis(20)) {
        steps.push(open(&step.unwrap()));
        stage.vendor.advance("2h").unwrap();
    }
    assert_eq!(steps.first(), Some(&Some(1)), "nothing is due at first");
    assert_eq!(steps.last(), Some(&Some(0)));
    let case = client.case_get(&CaseGetRequest { key: Some("k".into()), id: None }).unwrap().data;
    assert_eq!((case.state.as_deref(), case.r#final), (Some("refunded"), Some(true)));
    assert_eq!(client.follow(CaseFollowRequest::default()).count(), 1, "nothing is open: one step says so");
}

#[test]
fn to_the_end_async() {
    let stage = Stage::new("async");
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
        let client = Client::new(&stage.config).unwrap();
        client.case_open(&stage.void()).await.unwrap();
        // The waiting is the library's own: this runtime has no timers.
        let mut steps = client.follow(by_key()).every(Duration::from_millis(20));
        let mut last = None;
        while let Some(step) = steps.next().await {
            last = open(&step.unwrap());
            stage.vendor.advance("2h").unwrap();
        }
        assert_eq!(last, Some(0));
    });
}

#[test]
fn the_time_is_kept_and_an_error_ends_it() {
    let stage = Stage::new("ends");
    let client = blocking::Client::new(&stage.config).unwrap();
    client.case_open(&stage.void()).unwrap();
    let request = CaseFollowRequest { timeout_ms: Some(200.into()), ..CaseFollowRequest::default() };
    let steps: Vec<_> = client.follow(request).map(|step| open(&step.unwrap())).collect();
    assert!(steps.len() >= 2 && steps.iter().all(|open| *open == Some(1)), "{steps:?}");
    let nobody = CaseFollowRequest { key: Some("nobody's".into()), ..CaseFollowRequest::default() };
    let steps: Vec<_> = client.follow(nobody).collect();
    assert_eq!(steps.len(), 1);
    assert_eq!(steps[0].as_ref().unwrap_err().error().status, Status::NOT_FOUND);
}
