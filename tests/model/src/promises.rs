//! What must be true of every state.

use crate::moves::Move;
use crate::subjects::Met;
use crate::world::{Exploration, World};
use stateright::Model;

/// Ticks after the horizon in which everything that can be settled is.
const AFTER: u8 = 12;

pub fn one_submit(world: &World) -> bool {
    let once = |key| (0..2).all(|step| world.vendor.count(key, step) <= 1);
    !world.seen.second_submit && once(0) && once(1)
}

/// What the store says of a step is what the vendor has, now and later.
pub fn verdicts(model: &Exploration, world: &World) -> bool {
    (0..2u8).all(|key| {
        let Some(row) = world.store.rows[key as usize] else { return true };
        let facts = &model.subjects.get(row.case).facts;
        facts.steps.iter().enumerate().all(|(step, (_, _, outcome))| {
            let is_executed = world.vendor.count(key, step as u8) > 0;
            match *outcome {
                "executed" => is_executed,
                "not_executed" => model.bounds.late || !is_executed,
                _ => true,
            }
        })
    })
}

/// Each case is closed, is asked about some time, or waits for a human or its caller.
pub fn none_lost(model: &Exploration, world: &World) -> bool {
    world.store.rows.iter().flatten().all(|row| {
        let met = model.subjects.get(row.case);
        met.facts.due || is_at_rest(&met)
    })
}

fn is_at_rest(met: &Met) -> bool {
    let facts = &met.facts;
    let is_settled = matches!(facts.outcome, "executed" | "not_executed");
    facts.closed && is_settled || !facts.closed && matches!(facts.state, "planned" | "awaiting_payment" | "needs_human")
}

/// Nothing left while another case held it; what belongs to one order is executed once, late effects apart.
pub fn none_beside(model: &Exploration, world: &World) -> bool {
    let is_twice = model.bounds.meet() && !model.bounds.late && {
        let [one, other] = [0, 1].map(|key| world.vendor.count(key, 0) > 0 && model.bounds.kind(key) != "ancillary");
        one && other
    };
    !world.seen.sent_beside && !is_twice
}

/// At the horizon the faults end: what is stopped goes on, what is late arrives, and one host follows. Then each case is
/// closed with a verdict, or waits for a human or its caller.
pub fn settled(model: &Exploration, world: &World) -> bool {
    let is_quiet = world.hosts.iter().all(|host| host.is_idle() || host.is_stopped());
    if world.now < model.bounds.horizon || !is_quiet {
        return true;
    }
    let mut world = world.clone();
    let end = world.now + AFTER;
    loop {
        let mut moves = Vec::new();
        model.progress(&world, &mut moves);
        moves.extend((0..world.hosts.len()).filter(|i| world.hosts[*i].is_stopped()).map(|i| Move::Resume(i as u8)));
        moves.extend((!world.vendor.flights.is_empty()).then_some(Move::Arrive(0)));
        if let Some(one) = moves.first() {
            let Some(next) = model.next_state(&world, *one) else { return false };
            world = next;
            continue;
        }
        let is_done = |key: u8| {
            let row = world.store.rows[key as usize];
            row.is_none_or(|row| is_at_rest(&model.subjects.get(row.case)))
        };
        if is_done(0) && is_done(1) && verdicts(model, &world) {
            return true;
        }
        if world.now >= end {
            return false;
        }
        world.now += 1;
        for key in (0..2).filter(|key| model.is_followed(&world, *key)).collect::<Vec<_>>() {
            if let Some(next) = model.next_state(&world, Move::Follow(0, key)) {
                world = next;
                while let Some(one) = progress(model, &world) {
                    let Some(next) = model.next_state(&world, one) else { return false };
                    world = next;
                }
            }
        }
    }
}

fn progress(model: &Exploration, world: &World) -> Option<Move> {
    let mut moves = Vec::new();
    model.progress(world, &mut moves);
    moves.first().copied()
}

pub fn some_executed(model: &Exploration, world: &World) -> bool {
    world.store.rows.iter().flatten().any(|row| {
        let facts = &model.subjects.get(row.case).facts;
        facts.closed && facts.outcome == "executed"
    })
}

pub fn some_given_up(model: &Exploration, world: &World) -> bool {
    world.store.rows.iter().flatten().any(|row| {
        let facts = &model.subjects.get(row.case).facts;
        facts.watched && facts.outcome == "not_executed"
    })
}
