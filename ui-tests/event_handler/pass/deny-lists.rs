//! Generated code causes no warnings in a crate with the strictest lints.

#![deny(
    warnings,
    future_incompatible,
    let_underscore,
    missing_docs,
    missing_debug_implementations,
    nonstandard_style,
    rust_2018_idioms,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unreachable_pub,
    unused,
    unused_import_braces,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    variant_size_differences
)]
#![forbid(unsafe_code)]

use eventlogs::{Aggregate, Aggregation, Event, EventHandler, EventRecord, event_handler};

/// The events of a door.
#[derive(Debug, Clone, PartialEq, Event)]
#[event(codec = "msgpack")]
pub enum DoorEvent {
    /// It was opened.
    #[event(name = "door.opened", version = 2, upcast(1 = opened_from_v1))]
    Opened {
        /// By whom.
        by: String,
        /// For how long.
        hours: u32,
    },
    /// It was painted.
    #[event(name = "door.painted", alias = "door.coloured")]
    Painted([u8; 3], Option<String>),
    /// It was inspected.
    Inspected(String),
    /// No longer used.
    #[deprecated = "doors have no bells"]
    Rung,
    /// It was closed.
    Closed,
    /// Something happened to its lock.
    #[event(flatten)]
    Lock(LockEvent),
}

/// The events of a lock.
#[derive(Debug, Clone, PartialEq, Event)]
#[event(explicit_names)]
pub enum LockEvent {
    /// It was turned.
    #[event(name = "lock.turned")]
    Turned,
}

fn opened_from_v1(by: String) -> DoorEvent {
    DoorEvent::Opened { by, hours: 1 }
}

/// A door.
#[derive(Debug, Default, Clone, Aggregate)]
#[aggregate(event = DoorEvent, cache(min_events = LEAST, max_events = 100, ttl = "1h", when = is_open))]
pub struct Door {
    open: bool,
    hours: u32,
    last: u64,
}

const LEAST: u64 = 3;

fn is_open(door: &Aggregation<Door>) -> bool {
    door.aggregate().open
}

#[event_handler(DoorEvent, ignore(Painted | Inspected | Lock))]
impl Door {
    #[on(Opened)]
    fn open(&mut self, by: String, hours: u32, #[record] record: &impl EventRecord<DoorEvent>) {
        self.open = true;
        self.hours += hours + u32::from(by.is_empty());
        self.last = record.index();
    }

    #[on(Rung | Closed)]
    #[allow(deprecated)]
    fn close(&mut self) {
        self.open = false;
    }
}

/// Variants in scope, so that a path with the enum is superfluous in handwritten code.
pub mod windows {
    use self::WindowEvent::{Closed, Opened};

    /// The events of a window.
    #[derive(Debug, eventlogs::Event)]
    pub enum WindowEvent {
        /// It was opened.
        Opened,
        /// It was closed.
        Closed {
            /// For good.
            forever: bool,
        },
    }

    /// A window.
    #[derive(Debug, Default)]
    pub struct Window {
        open: bool,
    }

    #[eventlogs::event_handler(WindowEvent)]
    impl Window {
        #[on(Opened)]
        fn open(&mut self) {
            self.open = true;
        }

        #[on(Closed { forever: _ })]
        fn close(&mut self) {
            self.open = false;
        }
    }

    /// The first event.
    #[must_use]
    pub fn first(open: bool) -> WindowEvent {
        if open { Opened } else { Closed { forever: true } }
    }
}

fn main() {
    fn handles<A: EventHandler<DoorEvent>>(_: &A) {}
    handles(&Door::default());
    assert_eq!(DoorEvent::Closed.event_type().version, 1);
}
