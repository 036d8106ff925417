//! A minimal HTTP client for the tests: one connection for each call.
#![allow(dead_code)]

use atlas_simulator::{Options, Simulator};
use serde_json::{Value, json};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A simulator and the calls that the tests make.
pub struct Atlas {
    pub sim: Simulator,
}

/// A response as received.
pub struct Wire {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Wire {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub fn atlas(profile: &str) -> Atlas {
    let options = Options { profile: profile.into(), seed: 42, ..Options::default() };
    Atlas { sim: Simulator::start(options).unwrap() }
}

impl Atlas {
    pub fn order(&self, options: Value) -> Value {
        self.sim.create_order(options).unwrap()
    }

    pub fn advance(&self, by: &str) {
        self.sim.advance(by).unwrap();
    }

    /// A call that must get a JSON reply.
    pub fn call(&self, path: &str, body: Value) -> Value {
        self.wire(path, &body.to_string()).unwrap().json()
    }

    /// A call whose reply must have status 0.
    pub fn ok(&self, path: &str, body: Value) -> Value {
        let reply = self.call(path, body);
        assert_eq!(reply["status"], 0, "{path}: {reply}");
        reply
    }

    /// A call; the result is the reply's `status`.
    pub fn status(&self, path: &str, body: Value) -> i64 {
        self.call(path, body)["status"].as_i64().unwrap()
    }

    pub fn wire(&self, path: &str, body: &str) -> io::Result<Wire> {
        self.send("POST", path, &["x-atlas-client-id: me", "x-atlas-client-secret: right"], body.as_bytes())
    }

    pub fn send(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> io::Result<Wire> {
        let mut stream = self.connect();
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: sim\r\nConnection: close\r\n");
        for header in headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        receive(&mut stream)
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.sim.url().trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream
    }

    /// The order status by an order query.
    pub fn state(&self, number: &Value) -> String {
        self.ok("/queryOrderDetails.do", json!({"orderNo": number}))["orderStatus"].as_str().unwrap().to_owned()
    }

    /// The number of executed submits of an operation.
    pub fn executed(&self, endpoint: &str) -> usize {
        let mine = |row: &&Value| row["endpoint"] == endpoint && row["executed"] == true;
        self.sim.ledger().iter().filter(mine).count()
    }

    pub fn deposit(&self) -> Value {
        self.ok("/balance.do", json!({"currency": "USD"}))["accountBalance"]["amount"].clone()
    }
}

/// Reads a response up to the end of the connection.
pub fn receive(stream: &mut TcpStream) -> io::Result<Wire> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Ok(Wire { status, head, body: bytes[end + 4..].to_vec() })
}

/// A complete `refundRequestList` for an order as the control API shows it.
pub fn refund_list(order: &Value, reason: &str) -> Value {
    let segments: Vec<Value> = order["segments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| json!({"depDate": s["depDate"], "flightNo": s["flightNo"], "depAirport": s["depAirport"], "arrAirport": s["arrAirport"]}))
        .collect();
    order["passengers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| json!({"lastName": p["lastName"], "firstName": p["firstName"], "refundReason": reason, "segments": segments}))
        .collect()
}

/// Quotes and submits a refund of all passengers.
pub fn refund(atlas: &Atlas, order: &Value) -> Value {
    let no = &order["orderNo"];
    let quote = atlas.ok("/refundQuotation.do", json!({"orderNo": no, "refundRequestList": refund_list(order, "1")}));
    atlas.ok("/refund.do", json!({"orderNo": no, "refundOfferId": quote["refundOfferId"]}))
}

/// Quotes and submits a void.
pub fn void(atlas: &Atlas, order: &Value) -> Value {
    let no = &order["orderNo"];
    let quote = atlas.ok("/voidQuotation.do", json!({"orderNo": no}));
    atlas.ok("/void.do", json!({"orderNo": no, "voidOfferId": quote["voidOfferId"]}))
}

/// Searches and orders the 20 kg bag on every segment for the first passenger.
pub fn bags(atlas: &Atlas, order: &Value) -> Value {
    let session = atlas.ok(
        "/postBookingAncillarySearch.do",
        json!({"ticketOrderNo": order["orderNo"], "ancillaryCategory": "BAGGAGE"}),
    );
    atlas.call("/postBookingAncillaryOrder.do", bag_request(order, &session["sessionId"]))
}

pub fn bag_request(order: &Value, session: &Value) -> Value {
    let count = order["segments"].as_array().unwrap().len();
    let chosen: Vec<Value> =
        (1..=count).map(|at| json!({"productCode": "SIM_BAG_1PC_20KG", "segmentIndex": at})).collect();
    json!({
        "sessionId": session, "ticketOrderNo": order["orderNo"], "ancillaryCategory": "BAGGAGE",
        "passengers": [{"name": order["passengers"][0]["name"], "passengerType": 0, "ancillaries": chosen}],
    })
}
