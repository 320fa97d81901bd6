//! Laws of codecs.

mod generate;
mod read;
mod shape;
#[cfg(test)]
mod tests;
mod value;

use crate::codec::Codec;
use crate::shared_error::cause;
use read::{Sample, expecting};
use shape::{Shape, Variant};
use std::rc::Rc;
use value::{Content, Value};

/// Largest size of the values: the maximum number of shapes in one value.
const LARGEST: usize = 24;
/// Number of values of each size.
const TRIES: u64 = 200;

/// Values of every shape that serde knows come back bit for bit, or the codec refuses them.
///
/// The law generates some thousand values: numbers of all kinds with their extremes, strings, bytes, options of options,
/// sequences, tuples, maps, structs and enums, nested to some depth. They are equal in every run, and the small ones come
/// first.
///
/// A value that the codec does not encode or decode counts as refused, as in a store; that is allowed. A value that is decoded
/// as another value breaks the law.
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

/// A codec accepts the types that every event is made of, in every kind of variant. A codec that refuses everything would obey
/// all other laws.
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

/// Tries the value of this seed and size; the error is the report of a failure.
fn try_one<C: Codec>(seed: u64, size: usize) -> Result<(), String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let shape = Rc::new(generate::shape(&mut random, size));
    let value = generate::value(&mut random, &shape);
    match there_and_back::<C>(&shape, &value) {
        Ok(read) if read != value => Err(format!(
            "a value is read as another one; refuse it in `encode`, for example with `exact_in_json`\nwritten: {value:?}\n\
             read:    {read:?}\nshape:   {shape:?}\nseed:    {seed}, of size {size}"
        )),
        _ => Ok(()),
    }
}

/// Encodes a value and decodes it.
#[track_caller]
fn there_and_back<C: Codec>(shape: &Rc<Shape>, value: &Value) -> Result<Value, String> {
    const IN_FRONT: &[u8] = b"in front";
    let mut bytes = IN_FRONT.to_vec();
    C::encode(value, &mut bytes).map_err(|error| cause(&*error).to_string())?;
    let Some(encoded) = bytes.strip_prefix(IN_FRONT) else {
        panic!("`encode` has changed what was in the buffer; it must append");
    };
    let decoded = expecting(shape, || C::decode::<Sample>(encoded));
    decoded
        .map(|Sample(value)| value)
        .map_err(|error| cause(&*error).to_string())
}
