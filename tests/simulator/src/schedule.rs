//! Scheduled events, and how they are executed when the clock reaches them.

use crate::clock::{self, Millis};
use crate::http::Request;
use crate::order::{CANCELLED, Order, TICKETED};
use crate::profile::Profile;
use crate::world::World;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A scheduled event. The number beside an order is its revision at scheduling
/// time: the event is dropped if the order has changed since.
pub enum Event {
    /// The payment deadline of an unpaid order.
    PaymentDeadline(String, u64),
    /// The airline issues the ticket, or fails to.
    Issue(String, u64),
    /// A stop request takes effect.
    StopDecided(String, u64),
    /// A refund or void case (by index) reaches a status.
    Case(usize, i64),
    /// A request whose execution the fault `late` has delayed.
    LateExecution(Box<Request>),
}

impl World {
    /// Schedules the ticket issue of a paid order.
    pub fn schedule_issue(&mut self, order_no: &str) {
        let Some(order) = self.order(order_no) else { return };
        let configured = order.options.get("ticketingSeconds").and_then(clock::duration);
        let delay = configured.unwrap_or(self.profile.seconds("ticketingSeconds"));
        let event = Event::Issue(order_no.to_owned(), order.revision);
        self.schedule_at(self.now + delay, event);
    }

    /// Schedules an event.
    pub fn schedule_at(&mut self, at: Millis, event: Event) {
        self.scheduled_count += 1;
        self.schedule.insert((at, self.scheduled_count), event);
    }

    /// Moves the clock to `target` and executes the due events in time order.
    pub fn advance_to(&mut self, target: Millis) {
        while let Some(entry) = self.schedule.first_entry().filter(|entry| entry.key().0 <= target) {
            let ((at, _), event) = entry.remove_entry();
            self.now = self.now.max(at);
            self.handle(event);
        }
        self.now = self.now.max(target);
    }

    /// Executes what is due now. With `clock=real` the clock first advances by
    /// the real time that has passed.
    pub fn catch_up(&mut self) {
        let passed = self.real_time_since.map_or(0, |since| since.elapsed().as_millis() as u64);
        // The remainder below a millisecond is carried over; otherwise a clock that is read often would run slow.
        self.real_time_since = self.real_time_since.map(|since| since + Duration::from_millis(passed));
        self.advance_to(self.now + passed as Millis);
    }

    /// Applies changed profile switches that are cached: `webhooks` and `clock`.
    pub fn apply_profile_change(&mut self) {
        self.catch_up();
        self.webhooks.copies = copies(&self.profile);
        self.real_time_since = self.profile.is("clock", "real").then(Instant::now);
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::PaymentDeadline(order_no, revision) => self.update_order(&order_no, revision, |order| {
                order.status = CANCELLED;
                order.expired = true;
            }),
            Event::Issue(order_no, revision) => self.issue(&order_no, revision),
            Event::StopDecided(order_no, revision) => {
                if self.order(&order_no).is_some_and(|order| order.revision == revision) {
                    self.credit_deposit(&order_no);
                    self.update_order(&order_no, revision, |order| order.status = CANCELLED);
                    self.notify_cancelled(&order_no, None, "Ticket issuance was stopped on request");
                }
            }
            Event::Case(index, status) => self.move_case(index, status, None),
            Event::LateExecution(request) => {
                crate::router::execute(self, &request);
            }
        }
    }

    /// Changes an order and increments its revision, if its revision is still `revision`.
    pub fn update_order(&mut self, order_no: &str, revision: u64, how: impl FnOnce(&mut Order)) {
        if let Some(order) = self.order_mut(order_no).filter(|order| order.revision == revision) {
            how(order);
            order.revision += 1;
        }
    }

    fn issue(&mut self, order_no: &str, revision: u64) {
        let now = self.now;
        let Some(order) = self.order(order_no).filter(|order| order.revision == revision) else {
            return;
        };
        if let Some((code, message)) = self.refusal_of_airline(order) {
            self.credit_deposit(order_no);
            let text = message.clone();
            self.update_order(order_no, revision, |order| {
                order.status = CANCELLED;
                order.error = Some((code, message));
            });
            self.notify_cancelled(order_no, Some(code), &text);
            return;
        }
        let new_pnr = self.profile.is("pnrCodeAfterIssue", "new").then(|| self.letters(6));
        self.update_order(order_no, revision, |order| {
            order.pnr = new_pnr.unwrap_or_else(|| order.pnr.clone());
            order.status = TICKETED;
            order.issued = Some(now);
        });
        self.notify_ticketed(order_no);
    }

    fn refusal_of_airline(&self, order: &Order) -> Option<(i64, String)> {
        let code = crate::json::int(&order.options, "failWith")?;
        Some((code, "The airline did not issue the ticket".to_owned()))
    }

    /// Returns the deposit paid for an order that was not ticketed.
    pub fn credit_deposit(&mut self, order_no: &str) {
        let Some(order) = self.order(order_no).filter(|order| order.method == Some(1)) else {
            return;
        };
        let (amount, currency) = (order.total + order.fee, order.currency.clone());
        *self.balances.entry(currency).or_default() += amount;
    }

    /// Sends `order.ticketed`.
    fn notify_ticketed(&mut self, order_no: &str) {
        let Some(order) = self.order(order_no) else { return };
        let pax: Vec<Value> = crate::order_json::passengers(order).into_iter().map(Value::from).collect();
        let data = json!({"orderNo": order_no, "orderStatus": TICKETED, "paxTicketInfos": pax});
        self.webhooks.emit(json!({"cid": "SIMULATED", "type": "order.ticketed", "status": -1, "data": data}));
    }

    /// Sends `order.cancelled`.
    fn notify_cancelled(&mut self, order_no: &str, code: Option<i64>, message: &str) {
        let code = code.map(|code| code.to_string());
        let data = json!({"orderNo": order_no, "errorCode": code, "errorMessage": message});
        self.webhooks.emit(json!({"cid": "SIMULATED", "type": "order.cancelled", "data": data}));
    }
}

/// The number of times each notification is sent.
pub fn copies(profile: &Profile) -> usize {
    match profile.get("webhooks") {
        "never" => 0,
        "twice" => 2,
        _ => 1,
    }
}
