//! Builds an order from the options of a test; each option has a seeded default.

use crate::clock::{self, DAY, HOUR, MINUTE, Millis};
use crate::json::{self, int, list, text};
use crate::order::{CANCELLED, Kind, Order, Passenger, Segment, TICKETED, TICKETING, UNPAID};
use crate::world::World;
use serde_json::{Value, json};

const AIRLINES: [&str; 4] = ["Y4", "7C", "F9", "DY"];
const AIRPORTS: [&str; 6] = ["AAL", "BGO", "CJU", "DUR", "ELQ", "FAO"];
const LAST: [&str; 6] = ["BIRCH", "CEDAR", "HAZEL", "LARCH", "MAPLE", "ROWAN"];
const FIRST: [&str; 6] = ["ALPHA", "BRAVO", "DELTA", "KILO", "LIMA", "TANGO"];

impl World {
    /// Makes an order from options and adds it.
    pub fn create_order(&mut self, options: &Value) -> Result<String, String> {
        let order = self.make_order(options, Kind::Main)?;
        Ok(self.add_order(order))
    }

    /// Makes an order from options.
    pub fn make_order(&mut self, options: &Value, kind: Kind) -> Result<Order, String> {
        if !options.is_object() {
            return Err("the options of an order are a JSON object".into());
        }
        let status = match options.get("state") {
            None | Some(Value::Null) => TICKETED,
            Some(Value::String(word)) => match word.as_str() {
                "unpaid" | "0" => UNPAID,
                "ticketing" | "1" => TICKETING,
                "ticketed" | "2" => TICKETED,
                "cancelled" | "-3" => CANCELLED,
                _ => {
                    return Err(format!("state is unpaid, ticketing, ticketed or cancelled, not {word:?}"));
                }
            },
            Some(other) => match other.as_i64() {
                Some(number @ (UNPAID | TICKETING | TICKETED | CANCELLED)) => number,
                _ => return Err(format!("state is 0, 1, 2 or -3, not {other}")),
            },
        };
        let airline = text(options, "airline").map_or_else(|| self.pick(&AIRLINES), str::to_owned);
        let passengers = self.passengers(options)?;
        let segments = self.segments(options, &airline)?;
        let ago = match options.get("createdAgo") {
            None | Some(Value::Null) => 0,
            Some(value) => clock::duration(value).ok_or("createdAgo is no duration")?,
        };
        let created = self.now - ago;
        let paid = [TICKETING, TICKETED].contains(&status).then_some(created);
        let fee = options.get("transactionFee").and_then(json::cents).unwrap_or(0);
        Ok(Order {
            order_no: self.order_number(kind, created),
            pnr: text(options, "pnrCode").map_or_else(|| self.letters(6), str::to_owned),
            kind,
            status,
            airline,
            airline_pnr: text(options, "airlinePNR").map_or_else(|| self.locator(), str::to_owned),
            total: passengers.iter().map(|p| p.fare).sum(),
            passengers,
            segments,
            bags: Vec::new(),
            currency: text(options, "currency").unwrap_or(self.profile.get("currency")).to_owned(),
            fee,
            created,
            limit: created + 30 * MINUTE,
            paid,
            issued: (status == TICKETED).then_some(created),
            method: paid.map(|_| int(options, "paymentMethod").unwrap_or(1)),
            email: text(options, "contactEmail").unwrap_or("traveller@example.test").to_owned(),
            main_order: None,
            original_order: None,
            error: int(options, "errorCode").map(|code| (code, "The airline did not issue the ticket".to_owned())),
            expired: false,
            superseded: false,
            stopping: false,
            revision: 0,
            children: Vec::new(),
            cases: Vec::new(),
            options: options.clone(),
        })
    }

