use crate::codec::exact::exact_in_json;
use crate::codec::{Codec, CodecError, CodecId};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// JSON: readable in every database shell, the default of `derive(Event)`.
///
/// Numbers are read back bit for bit. [`Codec`](Codec#what-cannot-be-stored) lists the values that it refuses.
#[derive(Debug, Clone, Copy)]
pub struct Json;

impl Codec for Json {
    const ID: CodecId = CodecId::JSON;

    fn encode<T: Serialize + ?Sized>(value: &T, buffer: &mut Vec<u8>) -> Result<(), CodecError> {
        Ok(serde_json::to_writer(buffer, &exact_in_json(value))?)
    }

    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
        Ok(serde_json::from_slice(bytes)?)
    }
}
