//! Rows that are written in the transaction of the events, next to the subscription that writes them, too.

mod domain;
mod fire;
mod killed;
mod meeting;
mod refused;
mod sqlite_transaction;
mod together;

pub(crate) use domain::{PANICS, forget, tallies};
