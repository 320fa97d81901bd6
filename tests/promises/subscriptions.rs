//! Projections into SQL: what their handlers write is exactly the fold of the events, whatever breaks in between.

mod crashed;
mod created;
mod failing;
mod handlers;
mod hanging;
mod lost;
mod parking;
mod pools;
mod processes;
mod stage;
mod totals;

pub(crate) use processes::{PLACE, Place, Runner};
pub(crate) use stage::{LEASE, PATIENCE, stopped, stopping};
