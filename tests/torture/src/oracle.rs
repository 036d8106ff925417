//! The oracle: what the simulator's ledger and request log say about one case, against what the case says.

use std::collections::{BTreeMap, HashMap};

use atlas_simulator::Simulator;
use serde_json::{Value, json};

use crate::harness::{flag, list, text};
use crate::kinds::{CaseSpec, Kind};

/// What one operation did for one owner.
#[derive(Clone, Copy, Debug, Default)]
pub struct Effect {
    /// Requests that arrived whole.
    pub whole: usize,
    /// Requests that broke off after their owner could be read.
    pub broken: usize,
    /// Effects.
    pub executed: usize,
}

/// All effects, by owner and operation. The owner of a payment is the order that the paid one belongs to.
pub struct LedgerView {
    effects: HashMap<(String, String), Effect>,
    /// The simulator's switches.
    profile: Value,
}

impl LedgerView {
    /// What has happened up to now.
    pub fn of(atlas: &Simulator) -> LedgerView {
        let (ledger, requests) = (atlas.ledger(), atlas.requests());
        let mut parents = HashMap::new();
        let mut effects: HashMap<(String, String), Effect> = HashMap::new();
        for row in &ledger {
            let (endpoint, result) = (text(row, "endpoint"), text(row, "result"));
            let owner = match endpoint {
                // The row of a claim names the new order; the owner is the locator.
                "pnrClaim" => locator(atlas, result).unwrap_or_default(),
                _ => owner(&parents, text(row, "orderNo")),
            };
            if !result.is_empty() && matches!(endpoint, "postBookingAncillaryOrder" | "regenerateOrder") {
                parents.insert(result.to_owned(), owner.clone());
            }
            effects.entry((owner, endpoint.to_owned())).or_default().executed += usize::from(flag(row, "executed"));
        }
        for request in &requests {
            let effect =
                effects.entry((owner(&parents, &named(request)), text(request, "endpoint").to_owned())).or_default();
            if flag(request, "bodyComplete") {
                effect.whole += 1;
            } else {
                effect.broken += 1;
            }
        }
        LedgerView { effects, profile: atlas.control("GET", "/_sim/profile", json!({})).unwrap_or_default() }
    }

    /// Whether what the vendor answers under these switches can prove, either way, what became of a lost submit.
    fn settles(&self, kind: Kind) -> bool {
        let is = |switch: &str, side: &str| text(&self.profile, switch) == side;
        match kind {
            Kind::Void | Kind::Cancel | Kind::Stop | Kind::Claim => true,
            Kind::Refund => is("refundQueryWithoutCode", "list") && is("refundQueryEmpty", "list"),
            Kind::Ancillary => is("aggregatedOrders", "true"),
            Kind::Regenerate => false,
        }
    }

    /// What an operation did for an owner.
    pub fn effect(&self, owner: &str, endpoint: &str) -> Effect {
        self.effects.get(&(owner.to_owned(), endpoint.to_owned())).copied().unwrap_or_default()
    }
}

fn owner(parents: &HashMap<String, String>, order: &str) -> String {
    parents.get(order).map_or(order, String::as_str).to_owned()
}

fn locator(atlas: &Simulator, order: &str) -> Option<String> {
    let order = atlas.order(order).ok()?;
    list(&order, "airlinePNRs").first()?.as_str().map(str::to_owned)
}

/// The order or locator that a request names, also one that broke off.
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

/// Counts of verdicts by kind.
#[derive(Default)]
pub struct Tally {
    /// Cases checked.
    pub cases: usize,
    /// Broken promises.
    pub violations: Vec<String>,
    /// `void executed` → how many.
    pub verdicts: BTreeMap<(Kind, String), usize>,
    /// Most executed rows and most whole requests of any step.
    pub most: usize,
    /// Cases that a submit left for and that no store has.
    pub lost: usize,
    /// Verdicts that are not the ledger's.
    pub contradictions: usize,
}

