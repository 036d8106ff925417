//! What is explored: the whole spaces, the short ones, and those with a broken rule.

use std::time::{Duration, Instant};

use stateright::{Checker, HasDiscoveries, Model};

use crate::bounds::{ANCILLARY, Bounds, Broken, FIRST, HORIZON, REFUND, SECOND, VOID};
use crate::moves::Move;
use crate::world::Exploration;

/// One exploration.
#[derive(Debug, Clone)]
pub struct Planned {
    pub name: &'static str,
    pub bounds: Bounds,
}

/// What came of it.
#[derive(Debug)]
pub struct Explored {
    pub name: &'static str,
    /// Different states.
    pub states: usize,
    pub depth: usize,
    /// Cases that the state machine was given, and the questions to it.
    pub cases: usize,
    pub steps: usize,
    pub time: Duration,
    /// The promises that are broken, each with the moves that lead there.
    pub broken: Vec<(&'static str, Vec<Move>)>,
    /// What should have come about somewhere, and did not.
    pub missing: Vec<&'static str>,
}

/// Two hosts, one crash, one lost reply, one stop, two opens, and others beside them: minutes.
pub fn whole() -> Vec<Planned> {
    let two = |one, other| Bounds::new(one, other);
    let three = |b: &mut Bounds| (b.hosts, b.crashes, b.losses, b.stops) = (3, 0, 0, 0);
    let plan = |name, bounds| Planned { name, bounds };
    vec![
        plan("void", two(VOID, VOID)),
        plan("refund of disjoint passengers", two(FIRST, SECOND)),
        plan("ancillary", two(ANCILLARY, ANCILLARY)),
        plan("void beside ancillary", two(VOID, ANCILLARY).with(|b| b.stops = 0)),
        plan("void beside refund", two(VOID, REFUND).with(|b| b.stops = 0)),
        plan("paced void", two(VOID, VOID).with(|b| (b.opens, b.paces, b.stops) = (3, 1, 0))),
        plan("reopened beside a paced one", reopened()),
        plan("three hosts, one crash", two(VOID, VOID).with(three).with(|b| b.crashes = 1)),
        plan("three hosts, one stop", two(VOID, VOID).with(three).with(|b| b.stops = 1)),
        plan("three hosts, one lost reply", two(VOID, VOID).with(three).with(|b| b.losses = 1)),
    ]
}

/// The same with fewer faults at once: seconds.
pub fn short() -> Vec<Planned> {
    let few = |one, other| Bounds::new(one, other).with(|b| (b.crashes, b.losses, b.stops) = (0, 1, 0));
    vec![
        Planned { name: "void", bounds: Bounds::new(VOID, VOID).with(|b| (b.stops, b.silences) = (0, 1)) },
        Planned { name: "void, one stop", bounds: few(VOID, VOID).with(|b| (b.losses, b.stops, b.opens) = (0, 1, 1)) },
        Planned { name: "refund of disjoint passengers", bounds: few(FIRST, SECOND) },
        Planned {
            name: "ancillary",
            bounds: few(ANCILLARY, ANCILLARY).with(|b| (b.opens, b.silences, b.unsent) = (1, 1, 1)),
        },
    ]
}

/// The vendor is slower than its settle time: a case that was given up is reopened while another one is paced.
pub fn reopened() -> Bounds {
    Bounds::new(VOID, VOID).with(|b| {
        (b.opens, b.crashes, b.losses, b.stops, b.paces) = (3, 0, 1, 0, 1);
        (b.late, b.horizon) = (true, HORIZON - 1);
    })
}

/// A rule taken away, and the promise that is broken then.
pub fn broken() -> Vec<(Planned, &'static [&'static str])> {
    const SUBMIT: &str = "at most one submit of a step leaves";
    const LEDGER: &str = "no verdict against the ledger";
    let plan = |name, broken, bounds: Bounds| Planned { name, bounds: bounds.with(|b| b.broken = broken) };
    let void = || Bounds::new(VOID, VOID);
    vec![
        (plan("no fence", Broken::Fence, void()), &[SUBMIT, LEDGER]),
        (plan("no intent", Broken::Intent, void().with(|b| (b.losses, b.stops) = (0, 0))), &[SUBMIT]),
        (plan("no look at the lease", Broken::Check, void().with(|b| (b.crashes, b.losses) = (0, 0))), &[LEDGER]),
        (plan("stopped after the last look", Broken::Gap, void().with(|b| (b.crashes, b.losses) = (0, 0))), &[LEDGER]),
        (plan("settle time too short", Broken::Settle, void().with(|b| (b.crashes, b.stops) = (0, 0))), &[LEDGER]),
    ]
}

/// Explores everything, or until one of these promises is broken.
pub fn explore(planned: &Planned, until: &[&'static str]) -> Explored {
    let began = Instant::now();
    let model = Exploration::new(planned.bounds.clone());
    let subjects = model.subjects.clone();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut checker = model.checker().threads(threads);
    if !until.is_empty() {
        checker = checker.finish_when(HasDiscoveries::AnyOf(until.iter().copied().collect()));
    }
    let checker = checker.spawn_bfs().join();
    let (broken, found): (Vec<_>, Vec<_>) =
        checker.discoveries().into_iter().partition(|(name, _)| !SOMETIMES.contains(name));
    let is_found = |name: &&&str| !found.iter().any(|(other, _)| other == *name);
    let (cases, steps) = subjects.counts();
    Explored {
        name: planned.name,
        states: checker.unique_state_count(),
        depth: checker.max_depth(),
        cases,
        steps,
        time: began.elapsed(),
        broken: broken.into_iter().map(|(name, path)| (name, path.into_actions())).collect(),
        missing: SOMETIMES.iter().filter(is_found).copied().collect(),
    }
}

/// What comes about in every exploration of whole lives.
pub const SOMETIMES: [&str; 2] = ["an executed case is closed", "a case is given up"];
