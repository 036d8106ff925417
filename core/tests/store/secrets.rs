//! E14: what a store, a log or a reply may never hold. Canaries are planted wherever a person or a secret can stand,
//! and looked for as they are, in hex, in base64 at every alignment, and inside gzip.

use std::fmt::Write as _;
use std::io::Read as _;

use atlas_postbooking::LogLevel;
use atlas_postbooking::blocking::Client;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::stage::{Stage, beside, bytes, call, void};

const SECRET: &str = "CanarySecretOfClient";
/// Only what the vendor says in free words: a reply quotes it where the surface says so, and nowhere else.
const WORDS: &str = "CanaryWordsOfVendor";
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
        // base64 tells capitals apart, the others do not.
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
fn the_search_finds_what_is_there() {
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

/// A client, with everything it ever said.
struct Witness {
    client: Client,
    said: Vec<(String, Vec<u8>)>,
}

impl Witness {
    fn new(stage: &Stage) -> Witness {
        let mut config = stage.config();
        config["clientSecret"] = json!(SECRET);
        let client = crate::stage::client(&config);
        client.set_log_level(Some(LogLevel::Trace));
        Witness { client, said: Vec::new() }
    }

    fn call(&mut self, operation: &str, request: &Value) -> Value {
        let reply = self.client.call(operation, &request.to_string(), "");
        let log: Vec<String> = reply.log().iter().map(|line| format!("{} {}", line.target, line.message)).collect();
        let mut json: Value = serde_json::from_str(reply.json()).unwrap();
        let whole = json.clone();
        self.said.push((format!("{operation}: log"), log.join("\n").into_bytes()));
        self.said.push((format!("{operation}: Debug"), format!("{reply:?} {:?}", self.client).into_bytes()));
        if let Some(error) = reply.error() {
            self.said.push((format!("{operation}: message"), format!("{error} {}", error.help).into_bytes()));
        }
        if !operation.starts_with("case.") {
            // Its data are the vendor's; the case is ours.
            json = json!({"case": json["case"]});
        }
        for (part, key) in [("meta", "vendorMessage"), ("error", "vendorMessage")] {
            if let Some(part) = json.get_mut(part).and_then(Value::as_object_mut) {
                part.remove(key);
            }
        }
        self.said.push((format!("{operation}: reply"), json.to_string().into_bytes()));
        whole
    }

    fn leaks(&self) -> Vec<String> {
        let all = [CANARIES, &[WORDS]].concat();
        self.said
            .iter()
            .flat_map(|(what, hay)| found(hay, &all).into_iter().map(move |c| format!("{what}: {c}")))
            .collect()
    }
}

/// What the store's files hold.
fn stored(stage: &Stage) -> Vec<String> {
    let all = [CANARIES, &[WORDS]].concat();
    ["", "-wal", "-shm"]
        .iter()
        .flat_map(|end| {
            found(&bytes(&beside(&stage.file(), end)), &all).into_iter().map(move |c| format!("store{end}: {c}"))
        })
        .collect()
}

fn people() -> Value {
    json!([{"lastName": "CANARYLAST", "firstName": "CANARYFIRST", "cardNum": "CANARYDOC77", "birthday": "19870615"}])
}

fn wish(state: &str) -> Value {
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
fn kinds(stage: &Stage) -> Vec<(Value, &'static str)> {
    let ticketed = || stage.order(wish("ticketed"));
    let names = json!(["CANARYLAST/CANARYFIRST"]);
    let mut pnr_wish = wish("ticketed");
    pnr_wish["email"] = json!("canary.mail@example.org");
    let pnr = stage.vendor.create_pnr(pnr_wish).unwrap();
    let flight = |s: &Value| {
        let keys = ["carrier", "flightNumber", "depAirport", "arrAirport", "depTime"];
        Value::Object(keys.iter().map(|key| ((*key).to_owned(), s[*key].clone())).collect())
    };
    let flights: Vec<Value> = pnr["segments"].as_array().unwrap().iter().map(flight).collect();
    let mut all = vec![
        (json!({"kind": "void", "orderNo": ticketed()}), "void"),
        (json!({"kind": "refund", "orderNo": ticketed(), "passengers": names}), "refund"),
        (json!({"kind": "cancel", "orderNo": ticketed()}), "void"),
        (json!({"kind": "stop", "orderNo": stage.order(wish("ticketing"))}), "stopTicket"),
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
            json!({"kind": "regenerate", "orderNo": stage.order(wish("cancelled")), "payment": payment()}),
            endpoint,
        ));
    }
    all
}

