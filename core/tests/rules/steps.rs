//! One step, one request: outcomes of cases, holds, overtaken senders, direct submits, the last look.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use atlas_postbooking::blocking::Client;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::fixture::{Fixture, claim, on_server, server};

fn voidable(fixture: &Fixture) -> String {
    fixture.order(json!({"airline": "Y4", "paymentMethod": 1}))
}

fn parse(reply: &atlas_postbooking::Reply) -> Value {
    serde_json::from_str(reply.json()).unwrap()
}

/// From now on every lease is over.
fn end_leases(fixture: &Fixture) {
    if on_server() {
        let sql = "UPDATE apb.cases SET owner = NULL, worker = NULL, token = apb.next_change() WHERE owner IS NOT NULL";
        server::run(&server::url(&fixture.file), sql);
        return;
    }
    rusqlite::Connection::open(&fixture.file).unwrap().execute("UPDATE cases SET lease_until = 1", []).unwrap();
}

#[test]
fn the_outcome_of_a_reply_about_one_case_is_the_cases_own() {
    let fixture = Fixture::new("default");
    let waiting = fixture.unpaid_ancillary();
    assert_eq!(waiting["outcome"], "pending");
    for (operation, request) in [
        ("case.open", fixture.ancillary(waiting["orderNo"].as_str().unwrap(), "k")),
        ("case.get", json!({"key": "k"})),
        ("case.get", json!({"id": waiting["id"]})),
        ("case.reconcile", json!({"key": "k"})),
        ("case.follow", json!({"key": "k", "until": "step"})),
    ] {
        let reply = fixture.call(operation, request);
        assert_eq!((&reply["ok"], &reply["outcome"]), (&json!(true), &json!("pending")), "{operation} {reply}");
        assert_eq!(reply["outcome"], reply["case"]["outcome"], "{operation} {reply}");
    }
    let reply = fixture.client.call("case.get", r#"{"key":"k"}"#, "");
    assert_eq!((reply.outcome().number(), reply.outcome().name()), (3, "pending"));
    for (operation, request) in [
        ("case.list", json!({})),
        ("case.export", json!({})),
        ("case.follow", json!({"all": true})),
        ("case.reconcile", json!({"all": true})),
    ] {
        assert_eq!(fixture.call(operation, request)["outcome"], "executed", "{operation}");
    }
}

#[test]
fn a_case_that_is_not_found_is_unknown() {
    let fixture = Fixture::new("default");
    let verdict = json!({"id": "none", "as": "executed", "by": "me", "evidence": "so"});
    for (operation, request) in [
        ("case.get", json!({"key": "none"})),
        ("case.reconcile", json!({"id": "none"})),
        ("case.follow", json!({"id": "none"})),
        ("case.resolve", verdict),
    ] {
        let reply = fixture.call(operation, request);
        assert_eq!(
            (&reply["error"]["status"], &reply["outcome"]),
            (&json!(-46), &json!("unknown")),
            "{operation} {reply}"
        );
    }
}

#[test]
fn a_step_says_when_its_last_attempt_that_may_have_left_was_sent_and_its_request_id() {
    let fixture = Fixture::new("default");
    let order = voidable(&fixture);
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "reply", "body": {"requestId": "r-1"}})).unwrap();
    let reply = fixture.call("case.open", json!({"kind": "void", "orderNo": order, "key": "k"}));
    let step = &reply["case"]["steps"][0];
    assert!(step["sentAt"].is_string(), "{reply}");
    assert_eq!(step["requestId"], "r-1", "{reply}");
}

