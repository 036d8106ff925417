//! The state of the simulated vendor.

use crate::case::Case;
use crate::clock::{self, MINUTE, Millis};
use crate::fault::Faults;
use crate::offer::{Offer, Session};
use crate::order::{Kind, Order, TICKETING, UNPAID};
use crate::pnr::Outside;
use crate::profile::Profile;
use crate::schedule::{Event, copies};
use crate::webhook::Hooks;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

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
    /// Counts resets: what was put off before one must not happen after it.
    pub generation: u64,
    /// The call in hand was answered with an effect that existed before it.
    pub repeated: bool,
    seed: u64,
    index: HashMap<String, usize>,
    /// What will happen, by its time and then by its planning.
    pub schedule: BTreeMap<(Millis, u64), Event>,
    /// How much has been planned.
    pub planned: u64,
    last_order: Millis,
    last_case: u64,
    /// Since when real time has not been counted; `None` with a virtual clock.
    pub flowing_since: Option<Instant>,
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
            generation: 0,
            repeated: false,
            seed,
            index: HashMap::new(),
            schedule: BTreeMap::new(),
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
        let generation = self.generation + 1;
        *self = Self { generation, ..Self::new(seed.unwrap_or(self.seed), profile, hooks) };
    }

    /// The order with this number.
    pub fn order(&self, no: &str) -> Option<&Order> {
        self.orders.get(*self.index.get(no)?)
    }

    /// The order with this number, to change it.
    pub fn order_mut(&mut self, no: &str) -> Option<&mut Order> {
        self.orders.get_mut(*self.index.get(no)?)
    }

    /// The ancillary orders of a main order, oldest first.
    pub fn children<'a>(&'a self, order: &'a Order) -> impl Iterator<Item = &'a Order> {
        order.children.iter().filter_map(|no| self.order(no))
    }

    /// Takes an order in and plans what will become of it.
    pub fn add_order(&mut self, order: Order) -> String {
        let (no, status, limit) = (order.no.clone(), order.status, order.limit);
        if let Some(main) = order.main.as_deref().and_then(|main| self.order_mut(main)) {
            main.children.push(no.clone());
        }
        self.index.insert(no.clone(), self.orders.len());
        self.orders.push(order);
        match status {
            UNPAID => self.plan(limit, Event::Lapse(no.clone(), 0)),
            TICKETING => self.plan_issue(&no),
            _ => {}
        }
        no
    }

    /// A number no other order has: the vendor's carry their birth, so two created
    /// in one virtual millisecond are set apart.
    pub fn order_number(&mut self, kind: Kind, created: Millis) -> String {
        let at = if created == self.now { created.max(self.last_order + 1) } else { created };
        if created == self.now {
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
}
