//! The oracle: compares a case with the simulator's ledger and request log.

use std::collections::{BTreeMap, HashMap};

use atlas_simulator::Simulator;
use serde_json::{Value, json};

use crate::case_kinds::{CaseRequest, Kind};
use crate::harness::{flag, list, text};

/// Counts of one operation for one owner.
#[derive(Clone, Copy, Debug, Default)]
pub struct SubmitCounts {
    /// Requests that arrived complete.
    pub complete: usize,
    /// Requests that arrived truncated, but with a readable owner.
    pub truncated: usize,
    /// Executed requests by the ledger.
    pub executed: usize,
}

/// The counts of all operations, by owner and operation. The owner is the order number, or the locator for a claim; the
/// owner of a payment is the order that the paid ancillary or regenerated order belongs to.
pub struct LedgerSnapshot {
    counts: HashMap<(String, String), SubmitCounts>,
    /// The simulator's switches.
    profile: Value,
}

impl LedgerSnapshot {
    /// The counts up to now.
    pub fn of(atlas: &Simulator) -> LedgerSnapshot {
        let (ledger, requests) = (atlas.ledger(), atlas.requests());
        let mut parents = HashMap::new();
        let mut counts: HashMap<(String, String), SubmitCounts> = HashMap::new();
        for row in &ledger {
            let (endpoint, result) = (text(row, "endpoint"), text(row, "result"));
            let owner = match endpoint {
                // The ledger row of a claim names the new order; the owner is the locator.
                "pnrClaim" => locator(atlas, result).unwrap_or_default(),
                _ => owner(&parents, text(row, "orderNo")),
            };
            if !result.is_empty() && matches!(endpoint, "postBookingAncillaryOrder" | "regenerateOrder") {
                parents.insert(result.to_owned(), owner.clone());
            }
            counts.entry((owner, endpoint.to_owned())).or_default().executed += usize::from(flag(row, "executed"));
        }
        for request in &requests {
            let counts =
                counts.entry((owner(&parents, &named(request)), text(request, "endpoint").to_owned())).or_default();
            if flag(request, "bodyComplete") {
                counts.complete += 1;
            } else {
                counts.truncated += 1;
            }
        }
        LedgerSnapshot { counts, profile: atlas.control("GET", "/_sim/profile", json!({})).unwrap_or_default() }
    }

    /// Whether, with these switches, the vendor's query replies prove if a lost submit was executed.
    fn is_decidable(&self, kind: Kind) -> bool {
        let is = |switch: &str, side: &str| text(&self.profile, switch) == side;
        match kind {
            Kind::Void | Kind::Cancel | Kind::Stop | Kind::Claim => true,
            Kind::Refund => is("refundQueryWithoutCode", "list") && is("refundQueryEmpty", "list"),
            Kind::Ancillary => is("aggregatedOrders", "true"),
            Kind::Regenerate => false,
        }
    }

    /// The counts of an operation for an owner.
    pub fn counts(&self, owner: &str, endpoint: &str) -> SubmitCounts {
        self.counts.get(&(owner.to_owned(), endpoint.to_owned())).copied().unwrap_or_default()
    }
}

fn owner(parents: &HashMap<String, String>, order: &str) -> String {
    parents.get(order).map_or(order, String::as_str).to_owned()
}

fn locator(atlas: &Simulator, order: &str) -> Option<String> {
    let order = atlas.order(order).ok()?;
    list(&order, "airlinePNRs").first()?.as_str().map(str::to_owned)
}

/// The order or locator that a request names; also found in a truncated body.
pub fn named(request: &Value) -> String {
    let body = request.get("body").unwrap_or(&Value::Null);
    let parts = [body, body.get("mmb").unwrap_or(&Value::Null)];
    let keys = ["orderNo", "ticketOrderNo", "originalOrderNo", "airlinePnr"];
    let found = parts.iter().flat_map(|part| keys.iter().map(|key| text(part, key))).find(|no| !no.is_empty());
    let in_text = |key: &str| {
        let (_, rest) = body.as_str()?.split_once(&format!("\"{key}\":\""))?;
        Some(rest.split_once('"')?.0)
    };
    found.or_else(|| keys.iter().find_map(|key| in_text(key))).unwrap_or_default().to_owned()
}

/// The case in a reply.
pub fn case(reply: &Value) -> Option<&Value> {
    reply.get("case").or(reply.get("data")).filter(|case| !text(case, "id").is_empty())
}

/// The results of checked cases.
#[derive(Default)]
pub struct Tally {
    /// Cases checked.
    pub cases: usize,
    /// Violations.
    pub violations: Vec<String>,
    /// Kind and outcome → count.
    pub outcomes: BTreeMap<(Kind, String), usize>,
    /// Cases of unknown outcome whose effect is in the ledger.
    pub unknown_executed: usize,
    /// The maximum over all steps of executed rows and of complete requests.
    pub max_per_step: usize,
    /// Cases with a submit that left, but without a row in the store.
    pub lost: usize,
    /// Outcomes that contradict the ledger.
    pub contradictions: usize,
}

