//! A submitted refund or void, whose state changes with time.

use crate::clock::{self, DAY, HOUR, MINUTE, Millis};
use crate::json::{int, list, money, text};
use crate::offer::{Offer, Way};
use crate::order::Order;
use crate::schedule::Event;
use crate::world::World;
use serde_json::{Value, json};

/// Refunded or voided: the deposit has its money back.
pub const REFUNDED: i64 = 2;
/// Rejected.
pub const REJECTED: i64 = 4;
/// Withdrawn.
pub const WITHDRAWN: i64 = 6;

/// One submitted refund or void.
#[derive(Clone, Debug)]
pub struct Case {
    /// `yyyyMM-NNNN`.
    pub code: String,
    /// What was accepted.
    pub offer: Offer,
    /// 0 to 6.
    pub status: i64,
    /// Why it was rejected, or empty.
    pub cancel_reason: String,
    /// When it was submitted.
    pub opened: Millis,
}

impl Case {
    /// Nothing moves it any more.
    pub fn closed(&self) -> bool {
        matches!(self.status, REFUNDED | REJECTED | 5 | WITHDRAWN)
    }

    /// `yyyyMMdd` some days after the submission; a rejected case expects nothing.
    pub fn expected(&self, days: i64) -> Value {
        if self.status == REJECTED { Value::Null } else { clock::day_sgt(self.opened + days * DAY).into() }
    }
}

impl World {
    /// The case that stands in the way of these passengers, if any.
    pub fn standing(&self, order: &Order, passengers: &[usize]) -> Option<&Case> {
        let rejected_blocks = self.profile.is("quoteAfterRejected", "803");
        order.cases.iter().filter_map(|index| self.cases.get(*index)).find(|case| {
            let open = match case.status {
                WITHDRAWN => false,
                REJECTED => rejected_blocks,
                _ => true,
            };
            open && case.offer.passengers.iter().any(|passenger| passengers.contains(passenger))
        })
    }

    /// Takes a case in and plans its way.
    pub fn open_case(&mut self, order: &Order, offer: &Offer) -> Case {
        let case = Case {
            code: self.case_number(),
            offer: offer.clone(),
            status: 0,
            cancel_reason: String::new(),
            opened: self.now,
        };
        let index = self.cases.len();
        self.cases.push(case.clone());
        if let Some(order) = self.order_mut(&order.no) {
            order.cases.push(index);
        }
        for (after, status) in course(order, offer.way) {
            self.plan(self.now + after, Event::Case(index, status));
        }
        if self.profile.is("offerSingleUse", "true") {
            self.offers.remove(&offer.id);
        } else if let Some(offer) = self.offers.get_mut(&offer.id) {
            offer.spent = true;
        }
        self.tell(&case, "");
        case
    }

    /// Moves a case, pays what it brings, tells of it.
    pub fn move_case(&mut self, index: usize, status: i64, reason: Option<&str>) {
        let Some(case) = self.cases.get(index).filter(|case| !case.closed()).cloned() else {
            return;
        };
        let Some(order) = self.order(&case.offer.order).cloned() else {
            return;
        };
        let rejected = reason.or_else(|| order.option("cancelReason")).unwrap_or("Not covered by the airline's rules");
        if let Some(case) = self.cases.get_mut(index) {
            case.status = status;
            if status == REJECTED {
                case.cancel_reason = rejected.to_owned();
            }
        }
        if status == REFUNDED && order.option("refundMethod") != Some("Voucher") {
            let extras: i64 = case.offer.extras.iter().map(|extra| extra.2).sum();
            let amount = case.offer.back + extras - case.offer.fee;
            *self.balances.entry(order.currency.clone()).or_default() += amount;
        }
        let message = if status == REJECTED { rejected } else { "" };
        let case = Case { status, ..case };
        self.tell(&case, message);
    }

    /// Only voids are delivered of: the vendor has no refund notification any more.
    fn tell(&mut self, case: &Case, message: &str) {
        if case.offer.way == Way::Void {
            let data = json!({"orderNo": case.offer.order, "voidCode": case.code, "voidStatus": case.status, "message": message});
            self.hooks.emit(json!({"cid": "SIMULATED", "type": "order.void", "status": -1, "data": data}));
        }
    }
}

/// When a case reaches which status. No source lists the transitions; these are
/// the likely ones, and a test may ask for others (`refundPlan`, `voidPlan`).
fn course(order: &Order, way: Way) -> Vec<(Millis, i64)> {
    let (plan, outcome) = match way {
        Way::Refund => ("refundPlan", "refundOutcome"),
        Way::Void => ("voidPlan", "voidOutcome"),
    };
    let requested = list(&order.options, plan);
    if !requested.is_empty() {
        let step = |step: &Value| Some((clock::duration(step.get("after")?)?, int(step, "status")?));
        return requested.iter().filter_map(step).collect();
    }
    let rejected = order.option(outcome) == Some("rejected");
    match (way, rejected, order.by_card()) {
        (Way::Refund, true, _) => vec![(4 * HOUR, 1), (DAY, REJECTED)],
        (Way::Refund, false, true) => vec![(4 * HOUR, 1), (7 * DAY, 5)],
        (Way::Refund, false, false) => vec![(4 * HOUR, 1), (3 * DAY, 3), (21 * DAY, REFUNDED)],
        (Way::Void, true, _) => vec![(5 * MINUTE, 1), (30 * MINUTE, REJECTED)],
        (Way::Void, false, true) => vec![(5 * MINUTE, 1), (6 * HOUR, 5)],
        (Way::Void, false, false) => vec![(5 * MINUTE, 1), (6 * HOUR, REFUNDED)],
    }
}

/// The amounts of a fare, with their display twins when a currency was asked for.
pub fn fare_amount(order: &Order, offer: &Offer) -> Value {
    let mut amount = json!({
        "currency": order.currency,
        "originalFareAmount": money(offer.paid),
        "estimatedRefundAmount": money(offer.back),
    });
    if offer.way == Way::Refund {
        let shown = |cents| offer.display.as_deref().map_or(Value::Null, |to| money(shown(cents, to)));
        if let Some(map) = amount.as_object_mut() {
            map.insert("displayOriginalFareAmount".into(), shown(offer.paid));
            map.insert("displayEstimatedRefundAmount".into(), shown(offer.back));
        }
    }
    amount
}

/// One entry per ancillary order that goes along.
pub fn extra_amounts(order: &Order, offer: &Offer) -> Value {
    let entry = |(no, paid, back): &(String, i64, i64)| {
        json!({
            "postTicketingOrderNo": no,
            "currency": order.currency,
            "originalPostTicketingServiceAmount": money(*paid),
            "estimatedRefundAmount": money(*back),
        })
    };
    offer.extras.iter().map(entry).collect()
}

/// Cents in another currency, at a made-up fixed rate.
pub fn shown(cents: i64, currency: &str) -> i64 {
    let rate = match currency {
        "EUR" => 92,
        "GBP" => 79,
        "CNY" => 715,
        _ => 100,
    };
    (cents * rate + 50) / 100
}

/// The test wants this call on this order answered with a code of its choice.
pub fn forced(order: &Order, operation: &str) -> Option<i64> {
    int(order.options.get("codes")?, operation)
}

/// A refund's way back to the traveller.
pub fn method(order: &Order) -> &str {
    text(&order.options, "refundMethod").unwrap_or("CashBackToOriginalPayment")
}
