//! Values of every kind that serde knows, nested in one another.

#![expect(
    clippy::option_option,
    reason = "the tests check that the two are distinguished"
)]

use proptest::collection::{btree_map, hash_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeMap, HashMap};
use std::fmt;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Value {
    Unit,
    UnitInside(()),
    Bool(bool),
    Signed(i8, i16, i32, i64, i128),
    Unsigned(u8, u16, u32, u64, u128),
    Single(Single),
    Double(Double),
    Char(char),
    Text(String),
    Bytes(Bytes),
    Maybe(Option<Box<Value>>),
    Twice(Option<Option<Box<Value>>>),
    Nothing(Option<()>),
    List(Vec<Value>),
    Sorted(BTreeMap<String, Value>),
    Unsorted(HashMap<u16, Option<Value>>),
    Pair(Box<(Value, Option<Value>)>),
    Fields {
        first: Option<Option<u8>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        second: Option<Box<Value>>,
    },
    Wrapped(Wrapped),
    Tuple(TupleStruct),
    Empty(Empty),
    UnitStruct(UnitStruct),
    Flat(Flat),
    Untagged(Untagged),
    Internal(Internal),
    Adjacent(Adjacent),
}

/// Compared bit by bit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Single(f32);

impl PartialEq for Single {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

/// Compared bit by bit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Double(f64);

impl PartialEq for Double {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bytes(Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Bytes;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
        }
        deserializer.deserialize_byte_buf(Visitor)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Wrapped(Option<Box<Value>>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct TupleStruct(Option<Option<char>>, Box<Value>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Empty {}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct UnitStruct;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Flat {
    id: u32,
    #[serde(flatten)]
    inner: Inner,
    #[serde(flatten)]
    rest: BTreeMap<String, Option<Option<i64>>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Inner {
    note: Option<Option<String>>,
    level: Level,
    wide: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Level {
    Low,
    Exactly(Option<u8>),
    Between(i8, i8),
    Of { all: Option<()> },
}

/// Each variant reads what it wrote, and no variant before it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Untagged {
    Named { named: Option<Option<u8>> },
    Flag(bool),
    Float(Double),
    Listed(Vec<Level>),
    Character(char),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub(super) enum Internal {
    Unit,
    Fields { deep: Option<Option<u8>>, wide: i64 },
    Newtype(Inner),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t", content = "c")]
pub(super) enum Adjacent {
    Unit,
    Newtype(Option<Option<u8>>),
    Tuple(u8, Option<()>),
    Fields { wide: u128 },
}

/// Variants that are written alike, or nearly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Ambiguous {
    Unsigned(u64),
    Signed(i64),
    Text(String),
    Level(Level),
    Character(char),
    Maybe(Option<u64>),
    Deep(Option<Option<u64>>),
    Pair(u8, u8),
    List(Vec<u8>),
    Bytes(Bytes),
    Wide(u128),
}

fn level() -> impl Strategy<Value = Level> {
    prop_oneof![
        Just(Level::Low),
        any::<Option<u8>>().prop_map(Level::Exactly),
        any::<(i8, i8)>().prop_map(|(low, high)| Level::Between(low, high)),
        any::<Option<()>>().prop_map(|all| Level::Of { all }),
    ]
}

fn inner() -> impl Strategy<Value = Inner> {
    (of(of(any::<String>())), level(), any::<u64>()).prop_map(|(note, level, wide)| Inner {
        note,
        level,
        wide,
    })
}

fn flat() -> impl Strategy<Value = Flat> {
    // Keys that no field has.
    let rest = btree_map("x[a-z]{0,3}", of(of(any::<i64>())), 0..3);
    (any::<u32>(), inner(), rest).prop_map(|(id, inner, rest)| Flat { id, inner, rest })
}

fn double() -> impl Strategy<Value = Double> {
    any::<u64>().prop_map(|bits| Double(f64::from_bits(bits)))
}

fn untagged() -> impl Strategy<Value = Untagged> {
    prop_oneof![
        of(of(any::<u8>())).prop_map(|named| Untagged::Named { named }),
        any::<bool>().prop_map(Untagged::Flag),
        double().prop_map(Untagged::Float),
        vec(level(), 0..3).prop_map(Untagged::Listed),
        any::<char>().prop_map(Untagged::Character),
    ]
}

fn internal() -> impl Strategy<Value = Internal> {
    prop_oneof![
        Just(Internal::Unit),
        (of(of(any::<u8>())), any::<i64>())
            .prop_map(|(deep, wide)| Internal::Fields { deep, wide }),
        inner().prop_map(Internal::Newtype),
    ]
}

fn adjacent() -> impl Strategy<Value = Adjacent> {
    prop_oneof![
        Just(Adjacent::Unit),
        of(of(any::<u8>())).prop_map(Adjacent::Newtype),
        any::<(u8, Option<()>)>().prop_map(|(number, unit)| Adjacent::Tuple(number, unit)),
        any::<u128>().prop_map(|wide| Adjacent::Fields { wide }),
    ]
}

pub(super) fn ambiguous() -> impl Strategy<Value = Ambiguous> {
    prop_oneof![
        any::<u64>().prop_map(Ambiguous::Unsigned),
        any::<i64>().prop_map(Ambiguous::Signed),
        any::<String>().prop_map(Ambiguous::Text),
        level().prop_map(Ambiguous::Level),
        any::<char>().prop_map(Ambiguous::Character),
        of(any::<u64>()).prop_map(Ambiguous::Maybe),
        // `None` is written as the `None` of the other variant: no reader could distinguish them.
        of(any::<u64>()).prop_map(|inner| Ambiguous::Deep(Some(inner))),
        any::<(u8, u8)>().prop_map(|(one, other)| Ambiguous::Pair(one, other)),
        vec(any::<u8>(), 0..3).prop_map(Ambiguous::List),
        vec(any::<u8>(), 0..3).prop_map(|bytes| Ambiguous::Bytes(Bytes(bytes))),
        any::<u128>().prop_map(Ambiguous::Wide),
    ]
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Unit),
        Just(Value::UnitInside(())),
        any::<bool>().prop_map(Value::Bool),
        any::<(i8, i16, i32, i64, i128)>().prop_map(|(a, b, c, d, e)| Value::Signed(a, b, c, d, e)),
        any::<(u8, u16, u32, u64, u128)>()
            .prop_map(|(a, b, c, d, e)| Value::Unsigned(a, b, c, d, e)),
        any::<u32>().prop_map(|bits| Value::Single(Single(f32::from_bits(bits)))),
        double().prop_map(Value::Double),
        any::<char>().prop_map(Value::Char),
        any::<String>().prop_map(Value::Text),
        vec(any::<u8>(), 0..9).prop_map(|bytes| Value::Bytes(Bytes(bytes))),
        any::<Option<()>>().prop_map(Value::Nothing),
        Just(Value::Empty(Empty {})),
        Just(Value::UnitStruct(UnitStruct)),
        flat().prop_map(Value::Flat),
        untagged().prop_map(Value::Untagged),
        internal().prop_map(Value::Internal),
        adjacent().prop_map(Value::Adjacent),
    ]
}

pub(super) fn any_value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(5, 40, 4, |value| {
        let boxed = value.clone().prop_map(Box::new);
        prop_oneof![
            of(boxed.clone()).prop_map(Value::Maybe),
            of(of(boxed.clone())).prop_map(Value::Twice),
            vec(value.clone(), 0..4).prop_map(Value::List),
            btree_map(any::<String>(), value.clone(), 0..4).prop_map(Value::Sorted),
            hash_map(any::<u16>(), of(value.clone()), 0..4).prop_map(Value::Unsorted),
            (value.clone(), of(value)).prop_map(|pair| Value::Pair(Box::new(pair))),
            (of(of(any::<u8>())), of(boxed.clone()))
                .prop_map(|(first, second)| Value::Fields { first, second }),
            of(boxed.clone()).prop_map(|inner| Value::Wrapped(Wrapped(inner))),
            (of(of(any::<char>())), boxed)
                .prop_map(|(first, second)| Value::Tuple(TupleStruct(first, second))),
        ]
    })
}
