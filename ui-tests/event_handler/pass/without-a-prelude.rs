//! A module in which nothing is in scope.

#![deny(warnings)]

mod bare {
    #![no_implicit_prelude]

    #[derive(::eventlogs::Event)]
    pub enum DoorEvent {
        #[event(alias = "opened", version = 2, upcast(1 = opened_from_v1))]
        Opened { by: ::std::string::String },
        Painted(u8, u8),
        Numbered(u32),
        Closed,
    }

    fn opened_from_v1(by: ::std::string::String) -> DoorEvent {
        DoorEvent::Opened { by }
    }

    #[derive(::std::default::Default, ::std::clone::Clone, ::eventlogs::Aggregate)]
    #[aggregate(event = DoorEvent, cache(min_events = LEAST, when = is_open))]
    pub struct Door {
        by: ::std::string::String,
    }

    const LEAST: u64 = 2;

    fn is_open(door: &::eventlogs::Aggregation<Door>) -> bool {
        !door.aggregate().by.is_empty()
    }

    #[::eventlogs::event_handler(DoorEvent, ignore(Closed | Painted | Numbered))]
    impl Door {
        #[on(Opened)]
        fn open(&mut self, by: ::std::string::String) {
            self.by = by;
        }
    }
}

fn main() {
    use eventlogs::{Aggregate, Event};
    assert_eq!(bare::Door::name(), "Door");
    assert_eq!(bare::DoorEvent::Closed.event_type().version, 1);
}
