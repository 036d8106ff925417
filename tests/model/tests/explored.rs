//! Small spaces, explored to their end, and each broken rule, found. The whole ones: `make model`.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use atlas_model::explorations::{broken, explore, short};

#[test]
fn every_promise_holds_in_every_state() {
    for planned in short() {
        let done = explore(&planned, &[]);
        println!("{}: {} states in {:?}", done.name, done.states, done.time);
        assert!(done.broken.is_empty(), "{}: {:?}", done.name, done.broken);
        assert!(done.missing.is_empty(), "{}: never {:?}", done.name, done.missing);
    }
}

/// Finds out that a rule is missing, and gives the promise that is broken without it.
fn found(name: &str) {
    let all = broken();
    let (planned, promises) = all.iter().find(|(planned, _)| planned.name == name).unwrap();
    let done = explore(planned, promises);
    println!("{name}: {:?} after {} states, {:?}", done.broken, done.states, done.time);
    assert!(
        done.broken.iter().any(|(promise, _)| promises.contains(promise)),
        "{name}: not in {} states: {:?}",
        done.states,
        done.broken
    );
}

#[test]
fn a_store_without_a_fence_is_found() {
    found("no fence");
}

#[test]
fn a_submit_without_an_intent_is_found() {
    found("no intent");
}

#[test]
fn a_sender_that_does_not_look_at_its_lease_is_found() {
    found("no look at the lease");
}

/// What no rule can exclude, and the operators' guide says: a stop between the last look at the lease and the write.
#[test]
fn a_stop_after_the_last_look_is_found() {
    found("stopped after the last look");
}

#[test]
fn a_settle_time_that_is_too_short_is_found() {
    found("settle time too short");
}
