//! What can happen next, and what it makes of the world. One move is one write of the store, one exchange with the
//! vendor, one fault, or one tick: between two moves a process may crash or be stopped.

use atlas_postbooking::exploration::{Asked, Happening, Next, Opened};

use crate::bounds::{Broken, LEASE, SETTLE};
use crate::host::{Host, Stage, Stopped};
use crate::store::{Claim, Owner, fresh};
use crate::subjects::{Id, millis};
use crate::vendor::{Flight, Key, Reply, Step, number};
use crate::world::{Exploration, World};

/// What becomes of a request that is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    Answered,
    /// Executed; the reply is lost.
    ReplyLost,
    /// It arrives later; there is no reply.
    Late,
    /// It never arrives.
    Never,
    /// 429.
    Paced,
    /// It provably never left.
    Unsent,
    /// It is on its way, and its sender dies.
    LateAndCrash,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Move {
    /// A host goes on with its call.
    GoOn(u8),
    Send(u8, Fate),
    /// `case.open`; with `after`, where the other case was given up.
    Open(u8, Key),
    /// `case.follow` or `case.reconcile`.
    Follow(u8, Key),
    /// A host that was overtaken gives up reporting its reply.
    GiveUp(u8),
    /// A query is not answered.
    NoAnswer(u8),
    Crash(u8),
    Stop(u8),
    /// A host has an answer, and is stopped before it reads it.
    StopWithAnswer(u8),
    Resume(u8),
    /// A late request arrives.
    Arrive(u8),
    Tick,
}

impl Exploration {
    /// A host goes on.
    pub fn progress(&self, world: &World, moves: &mut Vec<Move>) {
        for (index, host) in world.hosts.iter().enumerate().filter(|(_, host)| !host.is_stopped() && !host.is_idle()) {
            let index = index as u8;
            match host.stage {
                Stage::Looked(_) if self.may_send(world, host) => moves.push(Move::Send(index, Fate::Answered)),
                Stage::Looked(_) => moves.push(Move::Send(index, Fate::Unsent)),
                Stage::Overtaken { .. } => {
                    if self.is_free(world, host.key, index) {
                        moves.push(Move::GoOn(index));
                    } else {
                        moves.push(Move::GiveUp(index));
                    }
                }
                _ => moves.push(Move::GoOn(index)),
            }
        }
    }

    /// A host begins a call.
    pub fn calls(&self, world: &World, moves: &mut Vec<Move>) {
        for (index, host) in world.hosts.iter().enumerate() {
            if host.is_stopped() || !host.is_idle() || world.hosts[..index].contains(host) && !self.owns(world, index) {
                continue;
            }
            // Of two cases of one kind, the first that is opened is the first one.
            let is_first = world.store.rows == [None, None];
            let keys = if is_first && self.bounds.kind(0) == self.bounds.kind(1) { 0..1 } else { 0..2 };
            for key in keys {
                if world.left.opens > 0
                    && (world.store.rows[key as usize].is_none() || self.is_free(world, key, index as u8))
                {
                    moves.push(Move::Open(index as u8, key));
                }
                if self.is_followed(world, key) && self.is_free(world, key, index as u8) {
                    moves.push(Move::Follow(index as u8, key));
                }
            }
        }
    }

    fn owns(&self, world: &World, index: usize) -> bool {
        world.store.rows.iter().flatten().any(|row| row.owner.is_some_and(|owner| usize::from(owner.host) == index))
    }

