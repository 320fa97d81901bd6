//! `ignore(retired)` takes all retired variants without a handler, wherever the enum is imported from.

#![deny(
    warnings,
    missing_docs,
    clippy::pedantic,
    clippy::nursery
)]

use eventlogs::{Aggregate, Event, event_handler};

/// Events in a module of their own.
pub mod events {
    use eventlogs::Event;

    /// The events of a door.
    #[derive(Debug, Clone, Event)]
    pub enum DoorEvent {
        /// Still written.
        #[event(name = "door.opened")]
        Opened {
            /// For how long.
            hours: u32,
        },
        /// No longer written.
        #[event(name = "door.painted", retired)]
        #[deprecated(note = "doors are no longer painted")]
        Painted(u8),
        /// No longer written.
        #[event(name = "door.oiled", retired)]
        Oiled,
    }

    /// An enum with a parameter.
    #[derive(Debug, Clone, Event)]
    pub(crate) enum CartEvent<Item> {
        /// Still written.
        Filled(Item),
        /// No longer written.
        #[event(retired)]
        Weighed {
            /// In grams.
            grams: u32,
        },
    }
}

use events::{CartEvent, DoorEvent};

/// Ignores both.
#[derive(Debug, Default, Clone, Aggregate)]
#[aggregate(event = DoorEvent)]
pub struct Door {
    hours: u32,
}

#[event_handler(DoorEvent, ignore(retired))]
impl Door {
    #[on(Opened)]
    fn open(&mut self, hours: u32) {
        self.hours += hours;
    }
}

/// Handles one of them, and names the enum by its path.
#[derive(Debug, Default, Clone)]
pub struct Paint {
    colours: u32,
}

#[event_handler(events::DoorEvent, ignore(Opened | retired))]
impl Paint {
    #[on(Painted(colour))]
    fn paint(&mut self, colour: u8) {
        self.colours += u32::from(colour);
    }
}

/// Handles all of them.
#[derive(Debug, Default, Clone)]
pub struct Work {
    times: u32,
}

#[event_handler(crate::events::DoorEvent, ignore(Opened | retired))]
impl Work {
    #[on(Painted | Oiled)]
    fn work(&mut self) {
        self.times += 1;
    }
}

/// Of an enum with a parameter.
#[derive(Debug, Default, Clone)]
pub(crate) struct Cart {
    items: Vec<u8>,
}

#[event_handler(CartEvent<u8>, ignore(retired))]
impl Cart {
    #[on(Filled(item))]
    fn fill(&mut self, item: u8) {
        self.items.push(item);
    }
}

/// A block may name a retired variant itself.
#[derive(Debug, Default, Clone)]
pub struct Oil {
    times: u32,
}

#[event_handler(DoorEvent, ignore(Opened | Painted))]
impl Oil {
    #[on(Oiled)]
    fn oil(&mut self) {
        self.times += 1;
    }
}

fn main() {
    /// Inside a function.
    #[derive(Debug, Clone, Event)]
    enum LampEvent {
        Lit,
        #[event(retired)]
        Filled,
    }

    #[derive(Default)]
    struct Lamp {
        lit: u32,
    }

    #[event_handler(LampEvent, ignore(retired))]
    impl Lamp {
        #[on(Lit)]
        fn light(&mut self) {
            self.lit += 1;
        }
    }

    let mut lamp = Lamp::default();
    lamp.light();
    let _ = (LampEvent::Lit, LampEvent::Filled, lamp.lit, CartEvent::Filled(1));
    let _ = (Door::default(), Paint::default(), Work::default(), Cart::default(), Oil::default());
}
