//! Virtual time: planned events, and what each does when it is due.

use crate::clock::{self, Millis};
use crate::http::Request;
use crate::order::{CANCELLED, Order, TICKETED};
use crate::profile::Profile;
use crate::world::World;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Something that will happen at its time, unless the order has moved on.
pub enum Event {
    /// An unpaid order's deadline.
    Lapse(String, u64),
    /// The airline answers.
    Issue(String, u64),
    /// A stop comes to its end.
    Stopped(String, u64),
    /// A refund or void case moves.
    Case(usize, i64),
    /// A call whose effect a fault has put off.
    Late(Box<Request>),
}

impl World {
    /// Plans the airline's answer to a paid order.
    pub fn plan_issue(&mut self, no: &str) {
        let Some(order) = self.order(no) else { return };
        let requested = order.options.get("ticketingSeconds").and_then(clock::duration);
        let delay = requested.unwrap_or(self.profile.seconds("ticketingSeconds"));
        let event = Event::Issue(no.to_owned(), order.turn);
        self.plan(self.now + delay, event);
    }

    /// Puts something on the schedule.
    pub fn plan(&mut self, at: Millis, event: Event) {
        self.planned += 1;
        self.schedule.insert((at, self.planned), event);
    }

    /// Lets time pass up to `target`; what is due happens in its order.
    pub fn advance_to(&mut self, target: Millis) {
        while let Some(entry) = self.schedule.first_entry().filter(|entry| entry.key().0 <= target) {
            let ((at, _), event) = entry.remove_entry();
            self.now = self.now.max(at);
            self.happen(event);
        }
        self.now = self.now.max(target);
    }

    /// Brings the world to the present: with a virtual clock only what is due
    /// now happens; a real one flows.
    pub fn settle(&mut self) {
        let passed = self.flowing_since.map_or(0, |since| since.elapsed().as_millis() as u64);
        // What is left of a millisecond counts the next time: a clock that is looked at often must not run slow.
        self.flowing_since = self.flowing_since.map(|since| since + Duration::from_millis(passed));
        self.advance_to(self.now + passed as Millis);
    }

    /// Starts or stops the flow of real time after the profile changed.
    pub fn retime(&mut self) {
        self.settle();
        self.hooks.copies = copies(&self.profile);
        self.flowing_since = self.profile.is("clock", "real").then(Instant::now);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Lapse(no, turn) => self.change(&no, turn, |order| {
                order.status = CANCELLED;
                order.lapsed = true;
            }),
            Event::Issue(no, turn) => self.issue(&no, turn),
            Event::Stopped(no, turn) => {
                if self.order(&no).is_some_and(|order| order.turn == turn) {
                    self.give_back(&no);
                    self.change(&no, turn, |order| order.status = CANCELLED);
                    self.notify_cancelled(&no, None, "Ticket issuance was stopped on request");
                }
            }
            Event::Case(index, status) => self.move_case(index, status, None),
            Event::Late(request) => {
                crate::router::execute(self, &request);
            }
        }
    }

    /// Changes an order unless it has moved on since `turn`.
    pub fn change(&mut self, no: &str, turn: u64, how: impl FnOnce(&mut Order)) {
        if let Some(order) = self.order_mut(no).filter(|order| order.turn == turn) {
            how(order);
            order.turn += 1;
        }
    }

    fn issue(&mut self, no: &str, turn: u64) {
        let now = self.now;
        let Some(order) = self.order(no).filter(|order| order.turn == turn) else {
            return;
        };
        if let Some((code, message)) = self.refusal_of_airline(order) {
            self.give_back(no);
            let text = message.clone();
            self.change(no, turn, |order| {
                order.status = CANCELLED;
                order.error = Some((code, message));
            });
            self.notify_cancelled(no, Some(code), &text);
            return;
        }
        let new_pnr = self.profile.is("pnrCodeAfterIssue", "new").then(|| self.letters(6));
        self.change(no, turn, |order| {
            order.pnr = new_pnr.unwrap_or_else(|| order.pnr.clone());
            order.status = TICKETED;
            order.issued = Some(now);
        });
        self.notify_ticketed(no);
    }

    fn refusal_of_airline(&self, order: &Order) -> Option<(i64, String)> {
        let code = crate::json::int(&order.options, "failWith")?;
        Some((code, "The airline did not issue the ticket".to_owned()))
    }

    /// Credits a deposit that bought nothing.
    pub fn give_back(&mut self, no: &str) {
        let Some(order) = self.order(no).filter(|order| order.method == Some(1)) else {
            return;
        };
        let (amount, currency) = (order.total + order.fee, order.currency.clone());
        *self.balances.entry(currency).or_default() += amount;
    }

    /// Tells of an issued order.
    fn notify_ticketed(&mut self, no: &str) {
        let Some(order) = self.order(no) else { return };
        let pax: Vec<Value> = crate::view::passengers(order).into_iter().map(Value::from).collect();
        let data = json!({"orderNo": no, "orderStatus": TICKETED, "paxTicketInfos": pax});
        self.hooks.emit(json!({"cid": "SIMULATED", "type": "order.ticketed", "status": -1, "data": data}));
    }

    fn notify_cancelled(&mut self, no: &str, code: Option<i64>, message: &str) {
        let code = code.map(|code| code.to_string());
        let data = json!({"orderNo": no, "errorCode": code, "errorMessage": message});
        self.hooks.emit(json!({"cid": "SIMULATED", "type": "order.cancelled", "data": data}));
    }
}

/// How often each notification is sent.
pub fn copies(profile: &Profile) -> usize {
    match profile.get("webhooks") {
        "never" => 0,
        "twice" => 2,
        _ => 1,
    }
}