#[test]
fn a_sending_case_is_pending_while_its_sender_lives_and_then_shown_unknown() {
    let fixture = Fixture::new("default");
    let order = voidable(&fixture);
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "delay", "delayMs": 2000})).unwrap();
    let second = Fixture::client(&fixture.vendor, &fixture.file, &json!({}));
    let seen = |outcome: &str, state: &str| {
        let got = parse(&second.call("case.get", r#"{"key":"k"}"#, ""));
        let listed = parse(&second.call("case.list", "{}", ""))["data"]["cases"][0].clone();
        let exported = parse(&second.call("case.export", "{}", ""))["data"]["ndjson"].as_str().unwrap().to_owned();
        let exported: Value = serde_json::from_str(exported.trim()).unwrap();
        assert_eq!(got["outcome"], outcome, "{got}");
        for case in [&got["case"], &listed, &exported] {
            assert_eq!((&case["outcome"], &case["state"]), (&json!(outcome), &json!(state)), "{case}");
        }
    };
    thread::scope(|scope| {
        let request = json!({"kind": "void", "orderNo": order, "key": "k"}).to_string();
        let client = &fixture.client;
        scope.spawn(move || client.call("case.open", &request, "").json().to_owned());
        thread::sleep(Duration::from_millis(700));
        seen("pending", "sending");
        end_leases(&fixture);
        seen("unknown", "unknown");
    });
}

/// The other process asks after the settle time, and the vendor shows nothing: the case is closed and watched.
fn overtake(fixture: &Fixture) {
    let second = Fixture::client(&fixture.vendor, &fixture.file, &json!({}));
    end_leases(fixture);
    let id = parse(&second.call("case.list", "{}", ""))["data"]["cases"][0]["id"].clone();
    let request = json!({"id": id}).to_string();
    second.call("case.reconcile", &request, "");
    for _ in 0..3 {
        fixture.vendor.advance("70s").unwrap();
        second.call("case.reconcile", &request, "");
    }
    let case = parse(&second.call("case.get", &request, ""))["case"].clone();
    assert_eq!(case["outcome"], "not_executed", "{case}");
}

#[test]
fn a_sender_that_was_overtaken_says_unknown_and_never_not_executed() {
    let fixture = Fixture::new("default");
    let order = voidable(&fixture);
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "late", "delayMs": 9_000_000, "virtual": true})).unwrap();
    thread::scope(|scope| {
        let request = json!({"kind": "void", "orderNo": order, "key": "k"}).to_string();
        let client = &fixture.client;
        let first = scope.spawn(move || parse(&client.call("case.open", &request, r#"{"timeoutMs": 3000}"#)));
        thread::sleep(Duration::from_millis(700));
        overtake(&fixture);
        let reply = first.join().unwrap();
        assert_eq!((&reply["outcome"], &reply["case"]["outcome"]), (&json!("unknown"), &json!("unknown")), "{reply}");
        assert_eq!(reply["ok"], false, "{reply}");
    });
}

#[test]
fn the_reply_of_an_overtaken_sender_counts_in_a_case_that_is_closed_and_watched() {
    for direct in [false, true] {
        let fixture = Fixture::new("default");
        let order = voidable(&fixture);
        let quote = fixture.call("voidQuotation", json!({"orderNo": order}));
        fixture.vendor.fault(json!({"endpoint": "void", "mode": "delay", "delayMs": 3000})).unwrap();
        let hidden = json!({"voidOrders": []});
        fixture
            .vendor
            .fault(json!({"endpoint": "queryVoidOrders", "mode": "reply", "times": 0, "body": hidden}))
            .unwrap();
        thread::scope(|scope| {
            let (operation, request) = match direct {
                true => ("void", json!({"orderNo": order, "voidOfferId": quote["data"]["voidOfferId"]})),
                false => ("case.open", json!({"kind": "void", "orderNo": order, "key": "k"})),
            };
            let client = &fixture.client;
            let first = scope.spawn(move || parse(&client.call(operation, &request.to_string(), "")));
            thread::sleep(Duration::from_millis(700));
            overtake(&fixture);
            let reply = first.join().unwrap();
            assert_eq!(
                (&reply["outcome"], &reply["case"]["outcome"]),
                (&json!("executed"), &json!("executed")),
                "{reply}"
            );
            let case = fixture.call("case.get", json!({"id": reply["case"]["id"]}))["case"].clone();
            assert_eq!((&case["outcome"], &case["reopened"]), (&json!("executed"), &json!(true)), "{case}");
        });
        assert_eq!((fixture.sent("void"), fixture.executed("void")), (1, 1));
    }
}

/// A direct submit that the vendor did not answer, and whose case another process closed meanwhile.
#[test]
fn a_direct_submit_that_was_overtaken_says_unknown() {
    let fixture = Fixture::new("default");
    let order = voidable(&fixture);
    let quote = fixture.call("voidQuotation", json!({"orderNo": order}));
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "late", "delayMs": 9_000_000, "virtual": true})).unwrap();
    thread::scope(|scope| {
        let request = json!({"orderNo": order, "voidOfferId": quote["data"]["voidOfferId"]}).to_string();
        let client = &fixture.client;
        let first = scope.spawn(move || parse(&client.call("void", &request, r#"{"timeoutMs": 3000}"#)));
        thread::sleep(Duration::from_millis(700));
        overtake(&fixture);
        let reply = first.join().unwrap();
        assert_eq!(reply["outcome"], "unknown", "{reply}");
    });
}

#[test]
fn a_payment_refused_by_the_vendor_leaves_the_order_waiting_for_another_attempt() {
    for (code, again) in [(412, true), (401, false)] {
        let fixture = Fixture::new("default");
        let mut request = fixture.ancillary(&fixture.order(json!({"passengers": 1})), "k");
        request["payment"] = json!({"paymentMethod": 1});
        let fault = json!({"endpoint": "pay", "mode": "reply", "execute": false, "body": {"status": code}});
        fixture.vendor.fault(fault).unwrap();
        let reply = fixture.call("case.open", request.clone());
        let seen = (&reply["outcome"], &reply["case"]["state"], &reply["error"]["vendorStatus"]);
        assert_eq!(seen, (&json!("pending"), &json!("awaiting_payment"), &json!(code)), "{reply}");
        let reply = fixture.call("case.open", request);
        assert_eq!(
            (fixture.sent("pay"), fixture.executed("pay")),
            (1 + usize::from(again), usize::from(again)),
            "{reply}"
        );
    }
}

#[test]
fn an_order_that_is_paid_and_in_ticketing_may_be_stopped() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"state": "cancelled"}));
    let open = json!({"kind": "regenerate", "orderNo": order, "key": "k", "payment": {"paymentMethod": 1}, "expect": {"currency": "USD", "maxPrice": "100000"}});
    let reply = fixture.call("case.open", open);
    assert_eq!(reply["case"]["state"], "ticketing", "{reply}");
    let stop = json!({"kind": "stop", "orderNo": reply["case"]["code"], "key": "stop"});
    let stopped = fixture.call("case.open", stop);
    assert_eq!(stopped["outcome"], "executed", "{stopped}");
    // It is paid once all the same, and its notifications still find the case.
    let again = fixture.call("pay", json!({"orderNo": reply["case"]["code"], "paymentMethod": 1}));
    assert_eq!((&again["error"]["code"], fixture.sent("pay")), (&json!("conflict"), 1), "{again}");
    let notified =
        fixture.call("case.notify", json!({"body": {"orderNo": reply["case"]["code"], "type": "order.ticketed"}}));
    let ids = notified["data"]["cases"].as_array().unwrap();
    assert!(ids.contains(&reply["case"]["id"]), "{notified}");
}

