//! The connections of a client.

use std::sync::{Condvar, Mutex};

use super::link::Link;

/// Connections between calls.
#[derive(Default)]
pub(super) struct Pool {
    pub state: Mutex<PoolState>,
    /// Somebody has given one back.
    pub free: Condvar,
}

#[derive(Default)]
pub(super) struct PoolState {
    pub idle: Vec<Link>,
    pub used: usize,
}
