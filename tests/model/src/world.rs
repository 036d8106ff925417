//! A state of everything, and the model that the checker explores.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use atlas_postbooking::exploration::Next;
use stateright::{Model, Property};

use crate::bounds::{Bounds, Broken};
use crate::host::{Host, Stage};
use crate::moves::Move;
use crate::promises;
use crate::store::Store;
use crate::subjects::Subjects;
use crate::vendor::Vendor;

/// How often each thing may still happen.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Left {
    pub opens: u8,
    pub crashes: u8,
    pub losses: u8,
    pub stops: u8,
    pub silences: u8,
    pub paces: u8,
    pub unsent: u8,
}

/// What must never be, and was seen when it happened.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Seen {
    /// A second request of a step left while the first was not proved not executed.
    pub second_submit: bool,
    /// A request left for a case although another one held what it needs when its intent was stored.
    pub sent_beside: bool,
    /// For each case and step: a request has left that nobody has proved not executed.
    pub unproved: [[bool; 2]; 2],
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    pub now: u8,
    pub store: Store,
    pub vendor: Vendor,
    pub hosts: Vec<Host>,
    pub left: Left,
    pub seen: Seen,
}

impl World {
    pub fn start(bounds: &Bounds) -> World {
        World {
            now: 0,
            store: Store::default(),
            vendor: Vendor::default(),
            hosts: vec![Host::default(); bounds.hosts],
            left: Left {
                opens: bounds.opens,
                crashes: bounds.crashes,
                losses: bounds.losses,
                stops: bounds.stops,
                silences: bounds.silences,
                paces: bounds.paces,
                unsent: bounds.unsent,
            },
            seen: Seen::default(),
        }
    }

    /// The same state in one form: of a version only matters who knows the last one, and of the hosts not which is which.
    fn in_one_form(mut self) -> World {
        for host in &mut self.hosts {
            let version = self.store.rows[host.key as usize].map(|row| row.version);
            host.token = u8::from(!host.is_idle() && version == Some(host.token));
        }
        for row in self.store.rows.iter_mut().flatten() {
            // A lease that is over is none.
            row.owner = row.owner.filter(|owner| self.now <= owner.until);
        }
        for row in self.store.rows.iter_mut().flatten() {
            row.version = 1;
        }
        self.vendor.flights.sort_unstable();
        // Who owns what is part of what a host is.
        let mark = |(index, host): (usize, &Host)| {
            let mut hasher = DefaultHasher::new();
            host.hash(&mut hasher);
            for row in self.store.rows.iter().flatten() {
                row.owner.map(|owner| usize::from(owner.host) == index).hash(&mut hasher);
            }
            (host.stage == Default::default(), hasher.finish(), index)
        };
        let mut order: Vec<_> = self.hosts.iter().enumerate().map(mark).collect();
        order.sort_unstable();
        if order.iter().enumerate().all(|(place, (_, _, index))| place == *index) {
            return self;
        }
        self.hosts = order.iter().map(|(_, _, index)| self.hosts[*index].clone()).collect();
        for owner in self.store.rows.iter_mut().flatten().filter_map(|row| row.owner.as_mut()) {
            let place = order.iter().position(|(_, _, index)| *index == usize::from(owner.host));
            owner.host = place.unwrap() as u8;
        }
        self
    }
}

/// The model: its bounds, and the cases that were met.
pub struct Exploration {
    pub bounds: Bounds,
    pub subjects: Arc<Subjects>,
}

impl Exploration {
    pub fn new(bounds: Bounds) -> Exploration {
        let subjects = Arc::new(Subjects::new(bounds.settle()));
        Exploration { bounds, subjects }
    }
}

impl Exploration {
    /// Without what nothing can depend on any more: what a host has in mind that lost its lease before its intent, since
    /// none of its writes is taken; and a stored reply that was read.
    fn forget(&self, world: &mut World) {
        let is_fenced = !matches!(self.bounds.broken, Broken::Fence | Broken::Intent);
        for host in world.hosts.iter_mut().filter(|host| is_fenced && host.token == 0) {
            if matches!(host.stage, Stage::Driving(_) | Stage::Holding(_)) {
                let (key, stopped) = (host.key, host.stopped);
                *host = Host { key, stopped, stage: Stage::Driving(Next::Wait), ..Host::default() };
            }
        }
        for (row, reply) in world.store.rows.iter().zip(&mut world.store.replies) {
            if row.is_none_or(|row| !self.subjects.get(row.case).facts.unread) {
                *reply = None;
            }
        }
    }
}

impl Model for Exploration {
    type State = World;
    type Action = Move;

    fn init_states(&self) -> Vec<World> {
        vec![World::start(&self.bounds)]
    }

    fn actions(&self, world: &World, moves: &mut Vec<Move>) {
        self.progress(world, moves);
        self.calls(world, moves);
        self.faults(world, moves);
        self.time(world, moves);
    }

    fn next_state(&self, world: &World, one: Move) -> Option<World> {
        let mut next = world.clone();
        self.apply(&mut next, one)?;
        let mut next = next.in_one_form();
        self.forget(&mut next);
        Some(next.in_one_form())
    }

    fn properties(&self) -> Vec<Property<Exploration>> {
        vec![
            Property::always("at most one submit of a step leaves", |_, world| promises::one_submit(world)),
            Property::always("no verdict against the ledger", |model: &Exploration, world| {
                promises::verdicts(model, world)
            }),
            Property::always("no case is lost", |model: &Exploration, world| promises::none_lost(model, world)),
            Property::always("nothing leaves beside another case", |model: &Exploration, world| {
                promises::none_beside(model, world)
            }),
            Property::always("everything is settled at last", |model: &Exploration, world| {
                promises::settled(model, world)
            }),
            Property::sometimes("an executed case is closed", |model: &Exploration, world| {
                promises::some_executed(model, world)
            }),
            Property::sometimes("a case is given up", |model: &Exploration, world| {
                promises::some_given_up(model, world)
            }),
        ]
    }
}
