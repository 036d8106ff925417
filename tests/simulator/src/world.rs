//! Everything the simulated vendor knows, and the passing of its time.

use crate::case::Case;
use crate::clock::{self, MINUTE, Millis};
use crate::fault::Faults;
use crate::http::Request;
use crate::offer::{Offer, Session};
use crate::order::{CANCELLED, Kind, Order, TICKETED, TICKETING, UNPAID};
use crate::pnr::Outside;
use crate::profile::Profile;
use crate::webhook::Hooks;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

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

/// The vendor's whole state.
pub struct World {
    /// The present, virtual.
    pub now: Millis,
    /// The only source of chance.
    pub rng: fastrand::Rng,
    /// The switches.
    pub profile: Profile,
    /// Faults waiting for their request.
    pub faults: Faults,
    /// Orders, oldest first.
    pub orders: Vec<Order>,
    /// Refund and void cases, oldest first.
    pub cases: Vec<Case>,
    /// Quotations by their id.
    pub offers: HashMap<String, Offer>,
    /// Baggage searches by their session.
    pub sessions: HashMap<String, Session>,
    /// PNRs made outside, by locator.
    pub outside: BTreeMap<String, Outside>,
    /// Deposit in cents, by currency.
    pub balances: BTreeMap<String, i64>,
    /// One row per submit decided on.
    pub ledger: Vec<Value>,
    /// Every request seen.
    pub requests: Vec<Value>,
    /// Where notifications go.
    pub hooks: Hooks,
    /// The call in hand was answered with an effect that existed before it.
    pub repeated: bool,
    seed: u64,
    index: HashMap<String, usize>,
    agenda: BTreeMap<(Millis, u64), Event>,
    planned: u64,
    last_order: Millis,
    last_case: u64,
    flowing_since: Option<Instant>,
}

impl World {
    /// A fresh world.
    pub fn new(seed: u64, profile: Profile, mut hooks: Hooks) -> Self {
        hooks.copies = copies(&profile);
        let start = clock::parse(profile.get("start")).unwrap_or(0);
        let balance = crate::json::cents(&Value::from(profile.get("balance"))).unwrap_or(0);
        let balances = BTreeMap::from([(profile.get("currency").to_owned(), balance)]);
        Self {
            now: start,
            rng: fastrand::Rng::with_seed(seed),
            faults: Faults::new(seed),
            orders: Vec::new(),
            cases: Vec::new(),
            offers: HashMap::new(),
            sessions: HashMap::new(),
            outside: BTreeMap::new(),
            balances,
            ledger: Vec::new(),
            requests: Vec::new(),
            hooks,
            repeated: false,
            seed,
            index: HashMap::new(),
            agenda: BTreeMap::new(),
            planned: 0,
            last_order: 0,
            last_case: 0,
            flowing_since: profile.is("clock", "real").then(Instant::now),
            profile,
        }
    }

    /// Back to the beginning; the profile and the seed stay unless given anew.
    pub fn reset(&mut self, seed: Option<u64>, profile: Option<Profile>) {
        let profile = profile.unwrap_or_else(|| self.profile.clone());
        let hooks = self.hooks.cleared();
        *self = Self::new(seed.unwrap_or(self.seed), profile, hooks);
    }

    /// The order with this number.
    pub fn order(&self, no: &str) -> Option<&Order> {
        self.orders.get(*self.index.get(no)?)
    }

    /// The order with this number, to change it.
    pub fn order_mut(&mut self, no: &str) -> Option<&mut Order> {
        self.orders.get_mut(*self.index.get(no)?)
    }

    /// Takes an order in and plans what will become of it.
    pub fn add_order(&mut self, order: Order) -> String {
        let (no, status, limit) = (order.no.clone(), order.status, order.limit);
        self.index.insert(no.clone(), self.orders.len());
        self.orders.push(order);
        match status {
            UNPAID => self.plan(limit, Event::Lapse(no.clone(), 0)),
            TICKETING => self.plan_issue(&no),
            _ => {}
        }
        no
    }

