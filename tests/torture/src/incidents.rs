//! What befalls a host during a call: at which moment, and what.

use std::time::Duration;

use fastrand::Rng;

use crate::gate::{Cut, Moment};

/// A lease lasts 15 seconds after its renewal; a wait of this length is longer in any case.
const LONGER_THAN_LEASE: std::ops::Range<u64> = 17_000..24_000;

/// Of a `case.open` by a host that has just started, to the database and to the vendor; 31 and 3 by one that runs.
const MESSAGES: (usize, usize) = (48, 4);

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// The host is killed; what it has sent just then arrives, or is lost with it.
    Kill { loses_message: bool },
    /// The host is stopped, and goes on later.
    Stop(Duration),
    /// It does not reach the database for so long.
    Database(Cut, Duration),
    /// It does not reach the vendor for so long.
    Vendor(Cut, Duration),
}

/// When.
#[derive(Clone, Debug)]
pub enum Trigger {
    /// At a message to the database.
    Database(Moment),
    /// At a message to the vendor.
    Vendor(Moment),
    /// After a time.
    Time(Duration),
}

/// One fault of one call.
#[derive(Clone, Debug)]
pub struct Incident {
    /// When.
    pub trigger: Trigger,
    /// What.
    pub fault: Fault,
}

impl Incident {
    /// A random one. A host that `stays` is never killed or stopped, and is cut off for a short time only.
    pub fn random(rng: &mut Rng, stays: bool) -> Incident {
        let side = rng.bool();
        match rng.u32(if stays { 50..100 } else { 0..100 }) {
            0..42 => Incident { trigger: trigger(rng), fault: Fault::Kill { loses_message: rng.bool() } },
            42..50 => {
                let is_long = rng.u32(0..3) > 0;
                let time = if is_long { rng.u64(LONGER_THAN_LEASE) } else { rng.u64(200..3_000) };
                Incident { trigger: trigger(rng), fault: Fault::Stop(Duration::from_millis(time)) }
            }
            50..76 => {
                let is_long = !stays && rng.u32(0..12) == 0;
                let time = if is_long { rng.u64(LONGER_THAN_LEASE) } else { rng.u64(0..2_000) };
                let late = rng.u64(50..1_500);
                let fault = Fault::Database(cut(rng, side, late), Duration::from_millis(time));
                Incident { trigger: Trigger::Database(moment(rng, MESSAGES.0)), fault }
            }
            // What is late here is so by much less than the settle time.
            _ => {
                let (late, time) = (rng.u64(20..400), rng.u64(0..2_000));
                let fault = Fault::Vendor(cut(rng, side, late), Duration::from_millis(time));
                Incident { trigger: Trigger::Vendor(moment(rng, MESSAGES.1)), fault }
            }
        }
    }

    /// The name for the figures.
    pub fn name(&self) -> &'static str {
        match self.fault {
            Fault::Kill { .. } => "hosts killed",
            Fault::Stop(time) if time.as_millis() < u128::from(LONGER_THAN_LEASE.start) => "stopped for a moment",
            Fault::Stop(_) => "stopped for longer than their lease",
            Fault::Database(..) => "cut off from the database",
            Fault::Vendor(..) => "cut off from the vendor",
        }
    }
}

fn trigger(rng: &mut Rng) -> Trigger {
    match rng.u32(0..10) {
        0..5 => Trigger::Database(moment(rng, MESSAGES.0)),
        5..8 => Trigger::Vendor(moment(rng, MESSAGES.1)),
        _ => Trigger::Time(Duration::from_micros(rng.u64(0..80_000))),
    }
}

fn moment(rng: &mut Rng, messages: usize) -> Moment {
    let nth = rng.usize(1..=messages);
    match rng.u32(0..3) {
        0 => Moment::Before(nth),
        1 => Moment::After(nth),
        _ => Moment::Reply(nth),
    }
}

fn cut(rng: &mut Rng, side: bool, late: u64) -> Cut {
    match rng.u32(0..4) {
        0 => Cut::Closed,
        1 => Cut::Swallowed { requests: true, replies: true },
        2 => Cut::Swallowed { requests: side, replies: !side },
        _ => Cut::Delayed(Duration::from_millis(late)),
    }
}
