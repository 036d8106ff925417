//! Many callers at once.

use std::thread;

use serde_json::{Value, json};

use crate::fixture::Fixture;
use crate::needs_server;

#[test]
fn of_16_racers_for_one_order_one_wins_and_none_waits_for_ever() {
    needs_server!();
    let fixture = Fixture::new("default");
    let clients: Vec<_> = (0..4).map(|_| Fixture::client(&fixture.vendor, &fixture.file, &json!({}))).collect();
    for round in 0..4 {
        let order = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
        let replies: Vec<Value> = thread::scope(|scope| {
            let racers: Vec<_> = (0..16)
                .map(|n| {
                    let (client, order) = (&clients[n % clients.len()], &order);
                    scope.spawn(move || {
                        let request = json!({"kind": "void", "orderNo": order, "key": format!("k{round}.{n}")});
                        serde_json::from_str(client.call("case.open", &request.to_string(), "").json()).unwrap()
                    })
                })
                .collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        let won = replies.iter().filter(|reply| reply["outcome"] == "executed").count();
        let lost = replies.iter().filter(|reply| reply["error"]["code"] == "conflict").count();
        assert_eq!((won, lost), (1, 15), "{replies:#?}");
        assert_eq!(fixture.executed("void"), round + 1);
    }
}

#[test]
fn racers_with_one_key_open_one_case() {
    needs_server!();
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
    let request = json!({"kind": "void", "orderNo": order, "key": "k"}).to_string();
    let ids: Vec<Value> = thread::scope(|scope| {
        let racers: Vec<_> = (0..8)
            .map(|_| {
                let (client, request) = (&fixture.client, &request);
                scope.spawn(move || {
                    let reply: Value = serde_json::from_str(client.call("case.open", request, "").json()).unwrap();
                    assert_eq!(reply["outcome"], "executed", "{reply}");
                    reply["case"]["id"].clone()
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    });
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "{ids:?}");
    assert_eq!(fixture.sent("void"), 1);
}

/// A reader that goes on from the last number it saw misses no change, while others write.
#[test]
fn a_reader_of_changes_skips_none_while_others_write() {
    needs_server!();
    let fixture = Fixture::new("default");
    let clients: Vec<_> = (0..4).map(|_| Fixture::client(&fixture.vendor, &fixture.file, &json!({}))).collect();
    let mut seen = std::collections::BTreeSet::new();
    thread::scope(|scope| {
        let writers: Vec<_> = clients
            .iter()
            .enumerate()
            .map(|(n, client)| {
                let fixture = &fixture;
                scope.spawn(move || {
                    for m in 0..6 {
                        let order = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
                        let request = json!({"kind": "void", "orderNo": order, "key": format!("{n}.{m}")});
                        client.call("case.open", &request.to_string(), "");
                    }
                })
            })
            .collect();
        let mut since = json!(0);
        loop {
            let is_last = writers.iter().all(|writer| writer.is_finished());
            let page = fixture.call("case.list", json!({"changedSince": since, "limit": 500}))["data"].clone();
            since = page["next"].clone();
            seen.extend(
                page["cases"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|case| case["key"].to_string() + &case["change"].to_string()),
            );
            if is_last {
                break;
            }
        }
    });
    // The last change of each case was among what was read.
    let now = fixture.call("case.list", json!({"limit": 500}))["data"]["cases"].as_array().unwrap().clone();
    assert_eq!(now.len(), 24);
    for case in now {
        assert!(seen.contains(&(case["key"].to_string() + &case["change"].to_string())), "{case} was skipped");
    }
}
