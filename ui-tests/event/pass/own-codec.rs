//! A custom codec, named by its path.

#![deny(warnings)]

use eventlogs::Event;

mod formats {
    use eventlogs::codec::{Codec, CodecError, CodecId};
    use serde::{Serialize, de::DeserializeOwned};

    pub struct Pretty;

    impl Codec for Pretty {
        const ID: CodecId = CodecId::custom(100);

        fn encode<T: Serialize + ?Sized>(value: &T, buffer: &mut Vec<u8>) -> Result<(), CodecError> {
            Ok(serde_json::to_writer_pretty(buffer, value)?)
        }

        fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
            Ok(serde_json::from_slice(bytes)?)
        }
    }
}

#[derive(Event)]
#[event(codec = formats::Pretty)]
pub enum DoorEvent {
    Opened,
}

fn main() {
    assert_eq!(DoorEvent::Opened.event_type().name, "Opened");
}
