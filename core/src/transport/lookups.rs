//! Looks up host names on threads of the library.

use std::fmt;
use std::net::ToSocketAddrs;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::workers;

/// The system's own resolver, as reqwest uses it by itself; but where no thread can be made, that is an error and no
/// panic.
pub(super) struct Lookups;

/// There is no thread, and none can be made.
#[derive(Debug)]
pub(super) struct NoThread(std::io::Error);

impl fmt::Display for NoThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no thread can be made: {}", self.0)
    }
}

impl std::error::Error for NoThread {}

/// The C library does not say that a lookup failed since no descriptor was left for it.
fn no_descriptor() -> Option<std::io::Error> {
    let error = std::fs::File::open("/").err()?;
    (cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))).then_some(error)
}

impl Resolve for Lookups {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let look_up = move || {
                let found = (name.as_str(), 0).to_socket_addrs().map(|found| found.collect::<Vec<_>>());
                found.map_err(|error| no_descriptor().unwrap_or(error))
            };
            let done = workers::current().lookups.spawn(look_up).map_err(|(error, _)| NoThread(error))?;
            let found = done.await.map_err(|_| "the lookup ended")?.map_err(|_| "the lookup panicked")??;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
