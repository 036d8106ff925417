//! Submitted refunds and voids and their status over time.

use crate::clock::{self, DAY, HOUR, MINUTE, Millis};
use crate::json::{int, list, money, text};
use crate::offer::{Offer, OfferKind};
use crate::order::Order;
use crate::schedule::Event;
use crate::world::World;
use serde_json::{Value, json};

/// Refunded or voided; the amount has been credited to the deposit.
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
    /// The submitted offer.
    pub offer: Offer,
    /// The vendor's refund or void status, 0 to 6.
    pub status: i64,
    /// The reason of a rejection, else empty.
    pub cancel_reason: String,
    /// The time of the submission.
    pub opened: Millis,
}

impl Case {
    /// The status is final.
    pub fn closed(&self) -> bool {
        matches!(self.status, REFUNDED | REJECTED | 5 | WITHDRAWN)
    }

    /// An expected date (`yyyyMMdd`), `days` after the submission; null for a rejected case.
    pub fn expected(&self, days: i64) -> Value {
        if self.status == REJECTED { Value::Null } else { clock::day_sgt(self.opened + days * DAY).into() }
    }
}

impl World {
    /// The case that prevents another one for any of these passengers.
    pub fn blocking_case(&self, order: &Order, kind: OfferKind, passengers: &[usize]) -> Option<&Case> {
        let rejected_blocks = self.profile.is("quoteAfterRejected", "803");
        let one_refund = self.profile.is("secondRefund", "refused");
        let void_passes = kind == OfferKind::Void && self.profile.is("voidAfterPartialRefund", "allowed");
        order.cases.iter().filter_map(|index| self.cases.get(*index)).find(|case| {
            let open = match case.status {
                WITHDRAWN => false,
                REJECTED => rejected_blocks,
                _ => true,
            };
            let is_partial = case.offer.passengers.len() < order.passengers.len();
            let overlaps = one_refund || case.offer.passengers.iter().any(|passenger| passengers.contains(passenger));
            open && overlaps && !(void_passes && is_partial)
        })
    }

    /// Adds a case and schedules its status changes.
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
        if let Some(order) = self.order_mut(&order.order_no) {
            order.cases.push(index);
        }
        for (after, status) in status_plan(order, offer.kind) {
            self.schedule_at(self.now + after, Event::Case(index, status));
        }
        if self.profile.is("offerSingleUse", "true") {
            self.offers.remove(&offer.id);
        } else if let Some(offer) = self.offers.get_mut(&offer.id) {
            offer.submitted = true;
        }
        self.notify_void(&case, "");
        case
    }

    /// Sets the status of a case, credits the deposit when it is refunded, and
    /// sends a notification.
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
            let ancillaries: i64 = case.offer.ancillaries.iter().map(|extra| extra.2).sum();
            let amount = case.offer.refund_amount + ancillaries - case.offer.fee;
            *self.balances.entry(order.currency.clone()).or_default() += amount;
        }
        let message = if status == REJECTED { rejected } else { "" };
        let case = Case { status, ..case };
        self.notify_void(&case, message);
    }

    /// Sends `order.void`. The vendor no longer sends notifications of refunds.
    fn notify_void(&mut self, case: &Case, message: &str) {
        if case.offer.kind == OfferKind::Void {
            let data = json!({"orderNo": case.offer.order, "voidCode": case.code, "voidStatus": case.status, "message": message});
            self.webhooks.emit(json!({"cid": "SIMULATED", "type": "order.void", "status": -1, "data": data}));
        }
    }
}

/// The status changes of a case, with their delays. The vendor does not document
/// the transitions; these are assumed, and a test can replace them with the
/// options `refundPlan` and `voidPlan`.
fn status_plan(order: &Order, kind: OfferKind) -> Vec<(Millis, i64)> {
    let (plan, outcome) = match kind {
        OfferKind::Refund => ("refundPlan", "refundOutcome"),
        OfferKind::Void => ("voidPlan", "voidOutcome"),
    };
    let configured = list(&order.options, plan);
    if !configured.is_empty() {
        let step = |step: &Value| Some((clock::duration(step.get("after")?)?, int(step, "status")?));
        return configured.iter().filter_map(step).collect();
    }
    let rejected = order.option(outcome) == Some("rejected");
    match (kind, rejected, order.paid_by_card()) {
        (OfferKind::Refund, true, _) => vec![(4 * HOUR, 1), (DAY, REJECTED)],
        (OfferKind::Refund, false, true) => vec![(4 * HOUR, 1), (7 * DAY, 5)],
        (OfferKind::Refund, false, false) => vec![(4 * HOUR, 1), (3 * DAY, 3), (21 * DAY, REFUNDED)],
        (OfferKind::Void, true, _) => vec![(5 * MINUTE, 1), (30 * MINUTE, REJECTED)],
        (OfferKind::Void, false, true) => vec![(5 * MINUTE, 1), (6 * HOUR, 5)],
        (OfferKind::Void, false, false) => vec![(5 * MINUTE, 1), (6 * HOUR, REFUNDED)],
    }
}

/// The fare amounts, converted too when the request named a display currency.
pub fn fare_amount(order: &Order, offer: &Offer) -> Value {
    let mut amount = json!({
        "currency": order.currency,
        "originalFareAmount": money(offer.paid),
        "estimatedRefundAmount": money(offer.refund_amount),
    });
    if offer.kind == OfferKind::Refund {
        let convert = |cents| offer.display_currency.as_deref().map_or(Value::Null, |to| money(convert(cents, to)));
        if let Some(map) = amount.as_object_mut() {
            map.insert("displayOriginalFareAmount".into(), convert(offer.paid));
            map.insert("displayEstimatedRefundAmount".into(), convert(offer.refund_amount));
        }
    }
    amount
}

/// One entry for each ancillary order that is included.
pub fn ancillary_amounts(order: &Order, offer: &Offer) -> Value {
    let entry = |(order_no, paid, refund_amount): &(String, i64, i64)| {
        json!({
            "postTicketingOrderNo": order_no,
            "currency": order.currency,
            "originalPostTicketingServiceAmount": money(*paid),
            "estimatedRefundAmount": money(*refund_amount),
        })
    };
    offer.ancillaries.iter().map(entry).collect()
}

/// Cents converted into another currency at a fixed, invented rate.
pub fn convert(cents: i64, currency: &str) -> i64 {
    let rate = match currency {
        "EUR" => 92,
        "GBP" => 79,
        "CNY" => 715,
        _ => 100,
    };
    (cents * rate + 50) / 100
}

/// The refusal code that the option `codes` of this order sets for an operation.
pub fn forced_code(order: &Order, operation: &str) -> Option<i64> {
    int(order.options.get("codes")?, operation)
}

/// The vendor's `refundMethod` of this order.
pub fn refund_method(order: &Order) -> &str {
    text(&order.options, "refundMethod").unwrap_or("CashBackToOriginalPayment")
}
