//! A control: a client as it is often written. It sends again when no answer comes, keeps its notes after
//! the fact and does not sync them. If the harness finds nothing wrong with it, the harness is broken.

use std::path::PathBuf;

use atlas_postbooking::blocking::Client;
use serde_json::{Value, json};

use crate::harness::{Plan, Report, Res, text};
use crate::kills;
use crate::kinds::put;
use crate::lost;

/// Refunds and voids, the wrong way.
pub struct Baseline {
    client: Client,
    notes: PathBuf,
}

impl Baseline {
    /// From the configuration that a real worker gets.
    pub fn new(config: &Value) -> Res<Baseline> {
        let notes = PathBuf::from(config.pointer("/store/path").and_then(Value::as_str).unwrap_or_default());
        let mut plain = config.clone();
        ["store", "clock", "baseline"].iter().for_each(|key| put(&mut plain, key, Value::Null));
        plain.as_object_mut().map(|members| members.remove("baseline"));
        Ok(Baseline { client: Client::new(&plain.to_string())?, notes })
    }

    /// `case.open`, `case.get`, `case.reconcile`.
    pub fn call(&self, operation: &str, request: &Value) -> Res<Value> {
        let mut notes: Value =
            std::fs::read(&self.notes).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or(json!({}));
        let key = text(request, "key");
        if operation == "case.open" && notes.get(key).is_none() {
            put(&mut notes, key, self.submit(request)?);
            std::fs::write(&self.notes, notes.to_string())?;
        }
        Ok(json!({"ok": true, "case": notes.get(key)}))
    }

    fn submit(&self, request: &Value) -> Res<Value> {
        let kind = if text(request, "kind") == "refund" { "refund" } else { "void" };
        let order = text(request, "orderNo");
        let details = self.ask("queryOrderDetails", &json!({"orderNo": order}))?;
        let quote = self.ask(&format!("{kind}Quotation"), &quotation(kind, order, &details))?;
        let offer = format!("{kind}OfferId");
        let mut submit = json!({"orderNo": order});
        put(&mut submit, &offer, quote.pointer(&format!("/data/{offer}")).cloned().unwrap_or_default());
        let mut outcome = "not_executed";
        for _ in 0..3 {
            let reply = self.ask(kind, &submit)?;
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

    fn ask(&self, operation: &str, request: &Value) -> Res<Value> {
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
pub fn run(plan: &Plan) -> Res<Report> {
    let killed = kills::control(plan)?;
    let lost = lost::control(plan)?;
    let mut report = Report::default();
    for (what, found, words) in [("kills", &killed, "the case is lost"), ("lost replies", &lost, "left more than once")]
    {
        if !found.iter().any(|violation| violation.contains(words)) {
            report.violations.push(format!(
                "{what}: the baseline client was not caught: nothing {words:?} among {} violations",
                found.len()
            ));
        }
    }
    report.figures = format!(
        "a baseline client under the same experiments: {} violations by kills, {} by lost replies, as there should be",
        killed.len(),
        lost.len()
    );
    Ok(report)
}
