//! Personal data and secrets that no store, log or reply may hold. Marked texts ("canaries") are put wherever a person
//! or a secret can be, and searched for as they are, in hex, in base64 at every alignment, and inside gzip.

use std::fmt::Write as _;
use std::io::Read as _;

use atlas_postbooking::LogLevel;
use atlas_postbooking::blocking::Client;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::fixture::{Fixture, beside, bytes, call, void};

const SECRET: &str = "CanarySecretOfClient";
/// Free text of the vendor: it may be in `vendorMessage` of a reply, and nowhere else.
const VENDOR_TEXT: &str = "CanaryTextOfVendor";
const CANARIES: &[&str] = &[
    SECRET,
    "CANARYLAST",
    "CANARYFIRST",
    "CANARYDOC77",
    "canary.mail@example.org",
    "0049-1510047110",
    "4111111111111129",
    "9753197",
    "CANARYHOLDER",
    "CANARYOWNER",
    "CanaryStreet",
    "CanaryTown",
];

fn lower(bytes: &[u8]) -> Vec<u8> {
    bytes.to_ascii_lowercase()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let value = three.iter().fold(0u32, |v, b| v << 8 | u32::from(*b)) << (8 * (3 - three.len()));
        text.extend((0..=three.len()).map(|i| char::from(DIGITS[(value >> (18 - 6 * i)) as usize & 63])));
    }
    text
}

/// The forms a canary can take, without the base64 digits that its neighbours take part in.
fn forms(canary: &str) -> Vec<Vec<u8>> {
    let hex = canary.bytes().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let mut forms = vec![lower(canary.as_bytes()), hex.into_bytes()];
    for (before, skip) in [(0, 0), (1, 2), (2, 3)] {
        let mut padded = vec![0; before];
        padded.extend(canary.as_bytes());
        let text = base64(&padded);
        let end = text.len() - usize::from(padded.len() % 3 != 0);
        forms.push(text.as_bytes()[skip..end].to_vec());
        forms.push(text[skip..end].replace('+', "-").replace('/', "_").into_bytes());
    }
    forms
}

fn holds(hay: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(hay, needle).is_some()
}

/// The canaries in a text, also in gzip members within it.
fn found(hay: &[u8], canaries: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let folded = lower(hay);
    for canary in canaries {
        // Case matters in base64 only.
        let forms = forms(canary);
        if holds(&folded, &forms[0]) || holds(&folded, &forms[1]) || forms[2..].iter().any(|form| holds(hay, form)) {
            found.push((*canary).to_owned());
        }
    }
    for at in memchr::memmem::find_iter(hay, &[0x1f, 0x8b, 8]) {
        let mut inside = Vec::new();
        let _ = flate2::read::GzDecoder::new(&hay[at..]).take(1 << 20).read_to_end(&mut inside);
        if !inside.is_empty() {
            found.extend(self::found(&inside, canaries));
        }
    }
    found
}

#[test]
fn the_search_finds_every_encoding_of_a_canary() {
    for canary in CANARIES {
        for before in ["", "x", "xy"] {
            let text = format!("{before}{canary} and more");
            let hex: String = text.bytes().map(|b| format!("{b:02X}")).collect();
            let mut gzip = b"before".to_vec();
            let mut encoder = flate2::read::GzEncoder::new(text.as_bytes(), flate2::Compression::default());
            encoder.read_to_end(&mut gzip).unwrap();
            for hay in [text.clone().into_bytes(), text.to_uppercase().into_bytes(), hex.into_bytes(), gzip] {
                assert_eq!(found(&hay, CANARIES), [*canary]);
            }
            assert_eq!(found(base64(text.as_bytes()).as_bytes(), CANARIES), [*canary], "{before}");
        }
    }
    assert_eq!(found(b"nothing of the kind", CANARIES), Vec::<String>::new());
}

/// A client, and a record of all texts that it gave its caller.
struct Recorder {
    client: Client,
    texts: Vec<(String, Vec<u8>)>,
}

impl Recorder {
    fn new(fixture: &Fixture) -> Recorder {
        let mut config = fixture.config();
        config["clientSecret"] = json!(SECRET);
        let client = crate::fixture::client(&config);
        client.set_log_level(Some(LogLevel::Trace));
        Recorder { client, texts: Vec::new() }
    }

