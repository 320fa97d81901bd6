use crate::codec::exact::exact_in_msgpack;
use crate::codec::{Codec, CodecError, CodecId};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// MessagePack with field names: smaller and faster than JSON, and as tolerant of added and reordered fields.
///
/// [`Codec`](Codec#what-cannot-be-stored) lists the values that it refuses.
#[derive(Debug, Clone, Copy)]
pub struct MsgPack;

impl Codec for MsgPack {
    const ID: CodecId = CodecId::MSGPACK;

    fn encode<T: Serialize + ?Sized>(value: &T, buffer: &mut Vec<u8>) -> Result<(), CodecError> {
        Ok(rmp_serde::encode::write_named(
            buffer,
            &exact_in_msgpack(value),
        )?)
    }

    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
        let mut rest = bytes;
        let value = T::deserialize(&mut rmp_serde::Deserializer::new(&mut rest))?;
        // The library stops after the first value; more bytes mean that the row was damaged or mixed up.
        if !rest.is_empty() {
            return Err("more bytes follow the end of the payload".into());
        }
        Ok(value)
    }
}