    /// What goes wrong.
    pub fn faults(&self, world: &World, moves: &mut Vec<Move>) {
        for (index, host) in world.hosts.iter().enumerate().filter(|(_, host)| !host.is_idle()) {
            let index = index as u8;
            if host.is_stopped() {
                continue;
            }
            if matches!(host.stage, Stage::Looked(_)) && self.may_send(world, host) {
                if world.left.losses > 0 {
                    moves.extend([Fate::ReplyLost, Fate::Late, Fate::Never].map(|fate| Move::Send(index, fate)));
                }
                if world.left.crashes > 0 {
                    moves.push(Move::Send(index, Fate::LateAndCrash));
                }
                if world.left.paces > 0 {
                    moves.push(Move::Send(index, Fate::Paced));
                }
                if world.left.unsent > 0 {
                    moves.push(Move::Send(index, Fate::Unsent));
                }
            }
            if world.left.crashes > 0 {
                moves.push(Move::Crash(index));
            }
            let asks = matches!(host.stage, Stage::Driving(Next::Query(_)));
            if world.left.stops > 0 {
                moves.push(Move::Stop(index));
                if asks {
                    moves.push(Move::StopWithAnswer(index));
                }
            }
            if asks && world.left.silences > 0 {
                moves.push(Move::NoAnswer(index));
            }
        }
    }

    /// Time passes: what is stopped may go on, what is late may arrive. A call that is not stopped ends within its tick.
    pub fn time(&self, world: &World, moves: &mut Vec<Move>) {
        for (index, _) in world.hosts.iter().enumerate().filter(|(_, host)| host.stopped == Stopped::Since) {
            moves.push(Move::Resume(index as u8));
        }
        for index in 0..world.vendor.flights.len() {
            moves.push(Move::Arrive(index as u8));
        }
        // Time begins when the first case is opened.
        let is_begun = world.store.rows != [None, None];
        let is_quiet = is_begun && world.hosts.iter().all(|host| host.is_stopped() || host.is_idle());
        let is_overdue = !self.bounds.late && world.vendor.flights.iter().any(|flight| flight.latest <= world.now);
        if is_quiet && !is_overdue && world.now < self.bounds.horizon {
            moves.push(Move::Tick);
        }
    }

    /// Whether a lease can be taken: a living owner has none. That a process has ended is seen on its own host only.
    fn is_free(&self, world: &World, key: Key, host: u8) -> bool {
        let is_alive = |owner: Owner| world.now <= owner.until && !(owner.dead && owner.host == host);
        world.store.rows[key as usize].is_some_and(|row| !row.owner.is_some_and(is_alive))
    }

    /// Whether there is anything to ask about a case.
    pub fn is_followed(&self, world: &World, key: Key) -> bool {
        let Some(row) = world.store.rows[key as usize] else { return false };
        let facts = &self.subjects.get(row.case).facts;
        let is_read = world.store.replies[key as usize].is_none() || !facts.unread;
        facts.due && (!facts.closed || self.bounds.late || !is_read)
    }

    /// The lease, by the clock of the sender; the last look at it is the last thing before the body.
    fn may_send(&self, world: &World, host: &Host) -> bool {
        world.now <= host.until || matches!(self.bounds.broken, Broken::Check | Broken::Gap)
    }

    /// None if nothing changes.
    pub fn apply(&self, world: &mut World, one: Move) -> Option<()> {
        match one {
            Move::GoOn(index) => self.go_on(world, index),
            Move::Send(index, fate) => self.send(world, index, fate),
            Move::Open(index, key) => self.open(world, index, key),
            Move::Follow(index, key) => {
                let owner = self.owner(world, index);
                let token = self.lease(world, key, index)?;
                let case = world.store.rows[key as usize]?.case;
                world.hosts[index as usize] = Host { key, case, token, until: owner.until, ..Host::default() };
                self.drive(world, index);
                Some(())
            }
            Move::GiveUp(index) => {
                world.hosts[index as usize].rest();
                Some(())
            }
            Move::NoAnswer(index) => {
                world.left.silences -= 1;
                self.happen(world, index, Happening::NoAnswer);
                Some(())
            }
            Move::Crash(index) => {
                world.left.crashes -= 1;
                self.crash(world, index);
                Some(())
            }
            Move::Stop(index) => {
                world.left.stops -= 1;
                world.hosts[index as usize].stopped = Stopped::Now;
                Some(())
            }
            Move::StopWithAnswer(index) => {
                world.left.stops -= 1;
                let answer = self.answer(world, index)?;
                let host = &mut world.hosts[index as usize];
                (host.stopped, host.stage) = (Stopped::Now, Stage::Holding(answer));
                Some(())
            }
            Move::Resume(index) => {
                world.hosts[index as usize].stopped = Stopped::Runs;
                Some(())
            }
            Move::Arrive(index) => {
                let flight = world.vendor.flights.remove(index as usize);
                world.vendor.execute(flight.key, flight.step, flight.attempt);
                Some(())
            }
            Move::Tick => {
                world.now += 1;
                for host in world.hosts.iter_mut().filter(|host| host.is_stopped()) {
                    host.stopped = Stopped::Since;
                }
                Some(())
            }
        }
    }

