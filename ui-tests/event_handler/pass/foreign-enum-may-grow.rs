//! A `#[non_exhaustive]` enum of another crate needs `ignore(_)`, and then works like any other enum.

#![deny(warnings)]

use eventlogs::{Aggregate, event_handler};
use std::sync::atomic::Ordering;

#[derive(Default, Clone, Aggregate)]
#[aggregate(event = Ordering)]
pub struct Orderings {
    relaxed: u32,
}

#[event_handler(Ordering, ignore(_))]
impl Orderings {
    #[on(Relaxed)]
    fn relax(&mut self) {
        self.relaxed += 1;
    }
}

/// `ignore(_)` with no variant left to ignore.
#[derive(Default)]
pub struct Never {
    changes: u32,
}

pub enum Change {
    Changed,
}

#[event_handler(Change, ignore(_))]
impl Never {
    #[on(Changed)]
    fn change(&mut self) {
        self.changes += 1;
    }
}

fn main() {
    assert_eq!(Orderings::default().relaxed, 0);
    assert_eq!(Never::default().changes, 0);
}