    /// Plans the airline's answer to a paid order.
    pub fn plan_issue(&mut self, no: &str) {
        let Some(order) = self.order(no) else { return };
        let wished = order.options.get("ticketingSeconds").and_then(clock::duration);
        let delay = wished.unwrap_or(self.profile.seconds("ticketingSeconds"));
        let event = Event::Issue(no.to_owned(), order.turn);
        self.plan(self.now + delay, event);
    }

    /// Puts something on the agenda.
    pub fn plan(&mut self, at: Millis, event: Event) {
        self.planned += 1;
        self.agenda.insert((at, self.planned), event);
    }

    /// Lets time pass up to `target`; what is due happens in its order.
    pub fn advance_to(&mut self, target: Millis) {
        while let Some(entry) = self.agenda.first_entry().filter(|entry| entry.key().0 <= target) {
            let ((at, _), event) = entry.remove_entry();
            self.now = self.now.max(at);
            self.happen(event);
        }
        self.now = self.now.max(target);
    }

    /// Brings the world to the present: with a virtual clock only what is due
    /// now happens; a real one flows.
    pub fn settle(&mut self) {
        let passed = self.flowing_since.map_or(0, |since| since.elapsed().as_millis() as Millis);
        if self.flowing_since.is_some() {
            self.flowing_since = Some(Instant::now());
        }
        self.advance_to(self.now + passed);
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
        let Some(order) = self.order(no).filter(|order| order.turn == turn) else { return };
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
        self.change(no, turn, |order| {
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
        let Some(order) = self.order(no).filter(|order| order.method == Some(1)) else { return };
        let (amount, currency) = (order.total + order.fee, order.currency.clone());
        *self.balances.entry(currency).or_default() += amount;
    }

    /// A number no other order has: the vendor's carry their birth, so two born
    /// in one virtual millisecond are set apart.
    pub fn order_number(&mut self, kind: Kind, born: Millis) -> String {
        let at = if born == self.now { born.max(self.last_order + 1) } else { born };
        if born == self.now {
            self.last_order = at;
        }
        let mut at = at;
        let mut no = format!("{}{}", kind.prefix(), clock::stamp(at));
        while self.index.contains_key(&no) {
            at += 1;
            no = format!("{}{}", kind.prefix(), clock::stamp(at));
        }
        no
    }

    /// The next case number; refunds and voids share the counter.
    pub fn case_number(&mut self) -> String {
        self.last_case += 1;
        format!("{}-{:04}", clock::month(self.now), self.last_case)
    }

    /// One of `from`.
    pub fn pick(&mut self, from: &[&str]) -> String {
        let nth = self.rng.usize(0..from.len().max(1));
        from.get(nth).copied().unwrap_or_default().to_owned()
    }

    /// Random capital letters.
    pub fn letters(&mut self, count: usize) -> String {
        (0..count).map(|_| self.rng.uppercase()).collect()
    }

    /// Random digits.
    pub fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| self.rng.digit(10)).collect()
    }

    /// Random hexadecimal digits.
    pub fn hex(&mut self, count: usize) -> String {
        (0..count).map(|_| self.rng.digit(16)).collect()
    }

    /// A random session id in the shape of a UUID.
    pub fn uuid(&mut self) -> String {
        [8, 4, 4, 4, 12].map(|count| self.hex(count)).join("-")
    }

    /// The sandbox's pseudo locator.
    pub fn locator(&mut self) -> String {
        format!("S{}", self.digits(5))
    }

    /// How long an ancillary order waits for its payment.
    pub const ANCILLARY_HOLD: Millis = 16 * MINUTE;

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

fn copies(profile: &Profile) -> usize {
    match profile.get("webhooks") {
        "never" => 0,
        "twice" => 2,
        _ => 1,
    }
}
