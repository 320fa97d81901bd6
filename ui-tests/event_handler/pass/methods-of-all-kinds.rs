//! The other items that a block may contain, and the forms of a handler.

#![deny(warnings)]

use eventlogs::{EventRecord, event_handler};

pub enum DoorEvent {
    Opened { by: String, hours: u32 },
    Closed,
}

#[derive(Default)]
pub struct Door {
    by: String,
    hours: u32,
}

macro_rules! constant {
    ($name:ident) => {
        pub const $name: u32 = 2;
    };
}

mod macros {
    pub(crate) use constant;
}

#[event_handler(DoorEvent)]
impl Door {
    #![allow(clippy::unused_self)]

    /// A constant in the block.
    pub const LEAST: u32 = {
        let hours = 1;
        hours
    };

    constant!(MOST);
    constant! { MORE }
    self::macros::constant! { MUCH }

    #[on(Opened)]
    fn open<'a>(self: &mut Self, #[record] _record: &impl EventRecord<DoorEvent>, by: &'a str, mut hours: u32) -> () {
        hours += Self::LEAST + Self::MOST + Self::MORE + Self::MUCH;
        self.by = by.to_owned();
        self.hours = hours;
    }

    #[on(Closed)]
    #[inline]
    pub(crate) fn close(&mut self) {
        self.hours = 0;
    }

    pub const fn hours(&self) -> u32 {
        self.hours
    }

    pub fn generic<T>(self, into: impl FnOnce(Self) -> T) -> T {
        into(self)
    }

    pub async fn wait(&self) {}
}

fn main() {
    let door = Door::default();
    drop(door.wait());
    assert_eq!(door.hours(), 0);
    assert_eq!(door.generic(|door| door.by), "");
}
