use super::{Codec, CodecError, CodecId};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The codec of an enum whose `derive(Event)` reported a mistake. Such code never runs, but it must not cause further errors.
#[derive(Debug)]
pub struct StubCodec;

// No user chooses it, so the compiler must not list it among the codecs.
#[diagnostic::do_not_recommend]
impl Codec for StubCodec {
    const ID: CodecId = CodecId::custom(i16::MAX);

    fn encode<T: Serialize + ?Sized>(_: &T, _: &mut Vec<u8>) -> Result<(), CodecError> {
        Err("the event does not compile".into())
    }

    fn decode<T: DeserializeOwned>(_: &[u8]) -> Result<T, CodecError> {
        Err("the event does not compile".into())
    }
}
