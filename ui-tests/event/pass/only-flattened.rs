//! An enum that only flattens other enums, one of them from another module.

use eventlogs::Event;

mod locks {
    #[derive(Debug, eventlogs::Event)]
    #[event(log_type = "lock")]
    pub enum Event {
        Turned { degrees: u32 },
    }
}

macro_rules! events {
    ($name:ident, $variant:ident, $inner:ty) => {
        #[derive(Debug, Event)]
        pub enum $name {
            #[event(flatten)]
            $variant($inner),
        }
    };
}

events!(DoorEvent, Lock, locks::Event);
events!(HouseEvent, Door, crate::DoorEvent);

fn main() {
    let event = HouseEvent::Door(DoorEvent::Lock(locks::Event::Turned { degrees: 90 }));
    assert_eq!(event.event_type(), HouseEvent::SCHEMA[0].event_type);
    let json = serde_json::to_string(&Payload(event)).expect("it has a payload");
    assert_eq!(json, r#"{"degrees":90}"#);
}

struct Payload<E>(E);

impl<E: Event> serde::Serialize for Payload<E> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize_payload(serializer)
    }
}
