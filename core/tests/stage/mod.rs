//! A simulated vendor, a client with a store, and what tests of cases do with them.
#![allow(dead_code)]

use std::path::PathBuf;

use atlas_postbooking::blocking::Client;
use atlas_simulator::{Options, Simulator};
use serde_json::{Value, json};

pub struct Stage {
    pub vendor: Simulator,
    pub client: Client,
    pub file: PathBuf,
}

impl Drop for Stage {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", self.file.display()));
        }
    }
}

impl Stage {
    pub fn new(profile: &str) -> Stage {
        Stage::with(profile, json!({}))
    }

    pub fn with(profile: &str, extra: Value) -> Stage {
        let vendor = Simulator::start(Options { profile: profile.to_owned(), ..Options::default() }).unwrap();
        let file = std::env::temp_dir().join(format!("apb-{}-{}.db", std::process::id(), fastrand()));
        let client = Stage::client(&vendor, &file, &extra);
        Stage { vendor, client, file }
    }

    pub fn client(vendor: &Simulator, file: &std::path::Path, extra: &Value) -> Client {
        let mut config = json!({
            "baseUrl": vendor.url(), "clientId": "demo", "clientSecret": "canary-secret", "store": {"path": file},
            "clock": {"url": format!("{}/_sim/clock", vendor.url())}, "settleMs": 60_000,
            "follow": {"perSecond": 1000, "burst": 1000},
        });
        for (key, value) in extra.as_object().unwrap() {
            config[key] = value.clone();
        }
        Client::new(&config.to_string()).unwrap()
    }

    pub fn call(&self, operation: &str, request: Value) -> Value {
        let reply = self.client.call(operation, &request.to_string(), "");
        serde_json::from_str(reply.json()).unwrap()
    }

    pub fn order(&self, wish: Value) -> String {
        self.vendor.create_order(wish).unwrap()["orderNo"].as_str().unwrap().to_owned()
    }

    pub fn executed(&self, endpoint: &str) -> usize {
        self.vendor.ledger().iter().filter(|r| r["endpoint"] == endpoint && r["executed"] == true).count()
    }

    /// Lets time pass in steps, following what is due.
    pub fn follow(&self, id: &Value, step: &str, times: u32) -> Value {
        let mut case = Value::Null;
        for _ in 0..times {
            self.vendor.advance(step).unwrap();
            let reply = self.call("case.follow", json!({"id": id, "until": "step"}));
            assert_eq!(reply["ok"], true, "{reply}");
            case = reply["case"].clone();
            if case["final"] == true {
                break;
            }
        }
        case
    }

    pub fn sent(&self, endpoint: &str) -> usize {
        self.vendor.requests().iter().filter(|r| r["endpoint"] == endpoint).count()
    }

    /// What another system does: the same account, without the store.
    pub fn outside(&self, operation: &str, request: Value) -> Value {
        let config = json!({"baseUrl": self.vendor.url(), "clientId": "demo", "clientSecret": "canary-secret"});
        let client = Client::new(&config.to_string()).unwrap();
        serde_json::from_str(client.call(operation, &request.to_string(), "").json()).unwrap()
    }

    pub fn with_options(&self, operation: &str, request: &Value, options: &str) -> Value {
        serde_json::from_str(self.client.call(operation, &request.to_string(), options).json()).unwrap()
    }

    pub fn bag(&self, order: &str, key: &str) -> Value {
        json!({"kind": "ancillary", "orderNo": order, "key": key, "products": [{"productCode": "SIM_BAG_1PC_15KG"}]})
    }

    /// The offer for a refund of one passenger, asked for outside the store.
    pub fn offer_outside(&self, order: &Value, passenger: usize) -> Value {
        let p = &order["passengers"][passenger];
        let segment = |s: &Value| {
            json!({
                "depDate": s["depDate"], "flightNo": s["flightNo"], "depAirport": s["depAirport"], "arrAirport": s["arrAirport"],
            })
        };
        let segments: Vec<Value> = order["segments"].as_array().unwrap().iter().map(segment).collect();
        let list = json!([{
            "lastName": p["lastName"], "firstName": p["firstName"], "refundReason": "1", "segments": segments,
        }]);
        let quote = self.outside("refundQuotation", json!({"orderNo": order["orderNo"], "refundRequestList": list}));
        assert_eq!(quote["ok"], true, "{quote}");
        quote["data"]["refundOfferId"].clone()
    }

    /// Refunds one passenger outside the store.
    pub fn refund_outside(&self, order: &Value, passenger: usize) {
        let offer = self.offer_outside(order, passenger);
        let done = self.outside("refund", json!({"orderNo": order["orderNo"], "refundOfferId": offer}));
        assert_eq!(done["ok"], true, "{done}");
    }

    pub fn name(order: &Value, passenger: usize) -> String {
        let p = &order["passengers"][passenger];
        format!("{}/{}", p["lastName"].as_str().unwrap(), p["firstName"].as_str().unwrap())
    }

    /// A bag that was ordered as case `k`, and waits for its payment.
    pub fn waiting_bag(&self) -> Value {
        let order = self.order(json!({"passengers": 1}));
        let bag = self.call("case.open", self.bag(&order, "k"));
        assert_eq!(bag["case"]["state"], "awaiting_payment", "{bag}");
        bag["case"].clone()
    }

    /// From now on orders cost more than two amounts can be added up to.
    pub fn absurd_prices(&self) {
        let huge = "79228162514264337593543950335";
        let body = json!({"totalPrice": huge, "totalTransactionFee": huge});
        self.vendor.fault(json!({"endpoint": "queryOrderDetails", "mode": "reply", "times": 0, "body": body})).unwrap();
    }

    /// The case `k` as it is stored.
    pub fn stored(&self) -> Value {
        self.call("case.get", json!({"key": "k"}))["case"].clone()
    }
}

fn fastrand() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

pub fn claim(pnr: &Value, key: &str) -> Value {
    let segments: Vec<Value> = pnr["segments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| {
            json!({
                "carrier": s["carrier"], "flightNumber": s["flightNumber"], "depAirport": s["depAirport"],
                "arrAirport": s["arrAirport"], "depTime": s["depTime"],
            })
        })
        .collect();
    let passengers: Vec<Value> =
        pnr["passengers"].as_array().unwrap().iter().map(|p| json!({"name": p["name"]})).collect();
    json!({
        "kind": "claim", "key": key, "mmb": {"airlinePnr": pnr["airlinePnr"], "email": pnr["email"]},
        "passengers": passengers, "fromSegments": segments,
    })
}