/// orderList may show the order late.
#[test]
fn a_claim_holds_its_locator() {
    let fixture = Fixture::new("default");
    let pnr = fixture.vendor.create_pnr(json!({"airline": "Y4"})).unwrap();
    let first = fixture.call("case.open", claim(&pnr, "k"));
    assert_eq!(first["outcome"], "executed", "{first}");
    let empty = json!({"orders": [], "totalRecords": 0});
    fixture.vendor.fault(json!({"endpoint": "orderList", "mode": "reply", "times": 0, "body": empty})).unwrap();
    let second = fixture.call("case.open", claim(&pnr, "second"));
    assert_eq!((&second["error"]["code"], fixture.sent("pnrClaim")), (&json!("conflict"), 1), "{second}");
    assert_eq!(second["case"]["id"], first["case"]["id"], "{second}");
}

#[test]
fn a_refused_direct_submit_ends_and_frees_the_order() {
    let fixture = Fixture::new("default");
    let order = voidable(&fixture);
    fixture
        .vendor
        .fault(json!({"endpoint": "void", "mode": "reply", "execute": false, "body": {"status": 905}}))
        .unwrap();
    let quote = fixture.call("voidQuotation", json!({"orderNo": order}));
    let reply = fixture.call("void", json!({"orderNo": order, "voidOfferId": quote["data"]["voidOfferId"]}));
    assert_eq!((&reply["outcome"], &reply["case"]["final"]), (&json!("not_executed"), &json!(true)), "{reply}");
    let opened = fixture.call("case.open", json!({"kind": "void", "orderNo": order, "key": "k"}));
    assert_eq!(opened["outcome"], "executed", "{opened}");
}