impl Tally {
    /// Another one's counts too.
    pub fn add(&mut self, other: Tally) {
        self.cases += other.cases;
        self.violations.extend(other.violations);
        self.most = self.most.max(other.most);
        self.lost += other.lost;
        self.contradictions += other.contradictions;
        for (key, count) in other.verdicts {
            *self.verdicts.entry(key).or_default() += count;
        }
    }

    /// The three figures of the promise.
    pub fn promise(&self) -> String {
        format!(
            "ledger entries per step at most {}, lost cases {}, verdicts contradicting the ledger {}",
            self.most, self.lost, self.contradictions
        )
    }

    /// The verdicts, and the kinds behind those that are none.
    pub fn reported(&self) -> String {
        let count =
            |word| self.verdicts.iter().filter(|((_, reported), _)| reported == word).map(|(_, n)| n).sum::<usize>();
        let kinds = |word| {
            let mine = self.verdicts.iter().filter(|((_, reported), _)| reported == word);
            let kinds: Vec<String> = mine.map(|((kind, _), n)| format!("{} {n}", kind.word())).collect();
            if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) }
        };
        format!(
            "executed {}, not executed {}, unknown {}{}, pending {}{}",
            count("executed"),
            count("not_executed"),
            count("unknown"),
            kinds("unknown"),
            count("pending"),
            kinds("pending")
        )
    }

    /// Compares a case, as read at the end, with the ledger.
    pub fn check(&mut self, ledger: &LedgerView, spec: &CaseSpec, reply: &Value) {
        self.cases += 1;
        let mut faults = Vec::new();
        let effects: Vec<(&str, Effect)> =
            spec.kind.steps().iter().map(|(name, endpoint)| (*name, ledger.effect(&spec.owner, endpoint))).collect();
        for (name, effect) in &effects {
            self.most = self.most.max(effect.executed).max(effect.whole);
            if effect.whole + effect.broken > 1 || effect.executed > 1 {
                faults.push(format!("step {name} left more than once: {effect:?}"));
            }
        }
        let left = effects.iter().any(|(_, effect)| effect.whole + effect.broken > 0);
        let found = case(reply);
        match found {
            None if left => {
                self.lost += 1;
                faults.push(format!("a submit left and there is no case: {reply}"));
            }
            None => {}
            Some(case) => {
                let before = faults.len();
                judge_case(case, &effects, &mut faults);
                self.contradictions += faults.len() - before;
            }
        }
        let word = found.map_or("no case", |case| text(case, "outcome"));
        if matches!(word, "unknown" | "pending") && ledger.settles(spec.kind) {
            faults.push(format!("it stays {word} although the vendor's answers settle it"));
        }
        *self.verdicts.entry((spec.kind, word.to_owned())).or_default() += 1;
        let shown = found.map_or(Value::Null, Value::clone);
        self.violations
            .extend(faults.iter().map(|fault| format!("{} {}: {fault}\n    {shown}", spec.kind.word(), spec.key)));
    }
}

/// A verdict must be the ledger's, for every step and for the whole.
fn judge_case(case: &Value, effects: &[(&str, Effect)], faults: &mut Vec<String>) {
    for step in list(case, "steps") {
        let Some((name, effect)) = effects.iter().find(|(name, _)| *name == text(step, "name")) else {
            faults.push(format!("the case has a step that it should not have: {step}"));
            continue;
        };
        let said = text(step, "outcome");
        if contradicts(said, effect.executed > 0) {
            faults.push(format!("step {name} is {said}, the ledger has {effect:?}"));
        }
    }
    let outcome = text(case, "outcome");
    // The effect asked for is the last step's: an unpaid order is worth nothing.
    let effect = effects.last().is_some_and(|(_, effect)| effect.executed > 0);
    if contradicts(outcome, effect) {
        faults.push(format!("the case is {outcome}, the ledger has {effects:?}"));
    }
    if flag(case, "final") && outcome == "unknown" {
        faults.push("final while unknown".to_owned());
    }
}

/// Whether a verdict is not the ledger's.
pub fn contradicts(said: &str, executed: bool) -> bool {
    (said == "executed" && !executed) || (said == "not_executed" && executed)
}
