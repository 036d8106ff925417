//! Cases: one refund, void, baggage order, rebuilt order, stop or claim, from the intention to the end.
//!
//! [`machine::step`] decides, purely, with [`quoting`] before the submit and [`submitting`] from then on; [`driver`]
//! asks, sends and stores; [`desk`] is what callers see. [`evidence`] says what the vendor's answers prove, [`guard`]
//! what must hold before money moves, [`rules`] when to ask again, [`store`] where it is kept.

mod ask;
pub(crate) mod clock;
pub(crate) mod desk;
pub(crate) mod direct;
mod driver;
mod event;
mod evidence;
mod facts;
mod follow;
mod guard;
mod machine;
pub(crate) mod model;
mod owner;
mod plan;
mod quoting;
mod redact;
pub(crate) mod rules;
pub(crate) mod store;
mod submitting;
#[cfg(test)]
mod trials;
mod view;
pub(crate) mod wish;