#[test]
fn a_direct_refund_for_reason_4_counts_as_a_void() {
    let fixture = Fixture::new("default");
    let order = fixture.vendor.create_order(json!({"paymentMethod": 1})).unwrap();
    let p = &order["passengers"][0];
    let s = &order["segments"][0];
    let segment = json!({"depDate": s["depDate"], "flightNo": s["flightNo"], "depAirport": s["depAirport"], "arrAirport": s["arrAirport"]});
    let list =
        json!([{"lastName": p["lastName"], "firstName": p["firstName"], "refundReason": "4", "segments": [segment]}]);
    let reply = fixture.call("refund", json!({"orderNo": order["orderNo"], "refundRequestList": list}));
    assert_eq!(reply["case"]["kind"], "void", "{reply}");
}

#[test]
fn an_expired_budget_says_the_time_it_had() {
    let fixture = Fixture::with("default", json!({"rateLimit": {"perSecond": 0.01, "burst": 1}}));
    let order = voidable(&fixture);
    let short = r#"{"timeoutMs": 400}"#;
    let request = json!({"kind": "void", "orderNo": order, "key": "k"});
    let reply = fixture.with_options("case.open", &request, short);
    let message = reply["error"]["message"].as_str().unwrap();
    assert!(message.contains("400 ms"), "{reply}");
}

const CHILD: &str = "APB_RULES_CHILD";

/// The process that [`a_process_that_was_stopped_between_intent_and_bytes_sends_nothing`] stops.
#[test]
fn child() {
    let Ok(plan) = std::env::var(CHILD) else { return };
    let plan: Value = serde_json::from_str(&plan).unwrap();
    let client = Client::new(&plan["config"].to_string()).unwrap();
    let reply = client.call("void", &plan["request"].to_string(), r#"{"timeoutMs": 1500}"#);
    println!("\n@@{}", reply.json());
}

/// A proxy lets the child wait for its tunnel; meanwhile the child is stopped until its deadline is over.
#[test]
fn a_process_that_was_stopped_between_intent_and_bytes_sends_nothing() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let file = std::env::temp_dir().join(format!("apb-stopped-{}.db", std::process::id()));
    let config = json!({
        "baseUrl": "http://127.0.0.1:9", "clientId": "demo", "clientSecret": "secret", "store": {"path": file},
        "proxy": format!("socks5://{}", proxy.local_addr().unwrap()),
    });
    let plan = json!({"config": config, "request": {"orderNo": "O", "voidOfferId": "offer"}});
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "steps::child", "--nocapture", "--test-threads=1"])
        .env(CHILD, plan.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = Pid::from_raw(child.id() as i32);
    let (mut stream, _) = proxy.accept().unwrap();
    let mut greeting = [0; 3];
    stream.read_exact(&mut greeting).unwrap();
    kill(pid, Signal::SIGSTOP).unwrap();
    // No authentication; then the connection stands, while the child sleeps.
    stream.write_all(&[5, 0]).unwrap();
    thread::sleep(Duration::from_millis(2500));
    let answer = thread::spawn(move || {
        let mut request = [0; 10];
        if stream.read_exact(&mut request).is_ok() {
            let _ = stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 9]);
        }
        let mut sent = Vec::new();
        let _ = stream.read_to_end(&mut sent);
        String::from_utf8_lossy(&sent).into_owned()
    });
    kill(pid, Signal::SIGCONT).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let reply = text.lines().find_map(|line| line.strip_prefix("@@")).unwrap_or_else(|| panic!("{text}"));
    let reply: Value = serde_json::from_str(reply).unwrap();
    assert!(!answer.join().unwrap().contains("voidOfferId"), "the body left after the deadline");
    assert_eq!((&reply["outcome"], &reply["error"]["status"]), (&json!("not_executed"), &json!(-24)), "{reply}");
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", file.display()));
    }
}

