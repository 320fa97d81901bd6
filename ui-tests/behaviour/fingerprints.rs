//! The code fingerprint changes with the behaviour of the code, and with nothing else.

#![allow(
    clippy::missing_const_for_fn,
    dead_code,
    reason = "fields and methods are there to be hashed, not to be used"
)]

use eventlogs::{Aggregate, CodeFingerprint, Event, EventHandler, EventRecord, event_handler};
use serde::{Deserialize, Serialize};

/// Events in memory, which have no stored names.
#[derive(Debug, Clone)]
enum DoorEvent {
    Opened { by: String },
    Closed,
    Painted,
}

type Count = u32;

/// Doors that differ from the base in one place. Each is in its own module, which is named after that place.
macro_rules! doors {
    ($($name:ident $keys:tt $fields:tt ($($arguments:tt)*) $block:tt)*) => {$(
        mod $name {
            use super::*;

            doors! { @aggregate $keys $fields }

            #[event_handler($($arguments)*)]
            impl Door $block
        }
    )*};
    (@aggregate ($($keys:tt)*) $fields:tt) => {
        #[derive(Default, Clone, Serialize, Deserialize, Aggregate)]
        #[aggregate(event = DoorEvent $($keys)*)]
        pub(super) struct Door $fields
    };
}

mod base {
    use super::*;

    #[derive(Default, Clone, Serialize, Deserialize, Aggregate)]
    #[aggregate(event = DoorEvent)]
    pub(super) struct Door {
        open: bool,
        times: u32,
    }

    #[event_handler(DoorEvent, ignore(Painted))]
    impl Door {
        const STEP: u32 = 1;

        #[on(Opened)]
        fn open(&mut self, by: &str) {
            self.open = !by.is_empty();
            self.count(self.times, true);
        }

        #[on(Closed)]
        fn close(&mut self) {
            self.open = false;
        }

        fn count(&mut self, times: u32, plus: bool) {
            self.times = times + if plus { Self::STEP } else { 0 };
        }

        pub(super) fn times(&self) -> u32 {
            self.times
        }
    }
}

/// Different code with the same behaviour.
#[rustfmt::skip]
mod same {
    use super::*;

    /// A door.
    #[derive(Aggregate, Clone, Debug, Deserialize, Default, Serialize)]
    #[aggregate(event = DoorEvent, cache(never))]
    #[must_use]
    pub(super) struct Door {
        /// Whether one can pass.
        pub(super) open: bool, times: u32 }

    #[event_handler(DoorEvent, ignore(Painted))]
    impl Door {
        /// Opens it.
        #[allow(clippy::pedantic, reason = "lints change nothing")]
        #[on(Opened)]
        pub(super) fn open(
            &mut self,
            by: &str,
        ) {
            // An empty name opens no door.
            self.open= !by.is_empty();
            self.count(
                self.times,
                true,
            );
        }

        /// Unrelated, and changed.
        pub(super) fn times(&self) -> u32 { self.times * 2 }

        pub(super) fn unrelated() {}

        #[on(Closed)]
        fn close(&mut self) { self.open = false; }

        #[inline]
        fn count(&mut self, times: u32, plus: bool) {
            self.times = /* so far */ times + if plus { Self::STEP } else { 0 };
        }

        const STEP: u32 = 1;
    }
}

