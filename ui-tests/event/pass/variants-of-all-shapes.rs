//! Variants of all four shapes, inside a function, with payload types that have the names of their variants.

#![deny(warnings)]

use eventlogs::Event;

#[derive(serde::Serialize, serde::Deserialize)]
pub struct Opened {
    hours: u32,
}

fn main() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Closed;

    // The enum has no other derive: no serde, no `Debug`.
    #[derive(Event)]
    enum DoorEvent {
        Opened(Opened),
        Closed(Closed, u32),
        Painted { colour: String },
        Nested(Option<Box<Self>>),
        Locked,
        Shut(),
        Gone {},
        Codec,
    }

    impl serde::Serialize for DoorEvent {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.serialize_payload(serializer)
        }
    }

    impl<'de> serde::Deserialize<'de> for DoorEvent {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self::Locked)
        }
    }

    let events = [
        DoorEvent::Opened(Opened { hours: 1 }),
        DoorEvent::Closed(Closed, 2),
        DoorEvent::Painted { colour: "red".to_owned() },
        DoorEvent::Nested(None),
        DoorEvent::Locked,
        DoorEvent::Shut(),
        DoorEvent::Gone {},
        DoorEvent::Codec,
    ];
    assert_eq!(DoorEvent::SCHEMA.len(), events.len());
    for (event, schema) in events.iter().zip(DoorEvent::SCHEMA) {
        assert_eq!(event.event_type(), schema.event_type);
    }
}