impl Tally {
    /// Adds the counts of another tally.
    pub fn add(&mut self, other: Tally) {
        self.cases += other.cases;
        self.violations.extend(other.violations);
        self.max_per_step = self.max_per_step.max(other.max_per_step);
        self.lost += other.lost;
        self.contradictions += other.contradictions;
        self.unknown_executed += other.unknown_executed;
        for (key, count) in other.outcomes {
            *self.outcomes.entry(key).or_default() += count;
        }
    }

    /// The three figures of the invariant "at most once".
    pub fn invariants(&self) -> String {
        format!(
            "ledger entries per step at most {}, lost cases {}, outcomes contradicting the ledger {}",
            self.max_per_step, self.lost, self.contradictions
        )
    }

    /// The number of cases with an outcome.
    pub fn count(&self, wanted: &str) -> usize {
        self.outcomes.iter().filter(|((_, outcome), _)| outcome == wanted).map(|(_, n)| n).sum()
    }

    /// The number of cases by outcome; with the kinds for unknown and pending.
    pub fn outcome_figures(&self) -> String {
        let kinds = |wanted| {
            let matching = self.outcomes.iter().filter(|((_, outcome), _)| outcome == wanted);
            let kinds: Vec<String> = matching.map(|((kind, _), n)| format!("{} {n}", kind.wire_name())).collect();
            if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) }
        };
        format!(
            "executed {}, not executed {}, unknown {}{}, of them {} executed at the vendor, pending {}{}",
            self.count("executed"),
            self.count("not_executed"),
            self.count("unknown"),
            kinds("unknown"),
            self.unknown_executed,
            self.count("pending"),
            kinds("pending")
        )
    }

    /// Compares the final reply of a case with the ledger.
    pub fn check(&mut self, ledger: &LedgerSnapshot, case_request: &CaseRequest, reply: &Value) {
        self.cases += 1;
        let mut violations = Vec::new();
        let counts: Vec<(&str, SubmitCounts)> = case_request
            .kind
            .steps()
            .iter()
            .map(|(name, endpoint)| (*name, ledger.counts(&case_request.owner, endpoint)))
            .collect();
        for (name, counts) in &counts {
            self.max_per_step = self.max_per_step.max(counts.executed).max(counts.complete);
            if counts.complete + counts.truncated > 1 || counts.executed > 1 {
                violations.push(format!("step {name} left more than once: {counts:?}"));
            }
        }
        let left = counts.iter().any(|(_, counts)| counts.complete + counts.truncated > 0);
        let found = case(reply);
        match found {
            None if left => {
                self.lost += 1;
                violations.push(format!("a submit left and there is no case: {reply}"));
            }
            None => {}
            Some(case) => {
                let before = violations.len();
                check_case(case, &counts, &mut violations);
                self.contradictions += violations.len() - before;
            }
        }
        let outcome = found.map_or("no case", |case| text(case, "outcome"));
        // After absence of a payment the order waits for a direct one: the case is pending, and rightly so.
        let waits = found.is_some_and(|case| {
            let absent = |step: &Value| text(step, "name") == "pay" && text(step, "outcome") == "not_executed";
            text(case, "state") == "awaiting_payment" && list(case, "steps").iter().any(absent)
        });
        // No list proves that a booking was not claimed.
        let proves = case_request.kind != Kind::Claim || counts.iter().any(|(_, counts)| counts.executed > 0);
        if matches!(outcome, "unknown" | "pending") && !waits && proves && ledger.is_decidable(case_request.kind) {
            violations.push(format!("it stays {outcome} although the vendor's replies prove the outcome"));
        }
        let any_executed = counts.iter().any(|(_, counts)| counts.executed > 0);
        self.unknown_executed += usize::from(outcome == "unknown" && any_executed);
        *self.outcomes.entry((case_request.kind, outcome.to_owned())).or_default() += 1;
        let shown = found.map_or(Value::Null, Value::clone);
        self.violations.extend(violations.iter().map(|violation| {
            format!("{} {}: {violation}\n    {shown}", case_request.kind.wire_name(), case_request.key)
        }));
    }
}

/// The outcome of each step and of the case must agree with the ledger.
fn check_case(case: &Value, counts: &[(&str, SubmitCounts)], violations: &mut Vec<String>) {
    for step in list(case, "steps") {
        let Some((name, counts)) = counts.iter().find(|(name, _)| *name == text(step, "name")) else {
            violations.push(format!("the case has a step that it should not have: {step}"));
            continue;
        };
        let outcome = text(step, "outcome");
        if contradicts(outcome, counts.executed > 0) {
            violations.push(format!("step {name} is {outcome}, the ledger has {counts:?}"));
        }
    }
    let outcome = text(case, "outcome");
    // The requested effect is that of the last step: an order without its payment is not enough.
    let effect = counts.last().is_some_and(|(_, counts)| counts.executed > 0);
    if contradicts(outcome, effect) {
        violations.push(format!("the case is {outcome}, the ledger has {counts:?}"));
    }
    if flag(case, "final") && outcome == "unknown" {
        violations.push("final while unknown".to_owned());
    }
}

/// Whether an outcome contradicts the ledger.
pub fn contradicts(outcome: &str, executed: bool) -> bool {
    (outcome == "executed" && !executed) || (outcome == "not_executed" && executed)
}