doors! {
    body () { open: bool, times: u32 } (DoorEvent, ignore(Painted)) {
        const STEP: u32 = 1;
        #[on(Opened)] fn open(&mut self, by: &str) { self.open = by.is_empty(); self.count(self.times, true); }
        #[on(Closed)] fn close(&mut self) { self.open = false; }
        fn count(&mut self, times: u32, plus: bool) { self.times = times + if plus { Self::STEP } else { 0 }; }
    }
    signature () { open: bool, times: u32 } (DoorEvent, ignore(Painted)) {
        const STEP: u32 = 1;
        #[on(Opened)] fn open(&mut self, by: String) { self.open = !by.is_empty(); self.count(self.times, true); }
        #[on(Closed)] fn close(&mut self) { self.open = false; }
        fn count(&mut self, times: u32, plus: bool) { self.times = times + if plus { Self::STEP } else { 0 }; }
    }
    pattern () { open: bool, times: u32 } (DoorEvent, ignore(Painted)) {
        const STEP: u32 = 1;
        #[on(Opened { by })] fn open(&mut self, by: &str) { self.open = !by.is_empty(); self.count(self.times, true); }
        #[on(Closed)] fn close(&mut self) { self.open = false; }
        fn count(&mut self, times: u32, plus: bool) { self.times = times + if plus { Self::STEP } else { 0 }; }
    }
    mapping () { open: bool, times: u32 } (DoorEvent, ignore(Closed)) {
        const STEP: u32 = 1;
        #[on(Opened)] fn open(&mut self, by: &str) { self.open = !by.is_empty(); self.count(self.times, true); }
        #[on(Painted)] fn close(&mut self) { self.open = false; }
        fn count(&mut self, times: u32, plus: bool) { self.times = times + if plus { Self::STEP } else { 0 }; }
    }
    ignored () { open: bool, times: u32 } (DoorEvent, ignore(_)) {
        const STEP: u32 = 1;
        #[on(Opened)] fn open(&mut self, by: &str) { self.open = !by.is_empty(); self.count(self.times, true); }
        #[on(Closed)] fn close(&mut self) { self.open = false; }
        fn count(&mut self, times: u32, plus: bool) { self.times = times + if plus { Self::STEP } else { 0 }; }
    }
    helper () { open: bool, times: u32 } (DoorEvent, ignore(Painted)) {
        const STEP: u32 = 1;
        #[on(Opened)] fn open(&mut self, by: &str) { self.open = !by.is_empty(); self.count(self.times, true); }
        #[on(Closed)] fn close(&mut self) { self.open = false; }
        fn count(&mut self, times: u32, plus: bool) { self.times = times + if plus { Self::STEP } else { 1 }; }
    }
    constant_of_helper () { open: bool, times: u32 } (DoorEvent, ignore(Painted)) {
        const STEP: u32 = 2;
        #[on(Opened)] fn open(&mut self, by: &str) { self.open = !by.is_empty(); self.count(self.times, true); }
        #[on(Closed)] fn close(&mut self) { self.open = false; }
        fn count(&mut self, times: u32, plus: bool) { self.times = times + if plus { Self::STEP } else { 0 }; }
    }
    field_name () { open: bool, times: u32, since: u32 } (DoorEvent, ignore(Painted)) {
        const STEP: u32 = 1;
        #[on(Opened)] fn open(&mut self, by: &str) { self.open = !by.is_empty(); self.count(self.times, true); }
        #[on(Closed)] fn close(&mut self) { self.open = false; }
        fn count(&mut self, times: u32, plus: bool) { self.times = times + if plus { Self::STEP } else { 0 }; }
    }
    field_type () { open: bool, times: Count } (DoorEvent, ignore(Painted)) {
        const STEP: u32 = 1;
        #[on(Opened)] fn open(&mut self, by: &str) { self.open = !by.is_empty(); self.count(self.times, true); }
        #[on(Closed)] fn close(&mut self) { self.open = false; }
        fn count(&mut self, times: u32, plus: bool) { self.times = times + if plus { Self::STEP } else { 0 }; }
    }
    field_attribute () { open: bool, #[serde(default)] times: u32 } (DoorEvent, ignore(Painted)) {
        const STEP: u32 = 1;
        #[on(Opened)] fn open(&mut self, by: &str) { self.open = !by.is_empty(); self.count(self.times, true); }
        #[on(Closed)] fn close(&mut self) { self.open = false; }
        fn count(&mut self, times: u32, plus: bool) { self.times = times + if plus { Self::STEP } else { 0 }; }
    }
    key (, fingerprint = "2") { open: bool, times: u32 } (DoorEvent, ignore(Painted)) {
        const STEP: u32 = 1;
        #[on(Opened)] fn open(&mut self, by: &str) { self.open = !by.is_empty(); self.count(self.times, true); }
        #[on(Closed)] fn close(&mut self) { self.open = false; }
        fn count(&mut self, times: u32, plus: bool) { self.times = times + if plus { Self::STEP } else { 0 }; }
    }
    unchanged () { open: bool, times: u32 } (DoorEvent, ignore(Painted)) {
        const STEP: u32 = 1;
        #[on(Opened)] fn open(&mut self, by: &str) { self.open = !by.is_empty(); self.count(self.times, true); }
        #[on(Closed)] fn close(&mut self) { self.open = false; }
        fn count(&mut self, times: u32, plus: bool) { self.times = times + if plus { Self::STEP } else { 0 }; }
    }
    condition_that_holds () { open: bool, times: u32 } (DoorEvent, ignore(Painted)) {
        const STEP: u32 = 1;
        #[on(Opened)] fn open(&mut self, by: &str) { self.open = !by.is_empty(); self.count(self.times, true); }
        #[cfg(not(any()))] #[on(Closed)] fn close(&mut self) { self.open = false; }
        #[cfg(any())] #[on(Closed)] fn close(&mut self) { self.open = true; }
        #[cfg(not(any()))] fn count(&mut self, times: u32, plus: bool) { self.times = times + if plus { Self::STEP } else { 0 }; }
        #[cfg(any())] fn count(&mut self, times: u32, plus: bool) {}
    }
}

