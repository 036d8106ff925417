//! The envelope, credentials, encodings, profiles, determinism, the binary.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

mod common;

use common::{Atlas, atlas, bags, refund, refund_list, void};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};

const PATHS: [&str; 17] = [
    "/postBookingAncillarySearch.do",
    "/postBookingAncillaryOrder.do",
    "/refundQuotation.do",
    "/refund.do",
    "/queryRefundOrders.do",
    "/voidQuotation.do",
    "/void.do",
    "/queryVoidOrders.do",
    "/regenerateOrder.do",
    "/stopTicket.do",
    "/orderList.do",
    "/pnr/claim.do",
    "/extractPnr.do",
    "/queryOrderDetails.do",
    "/pay.do",
    "/balance.do",
    "/updateWebhookURL.do",
];

#[test]
fn every_endpoint_checks_method_credentials_and_json() {
    let atlas = atlas("");
    for path in PATHS {
        assert_eq!(atlas.send("GET", path, &[], b"").unwrap().status, 405, "{path}");
        let wrong = atlas.send("POST", path, &["x-atlas-client-id: a", "x-atlas-client-secret: wrong"], b"{}").unwrap();
        assert_eq!((wrong.status, wrong.json()["status"].as_i64()), (200, Some(900)), "{path}");
        assert_eq!(atlas.send("POST", path, &[], b"{}").unwrap().json()["status"], 900, "{path}");
        assert_eq!(atlas.wire(path, "{not json").unwrap().json()["status"], 901, "{path}");
        assert_eq!(atlas.wire(path, "[]").unwrap().json()["status"], 901, "{path}");
    }
    assert!(atlas.sim.ledger().iter().all(|row| row["executed"] == false));
    let not_found = atlas.wire("/stopTicketIssuance.do", "{}").unwrap();
    assert_eq!(not_found.status, 404);
    assert!(String::from_utf8(not_found.body).unwrap().contains("HTTP Status 404"));
}