    fn call(&mut self, operation: &str, request: &Value) -> Value {
        let reply = self.client.call(operation, &request.to_string(), "");
        let log: Vec<String> = reply.log().iter().map(|line| format!("{} {}", line.target, line.message)).collect();
        let mut json: Value = serde_json::from_str(reply.json()).unwrap();
        let whole = json.clone();
        self.texts.push((format!("{operation}: log"), log.join("\n").into_bytes()));
        self.texts.push((format!("{operation}: Debug"), format!("{reply:?} {:?}", self.client).into_bytes()));
        if let Some(error) = reply.error() {
            self.texts.push((format!("{operation}: message"), format!("{error} {}", error.help).into_bytes()));
        }
        if !operation.starts_with("case.") {
            // `data` are the vendor's fields; only `case` is the library's.
            json = json!({"case": json["case"]});
        }
        for (part, key) in [("meta", "vendorMessage"), ("error", "vendorMessage")] {
            if let Some(part) = json.get_mut(part).and_then(Value::as_object_mut) {
                part.remove(key);
            }
        }
        self.texts.push((format!("{operation}: reply"), json.to_string().into_bytes()));
        whole
    }

    fn leaks(&self) -> Vec<String> {
        let all = [CANARIES, &[VENDOR_TEXT]].concat();
        self.texts
            .iter()
            .flat_map(|(what, hay)| found(hay, &all).into_iter().map(move |c| format!("{what}: {c}")))
            .collect()
    }
}

/// The canaries in the files of the store.
fn stored(fixture: &Fixture) -> Vec<String> {
    let all = [CANARIES, &[VENDOR_TEXT]].concat();
    ["", "-wal", "-shm"]
        .iter()
        .flat_map(|end| {
            found(&bytes(&beside(&fixture.file(), end)), &all).into_iter().map(move |c| format!("store{end}: {c}"))
        })
        .collect()
}

fn people() -> Value {
    json!([{"lastName": "CANARYLAST", "firstName": "CANARYFIRST", "cardNum": "CANARYDOC77", "birthday": "19870615"}])
}

fn order_spec(state: &str) -> Value {
    json!({
        "state": state, "ticketingSeconds": 3600, "airline": "Y4", "paymentMethod": 1, "passengers": people(),
        "contactEmail": "canary.mail@example.org",
    })
}

fn payment() -> Value {
    json!({"paymentMethod": 3, "creditCard": card()})
}

fn card() -> Value {
    json!({
        "cardNumber": "4111111111111129", "cardCVV": "9753197", "cardExpireMonth": "11", "cardExpireYear": "31",
        "cardHolderLastName": "CANARYHOLDER", "cardHolderFirstName": "CANARYOWNER", "cardHolderCountry": "DE",
        "cardHolderProvince": "BE", "cardHolderCity": "CanaryTown", "cardHolderPostCode": "10115",
        "cardHolderAddress": "CanaryStreet 1",
    })
}

/// The kinds: request, and endpoint of the submit.
fn kinds(fixture: &Fixture) -> Vec<(Value, &'static str)> {
    let ticketed = || fixture.order(order_spec("ticketed"));
    let names = json!(["CANARYLAST/CANARYFIRST"]);
    let mut pnr_spec = order_spec("ticketed");
    pnr_spec["email"] = json!("canary.mail@example.org");
    let pnr = fixture.vendor.create_pnr(pnr_spec).unwrap();
    let flight = |s: &Value| {
        let keys = ["carrier", "flightNumber", "depAirport", "arrAirport", "depTime"];
        Value::Object(keys.iter().map(|key| ((*key).to_owned(), s[*key].clone())).collect())
    };
    let flights: Vec<Value> = pnr["segments"].as_array().unwrap().iter().map(flight).collect();
    let mut all = vec![
        (json!({"kind": "void", "orderNo": ticketed()}), "void"),
        (json!({"kind": "refund", "orderNo": ticketed(), "passengers": names}), "refund"),
        (json!({"kind": "cancel", "orderNo": ticketed()}), "void"),
        (json!({"kind": "stop", "orderNo": fixture.order(order_spec("ticketing"))}), "stopTicket"),
        (
            json!({
                "kind": "claim", "mmb": {"airlinePnr": pnr["airlinePnr"], "email": pnr["email"]},
                "passengers": [{"name": "CANARYLAST/CANARYFIRST"}], "fromSegments": flights,
                "connectInfo": {"contactName": "CANARYOWNER", "contactEmail": "canary.mail@example.org", "contactPhone": "0049-1510047110"},
            }),
            "pnrClaim",
        ),
    ];
    for endpoint in ["postBookingAncillaryOrder", "pay"] {
        let products = json!([{"productCode": "SIM_BAG_1PC_15KG"}]);
        let order = ticketed();
        let bag = json!({"kind": "ancillary", "orderNo": order, "products": products, "passengers": names, "payment": payment()});
        all.push((bag, endpoint));
    }
    for endpoint in ["regenerateOrder", "pay"] {
        all.push((
            json!({"kind": "regenerate", "orderNo": fixture.order(order_spec("cancelled")), "payment": payment(),
                "expect": {"currency": "USD", "maxPrice": "1000000"}}),
            endpoint,
        ));
    }
    all
}

