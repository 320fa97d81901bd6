//! Each event reaches the method that is marked for it, with that method's parameters.

use crate::support::{fold, record};
use eventlogs::feed::Interest;
use eventlogs::{Aggregate, EventHandler, EventNeeds, EventRecord, event_handler};

#[derive(Debug, Clone, PartialEq)]
enum Colour {
    Rgb(u8, u8, u8),
    Named { name: String },
}

#[derive(Debug, Clone)]
enum DoorEvent {
    Opened {
        by: Option<String>,
        hours: u32,
    },
    Ajar {
        by: Option<String>,
        hours: u32,
        width: u32,
    },
    Painted(Colour),
    Numbered(u32, u32),
    Closed,
    Inspected,
    Photographed(Vec<u8>),
}

#[derive(Debug, Default, Clone, PartialEq, Aggregate)]
#[aggregate(event = DoorEvent)]
struct Door {
    notes: Vec<String>,
    hours: u32,
    closed_at: Option<u64>,
}

#[allow(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "the tests try different forms of parameters"
)]
#[event_handler(DoorEvent, ignore(Inspected | Photographed))]
impl Door {
    #[on(Ajar { width: 0, .. })]
    fn open_hardly(&mut self) {
        self.note("hardly");
    }

    #[on(Opened | Ajar)]
    fn open(&mut self, hours: u32, by: &Option<String>) {
        self.hours += hours;
        self.note(by.as_deref().unwrap_or("somebody"));
    }

    #[on(Painted(Colour::Rgb(red, _, blue)))]
    fn paint(&mut self, blue: u8, red: &u8) {
        self.notes.push(format!("red {red} blue {blue}"));
    }

    #[on(Painted(Colour::Named { name }))]
    fn paint_by_name(&mut self, mut name: String) {
        name.push('!');
        self.notes.push(name);
    }

    #[on(Numbered(0, number) | Numbered(number, 0))]
    fn number(&mut self, number: u32) {
        self.notes.push(format!("number {number}"));
    }

    #[on(whole @ Numbered(..))]
    fn number_both(&mut self, whole: &DoorEvent) {
        self.notes.push(format!("{whole:?}"));
    }

    #[on(Closed)]
    fn close(&mut self, #[record] record: &impl EventRecord<DoorEvent>) {
        self.closed_at = Some(record.index());
    }

    fn note(&mut self, text: &str) {
        self.notes.push(text.to_owned());
    }
}

#[test]
fn a_bare_variant_binds_fields_by_parameter_name() {
    let door: Door = fold([
        DoorEvent::Opened {
            by: Some("Ada".to_owned()),
            hours: 2,
        },
        DoorEvent::Ajar {
            by: None,
            hours: 3,
            width: 9,
        },
    ]);
    assert_eq!(door.notes, ["Ada", "somebody"]);
    assert_eq!(door.hours, 5);
}

#[test]
fn nested_patterns_choose_the_handler() {
    let door: Door = fold([
        DoorEvent::Painted(Colour::Rgb(1, 2, 3)),
        DoorEvent::Painted(Colour::Named {
            name: "teal".to_owned(),
        }),
        DoorEvent::Numbered(0, 4),
        DoorEvent::Numbered(5, 0),
        DoorEvent::Numbered(6, 7),
    ]);
    assert_eq!(
        door.notes,
        [
            "red 1 blue 3",
            "teal!",
            "number 4",
            "number 5",
            "Numbered(6, 7)"
        ]
    );
}

#[test]
fn the_record_is_handed_over_where_it_is_asked_for() {
    let door: Door = fold([
        DoorEvent::Inspected,
        DoorEvent::Inspected,
        DoorEvent::Closed,
    ]);
    assert_eq!(door.closed_at, Some(2));
}

#[test]
fn ignored_events_change_nothing() {
    let door: Door = fold([DoorEvent::Inspected, DoorEvent::Photographed(vec![1])]);
    assert_eq!(door, Door::default());
}

#[test]
fn an_owned_parameter_is_a_copy() {
    let painted = record(
        0,
        DoorEvent::Painted(Colour::Named {
            name: "teal".to_owned(),
        }),
    );
    let mut door = Door::default();
    door.apply(&painted);
    door.handle(&painted);
    assert_eq!(door.notes, ["teal!", "teal!"]);
    assert!(
        matches!(painted.event(), DoorEvent::Painted(Colour::Named { name }) if name == "teal")
    );
}

/// A second aggregate of the same events.
#[derive(Debug, Default, Clone, Aggregate)]
#[aggregate(event = DoorEvent)]
struct Gallery {
    bytes: usize,
}

#[event_handler(DoorEvent, ignore(_))]
impl Gallery {
    #[on(Photographed(bytes))]
    fn hang(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
    }

    #[on(Painted(_))]
    fn note(
        &mut self,
        #[record] _first: &impl EventRecord<DoorEvent>,
        #[record] second: &impl EventRecord<DoorEvent>,
    ) {
        self.bytes += usize::from(second.index() == 1);
    }
}

#[test]
fn aggregates_of_the_same_events_go_their_own_ways() {
    let events = [
        DoorEvent::Photographed(vec![1]),
        DoorEvent::Painted(Colour::Rgb(1, 1, 1)),
        DoorEvent::Closed,
    ];
    assert_eq!(fold::<Gallery>(events.clone()).bytes, 2);
    assert_eq!(fold::<Door>(events).notes, ["red 1 blue 1"]);
}

#[test]
fn the_name_is_the_types_identifier() {
    assert_eq!(Door::name(), "Door");
    assert_eq!(Gallery::name(), "Gallery");
}

/// A generic aggregate of generic events.
#[derive(Debug, Default, Clone, Aggregate)]
#[aggregate(event = Change<T>)]
struct History<T> {
    values: Vec<T>,
}

#[derive(Debug, Clone)]
enum Change<T> {
    Set(T),
    Cleared,
}

#[event_handler(Change<T>)]
impl<T: Clone> History<T> {
    #[on(Set(value))]
    fn set(&mut self, value: T) {
        self.values.push(value);
    }

    #[on(Cleared)]
    fn clear(&mut self) {
        self.values.clear();
    }
}

#[test]
fn aggregates_can_be_generic() {
    let history: History<&str> = fold([Change::Set("a"), Change::Cleared, Change::Set("b")]);
    assert_eq!(history.values, ["b"]);
}

/// An aggregate whose handlers take no record.
#[derive(Debug, Default, Clone, Aggregate)]
#[aggregate(event = DoorEvent)]
struct Hours(u32);

#[event_handler(DoorEvent, ignore(_))]
impl Hours {
    #[on(Opened)]
    fn open(&mut self, hours: u32) {
        self.0 += hours;
    }
}

/// An aggregate whose handler is written by hand.
#[derive(Debug, Default, Clone, Aggregate)]
#[aggregate(event = DoorEvent)]
struct Times(u32);

impl EventHandler<DoorEvent> for Times {
    fn handle(&mut self, _: &impl EventRecord<DoorEvent>) {
        self.0 += 1;
    }
}

#[test]
fn an_aggregate_needs_what_its_handlers_take() {
    let all_but = Interest::Except(&["Inspected", "Photographed"]);
    assert_eq!(Door::NEEDS, EventNeeds::new(all_but, true));
    let two = Interest::Only(&["Photographed", "Painted"]);
    assert_eq!(Gallery::NEEDS, EventNeeds::new(two, true));
    let one = Interest::Only(&["Opened"]);
    assert_eq!(Hours::NEEDS, EventNeeds::new(one, false));
    assert_eq!(Times::NEEDS, EventNeeds::EVERYTHING);
}
