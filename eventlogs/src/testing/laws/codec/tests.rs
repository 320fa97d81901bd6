//! The codecs of this crate obey the laws; codecs that lose something break them.

use super::*;
use crate::codec::{CodecError, CodecId};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Uses JSON as a first attempt would.
struct BareJson;

impl Codec for BareJson {
    const ID: CodecId = CodecId::custom(200);

    fn encode<T: Serialize + ?Sized>(value: &T, buffer: &mut Vec<u8>) -> Result<(), CodecError> {
        Ok(serde_json::to_writer(buffer, value)?)
    }

    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
        Ok(serde_json::from_slice(bytes)?)
    }
}

/// Refuses everything.
struct Nothing;

impl Codec for Nothing {
    const ID: CodecId = CodecId::custom(201);

    fn encode<T: Serialize + ?Sized>(_: &T, _: &mut Vec<u8>) -> Result<(), CodecError> {
        Err("no".into())
    }

    fn decode<T: DeserializeOwned>(_: &[u8]) -> Result<T, CodecError> {
        Err("no".into())
    }
}

/// Returns the message of a broken law.
fn said(law: fn()) -> String {
    let broken = std::panic::catch_unwind(law).expect_err("the law is broken");
    *broken.downcast().expect("the message is a string")
}

#[test]
fn a_codec_that_loses_something_breaks_the_law() {
    let message = said(codec_brings_back_what_it_was_given::<BareJson>);
    assert!(
        message.starts_with("a value is read as another one"),
        "{message}"
    );
}

#[test]
fn a_codec_that_takes_nothing_breaks_the_law() {
    codec_brings_back_what_it_was_given::<Nothing>();
    let message = said(codec_takes_plain_values::<Nothing>);
    assert!(
        message.starts_with("a plain value is refused: no"),
        "{message}"
    );
}

#[test]
fn most_values_are_not_refused_in_json() {
    assert!(refused::<crate::codec::built_in::json::Json>() < 40);
}

#[cfg(feature = "msgpack")]
#[test]
fn most_values_are_not_refused_in_messagepack() {
    assert!(refused::<crate::codec::built_in::msgpack::MsgPack>() < 20);
}

/// Counts how many of 100 values are refused.
fn refused<C: Codec>() -> usize {
    let refused = (0..1_000).filter(|seed| {
        let mut random = fastrand::Rng::with_seed(*seed);
        let shape = Rc::new(generate::shape(&mut random, 4));
        let value = generate::value(&mut random, &shape);
        there_and_back::<C>(&shape, &value).is_err()
    });
    refused.count() / 10
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
    fn any_value_comes_back_from_json_or_is_refused(seed: u64, size in 1..60_usize) {
        prop_assert_eq!(try_one::<crate::codec::built_in::json::Json>(seed, size), Ok(()));
    }

    #[cfg(feature = "msgpack")]
    #[test]
    fn any_value_comes_back_from_messagepack_or_is_refused(seed: u64, size in 1..60_usize) {
        prop_assert_eq!(try_one::<crate::codec::built_in::msgpack::MsgPack>(seed, size), Ok(()));
    }
}