    fn passengers(&mut self, options: &Value) -> Result<Vec<Passenger>, String> {
        let entries: Vec<Value> = match options.get("passengers") {
            None | Some(Value::Null) => vec![json!({})],
            Some(Value::Array(items)) if !items.is_empty() => items.clone(),
            Some(count) => match count.as_u64() {
                Some(count @ 1..=9) => (0..count).map(|_| json!({})).collect(),
                _ => return Err("passengers is a list, or a number from 1 to 9".into()),
            },
        };
        let adult = match options.get("fare").filter(|fare| !fare.is_null()) {
            Some(fare) => json::cents(fare).ok_or("fare is no amount")?,
            None => self.rng.i64(4_000..25_000),
        };
        let mut made = Vec::new();
        for (nth, options) in entries.iter().enumerate() {
            let kind = match options.as_str().or(text(options, "passengerType")) {
                Some("ADT") => 0,
                Some("CHD") => 1,
                Some("INF") => 2,
                _ => int(options, "passengerType").unwrap_or(0),
            };
            // The default name contains the position, so that names differ.
            let default = (self.pick(&LAST), format!("{} {}", self.pick(&FIRST), nth_letter(nth)));
            let whole = text(options, "name").and_then(|name| name.split_once('/'));
            let last = text(options, "lastName").or(whole.map(|w| w.0)).map_or(default.0, str::to_owned);
            let first = text(options, "firstName").or(whole.map(|w| w.1)).map_or(default.1, str::to_owned);
            let share = match kind {
                0 => 100,
                1 => 75,
                _ => 10,
            };
            let birthday = ["19900101", "20180101", "20250601"].get(kind as usize).unwrap_or(&"19900101");
            made.push(Passenger {
                last,
                first,
                kind,
                birthday: text(options, "birthday").unwrap_or(birthday).to_owned(),
                gender: text(options, "gender").unwrap_or("F").to_owned(),
                document: text(options, "cardNum").map_or_else(|| format!("X{}", self.digits(8)), str::to_owned),
                fare: options.get("fare").and_then(json::cents).unwrap_or((adult * share + 50) / 100),
            });
        }
        Ok(made)
    }

    /// The segments; a number means that many connecting flights.
    pub fn segments(&mut self, options: &Value, airline: &str) -> Result<Vec<Segment>, String> {
        let mut entries: Vec<(Value, bool)> = match options.get("segments").or(options.get("fromSegments")) {
            None | Some(Value::Null) => vec![(json!({}), false)],
            Some(Value::Array(items)) if !items.is_empty() => items.iter().map(|s| (s.clone(), returns(s))).collect(),
            Some(count) => match count.as_u64() {
                Some(count @ 1..=4) => (0..count).map(|_| (json!({}), false)).collect(),
                _ => return Err("segments is a list, or a number from 1 to 4".into()),
            },
        };
        match options.get("retSegments").and_then(Value::as_u64) {
            Some(count @ 0..=4) => entries.extend((0..count).map(|_| (json!({}), true))),
            Some(_) => return Err("retSegments is a list, or a number from 0 to 4".into()),
            None => entries.extend(list(options, "retSegments").iter().map(|s| (s.clone(), true))),
        }
        let mut made: Vec<Segment> = Vec::new();
        let start = self.rng.usize(0..AIRPORTS.len());
        for (nth, (options, inbound)) in entries.iter().enumerate() {
            let airport = |at: usize| (*AIRPORTS.get((start + at) % AIRPORTS.len()).unwrap_or(&"AAL")).to_owned();
            let carrier = text(options, "carrier").unwrap_or(airline).to_owned();
            let flight = text(options, "flightNumber")
                .or(text(options, "flightNo"))
                .map_or_else(|| format!("{carrier}{}", self.rng.u32(100..1000)), str::to_owned);
            let from = match (text(options, "depAirport"), made.last()) {
                (Some(code), _) => code.to_owned(),
                (None, Some(before)) => before.to.clone(),
                (None, None) => airport(0),
            };
            let day = self.now - self.now.rem_euclid(DAY) + 30 * DAY + 10 * HOUR;
            let default = day + nth as i64 * 4 * HOUR + if *inbound { 7 * DAY } else { 0 };
            let departs = time(options, "depTime", default)?;
            let arrives = time(options, "arrTime", departs + 2 * HOUR)?;
            made.push(Segment {
                index: nth as i64 + 1,
                carrier,
                flight,
                from,
                to: text(options, "arrAirport").map_or_else(|| airport(nth + 1), str::to_owned),
                departs: clock::minute(departs),
                arrives: clock::minute(arrives),
                inbound: *inbound,
            });
        }
        Ok(made)
    }
}

fn time(options: &Value, key: &str, default: Millis) -> Result<Millis, String> {
    match options.get(key) {
        None | Some(Value::Null) => Ok(default),
        Some(value) => value.as_str().and_then(clock::parse).ok_or_else(|| format!("{key} is no time: {value}")),
    }
}

fn returns(segment: &Value) -> bool {
    int(segment, "direction") == Some(2) || text(segment, "direction") == Some("return")
}

fn nth_letter(nth: usize) -> char {
    char::from(b'A' + (nth % 26) as u8)
}