#[test]
fn what_makes_no_difference_to_a_state_does_not_count() {
    let base = base::Door::code_fingerprint();
    assert_eq!(same::Door::code_fingerprint(), base);
    assert_eq!(unchanged::Door::code_fingerprint(), base);
    assert_eq!(condition_that_holds::Door::code_fingerprint(), base);
}

#[test]
fn every_change_that_may_make_one_counts() {
    let mut fingerprints = vec![
        base::Door::code_fingerprint(),
        body::Door::code_fingerprint(),
        signature::Door::code_fingerprint(),
        pattern::Door::code_fingerprint(),
        mapping::Door::code_fingerprint(),
        ignored::Door::code_fingerprint(),
        helper::Door::code_fingerprint(),
        constant_of_helper::Door::code_fingerprint(),
        field_name::Door::code_fingerprint(),
        field_type::Door::code_fingerprint(),
        field_attribute::Door::code_fingerprint(),
        key::Door::code_fingerprint(),
    ];
    let all = fingerprints.len();
    fingerprints.sort_unstable();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), all);
}

#[test]
fn it_is_the_same_on_every_platform_and_in_every_release_of_the_compiler() {
    assert_eq!(base::Door::code_fingerprint(), 7_839_757_924_392_129_640);
}

/// Equal aggregates, with events whose attributes differ.
macro_rules! windows {
    ($($name:ident { $($variants:tt)* })*) => {$(
        mod $name {
            use super::*;

            #[derive(Event)]
            pub(super) enum WindowEvent { $($variants)* }

            #[derive(Default, Clone, Aggregate)]
            #[aggregate(event = WindowEvent)]
            pub(super) struct Window {
                open: bool,
            }

            #[event_handler(WindowEvent, ignore(Closed))]
            impl Window {
                #[on(Opened)]
                fn open(&mut self) {
                    self.open = true;
                }
            }
        }
    )*};
}

