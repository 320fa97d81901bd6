//! The laws of codecs.

mod generate;
mod read;
mod shape;
#[cfg(test)]
mod tests;
mod value;

use super::with_sources;
use crate::codec::Codec;
use read::{Sample, expecting};
use shape::{Shape, Variant};
use std::rc::Rc;
use value::{Content, Value};

/// How large the values become: of how many shapes they are made at the most.
const LARGEST: usize = 24;
/// How many values there are of each size.
const TRIES: u64 = 200;

/// Values of every shape that serde knows come back bit for bit, or are refused.
///
/// Some thousand values are made up: numbers of all kinds with their extremes, texts, bytes, options of options, sequences,
/// tuples, maps, structs and enums, within one another to some depth. They are the same ones in every run, small ones first.
/// What the codec does not encode, or does not decode, is refused, as a store does it: that is no fault. What is decoded as
/// another value is one.
///
/// ```
/// use eventlogs::codec::Json;
/// use eventlogs::testing::laws;
///
/// laws::codec_brings_back_what_it_was_given::<Json>();
/// ```
#[track_caller]
pub fn codec_brings_back_what_it_was_given<C: Codec>() {
    for size in 1..=LARGEST {
        for seed in 0..TRIES {
            if let Err(broken) = try_one::<C>(seed, size) {
                panic!("{broken}");
            }
        }
    }
}

/// A codec takes what every event is made of, in every variant: a codec that refuses everything would keep all other laws.
///
/// ```
/// use eventlogs::codec::Json;
/// use eventlogs::testing::laws;
///
/// laws::codec_takes_plain_values::<Json>();
/// ```
#[track_caller]
pub fn codec_takes_plain_values<C: Codec>() {
    let kind = Shape::Enum(vec![Variant::Unit, Variant::Newtype(Shape::Text)]);
    let shape = Rc::new(Shape::Struct(vec![
        Shape::Text,
        Shape::U32,
        Shape::Seq(Box::new(Shape::Bool)),
        kind,
    ]));
    let kinds = [
        (0, Content::Unit),
        (1, Content::Newtype(Box::new(Value::Text("two".to_owned())))),
    ];
    for (variant, content) in kinds {
        let value = Value::Struct(vec![
            Value::Text("one".to_owned()),
            Value::U32(1_000_000),
            Value::Seq(vec![Value::Bool(true), Value::Bool(false)]),
            Value::Variant(variant, content),
        ]);
        match there_and_back::<C>(&shape, &value) {
            Ok(read) => assert!(
                read == value,
                "a plain value is read as another one\nwritten: {value:?}\nread:    {read:?}"
            ),
            Err(refused) => panic!("a plain value is refused: {refused}\n{value:?}"),
        }
    }
}

/// Tries the value of this number and size; says what is wrong.
fn try_one<C: Codec>(seed: u64, size: usize) -> Result<(), String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let shape = Rc::new(generate::shape(&mut random, size));
    let value = generate::value(&mut random, &shape);
    match there_and_back::<C>(&shape, &value) {
        Ok(read) if read != value => Err(format!(
            "a value is read as another one; refuse it in `encode`, with `exact_in_json`, say\nwritten: {value:?}\nread:    \
             {read:?}\nshape:   {shape:?}\nseed:    {seed}, of size {size}"
        )),
        _ => Ok(()),
    }
}

/// Encodes a value and decodes it.
#[track_caller]
fn there_and_back<C: Codec>(shape: &Rc<Shape>, value: &Value) -> Result<Value, String> {
    const IN_FRONT: &[u8] = b"in front";
    let mut bytes = IN_FRONT.to_vec();
    C::encode(value, &mut bytes).map_err(|error| with_sources(&*error))?;
    let Some(encoded) = bytes.strip_prefix(IN_FRONT) else {
        panic!("`encode` has changed what was in the buffer; it must append");
    };
    let decoded = expecting(shape, || C::decode::<Sample>(encoded));
    decoded
        .map(|Sample(value)| value)
        .map_err(|error| with_sources(&*error))
}