    fn owner(&self, world: &World, index: u8) -> Owner {
        Owner { host: index, dead: false, until: world.now + LEASE }
    }

    fn lease(&self, world: &mut World, key: Key, index: u8) -> Option<u8> {
        let (now, owner) = (world.now, self.owner(world, index));
        world.store.lease(key, owner, |owner| now <= owner.until && !(owner.dead && owner.host == index))
    }

    /// A write of the case that a host has, fenced by its version.
    fn save(&self, world: &mut World, index: u8, ends: bool) -> Option<()> {
        let host = &world.hosts[index as usize];
        let (key, until) = (host.key, host.until);
        let owner = (!ends).then_some(Owner { host: index, dead: false, until });
        let version = world.store.rows[key as usize]?.version;
        let token = if self.bounds.broken == Broken::Fence { version } else { host.token };
        let version = world.store.save(&self.subjects, key, host.case, token, owner)?;
        world.hosts[index as usize].token = version;
        Some(())
    }

    /// The state machine decides.
    fn happen(&self, world: &mut World, index: u8, happening: Happening) {
        let host = &mut world.hosts[index as usize];
        let was_final = self.subjects.get(host.case).facts.closed;
        let (case, next) = self.subjects.step(host.case, happening, world.now);
        host.case = case;
        host.stage = Stage::Driving(next);
        if let Next::Query(asked @ (Asked::Order | Asked::Price)) = next {
            // Its answer is always the same: it is read at once.
            let answer = if asked == Asked::Order { Happening::Order(2) } else { Happening::Price };
            return self.happen(world, index, answer);
        }
        let met = self.subjects.get(case);
        if was_final && !met.facts.closed {
            let key = host.key;
            if let Some(other) = world.store.rival(&self.subjects, key, case) {
                let held = met.subject.held_by(&self.subjects.get(other).subject, millis(world.now));
                world.hosts[index as usize].case = self.subjects.number(&held);
            }
        }
    }

    /// A drive begins: with the reply that a sender stored and did not read, or by asking.
    fn drive(&self, world: &mut World, index: u8) {
        let host = &world.hosts[index as usize];
        let facts = &self.subjects.get(host.case).facts;
        let stored = world.store.replies[host.key as usize].filter(|(step, attempt, _)| {
            facts.unread
                && facts.steps.len() == usize::from(*step) + 1
                && facts.steps[usize::from(*step)].1 == u32::from(*attempt)
        });
        let happening = match stored {
            Some((step, attempt, reply)) => self.submitted(host.key, step, attempt, reply),
            None => Happening::Drive,
        };
        let is_submitted = stored.is_some();
        self.happen(world, index, happening);
        if is_submitted {
            self.after_submit(world, index);
        }
    }

    fn submitted(&self, key: Key, step: Step, attempt: u8, reply: Reply) -> Happening {
        let name = self.step_name(key, step);
        match reply {
            Reply::Executed => Happening::Executed(name, number(key, attempt)),
            Reply::Paced => Happening::Paced(name),
            Reply::Lost => Happening::Lost(name),
            Reply::Unsent => Happening::Unsent(name),
        }
    }

