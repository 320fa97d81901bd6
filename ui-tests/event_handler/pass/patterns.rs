//! `#[on(…)]` takes every pattern that a match arm takes.

#![deny(warnings)]

use eventlogs::event_handler;

#[derive(Clone)]
pub enum Colour {
    Rgb(u8, u8, u8),
    Named { name: String },
}

pub enum DoorEvent {
    Opened { by: Option<String>, at: (u8, u8) },
    Ajar { by: Option<String>, at: (u8, u8), width: u32 },
    Painted(Colour),
    Numbered(u32, u32),
    Closed,
    Locked(),
    Removed {},
}

#[derive(Default)]
pub struct Door {
    by: String,
    hour: u8,
    red: u8,
    numbers: Vec<u32>,
}

#[event_handler(DoorEvent)]
impl Door {
    #[on(Opened { by: Some(name), at: (hour, _) } | Ajar { by: Some(name), at: (hour, _), .. })]
    fn open(&mut self, hour: u8, name: &str) {
        self.by = name.to_owned();
        self.hour = hour;
    }

    #[on(Opened { by: None, .. } | Ajar { by: None, .. })]
    fn open_by_itself(&mut self) {
        self.by.clear();
    }

    #[on(Painted(Colour::Rgb(red, ..)))]
    fn paint(&mut self, red: u8) {
        self.red = red;
    }

    #[on(Painted(Colour::Named { name }))]
    fn paint_by_name(&mut self, name: String) {
        self.by = name;
    }

    #[on(Numbered(0, number @ 1..=9) | Numbered(number @ 0, _))]
    fn number(&mut self, number: u32) {
        self.numbers.push(number);
    }

    #[on(rest @ Numbered(..))]
    fn renumber(&mut self, rest: &DoorEvent) {
        if let DoorEvent::Numbered(high, low) = rest {
            self.numbers.push(high * 10 + low);
        }
    }

    #[on((Closed | Locked) | Removed)]
    fn close(&mut self) {
        self.hour = 0;
    }
}

fn main() {
    assert_eq!(Door::default().red, 0);
}