#[test]
fn gzip_chunked_bodies_and_persistent_connections_work() {
    let atlas = atlas("");
    let order = atlas.order(json!({}));
    let body = json!({"orderNo": order["orderNo"]}).to_string();
    let headers = ["x-atlas-client-id: a", "x-atlas-client-secret: b", "Accept-Encoding: gzip"];
    let compressed = atlas.send("POST", "/queryOrderDetails.do", &headers, body.as_bytes()).unwrap();
    assert!(compressed.head.contains("Content-Encoding: gzip"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(compressed.body.as_slice()).read_to_string(&mut text).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["orderNo"], order["orderNo"]);
    let small = atlas.send("POST", "/balance.do", &headers, b"{}").unwrap();
    assert!(!small.head.contains("gzip"));

    let mut stream = atlas.connect();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    for _ in 0..3 {
        let head = "POST /balance.do HTTP/1.1\r\nx-atlas-client-id: a\r\nx-atlas-client-secret: b\r\nTransfer-Encoding: chunked\r\n\r\n";
        stream
            .write_all(format!("{head}5\r\n{{\"cur\r\nb\r\nrency\":\"USD\r\n2\r\n\"}}\r\n0\r\n\r\n").as_bytes())
            .unwrap();
        let mut length = 0;
        loop {
            let mut line = String::new();
            answers.read_line(&mut line).unwrap();
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        answers.read_exact(&mut body).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["accountBalance"]["currency"], "USD");
    }
    let requests = atlas.sim.requests();
    let last = &requests[requests.len() - 3..];
    assert!(last.iter().all(|r| r["connection"] == last[0]["connection"] && r["body"] == "{\"currency\":\"USD\"}"));
}

#[test]
fn the_same_seed_and_calls_give_the_same_bytes() {
    let replay = |seed: u64| {
        let atlas = atlas("");
        atlas.sim.control("POST", "/_sim/reset", json!({"seed": seed})).unwrap();
        let order = atlas.order(json!({"passengers": 2, "segments": 2}));
        let mut bytes = order.to_string();
        bytes += &bags(&atlas, &order).to_string();
        bytes += &refund(&atlas, &order).to_string();
        atlas.advance("30d");
        bytes += &atlas.ok("/queryOrderDetails.do", json!({"orderNo": order["orderNo"]})).to_string();
        bytes + &Value::from(atlas.sim.ledger()).to_string()
    };
    assert_eq!(replay(7), replay(7));
    assert_ne!(replay(7), replay(8));
}

fn check_both_values(switch: &str, values: [&str; 2], test: impl Fn(&Atlas) -> Value, expected: [Value; 2]) {
    for (value, expected) in values.into_iter().zip(expected) {
        let atlas = atlas(&format!("{switch}={value}"));
        assert_eq!(test(&atlas), expected, "{switch}={value}");
    }
}

fn quote(atlas: &Atlas, order: &Value) -> Value {
    atlas
        .call("/refundQuotation.do", json!({"orderNo": order["orderNo"], "refundRequestList": refund_list(order, "1")}))
}

#[test]
fn switches_of_refunds_and_voids() {
    let without_code = |atlas: &Atlas| {
        let order = atlas.order(json!({}));
        refund(atlas, &order);
        let reply = atlas.call("/queryRefundOrders.do", json!({"orderNo": order["orderNo"]}));
        json!([reply["status"], reply["refundOrders"][0]["refundStatus"]])
    };
    check_both_values("refundQueryWithoutCode", ["810", "list"], without_code, [json!([810, null]), json!([0, 0])]);

    let none = |atlas: &Atlas| {
        let order = atlas.order(json!({}));
        atlas.call("/queryRefundOrders.do", json!({"orderNo": order["orderNo"], "refundCode": "202603-9"}))["status"]
            .clone()
    };
    check_both_values("refundQueryEmpty", ["list", "801"], none, [json!(0), json!(801)]);

    let after = |atlas: &Atlas| {
        let order = atlas.order(json!({}));
        refund(atlas, &order);
        json!([quote(atlas, &order)["status"], atlas.status("/voidQuotation.do", json!({"orderNo": order["orderNo"]}))])
    };
    check_both_values("quoteAfterRefund", ["803", "0"], after, [json!([803, 803]), json!([0, 0])]);

    let rejected = |atlas: &Atlas| {
        let order = atlas.order(json!({"refundOutcome": "rejected"}));
        refund(atlas, &order);
        atlas.advance("2d");
        quote(atlas, &order)["status"].clone()
    };
    check_both_values("quoteAfterRejected", ["0", "803"], rejected, [json!(0), json!(803)]);

    let twice = |atlas: &Atlas| {
        let order = atlas.order(json!({}));
        let first = refund(atlas, &order);
        atlas.call(
            "/refund.do",
            json!({"orderNo": order["orderNo"], "refundOfferId": first["refundOfferId"]}),
        )["status"]
            .clone()
    };
    check_both_values("secondSubmit", ["816", "814"], twice, [json!(816), json!(814)]);
    check_both_values("offerSingleUse", ["false", "true"], twice, [json!(816), json!(805)]);

    let older = |atlas: &Atlas| {
        let order = atlas.order(json!({}));
        let (old, _) = (quote(atlas, &order), quote(atlas, &order));
        atlas.call("/refund.do", json!({"orderNo": order["orderNo"], "refundOfferId": old["refundOfferId"]}))["status"]
            .clone()
    };
    check_both_values("newQuoteKillsOld", ["false", "true"], older, [json!(0), json!(805)]);

    let uncovered = |atlas: &Atlas| {
        let order = atlas.order(json!({"airline": "OD"}));
        let reply = atlas.call("/voidQuotation.do", json!({"orderNo": order["orderNo"]}));
        let submit = atlas.status(
            "/void.do",
            json!({"orderNo": order["orderNo"], "voidOfferId": reply["voidOfferId"].as_str().unwrap_or("q_")}),
        );
        json!([reply["status"], reply["isVoidable"], submit])
    };
    check_both_values(
        "notVoidableQuote",
        ["843", "flag"],
        uncovered,
        [json!([843, null, 805]), json!([0, false, 805])],
    );

    let reply = |atlas: &Atlas| json!(void(atlas, &atlas.order(json!({}))).get("voidTickets").is_some());
    check_both_values("voidReply", ["full", "minimal"], reply, [json!(true), json!(false)]);
}

#[test]
fn switches_of_orders() {
    let unknown = |atlas: &Atlas| {
        let reply = atlas.call("/queryOrderDetails.do", json!({"orderNo": "TESTA1"}));
        json!([reply["status"], reply.get("orderNo")])
    };
    check_both_values("unknownOrder", ["800", "nulls"], unknown, [json!([800, null]), json!([0, null])]);

    let claims = |atlas: &Atlas| {
        let pnr = atlas.sim.create_pnr(json!({})).unwrap();
        let body = json!({"mmb": {"airlinePnr": pnr["airlinePnr"]}, "passengers": pnr["passengers"], "fromSegments": pnr["segments"]});
        let orders = [atlas.ok("/pnr/claim.do", body.clone()), atlas.ok("/pnr/claim.do", body)]
            .map(|reply| reply["orderNo"].clone());
        json!([orders[0] == orders[1], atlas.executed("pnrClaim")])
    };
    check_both_values("secondClaim", ["same", "new"], claims, [json!([true, 1]), json!([false, 2])]);

    let regenerated = |atlas: &Atlas| {
        let order = atlas.order(json!({"state": "cancelled"}));
        let regenerate = || atlas.call("/regenerateOrder.do", json!({"originalOrderNo": order["orderNo"]}));
        let (first, second) = (regenerate(), regenerate());
        json!([
            second["status"],
            second["duplicateOrders"] == json!([first["orderNo"]]),
            atlas.executed("regenerateOrder")
        ])
    };
    check_both_values(
        "regenerateDuplicate",
        ["allowed", "318"],
        regenerated,
        [json!([0, false, 2]), json!([318, true, 1])],
    );

    let together = |atlas: &Atlas| {
        let order = atlas.order(json!({}));
        bags(atlas, &order);
        let reply = atlas.ok("/queryOrderDetails.do", json!({"orderNo": order["orderNo"], "isCompletedOrder": true}));
        json!(reply.get("orderList").map(|list| list.as_array().unwrap().len()))
    };
    check_both_values("aggregatedOrders", ["true", "false"], together, [json!(2), json!(null)]);

    let listed = |atlas: &Atlas| {
        bags(atlas, &atlas.order(json!({})));
        atlas.ok("/orderList.do", json!({}))["totalRecords"].clone()
    };
    check_both_values("listAncillaryOrders", ["true", "false"], listed, [json!(2), json!(1)]);
}

#[test]
fn quirks_drift_writes_numbers_as_text_and_quirks_off_sends_no_nulls() {
    let drift = atlas("quirks=drift");
    let order = drift.order(json!({}));
    let reply = drift.call("/voidQuotation.do", json!({"orderNo": order["orderNo"]}));
    assert_eq!((reply["status"].as_i64(), reply["fastConfirmation"].as_str()), (Some(0), Some("1")));
    assert!(reply["voidFareAmount"]["originalFareAmount"].is_string());
    let plain = atlas("quirks=off");
    let order = plain.order(json!({"state": "unpaid"}));
    let refused = plain.call("/voidQuotation.do", json!({"orderNo": order["orderNo"]}));
    assert_eq!(refused.as_object().unwrap().len(), 2, "{refused}");
}

#[test]
fn profiles_are_selected_changed_and_validated() {
    let atlas = atlas("strict,secondClaim=same");
    let seen = atlas.sim.control("GET", "/_sim/profile", json!({})).unwrap();
    assert_eq!((seen["unknownOrder"].as_str(), seen["secondClaim"].as_str()), (Some("nulls"), Some("same")));
    let seen =
        atlas.sim.profile(json!({"profile": "default", "ticketingSeconds": 5, "aggregatedOrders": false})).unwrap();
    assert_eq!((seen["unknownOrder"].as_str(), seen["ticketingSeconds"].as_str()), (Some("800"), Some("5")));
    assert_eq!(seen["aggregatedOrders"], "false");
    for nonsense in [json!({"unknownOrder": "maybe"}), json!({"color": "red"}), json!({"ticketingSeconds": "soon"})] {
        assert!(atlas.sim.profile(nonsense).is_err());
    }
    assert_eq!(atlas.sim.control("GET", "/_sim/profile", json!({})).unwrap(), seen, "a bad change changes nothing");
}

#[test]
fn the_virtual_clock_moves_only_by_control_calls_and_the_real_one_by_itself() {
    let still = atlas("start=2026-05-01T00:00:00Z");
    assert_eq!(still.sim.now().unwrap(), json!({"now": "2026-05-01T00:00:00Z"}));
    assert_eq!(still.sim.advance("PT30M").unwrap(), json!({"now": "2026-05-01T00:30:00Z"}));
    assert_eq!(still.sim.advance(90).unwrap(), json!({"now": "2026-05-01T00:31:30Z"}));
    let set = |to: &str| still.sim.control("POST", "/_sim/clock", json!({"set": to}));
    assert_eq!(set("2026-05-03T00:00:00Z").unwrap(), json!({"now": "2026-05-03T00:00:00Z"}));
    assert!(set("2026-05-02T00:00:00Z").is_err());

    let flowing = atlas("clock=real");
    let order = flowing.order(json!({"state": "ticketing", "ticketingSeconds": 0.3}));
    assert_eq!(flowing.state(&order["orderNo"]), "1");
    std::thread::sleep(std::time::Duration::from_millis(400));
    assert_eq!(flowing.state(&order["orderNo"]), "2");
}

#[test]
fn the_control_api_works_over_http_and_reports_errors() {
    let atlas = atlas("");
    let order = atlas.wire("/_sim/orders", r#"{"state":"unpaid","airline":"Y4"}"#).unwrap().json();
    assert_eq!((order["state"].as_i64(), order["airline"].as_str()), (Some(0), Some("Y4")));
    let path = format!("/_sim/orders/{}", order["orderNo"].as_str().unwrap());
    assert_eq!(atlas.send("GET", &path, &[], b"").unwrap().json(), order);
    let bad = atlas.wire("/_sim/clock", r#"{"advance":"later"}"#).unwrap();
    assert_eq!(bad.status, 400);
    assert!(bad.json()["error"].as_str().unwrap().contains("no duration"));
    assert_eq!(atlas.wire("/_sim/nothing", "{}").unwrap().status, 400);
    assert_eq!(atlas.sim.requests().len(), 0, "control calls are not the vendor's");
    let case = void(&atlas, &atlas.order(json!({})));
    atlas.wire("/_sim/cases", &json!({"code": case["voidCode"], "status": 6}).to_string()).unwrap();
    let seen = atlas.ok("/queryVoidOrders.do", json!({"orderNo": case["orderNo"]}));
    assert_eq!(seen["voidOrders"][0]["voidStatus"], 6);
    atlas.sim.reset().unwrap();
    assert!(atlas.sim.ledger().is_empty() && atlas.sim.requests().is_empty());
}

#[test]
fn the_binary_prints_its_url() {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_atlas-simulator"))
        .args(["--seed", "3", "--profile", "strict", "--config", "start=2026-01-01T00:00:00Z", "unknownOrder=800"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let address = ready["url"].as_str().unwrap().trim_start_matches("http://").to_owned();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /_sim/profile HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap();
    let seen = common::receive(&mut stream).unwrap().json();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(ready["ready"], true);
    assert_eq!((seen["unknownOrder"].as_str(), seen["secondClaim"].as_str()), (Some("800"), Some("new")));
    assert_eq!(seen["start"], "2026-01-01T00:00:00Z");
}
