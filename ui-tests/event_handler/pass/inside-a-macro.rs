//! Items that a user's macro generates, with `$crate` and with names from the macro and from its caller.

#![deny(warnings)]

pub mod events {
    #[derive(eventlogs::Event)]
    pub enum DoorEvent {
        Opened { hours: u32 },
        Closed(u32),
    }
}

macro_rules! door {
    ($name:ident, $field:ident, $event:path, $first:ident) => {
        #[derive(Default, Clone, eventlogs::Aggregate)]
        #[aggregate(event = $crate::events::DoorEvent, cache(min_events = $crate::LEAST))]
        pub struct $name {
            $field: u32,
        }

        #[eventlogs::event_handler($event)]
        impl $name {
            #[on($first)]
            fn open(&mut self, hours: u32) {
                self.$field += hours;
            }

            #[on(Closed(event_record))]
            fn close(&mut self, event_record: u32) {
                self.$field -= event_record;
            }
        }
    };
}

pub const LEAST: u64 = 3;

door!(Door, hours, events::DoorEvent, Opened);

fn main() {
    assert_eq!(Door::default().hours, 0);
}
