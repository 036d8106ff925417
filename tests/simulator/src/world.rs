//! The state of the simulated vendor.

use crate::case::Case;
use crate::clock::{self, MINUTE, Millis};
use crate::fault::Faults;
use crate::offer::{Offer, Session};
use crate::order::{Kind, Order, TICKETING, UNPAID};
use crate::pnr::ExternalPnr;
use crate::profile::Profile;
use crate::schedule::{Event, copies};
use crate::webhook::Webhooks;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

/// The whole state.
pub struct World {
    /// The current virtual time.
    pub now: Millis,
    /// The random generator; faults have one of their own.
    pub rng: fastrand::Rng,
    /// The profile switches.
    pub profile: Profile,
    /// Faults for later requests.
    pub faults: Faults,
    /// Orders, oldest first.
    pub orders: Vec<Order>,
    /// Refund and void cases, oldest first.
    pub cases: Vec<Case>,
    /// Quotations by offer id.
    pub offers: HashMap<String, Offer>,
    /// Baggage searches by session id.
    pub sessions: HashMap<String, Session>,
    /// External PNRs by locator.
    pub external_pnrs: BTreeMap<String, ExternalPnr>,
    /// Deposit balances in cents, by currency.
    pub balances: BTreeMap<String, i64>,
    /// One row for each executed or refused submit.
    pub ledger: Vec<Value>,
    /// The log of all vendor requests.
    pub requests: Vec<Value>,
    /// Notifications.
    pub webhooks: Webhooks,
    /// Number of resets; a late execution from before a reset is dropped.
    pub generation: u64,
    /// The current request was answered with an effect that already existed.
    pub repeated: bool,
    seed: u64,
    index: HashMap<String, usize>,
    /// Scheduled events, by time and then by the order of scheduling.
    pub schedule: BTreeMap<(Millis, u64), Event>,
    /// Number of events scheduled so far.
    pub scheduled_count: u64,
    last_order: Millis,
    last_case: u64,
    /// The real time up to which the clock has advanced; `None` with a virtual clock.
    pub real_time_since: Option<Instant>,
}

impl World {
    /// The initial state.
    pub fn new(seed: u64, profile: Profile, mut webhooks: Webhooks) -> Self {
        webhooks.copies = copies(&profile);
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
            external_pnrs: BTreeMap::new(),
            balances,
            ledger: Vec::new(),
            requests: Vec::new(),
            webhooks,
            generation: 0,
            repeated: false,
            seed,
            index: HashMap::new(),
            schedule: BTreeMap::new(),
            scheduled_count: 0,
            last_order: 0,
            last_case: 0,
            real_time_since: profile.is("clock", "real").then(Instant::now),
            profile,
        }
    }

    /// Resets to the initial state; profile and seed are retained unless given.
    pub fn reset(&mut self, seed: Option<u64>, profile: Option<Profile>) {
        let profile = profile.unwrap_or_else(|| self.profile.clone());
        let webhooks = self.webhooks.empty();
        let generation = self.generation + 1;
        *self = Self { generation, ..Self::new(seed.unwrap_or(self.seed), profile, webhooks) };
    }

    /// The order with this number.
    pub fn order(&self, order_no: &str) -> Option<&Order> {
        self.orders.get(*self.index.get(order_no)?)
    }

    /// The order with this number, mutable.
    pub fn order_mut(&mut self, order_no: &str) -> Option<&mut Order> {
        self.orders.get_mut(*self.index.get(order_no)?)
    }

    /// The ancillary orders of a main order, oldest first.
    pub fn children<'a>(&'a self, order: &'a Order) -> impl Iterator<Item = &'a Order> {
        order.children.iter().filter_map(|order_no| self.order(order_no))
    }

    /// Adds an order and schedules its next event.
    pub fn add_order(&mut self, order: Order) -> String {
        let (order_no, status, limit) = (order.order_no.clone(), order.status, order.limit);
        if let Some(main_order) = order.main_order.as_deref().and_then(|main_order| self.order_mut(main_order)) {
            main_order.children.push(order_no.clone());
        }
        self.index.insert(order_no.clone(), self.orders.len());
        self.orders.push(order);
        match status {
            UNPAID => self.schedule_at(limit, Event::PaymentDeadline(order_no.clone(), 0)),
            TICKETING => self.schedule_issue(&order_no),
            _ => {}
        }
        order_no
    }

    /// A unique order number. It contains the time of creation in milliseconds, so
    /// orders of the same virtual millisecond are moved apart.
    pub fn order_number(&mut self, kind: Kind, created: Millis) -> String {
        let at = if created == self.now { created.max(self.last_order + 1) } else { created };
        if created == self.now {
            self.last_order = at;
        }
        let mut at = at;
        let mut order_no = format!("{}{}", kind.prefix(), clock::stamp(at));
        while self.index.contains_key(&order_no) {
            at += 1;
            order_no = format!("{}{}", kind.prefix(), clock::stamp(at));
        }
        order_no
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

    /// A random locator in the form of the vendor's sandbox.
    pub fn locator(&mut self) -> String {
        format!("S{}", self.digits(5))
    }

    /// Payment deadline of an ancillary order after its creation.
    pub const ANCILLARY_HOLD: Millis = 16 * MINUTE;
}