/// Whether the vendor takes the payment of a second baggage order or not: it is paid at most once, and what happened
/// is said.
#[test]
fn an_order_beside_one_that_is_paid_is_paid_once_or_refused() {
    for (sibling, paid) in [("allowed", true), ("refused", false)] {
        let fixture = Fixture::new(&format!("siblingPay={sibling}"));
        let case = fixture.unpaid_ancillary();
        let search = json!({"ticketOrderNo": case["orderNo"], "ancillaryCategory": "BAGGAGE"});
        let session = fixture.outside("postBookingAncillarySearch", search)["data"]["sessionId"].clone();
        let order = fixture.vendor.order(case["orderNo"].as_str().unwrap()).unwrap();
        let other = fixture.outside(
            "postBookingAncillaryOrder",
            json!({"sessionId": session, "ancillaryCategory": "BAGGAGE", "ticketOrderNo": case["orderNo"],
                "passengers": [{"name": order["passengers"][0]["name"], "passengerType": 0,
                    "ancillaries": [{"productCode": "SIM_BAG_1PC_20KG", "segmentIndex": 1}]}]}),
        );
        let pay = json!({"orderNo": other["data"]["orderNo"], "paymentMethod": 1});
        assert_eq!(fixture.outside("pay", pay)["ok"], true, "{other}");
        let mut request = fixture.ancillary(case["orderNo"].as_str().unwrap(), "k");
        request["payment"] = json!({"paymentMethod": 1});
        for _ in 0..2 {
            let reply = fixture.call("case.open", request.clone());
            // A refused one leaves open which payment the vendor means (402).
            let outcome = if paid { "executed" } else { "unknown" };
            assert_eq!(reply["outcome"], outcome, "{sibling}: {reply}");
        }
        // The stranger's, and ours.
        assert_eq!(fixture.executed("pay"), if paid { 2 } else { 1 });
    }
}

#[test]
fn a_direct_refund_holds_the_passengers_of_its_remembered_offer_and_else_everybody() {
    let fixture = Fixture::new("refundQueryWithoutCode=list");
    let order = fixture.vendor.create_order(json!({"passengers": 3, "airline": "Y4", "paymentMethod": 1})).unwrap();
    // The store reads who they are.
    fixture.call("case.plan", json!({"orderNo": order["orderNo"], "passengers": [1]}));
    let send = |fixture: &Fixture, offer: &Value| {
        let request = json!({"orderNo": order["orderNo"], "refundOfferId": offer});
        let done = fixture.call("refund", request);
        assert_eq!(done["outcome"], "executed", "{done}");
    };
    let some = |key: &str, passenger: u32| {
        fixture.call(
            "case.open",
            json!({"kind": "refund", "orderNo": order["orderNo"], "key": key, "passengers": [passenger]}),
        )
    };
    send(&fixture, &fixture.offer_here(&order, 0));
    assert_eq!(some("one", 1)["error"]["code"], "conflict");
    let two = some("two", 2);
    assert_eq!((&two["outcome"], &two["case"]["passengers"]), (&json!("executed"), &json!([2])), "{two}");
    // An offer of another client is for nobody knows whom.
    let fixture = Fixture::new("refundQueryWithoutCode=list");
    let order = fixture.vendor.create_order(json!({"passengers": 3, "airline": "Y4", "paymentMethod": 1})).unwrap();
    let offer = fixture.offer_outside(&order, 0);
    let done = fixture.call("refund", json!({"orderNo": order["orderNo"], "refundOfferId": offer}));
    assert_eq!(done["outcome"], "executed", "{done}");
    let request = json!({"kind": "refund", "orderNo": order["orderNo"], "key": "two", "passengers": [2]});
    assert_eq!(fixture.call("case.open", request)["error"]["code"], "conflict");
}