windows! {
    stored { #[event(name = "window.opened")] Opened, Closed }
    stored_in_another_order { Closed, #[event(name = "window.opened", alias = "opened")] Opened }
    named { #[event(name = "opened")] Opened, Closed }
    versioned { #[event(name = "window.opened", version = 2, upcast(1 = from_v1))] Opened, Closed }
}

fn from_v1((): ()) -> versioned::WindowEvent {
    versioned::WindowEvent::Opened
}

#[test]
fn the_names_and_versions_of_stored_events_count() {
    let fingerprint = stored::Window::code_fingerprint();
    assert_eq!(
        stored_in_another_order::Window::code_fingerprint(),
        fingerprint
    );
    assert_ne!(named::Window::code_fingerprint(), fingerprint);
    assert_ne!(versioned::Window::code_fingerprint(), fingerprint);
}

/// An aggregate of generic events that can be stored.
#[derive(Debug, Default, Clone, Aggregate)]
#[aggregate(event = Change<T>)]
struct History<T> {
    values: Vec<T>,
}

#[derive(Debug, Clone, Event)]
enum Change<T> {
    Set(T),
}

#[event_handler(Change<T>)]
impl<T: Clone> History<T> {
    #[on(Set(value))]
    fn set(&mut self, value: T) {
        self.values.push(value);
    }
}

/// The same aggregate, with an event under another name.
mod renamed {
    use super::*;

    #[derive(Debug, Default, Clone, Aggregate)]
    #[aggregate(event = Change<T>)]
    pub(super) struct History<T> {
        values: Vec<T>,
    }

    #[derive(Debug, Clone, Event)]
    pub(super) enum Change<T> {
        #[event(name = "set")]
        Set(T),
    }

    #[event_handler(Change<T>)]
    impl<T: Clone> History<T> {
        #[on(Set(value))]
        fn set(&mut self, value: T) {
            self.values.push(value);
        }
    }
}

/// A generic aggregate of events that are neither generic nor stored.
#[derive(Default, Clone, Aggregate)]
#[aggregate(event = DoorEvent)]
struct Marked<T> {
    mark: T,
}

#[event_handler(DoorEvent, ignore(_))]
impl<T: Default> Marked<T> {
    #[on(Painted)]
    fn clear(&mut self) {
        self.mark = T::default();
    }
}

#[test]
fn generic_aggregates_have_one_whatever_their_arguments() {
    assert_eq!(
        History::<u8>::code_fingerprint(),
        History::<String>::code_fingerprint()
    );
    assert_ne!(
        History::<u8>::code_fingerprint(),
        renamed::History::<u8>::code_fingerprint()
    );
    assert_eq!(
        Marked::<u8>::code_fingerprint(),
        Marked::<String>::code_fingerprint()
    );
}

/// Handlers written by hand, which the macro cannot see.
macro_rules! by_hand {
    ($($name:ident ($($keys:tt)*) $body:block)*) => {$(
        mod $name {
            use super::*;

            #[derive(Default, Clone, Aggregate)]
            #[aggregate(event = DoorEvent $($keys)*)]
            pub(super) struct Door {
                pub(super) open: bool,
            }

            impl EventHandler<DoorEvent> for Door {
                fn handle(&mut self, _: &impl EventRecord<DoorEvent>) {
                    self.open = $body;
                }
            }
        }
    )*};
}

by_hand! {
    first () { true }
    second () { false }
    counted (, fingerprint = "2") { false }
}

#[test]
fn handlers_written_by_hand_are_counted_up_by_hand() {
    assert_eq!(
        first::Door::code_fingerprint(),
        second::Door::code_fingerprint()
    );
    assert_ne!(
        first::Door::code_fingerprint(),
        counted::Door::code_fingerprint()
    );
}

/// An aggregate with a pinned fingerprint, as after a refactoring.
#[derive(Default, Clone, Aggregate)]
#[aggregate(event = DoorEvent, fingerprint = 0x0123_4567_89ab_cdef)]
struct PinnedDoor {
    open: bool,
}

#[event_handler(DoorEvent, ignore(Closed | Painted))]
impl PinnedDoor {
    #[on(Opened)]
    fn open(&mut self) {
        self.open = true;
    }
}

#[test]
fn a_pinned_number_is_the_fingerprint_whatever_the_code() {
    assert_eq!(PinnedDoor::code_fingerprint(), 0x0123_4567_89ab_cdef);
}
