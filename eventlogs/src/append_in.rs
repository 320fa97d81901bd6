//! Appends inside a transaction of the caller.
//!
//! This room is above the manager, because it takes the manager's options and returns the manager's errors. The manager knows
//! no SQL.

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