/// What the vendor does with the submit. No code of a stop or claim is a refusal: their 2 is settled by a look.
fn faults(endpoint: &str) -> Vec<(&'static str, Value)> {
    let code = match endpoint {
        "postBookingAncillaryOrder" => 6,
        "regenerateOrder" => 300,
        "pay" => 400,
        "stopTicket" | "pnrClaim" => 2,
        _ => 810,
    };
    let words = format!("{WORDS} for CANARYLAST/CANARYFIRST, 4111111111111129, {SECRET}");
    let told = |status: i64, execute: bool| {
        json!({"endpoint": endpoint, "mode": "reply", "execute": execute, "body": {
            "status": status, "msg": words, "note": words, "passenger": people()}})
    };
    vec![
        ("success", Value::Null),
        ("wordy success", told(0, true)),
        ("refusal", told(code, false)),
        ("unknown", told(9999, true)),
        ("lost", json!({"endpoint": endpoint, "mode": "drop_after"})),
        ("never", json!({"endpoint": endpoint, "mode": "drop_before"})),
    ]
}

#[test]
fn no_canary_gets_out() {
    let mut wrong = Vec::new();
    let mut outcomes = std::collections::BTreeSet::new();
    let names: Vec<&str> = faults("void").iter().map(|(name, _)| *name).collect();
    for (nth, name) in names.iter().enumerate() {
        let stage = Stage::new("refundQueryWithoutCode=list");
        for (row, (request, endpoint)) in kinds(&stage).into_iter().enumerate() {
            let mut witness = Witness::new(&stage);
            let key = format!("{row}-{nth}");
            let what = format!("{} at {endpoint}, {name}", request["kind"]);
            let mut request = request;
            request["key"] = json!(key);
            let fault = faults(endpoint).swap_remove(nth).1;
            if !fault.is_null() {
                stage.vendor.fault(fault).unwrap();
            }
            let reply = witness.call("case.open", &request);
            assert_ne!(reply["error"]["code"], "bad_request", "{what}: {reply}");
            stage.vendor.clear_faults().unwrap();
            for _ in 0..8 {
                stage.vendor.advance("40s").unwrap();
                let reply = witness.call("case.reconcile", &json!({"key": key}));
                if matches!(reply["case"]["outcome"].as_str(), Some("executed" | "not_executed")) {
                    break;
                }
            }
            let case = witness.call("case.get", &json!({"key": key}))["case"].clone();
            let steps = case["steps"].as_array().unwrap();
            let settled = |case: &Value| case["outcome"] == "executed" || case["outcome"] == "not_executed";
            if !settled(&case) || steps.iter().any(|s| s["outcome"] == "unknown") {
                let request =
                    json!({"id": case["id"], "as": "executed", "by": "me", "evidence": {"text": "seen", "code": "C1"}});
                witness.call("case.resolve", &request);
            }
            for (operation, request) in [
                ("case.plan", json!({"orderNo": case["orderNo"]})),
                ("case.list", json!({})),
                ("case.export", json!({})),
                ("case.follow", json!({"all": true})),
                ("case.open", request.clone()),
            ] {
                if !request["orderNo"].is_null() || operation != "case.plan" {
                    witness.call(operation, &request);
                }
            }
            let case = witness.call("case.get", &json!({"key": key}))["case"].clone();
            outcomes.insert(format!("{name}: {}", case["outcome"].as_str().unwrap()));
            if settled(&case) {
                wrong.extend(stored(&stage).into_iter().chain(witness.leaks()).map(|leak| format!("{what}: {leak}")));
            } else {
                // What waits for its payment has nothing open either.
                wrong.extend(witness.leaks().into_iter().map(|leak| format!("{what}: {leak}")));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "{outcomes:?}");
    assert!(outcomes.len() >= 6, "{outcomes:?}");
}

#[test]
fn direct_submits_wrong_requests_and_notifications() {
    let stage = Stage::new("default");
    let mut witness = Witness::new(&stage);
    let unpaid = stage.order(wish("unpaid"));
    let mut pay = json!({"orderNo": unpaid});
    pay["paymentMethod"] = json!(3);
    pay["creditCard"] = card();
    assert_eq!(witness.call("pay", &pay)["outcome"], "executed");
    let order = stage.order(wish("ticketed"));
    let quote = witness.call("voidQuotation", &json!({"orderNo": order}));
    witness.call("queryOrderDetails", &json!({"orderNo": order}));
    witness.call("void", &json!({"orderNo": order, "voidOfferId": quote["data"]["voidOfferId"]}));
    // Told by a guard, by the checks, by the vendor.
    let other = stage.order(wish("ticketed"));
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
        witness.call("case.open", &request);
    }
    // Anybody can send a notification; what is remembered of it says nothing.
    for body in [
        json!({"type": "order.ticketed", "notificationId": "CANARYLAST 4111111111111129", "data": {"orderNo": order, "name": "CANARYLAST"}}),
        json!({"type": "CANARYHOLDER", "data": {"orderNo": order}}),
    ] {
        let reply = witness.call("case.notify", &json!({"body": body}));
        assert_eq!(reply["ok"], true, "{reply}");
        // The answer repeats the type that the caller just gave.
        witness.said.pop();
    }
    assert_eq!(stored(&stage).into_iter().chain(witness.leaks()).collect::<Vec<_>>(), Vec::<String>::new());
}

/// How the raw replies of a store are marked.
fn marks(stage: &Stage) -> Vec<i64> {
    let connection = Connection::open(stage.file()).unwrap();
    let mut rows = connection.prepare("SELECT thin FROM replies ORDER BY case_id").unwrap();
    rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn wordy(status: i64) -> Value {
    json!({"endpoint": "void", "mode": "reply", "body": {"status": status, "msg": WORDS, "note": WORDS.repeat(700)}})
}

#[test]
fn raw_replies_stay_until_it_is_settled() {
    let stage = Stage::new("default");
    let client = stage.client();
    // Unknown: the whole reply is evidence, and stays.
    stage.vendor.fault(wordy(9999)).unwrap();
    let reply = call(&client, "case.open", void(&stage.young(), "k"));
    // The look at the vendor's list may have settled it at once.
    if reply["outcome"] == "unknown" {
        assert!(!stored(&stage).is_empty());
    }
    let case = stage.settle(&client, "k");
    assert_eq!(case["outcome"], "executed", "{case}");
    assert_eq!(stored(&stage), Vec::<String>::new());
    assert_eq!(marks(&stage), [1]);
    // Not executed, and not known to be so for a while.
    let order = stage.young();
    let mut fault = wordy(9999);
    fault["execute"] = json!(false);
    stage.vendor.fault(fault).unwrap();
    let reply = call(&client, "case.open", void(&order, "n"));
    assert_eq!(reply["outcome"], "unknown", "{reply}");
    assert!(!stored(&stage).is_empty());
    assert_eq!(stage.settle(&client, "n")["outcome"], "not_executed");
    assert_eq!(stored(&stage), Vec::<String>::new());
}

/// Rows that are moved from page to page leave their traces behind, unless somebody wipes them.
#[test]
fn many_raw_replies_leave_no_trace() {
    let stage = Stage::new("default");
    let client = stage.client();
    let keys: Vec<String> = (0..60).map(|nth| format!("k{nth}")).collect();
    for (nth, key) in keys.iter().enumerate() {
        let note = WORDS.repeat(1 + nth * 37 % 101);
        let body = json!({"status": 9999, "msg": WORDS, "note": note});
        stage.vendor.fault(json!({"endpoint": "void", "mode": "reply", "execute": false, "body": body})).unwrap();
        assert_eq!(call(&client, "case.open", void(&stage.young(), key))["outcome"], "unknown");
    }
    assert!(!stored(&stage).is_empty());
    for _ in 0..3 {
        stage.vendor.advance("2m").unwrap();
        for key in keys.iter().step_by(2).chain(keys.iter().skip(1).step_by(2)) {
            call(&client, "case.reconcile", json!({"key": key}));
        }
    }
    assert_eq!(marks(&stage), [1; 60]);
    assert_eq!(stored(&stage), Vec::<String>::new());
}

#[test]
fn what_cannot_be_read_stays_and_is_marked() {
    let stage = Stage::new("default");
    let client = stage.client();
    stage.vendor.fault(json!({"endpoint": "void", "mode": "garbage", "variant": "text"})).unwrap();
    let reply = call(&client, "case.open", void(&stage.young(), "k"));
    assert!(reply["case"].is_object(), "{reply}");
    assert_eq!(stage.settle(&client, "k")["outcome"], "executed");
    assert_eq!(marks(&stage), [2]);
    let connection = Connection::open(stage.file()).unwrap();
    let body: Vec<u8> = connection.query_row("SELECT body FROM replies", [], |row| row.get(0)).unwrap();
    assert!(!body.is_empty());
}

#[test]
fn raw_replies_of_a_settled_case_do_not_outlive_a_failure() {
    let stage = Stage::new("default");
    let client = stage.client();
    drop(call(&client, "case.list", json!({})));
    let outsider = Connection::open(stage.file()).unwrap();
    let forbid = "CREATE TRIGGER forbid BEFORE UPDATE ON replies BEGIN SELECT RAISE(FAIL, 'no'); END";
    outsider.execute_batch(forbid).unwrap();
    stage.vendor.fault(wordy(0)).unwrap();
    let order = stage.young();
    let reply = call(&client, "case.open", void(&order, "k"));
    assert_eq!(reply["outcome"], "executed", "{reply}");
    outsider.execute_batch("DROP TRIGGER forbid").unwrap();
    drop(outsider);
    // Whoever comes next finds it settled, or settles it.
    let client = stage.client();
    call(&client, "case.open", void(&order, "k"));
    assert_eq!(stage.settle(&client, "k")["outcome"], "executed");
    assert_eq!(stored(&stage), Vec::<String>::new());
    assert_eq!(stage.sent("void", &order), 1);
}

#[test]
fn a_reader_does_not_keep_raw_replies_nor_anybody_waiting() {
    let stage = Stage::new("default");
    let client = stage.client();
    let mut reader = Connection::open(stage.file()).unwrap();
    let reading = reader.transaction().unwrap();
    let _: i64 = reading.query_row("SELECT count(*) FROM cases", [], |row| row.get(0)).unwrap();
    stage.vendor.fault(wordy(0)).unwrap();
    let began = std::time::Instant::now();
    let reply = call(&client, "case.open", void(&stage.young(), "k"));
    assert_eq!(reply["outcome"], "executed", "{reply}");
    assert!(began.elapsed().as_secs() < 5, "waited for a reader: {:?}", began.elapsed());
    drop(reading);
    drop(reader);
    // The next call of any kind takes them out of the log.
    call(&client, "case.get", json!({"key": "k"}));
    assert_eq!(stored(&stage), Vec::<String>::new());
}
