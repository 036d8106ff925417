//! A baseline client with two common errors: it sends a submit again when no reply comes, and it records a case after
//! the submit, without a sync. The control experiment fails if the harness finds no violation in it.

use std::path::PathBuf;

use atlas_postbooking::blocking::Client;
use serde_json::{Value, json};

use crate::case_kinds::put;
use crate::harness::{Plan, Report, Result, text};
use crate::kills;
use crate::lost_replies;

/// Refunds and voids without a durable intent, with retries of submits.
pub struct Baseline {
    client: Client,
    records: PathBuf,
}

impl Baseline {
    /// From the configuration that a real worker gets.
    pub fn new(config: &Value) -> Result<Baseline> {
        let records = PathBuf::from(config.pointer("/store/path").and_then(Value::as_str).unwrap_or_default());
        let mut plain = config.clone();
        if let Some(members) = plain.as_object_mut() {
            members.retain(|key, _| !["store", "clock", "baseline"].contains(&key.as_str()));
        }
        Ok(Baseline { client: Client::new(&plain.to_string())?, records })
    }

    /// `case.open`, `case.get`, `case.reconcile`.
    pub fn call(&self, operation: &str, request: &Value) -> Result<Value> {
        let mut records: Value =
            std::fs::read(&self.records).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or(json!({}));
        let key = text(request, "key");
        if operation == "case.open" && records.get(key).is_none() {
            put(&mut records, key, self.submit(request)?);
            std::fs::write(&self.records, records.to_string())?;
        }
        Ok(json!({"ok": true, "case": records.get(key)}))
    }

    fn submit(&self, request: &Value) -> Result<Value> {
        let kind = if text(request, "kind") == "refund" { "refund" } else { "void" };
        let order = text(request, "orderNo");
        let details = self.call_json("queryOrderDetails", &json!({"orderNo": order}))?;
        let quote = self.call_json(&format!("{kind}Quotation"), &quotation(kind, order, &details))?;
        let offer = format!("{kind}OfferId");
        let mut submit = json!({"orderNo": order});
        put(&mut submit, &offer, quote.pointer(&format!("/data/{offer}")).cloned().unwrap_or_default());
        let mut outcome = "not_executed";
        for _ in 0..3 {
            let reply = self.call_json(kind, &submit)?;
            match text(&reply, "outcome") {
                "executed" => {
                    outcome = "executed";
                    break;
                }
                "not_executed" => break,
                _ => {}
            }
        }
        Ok(json!({"id": text(request, "key"), "outcome": outcome, "steps": [{"name": kind, "outcome": outcome}]}))
    }

    fn call_json(&self, operation: &str, request: &Value) -> Result<Value> {
        Ok(serde_json::from_str(self.client.call(operation, &request.to_string(), r#"{"timeoutMs":400}"#).json())?)
    }
}

fn quotation(kind: &str, order: &str, details: &Value) -> Value {
    let rows = |path: &str| details.pointer(path).and_then(Value::as_array).cloned().unwrap_or_default();
    if kind == "void" {
        return json!({"orderNo": order});
    }
    let flights: Vec<Value> = rows("/data/routing/fromSegments")
        .iter()
        .map(|leg| {
            json!({"depDate": text(leg, "depTime").get(..10), "flightNo": text(leg, "flightNumber"),
                          "depAirport": text(leg, "depAirport"), "arrAirport": text(leg, "arrAirport")})
        })
        .collect();
    let people: Vec<Value> = rows("/data/paxTicketInfos")
        .iter()
        .filter_map(|person| text(person, "name").split_once('/'))
        .map(|(last, first)| json!({"lastName": last, "firstName": first, "segments": flights}))
        .collect();
    json!({"orderNo": order, "refundRequestList": people})
}

/// `E0 control`
pub fn run(plan: &Plan) -> Result<Report> {
    let killed = kills::control(plan)?;
    let lost = lost_replies::control(plan)?;
    let mut report = Report::default();
    for (what, found, message) in
        [("kills", &killed, "the case is lost"), ("lost replies", &lost, "left more than once")]
    {
        if !found.iter().any(|violation| violation.contains(message)) {
            report.violations.push(format!(
                "{what}: the harness did not detect the baseline client: no {message:?} among {} violations",
                found.len()
            ));
        }
    }
    report.figures = format!(
        "the baseline client in the same experiments: {} violations by kills, {} by lost replies, as expected",
        killed.len(),
        lost.len()
    );
    Ok(report)
}
