//! Servers that are slow, gone, locked, read-only or unreachable.

mod addresses;
mod ended;
mod extremes;
mod lost;
mod read_only;
mod reductions;
mod silent;
mod slow;
mod stale;
mod strange;