/// Replies to the submit. No code of a stop or claim is a refusal: after their 2 a query settles the outcome.
fn faults(endpoint: &str) -> Vec<(&'static str, Value)> {
    let code = match endpoint {
        "postBookingAncillaryOrder" => 6,
        "regenerateOrder" => 300,
        "pay" => 400,
        "stopTicket" | "pnrClaim" => 2,
        _ => 810,
    };
    let text = format!("{VENDOR_TEXT} for CANARYLAST/CANARYFIRST, 4111111111111129, {SECRET}");
    let reply = |status: i64, execute: bool| {
        json!({"endpoint": endpoint, "mode": "reply", "execute": execute, "body": {
            "status": status, "msg": text, "note": text, "passenger": people()}})
    };
    vec![
        ("success", Value::Null),
        ("success with text", reply(0, true)),
        ("refusal", reply(code, false)),
        ("unknown", reply(9999, true)),
        ("lost", json!({"endpoint": endpoint, "mode": "drop_after"})),
        ("never", json!({"endpoint": endpoint, "mode": "drop_before"})),
    ]
}

#[test]
fn no_canary_is_stored_after_settlement_or_given_to_the_caller() {
    let mut wrong = Vec::new();
    let mut outcomes = std::collections::BTreeSet::new();
    let names: Vec<&str> = faults("void").iter().map(|(name, _)| *name).collect();
    for (nth, name) in names.iter().enumerate() {
        let fixture = Fixture::new("refundQueryWithoutCode=list");
        for (row, (request, endpoint)) in kinds(&fixture).into_iter().enumerate() {
            let mut recorder = Recorder::new(&fixture);
            let key = format!("{row}-{nth}");
            let what = format!("{} at {endpoint}, {name}", request["kind"]);
            let mut request = request;
            request["key"] = json!(key);
            let fault = faults(endpoint).swap_remove(nth).1;
            if !fault.is_null() {
                fixture.vendor.fault(fault).unwrap();
            }
            let reply = recorder.call("case.open", &request);
            assert_ne!(reply["error"]["code"], "bad_request", "{what}: {reply}");
            fixture.vendor.clear_faults().unwrap();
            for _ in 0..8 {
                fixture.vendor.advance("40s").unwrap();
                let reply = recorder.call("case.reconcile", &json!({"key": key}));
                if matches!(reply["case"]["outcome"].as_str(), Some("executed" | "not_executed")) {
                    break;
                }
            }
            let case = recorder.call("case.get", &json!({"key": key}))["case"].clone();
            let steps = case["steps"].as_array().unwrap();
            let settled = |case: &Value| case["outcome"] == "executed" || case["outcome"] == "not_executed";
            if !settled(&case) || steps.iter().any(|s| s["outcome"] == "unknown") {
                let request =
                    json!({"id": case["id"], "as": "executed", "by": "me", "evidence": {"text": "seen", "code": "C1"}});
                recorder.call("case.resolve", &request);
            }
            for (operation, request) in [
                ("case.plan", json!({"orderNo": case["orderNo"]})),
                ("case.list", json!({})),
                ("case.export", json!({})),
                ("case.follow", json!({"all": true})),
                ("case.open", request.clone()),
            ] {
                if !request["orderNo"].is_null() || operation != "case.plan" {
                    recorder.call(operation, &request);
                }
            }
            let case = recorder.call("case.get", &json!({"key": key}))["case"].clone();
            outcomes.insert(format!("{name}: {}", case["outcome"].as_str().unwrap()));
            if settled(&case) {
                wrong
                    .extend(stored(&fixture).into_iter().chain(recorder.leaks()).map(|leak| format!("{what}: {leak}")));
            } else {
                // A case that waits for its payment may still have raw replies, but reports none of them.
                wrong.extend(recorder.leaks().into_iter().map(|leak| format!("{what}: {leak}")));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "{outcomes:?}");
    assert!(outcomes.len() >= 6, "{outcomes:?}");
}

#[test]
fn no_canary_of_direct_submits_refused_requests_or_notifications_is_stored_or_reported() {
    let fixture = Fixture::new("default");
    let mut recorder = Recorder::new(&fixture);
    let unpaid = fixture.order(order_spec("unpaid"));
    let mut pay = json!({"orderNo": unpaid});
    pay["paymentMethod"] = json!(3);
    pay["creditCard"] = card();
    assert_eq!(recorder.call("pay", &pay)["outcome"], "executed");
    let order = fixture.order(order_spec("ticketed"));
    let quote = recorder.call("voidQuotation", &json!({"orderNo": order}));
    recorder.call("queryOrderDetails", &json!({"orderNo": order}));
    recorder.call("void", &json!({"orderNo": order, "voidOfferId": quote["data"]["voidOfferId"]}));
    // Errors of the request checks, of a guard and of the vendor.
    let other = fixture.order(order_spec("ticketed"));
    for request in [
        json!({"kind": "refund", "orderNo": other, "key": "a", "passengers": ["CANARYLAST"]}),
        json!({"kind": "refund", "orderNo": other, "key": "b", "passengers": ["CANARYLAST/CANARYHOLDER"]}),
        json!({"kind": "refund", "orderNo": other, "key": "c", "passengers": [{"name": 4111111111111129u64}]}),
        json!({"kind": "void", "orderNo": other, "key": "d", "payment": payment()}),
        json!({"kind": "ancillary", "orderNo": other, "key": "e", "products": [{}], "payment": {"paymentMethod": "4111111111111129"}}),
        json!({"kind": "ancillary", "orderNo": other, "key": "f", "products": [{}], "payment": {"creditCard": "4111111111111129"}}),
        json!({"kind": "claim", "key": "g", "mmb": {"airlinePnr": ["CANARYLAST"], "email": 5}, "connectInfo": "0049-1510047110"}),
        json!({"kind": "void", "orderNo": other, "key": "h", "expect": {"minRefund": "CANARYLAST"}}),
    ] {
        recorder.call("case.open", &request);
    }
    // Notifications are unsigned: only a digest of their dedupe key is stored.
    for body in [
        json!({"type": "order.ticketed", "notificationId": "CANARYLAST 4111111111111129", "data": {"orderNo": order, "name": "CANARYLAST"}}),
        json!({"type": "CANARYHOLDER", "data": {"orderNo": order}}),
    ] {
        let reply = recorder.call("case.notify", &json!({"body": body}));
        assert_eq!(reply["ok"], true, "{reply}");
        // The reply repeats the type, which the caller has just given.
        recorder.texts.pop();
    }
    assert_eq!(stored(&fixture).into_iter().chain(recorder.leaks()).collect::<Vec<_>>(), Vec::<String>::new());
}

/// How the raw replies of a store are marked.
fn marks(fixture: &Fixture) -> Vec<i64> {
    let connection = Connection::open(fixture.file()).unwrap();
    let mut rows = connection.prepare("SELECT thin FROM replies ORDER BY case_id").unwrap();
    rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn with_text(status: i64) -> Value {
    let body = json!({"status": status, "msg": VENDOR_TEXT, "note": VENDOR_TEXT.repeat(700)});
    json!({"endpoint": "void", "mode": "reply", "body": body})
}

#[test]
fn raw_replies_stay_until_the_outcome_is_settled() {
    let fixture = Fixture::new("default");
    let client = fixture.client();
    // Unknown: the whole reply is evidence, and stays.
    fixture.vendor.fault(with_text(9999)).unwrap();
    let reply = call(&client, "case.open", void(&fixture.voidable(), "k"));
    // The query in the same call may have settled it.
    if reply["outcome"] == "unknown" {
        assert!(!stored(&fixture).is_empty());
    }
    let case = fixture.settle(&client, "k");
    assert_eq!(case["outcome"], "executed", "{case}");
    assert_eq!(stored(&fixture), Vec::<String>::new());
    assert_eq!(marks(&fixture), [1]);
    // Not executed, which only two empty answers after the settle time prove.
    let order = fixture.voidable();
    let mut fault = with_text(9999);
    fault["execute"] = json!(false);
    fixture.vendor.fault(fault).unwrap();
    let reply = call(&client, "case.open", void(&order, "n"));
    assert_eq!(reply["outcome"], "unknown", "{reply}");
    assert!(!stored(&fixture).is_empty());
    assert_eq!(fixture.settle(&client, "n")["outcome"], "not_executed");
    assert_eq!(stored(&fixture), Vec::<String>::new());
}

/// Rows of different sizes move between pages: their old bytes must be overwritten.
#[test]
fn no_bytes_of_many_stripped_replies_stay_in_the_file() {
    let fixture = Fixture::new("default");
    let client = fixture.client();
    let keys: Vec<String> = (0..60).map(|nth| format!("k{nth}")).collect();
    for (nth, key) in keys.iter().enumerate() {
        let note = VENDOR_TEXT.repeat(1 + nth * 37 % 101);
        let body = json!({"status": 9999, "msg": VENDOR_TEXT, "note": note});
        fixture.vendor.fault(json!({"endpoint": "void", "mode": "reply", "execute": false, "body": body})).unwrap();
        assert_eq!(call(&client, "case.open", void(&fixture.voidable(), key))["outcome"], "unknown");
    }
    assert!(!stored(&fixture).is_empty());
    for _ in 0..3 {
        fixture.vendor.advance("2m").unwrap();
        for key in keys.iter().step_by(2).chain(keys.iter().skip(1).step_by(2)) {
            call(&client, "case.reconcile", json!({"key": key}));
        }
    }
    assert_eq!(marks(&fixture), [1; 60]);
    assert_eq!(stored(&fixture), Vec::<String>::new());
}

#[test]
fn a_raw_reply_that_cannot_be_read_stays_and_is_marked() {
    let fixture = Fixture::new("default");
    let client = fixture.client();
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "garbage", "variant": "text"})).unwrap();
    let reply = call(&client, "case.open", void(&fixture.voidable(), "k"));
    assert!(reply["case"].is_object(), "{reply}");
    assert_eq!(fixture.settle(&client, "k")["outcome"], "executed");
    assert_eq!(marks(&fixture), [2]);
    let connection = Connection::open(fixture.file()).unwrap();
    let body: Vec<u8> = connection.query_row("SELECT body FROM replies", [], |row| row.get(0)).unwrap();
    assert!(!body.is_empty());
}