    fn step_name(&self, key: Key, step: Step) -> &'static str {
        match (step, self.bounds.kind(key)) {
            (1, _) => "pay",
            (_, "ancillary") => "order",
            (_, kind) => kind,
        }
    }

    /// After the result of a submit the outcome is stored before anything else is asked.
    fn after_submit(&self, world: &mut World, index: u8) -> bool {
        let is_done = world.hosts[index as usize].stage == Stage::Driving(Next::Wait);
        let saved = self.save(world, index, is_done).is_some();
        if is_done || !saved {
            world.hosts[index as usize].rest();
        }
        saved
    }

    fn open(&self, world: &mut World, index: u8, key: Key) -> Option<()> {
        world.left.opens -= 1;
        let is_given_up = |row: crate::store::Row| {
            let facts = &self.subjects.get(row.case).facts;
            facts.closed && facts.watched
        };
        let after = world.store.rows[1 - key as usize].is_some_and(is_given_up);
        let wanted = self.bounds.cases[key as usize];
        let new = fresh(wanted.kind, key, wanted.passengers, after, millis(world.now));
        let owner = self.owner(world, index);
        let host = Host { key, until: owner.until, ..Host::default() };
        if world.store.rows[key as usize].is_none() {
            let case = self.subjects.number(&new);
            let Claim::New(token) = world.store.claim(&self.subjects, key, case, owner) else { return Some(()) };
            world.hosts[index as usize] = Host { case: self.opened(case), token, ..host };
            self.drive(world, index);
            return Some(());
        }
        let token = self.lease(world, key, index)?;
        let row = world.store.rows[key as usize]?;
        let met = self.subjects.get(row.case);
        let amended = if met.facts.may_send_more && after {
            let other = crate::store::name(1 - key);
            met.subject.after(other)
        } else {
            met.subject.clone()
        };
        let (case, token) = match amended.open_again(&new, millis(world.now)) {
            Opened::Paced | Opened::Ended => {
                world.store.release(key, token);
                return Some(());
            }
            Opened::GoesOn => (self.subjects.number(&amended), token),
            Opened::Reclaimed(again) => {
                let case = self.subjects.number(&again);
                match world.store.reclaim(&self.subjects, key, case, token, owner)? {
                    Claim::New(token) => (case, token),
                    _ => {
                        world.store.release(key, token);
                        return Some(());
                    }
                }
            }
        };
        world.hosts[index as usize] = Host { case: self.opened(case), token, ..host };
        self.drive(world, index);
        Some(())
    }

    fn opened(&self, case: Id) -> Id {
        self.subjects.number(&self.subjects.get(case).subject.opened())
    }

    fn answer(&self, world: &World, index: u8) -> Option<Happening> {
        let host = &world.hosts[index as usize];
        let Stage::Driving(Next::Query(asked)) = host.stage else { return None };
        Some(world.vendor.answer(&self.bounds, &self.subjects, &world.store, host.key, host.case, asked))
    }

    fn go_on(&self, world: &mut World, index: u8) -> Option<()> {
        let host = world.hosts[index as usize].clone();
        match host.stage {
            Stage::Idle | Stage::Looked(_) => return None,
            Stage::Driving(Next::Query(_)) => {
                let answer = self.answer(world, index)?;
                self.happen(world, index, answer);
            }
            Stage::Driving(Next::Submit(name)) => {
                let has_rival = world.store.rival(&self.subjects, host.key, host.case).is_some();
                if self.bounds.broken != Broken::Intent && self.save(world, index, false).is_none() {
                    world.hosts[index as usize].rest();
                    return Some(());
                }
                let host = &mut world.hosts[index as usize];
                host.had_rival = has_rival;
                host.stage = Stage::Intent(u8::from(name == "pay"));
            }
            Stage::Driving(Next::Again) => self.happen(world, index, Happening::Drive),
            Stage::Driving(Next::Wait) => {
                self.save(world, index, true);
                world.hosts[index as usize].rest();
            }
            Stage::Holding(answer) => self.happen(world, index, answer),
            Stage::Intent(step) => self.look(world, index, step),
            Stage::Sent { step, attempt, reply, stored: false } if matches!(reply, Reply::Executed | Reply::Paced) => {
                world.store.replies[host.key as usize] = Some((step, attempt, reply));
                world.hosts[index as usize].stage = Stage::Sent { step, attempt, reply, stored: true };
            }
            Stage::Sent { step, attempt, reply, .. } => {
                let happening = self.submitted(host.key, step, attempt, reply);
                self.happen(world, index, happening);
                if !self.after_submit(world, index) && matches!(reply, Reply::Executed | Reply::Paced) {
                    let stage = Stage::Overtaken { step, attempt, reply };
                    world.hosts[index as usize] = Host { stage, key: host.key, ..Host::default() };
                }
            }
            Stage::Overtaken { step, attempt, reply } => {
                let token = self.lease(world, host.key, index)?;
                let row = world.store.rows[host.key as usize]?;
                world.hosts[index as usize] = Host { case: row.case, token, ..host.clone() };
                let facts = &self.subjects.get(row.case).facts;
                let is_same = facts.steps.last().is_some_and(|(name, attempts, _)| {
                    *name == self.step_name(host.key, step) && *attempts == u32::from(attempt)
                });
                if is_same {
                    let happening = self.submitted(host.key, step, attempt, reply);
                    self.happen(world, index, happening);
                }
                self.save(world, index, true);
                world.hosts[index as usize].rest();
            }
        }
        Some(())
    }

    /// After the intent: whether another case holds what this one needs.
    fn look(&self, world: &mut World, index: u8, step: Step) {
        let host = &world.hosts[index as usize];
        let (key, case) = (host.key, host.case);
        if step == 0 && world.store.rival(&self.subjects, key, case).is_some() {
            let name = self.step_name(key, step);
            self.happen(world, index, Happening::Held(name));
        } else if self.bounds.broken == Broken::Gap && world.now > host.until {
            world.hosts[index as usize].stage = Stage::Sent { step, attempt: 0, reply: Reply::Unsent, stored: true };
        } else {
            world.hosts[index as usize].stage = Stage::Looked(step);
        }
    }

    fn send(&self, world: &mut World, index: u8, fate: Fate) -> Option<()> {
        let host = world.hosts[index as usize].clone();
        let Stage::Looked(step) = host.stage else { return None };
        let facts = &self.subjects.get(host.case).facts;
        let attempt = facts.steps.last().map_or(1, |(_, attempts, _)| *attempts as u8);
        let key = host.key;
        let reply = match fate {
            Fate::Answered => Reply::Executed,
            Fate::Paced => Reply::Paced,
            Fate::Unsent => Reply::Unsent,
            Fate::ReplyLost | Fate::Late | Fate::Never | Fate::LateAndCrash => Reply::Lost,
        };
        match fate {
            Fate::Answered => {}
            Fate::ReplyLost | Fate::Late | Fate::Never => world.left.losses -= 1,
            Fate::Paced => world.left.paces -= 1,
            Fate::Unsent => world.left.unsent = world.left.unsent.saturating_sub(u8::from(self.may_send(world, &host))),
            Fate::LateAndCrash => world.left.crashes -= 1,
        }
        if reply != Reply::Unsent {
            let unproved = &mut world.seen.unproved[key as usize][step as usize];
            world.seen.second_submit |= *unproved;
            *unproved = reply != Reply::Paced;
            world.seen.sent_beside |= host.had_rival && step == 0;
        }
        match fate {
            Fate::Answered | Fate::ReplyLost => world.vendor.execute(key, step, attempt),
            Fate::Late | Fate::LateAndCrash => {
                world.vendor.flights.push(Flight { key, step, attempt, latest: world.now + SETTLE });
            }
            Fate::Never | Fate::Paced | Fate::Unsent => {}
        }
        world.hosts[index as usize].stage = Stage::Sent { step, attempt, reply, stored: false };
        if fate == Fate::LateAndCrash {
            self.crash(world, index);
        }
        Some(())
    }

    fn crash(&self, world: &mut World, index: u8) {
        world.hosts[index as usize].rest();
        for row in world.store.rows.iter_mut().flatten() {
            if let Some(owner) = row.owner.as_mut().filter(|owner| owner.host == index) {
                owner.dead = true;
            }
        }
    }
}
