//! A condition on a parameter also applies to its part of the pattern and of the call.

#![deny(warnings)]
#![allow(unexpected_cfgs)]

use eventlogs::{EventHandler, EventRecord, RecordedEvent, event_handler};

pub struct Size {
    width: u32,
    #[cfg(any())]
    height: u32,
    #[cfg(all())]
    depth: u32,
}

pub enum DoorEvent {
    Opened {
        hours: u32,
        #[cfg(any())]
        never: Vec<String>,
        #[cfg(all())]
        always: String,
    },
    Ajar {
        hours: u32,
        #[cfg(any())]
        never: Vec<String>,
        #[cfg(all())]
        always: String,
    },
    Closed {
        hours: u32,
        #[cfg(any())]
        never: String,
        #[cfg(all())]
        always: String,
    },
    Locked(u32, u32),
    Resized(Size),
    Painted {
        colour: Option<u32>,
    },
}

#[derive(Default)]
pub struct Door {
    hours: u32,
    texts: Vec<String>,
}

#[event_handler(DoorEvent)]
impl Door {
    /// A bare variant, with the record under the same condition.
    #[on(Opened)]
    fn open(
        &mut self,
        hours: u32,
        #[cfg(any())] never: Vec<String>,
        #[cfg(any(),)]
        #[record]
        record: &impl EventRecord<DoorEvent>,
    ) {
        self.hours += hours;
        #[cfg(any())]
        {
            self.texts.extend(never);
            self.hours += u32::from(record.index() == 0);
        }
    }

    /// A condition and its opposite.
    #[on(Ajar)]
    fn push(
        &mut self,
        hours: u32,
        #[cfg(all())] always: &str,
        #[cfg(not(all()))] never: &[String],
        #[cfg(all())]
        #[record]
        record: &impl EventRecord<DoorEvent>,
    ) {
        self.hours += hours + u32::from(record.index() == 0);
        self.texts.push(always.to_owned());
    }

    /// A whole pattern, with a condition before the field.
    #[on(Closed { hours, #[cfg(any())] never, .. })]
    fn close(&mut self, hours: u32, #[cfg(any())] never: &str) {
        self.hours += hours;
        #[cfg(any())]
        self.texts.push(never.to_owned());
    }

    /// The record alone, under two conditions.
    #[cfg(all())]
    #[cfg_attr(all(), allow(unused_variables))]
    #[on(Locked(hours, _))]
    fn lock(
        &mut self,
        hours: u32,
        #[cfg(all())]
        #[cfg(haunted)]
        #[record]
        record: &impl EventRecord<DoorEvent>,
    ) {
        self.hours += hours;
    }

    /// A field inside a nested pattern.
    #[on(Resized(Size { width, height, .. }))]
    fn resize(&mut self, width: u32, #[cfg(any())] height: u32) {
        self.hours += width;
        #[cfg(any())]
        {
            self.hours += height;
        }
    }

    /// A field that always exists, and a condition in `cfg_attr`.
    #[on(Painted)]
    #[cfg_attr(any(), cfg(any()))]
    fn paint(&mut self, #[cfg(haunted)] colour: Option<u32>) {
        self.hours += 1;
    }
}

fn main() {
    let texts = || "a".to_owned();
    let mut door = Door::default();
    let events = [
        DoorEvent::Opened { hours: 1, always: texts() },
        DoorEvent::Ajar { hours: 10, always: texts() },
        DoorEvent::Closed { hours: 100, always: texts() },
        DoorEvent::Locked(1000, 0),
        DoorEvent::Resized(Size { width: 10_000, depth: 0 }),
        DoorEvent::Painted { colour: None },
    ];
    let now = "2026-01-31T12:00:00Z".parse().expect("a valid time");
    for (index, event) in (0..).zip(events) {
        let (log, id) = (eventlogs::ids::LogId::new(), eventlogs::ids::EventId::new());
        door.handle(&RecordedEvent::new(log, index, id, event, now));
    }
    assert_eq!(door.hours, 11_112);
    assert_eq!(door.texts, ["a"]);
    assert_eq!(Size { width: 1, depth: 2 }.depth, 2);
}