#[test]
fn raw_replies_of_a_settled_case_do_not_outlive_a_failure() {
    let fixture = Fixture::new("default");
    let client = fixture.client();
    drop(call(&client, "case.list", json!({})));
    let outsider = Connection::open(fixture.file()).unwrap();
    let forbid = "CREATE TRIGGER forbid BEFORE UPDATE ON replies BEGIN SELECT RAISE(FAIL, 'no'); END";
    outsider.execute_batch(forbid).unwrap();
    fixture.vendor.fault(with_text(0)).unwrap();
    let order = fixture.voidable();
    let reply = call(&client, "case.open", void(&order, "k"));
    assert_eq!(reply["outcome"], "executed", "{reply}");
    outsider.execute_batch("DROP TRIGGER forbid").unwrap();
    drop(outsider);
    // The next call settles it, if the failed one has not.
    let client = fixture.client();
    call(&client, "case.open", void(&order, "k"));
    assert_eq!(fixture.settle(&client, "k")["outcome"], "executed");
    assert_eq!(stored(&fixture), Vec::<String>::new());
    assert_eq!(fixture.sent("void", &order), 1);
}

#[test]
fn a_reader_of_the_log_delays_neither_calls_nor_the_removal_of_raw_replies() {
    let fixture = Fixture::new("default");
    let client = fixture.client();
    let mut reader = Connection::open(fixture.file()).unwrap();
    let reading = reader.transaction().unwrap();
    let _: i64 = reading.query_row("SELECT count(*) FROM cases", [], |row| row.get(0)).unwrap();
    fixture.vendor.fault(with_text(0)).unwrap();
    let start = std::time::Instant::now();
    let reply = call(&client, "case.open", void(&fixture.voidable(), "k"));
    assert_eq!(reply["outcome"], "executed", "{reply}");
    assert!(start.elapsed().as_secs() < 5, "waited for a reader: {:?}", start.elapsed());
    drop(reading);
    drop(reader);
    // The next call of any kind empties the log.
    call(&client, "case.get", json!({"key": "k"}));
    assert_eq!(stored(&fixture), Vec::<String>::new());
}
