//! Generates shapes and values.

use crate::testing::laws::codec::shape::{FIELDS, Shape, VARIANTS, Variant};
use crate::testing::laws::codec::value::{Content, Entries, Float32, Float64, Value};
use fastrand::Rng;

/// Generates a shape that consists of at most this many.
pub(super) fn shape(random: &mut Rng, size: usize) -> Shape {
    if size <= 1 {
        return leaf(random);
    }
    let rest = size - 1;
    match random.u8(0..12) {
        // Formats lose the most in options.
        0..=2 => Shape::Option(Box::new(shape(random, rest))),
        3 | 4 => Shape::Newtype(Box::new(shape(random, rest))),
        5 => Shape::Seq(Box::new(shape(random, rest))),
        6 => Shape::Tuple(parts(random, rest)),
        7 => Shape::TupleStruct(parts(random, rest)),
        8 => Shape::Struct(parts(random, rest)),
        9 => Shape::Map(Box::new(key(random)), Box::new(shape(random, rest))),
        10 => Shape::Enum(variants(random, rest)),
        _ => leaf(random),
    }
}

fn leaf(random: &mut Rng) -> Shape {
    match random.u8(0..18) {
        0 => Shape::Unit,
        1 => Shape::Bool,
        2 => Shape::I8,
        3 => Shape::I16,
        4 => Shape::I32,
        5 => Shape::I64,
        6 => Shape::I128,
        7 => Shape::U8,
        8 => Shape::U16,
        9 => Shape::U32,
        10 => Shape::U64,
        11 => Shape::U128,
        12 => Shape::F32,
        13 => Shape::F64,
        14 => Shape::Char,
        15 => Shape::Text,
        16 => Shape::Bytes,
        _ => Shape::UnitStruct,
    }
}

/// Generates the shape of a map's keys. A format refuses the keys that it does not have.
fn key(random: &mut Rng) -> Shape {
    match random.u8(0..8) {
        0..=2 => Shape::Text,
        3 => Shape::Option(Box::new(leaf(random))),
        4 => Shape::Newtype(Box::new(leaf(random))),
        5 => Shape::Enum(vec![Variant::Unit, Variant::Unit]),
        _ => leaf(random),
    }
}

/// Generates several shapes that together consist of this many.
fn parts(random: &mut Rng, size: usize) -> Vec<Shape> {
    let count = random.usize(1..=FIELDS.len());
    (0..count)
        .map(|_| shape(random, size.div_ceil(count)))
        .collect()
}

fn variants(random: &mut Rng, size: usize) -> Vec<Variant> {
    let count = random.usize(1..=VARIANTS.len());
    let size = size.div_ceil(count);
    (0..count)
        .map(|_| match random.u8(0..4) {
            0 => Variant::Unit,
            1 => Variant::Newtype(shape(random, size)),
            2 => Variant::Tuple(parts(random, size)),
            _ => Variant::Struct(parts(random, size)),
        })
        .collect()
}

/// Generates an integer: an end of its range, a neighbour of zero, or any.
macro_rules! integer {
    ($random:ident, $type:ident) => {
        match $random.u8(0..6) {
            0 => $type::MIN,
            1 => $type::MAX,
            2 => 0,
            3 => 1,
            _ => $random.$type(..),
        }
    };
}

/// Generates a value of this shape.
pub(super) fn value(random: &mut Rng, shape: &Shape) -> Value {
    match shape {
        Shape::Unit => Value::Unit,
        Shape::Bool => Value::Bool(random.bool()),
        Shape::I8 => Value::I8(integer!(random, i8)),
        Shape::I16 => Value::I16(integer!(random, i16)),
        Shape::I32 => Value::I32(integer!(random, i32)),
        Shape::I64 => Value::I64(integer!(random, i64)),
        Shape::I128 => Value::I128(integer!(random, i128)),
        Shape::U8 => Value::U8(integer!(random, u8)),
        Shape::U16 => Value::U16(integer!(random, u16)),
        Shape::U32 => Value::U32(integer!(random, u32)),
        Shape::U64 => Value::U64(integer!(random, u64)),
        Shape::U128 => Value::U128(integer!(random, u128)),
        Shape::F32 => Value::F32(Float32(float32(random))),
        Shape::F64 => Value::F64(Float64(float64(random))),
        Shape::Char => Value::Char(character(random)),
        Shape::Text => Value::Text(text(random)),
        Shape::Bytes => {
            let length = random.usize(0..4);
            Value::Bytes((0..length).map(|_| random.u8(..)).collect())
        }
        Shape::UnitStruct => Value::UnitStruct,
        Shape::Option(shape) => match random.u8(0..3) {
            0 => Value::None,
            _ => Value::Some(Box::new(value(random, shape))),
        },
        Shape::Newtype(shape) => Value::Newtype(Box::new(value(random, shape))),
        Shape::Seq(shape) => {
            let length = random.usize(0..4);
            Value::Seq((0..length).map(|_| value(random, shape)).collect())
        }
        Shape::Tuple(shapes) => Value::Tuple(values(random, shapes)),
        Shape::TupleStruct(shapes) => Value::TupleStruct(values(random, shapes)),
        Shape::Struct(shapes) => Value::Struct(values(random, shapes)),
        Shape::Map(key, of) => {
            let mut entries: Vec<(Value, Value)> = Vec::new();
            for _ in 0..random.usize(0..4) {
                let key = value(random, key);
                if entries.iter().all(|(other, _)| *other != key) {
                    entries.push((key, value(random, of)));
                }
            }
            Value::Map(Entries(entries))
        }
        Shape::Enum(variants) => {
            let index = random.usize(0..variants.len());
            let content = match &variants[index] {
                Variant::Unit => Content::Unit,
                Variant::Newtype(shape) => Content::Newtype(Box::new(value(random, shape))),
                Variant::Tuple(shapes) => Content::Tuple(values(random, shapes)),
                Variant::Struct(shapes) => Content::Struct(values(random, shapes)),
            };
            Value::Variant(u32::try_from(index).unwrap_or(u32::MAX), content)
        }
    }
}

fn values(random: &mut Rng, shapes: &[Shape]) -> Vec<Value> {
    shapes.iter().map(|shape| value(random, shape)).collect()
}

fn float32(random: &mut Rng) -> f32 {
    match random.u8(0..10) {
        0 => -0.0,
        1 => f32::NAN,
        2 => f32::INFINITY,
        3 => f32::MIN_POSITIVE / 4.0,
        4 => f32::MAX,
        5 => random.f32(),
        _ => f32::from_bits(random.u32(..)),
    }
}

fn float64(random: &mut Rng) -> f64 {
    match random.u8(0..12) {
        0 => -0.0,
        1 => f64::NAN,
        2 => f64::NEG_INFINITY,
        3 => f64::MIN_POSITIVE / 4.0,
        4 => f64::MAX,
        5 => 9_007_199_254_740_991.0,
        6..=8 => random.f64(),
        _ => f64::from_bits(random.u64(..)),
    }
}

fn character(random: &mut Rng) -> char {
    match random.u8(0..4) {
        0 => '\0',
        1 => '"',
        _ => random.char(..),
    }
}

fn text(random: &mut Rng) -> String {
    match random.u8(0..8) {
        0 => String::new(),
        1 => "null".to_owned(),
        2 => "1.0".to_owned(),
        3 => "$serde_json::private::Number".to_owned(),
        _ => {
            let length = random.usize(0..5);
            (0..length).map(|_| character(random)).collect()
        }
    }
}
