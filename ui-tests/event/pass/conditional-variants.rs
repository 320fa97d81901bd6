//! `#[cfg]` on variants and on fields.

#![deny(warnings)]
#![allow(unexpected_cfgs)]

use eventlogs::Event;

#[derive(Event)]
pub enum DoorEvent {
    Opened {
        hours: u32,
        #[cfg(haunted)]
        ghost: Ghost,
    },
    #[cfg(haunted)]
    Creaked(Ghost),
}

fn main() {
    assert_eq!(DoorEvent::SCHEMA.len(), 1);
    assert_eq!(DoorEvent::Opened { hours: 1 }.event_type().name, "Opened");
}
