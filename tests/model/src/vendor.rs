//! The vendor: what was executed, what is still on its way, and what is answered about it.

use atlas_postbooking::exploration::{Asked, Happening};

use crate::bounds::Bounds;
use crate::store::Store;
use crate::subjects::{Id, Subjects};

/// Which of the two cases.
pub type Key = u8;
/// Which step of a case: 0, or 1 for the payment.
pub type Step = u8;

/// The answer to a submit, as far as its sender knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reply {
    Executed,
    Paced,
    /// None: whether it was executed is not known.
    Lost,
    /// It provably never left.
    Unsent,
}

/// A request that has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flight {
    pub key: Key,
    pub step: Step,
    pub attempt: u8,
    /// The last tick at which it can arrive.
    pub latest: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Vendor {
    /// For each case and step: the attempts that were executed, one bit each.
    pub executed: [[u8; 2]; 2],
    pub flights: Vec<Flight>,
}

impl Vendor {
    pub fn execute(&mut self, key: Key, step: Step, attempt: u8) {
        self.executed[key as usize][step as usize] |= 1 << attempt;
    }

    /// How often a step was executed.
    pub fn count(&self, key: Key, step: Step) -> u32 {
        self.executed[key as usize][step as usize].count_ones()
    }

    /// What each executed attempt of a first step has made.
    fn made(&self, key: Key) -> impl Iterator<Item = String> {
        let attempts = self.executed[key as usize][0];
        (0..8).filter(move |attempt| attempts & 1 << attempt != 0).map(move |attempt| number(key, attempt))
    }

    /// The answer to a query about a case.
    pub fn answer(
        &self,
        bounds: &Bounds,
        subjects: &Subjects,
        store: &Store,
        key: Key,
        case: Id,
        asked: Asked,
    ) -> Happening {
        let facts = &subjects.get(case).facts;
        let other = 1 - key;
        let is_taken = bounds.meet() && bounds.kind(other) != "ancillary" && self.count(other, 0) > 0;
        let rows =
            || store.rows.iter().enumerate().filter(move |(k, _)| *k != key as usize).filter_map(|(_, row)| *row);
        match asked {
            Asked::MadeOrder => Happening::Order(if self.count(key, 1) > 0 { 2 } else { 0 }),
            Asked::VoidQuote | Asked::RefundQuote if is_taken => Happening::Denied,
            Asked::VoidQuote | Asked::RefundQuote => {
                let attempts = facts.steps.first().map_or(0, |(_, attempts, _)| *attempts);
                Happening::Quote(number(key, attempts as u8 + 1))
            }
            Asked::Voids | Asked::Refunds => {
                let kind = if asked == Asked::Voids { "void" } else { "refund" };
                let listed = (0..2).filter(|k| bounds.kind(*k) == kind).flat_map(|k| self.made(k));
                let owned =
                    |offer: &String| rows().any(|row| subjects.get(row.case).facts.offer.as_ref() == Some(offer));
                Happening::Entries(listed.filter(|offer| !owned(offer)).collect())
            }
            Asked::Orders => {
                let orders: Vec<String> =
                    (0..2).filter(|k| bounds.kind(*k) == "ancillary").flat_map(|k| self.made(k)).collect();
                let codes: Vec<_> =
                    store.rows.iter().flatten().map(|row| subjects.get(row.case).facts.code.clone()).collect();
                if facts.state == "quoting" {
                    // Those that no case has made are a stranger's.
                    let is_foreign = |order: &&String| !codes.iter().any(|code| code.as_ref() == Some(*order));
                    let foreign = orders.iter().find(is_foreign).cloned();
                    return foreign.map_or(Happening::Orders(orders), Happening::Foreign);
                }
                let others: Vec<_> = rows().map(|row| subjects.get(row.case)).collect();
                let others: Vec<_> = others.iter().map(|met| &met.subject).collect();
                subjects
                    .get(case)
                    .subject
                    .without_others(orders, &others)
                    .map_or(Happening::NoAnswer, Happening::Orders)
            }
            Asked::Order | Asked::Price | Asked::Other => Happening::NoAnswer,
        }
    }
}

/// The offer of an attempt, or the number of the order that it makes.
pub fn number(key: Key, attempt: u8) -> String {
    format!("{key}.{attempt}")
}
