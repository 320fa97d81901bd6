//! States that are read back, states that are refused, and states of another shape.

mod shapes;
mod values;

use super::*;
use crate::caches::snapshot::format::tag;
use proptest::collection::vec;
use proptest::prelude::*;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::{HashMap, HashSet};
use std::fmt;
use values::Value;

fn comes_back<T: Serialize + DeserializeOwned + PartialEq + fmt::Debug>(state: &T) {
    let taken = take(state, usize::MAX).unwrap_or_else(|error| panic!("{state:?}: {error:?}"));
    let restored = restore::<T>(&taken.bytes, taken.shape);
    assert_eq!(
        &restored.unwrap_or_else(|error| panic!("{state:?}: {error:?}")),
        state
    );
}

fn is_refused<T: Serialize + DeserializeOwned>(state: &T) -> SnapshotError {
    take(state, usize::MAX)
        .err()
        .expect("it would come back as something else")
}

proptest! {
    #[test]
    fn any_value_comes_back(value in values::any_value()) {
        comes_back(&value);
    }

    #[test]
    fn what_is_ambiguous_comes_back_or_is_refused(value in values::ambiguous()) {
        if let Ok(taken) = take(&value, usize::MAX) {
            prop_assert_eq!(restore::<values::Ambiguous>(&taken.bytes, taken.shape).unwrap(), value);
        }
    }

    #[test]
    fn no_bytes_are_anything_but_a_misfit(bytes in vec(any::<u8>(), 0..200), shape in any::<u64>()) {
        prop_assert!(restore::<Value>(&bytes, shape).is_err());
    }

    #[test]
    fn changed_bytes_are_at_worst_another_value(
        value in values::any_value(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut taken = take(&value, usize::MAX).unwrap();
        let place = place.index(taken.bytes.len());
        taken.bytes[place] = byte;
        // It must end, without a panic, and without memory for more than there is.
        let _ = restore::<Value>(&taken.bytes, taken.shape);
    }
}

#[test]
fn options_are_told_apart_at_every_depth() {
    type Deep = Option<Option<Option<u8>>>;
    let all: [Deep; 4] = [None, Some(None), Some(Some(None)), Some(Some(Some(7)))];
    for deep in all {
        comes_back(&deep);
        comes_back(&vec![deep, None, deep]);
        comes_back(&HashMap::from([(1, deep), (2, Some(None))]));
        comes_back(&(deep, Some(deep), [deep]));
    }
    for nothing in [None, Some(())] {
        comes_back(&nothing);
        comes_back(&Some(nothing));
    }
    comes_back(&serde_json::json!({"a": null, "b": [1, -1, 1.5, "x", {}, []]}));
}

#[test]
fn floats_come_back_bit_by_bit() {
    for bits in [0, 1, 1 << 63, 0x7ff8_0000_0000_0001, 0xfff0_0000_0000_0000] {
        let taken = take(&f64::from_bits(bits), usize::MAX).unwrap();
        let restored: f64 = restore(&taken.bytes, taken.shape).unwrap();
        assert_eq!(restored.to_bits(), bits);
    }
}

#[test]
fn sets_and_maps_may_change_their_order() {
    let many = 0..1000_u32;
    comes_back(&many.clone().collect::<HashSet<_>>());
    comes_back(
        &many
            .clone()
            .map(|n| (n, n.to_string()))
            .collect::<HashMap<_, _>>(),
    );
    comes_back(&vec![many.collect::<HashSet<_>>(); 3]);
}

#[test]
fn a_type_is_written_with_its_names_once() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct LineOfAnOrder {
        price_in_cents: u64,
        article_number: u64,
    }
    let lines = |count| -> Vec<_> {
        (0..count)
            .map(|number| LineOfAnOrder {
                price_in_cents: number,
                article_number: 1,
            })
            .collect()
    };
    comes_back(&lines(100));
    let length = |count| take(&lines(count), usize::MAX).unwrap().bytes.len();
    assert_eq!(length(100) - length(99), 11);
}

#[derive(Serialize, Deserialize)]
struct Lossy {
    kept: u8,
    #[serde(skip_deserializing)]
    lost: u8,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Wide {
    Number(u128),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Name {
    Text(String),
    Known(Known),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Known {
    One,
}

/// A linked list: each element is one level deeper.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Chain(Option<Box<Chain>>);

fn chain(length: usize) -> Chain {
    (0..length).fold(Chain(None), |chain, _| Chain(Some(Box::new(chain))))
}

#[test]
fn what_does_not_come_back_is_not_taken() {
    let lossy = Lossy { kept: 1, lost: 2 };
    assert!(matches!(is_refused(&lossy), SnapshotError::Changed));
    assert!(
        take(&Lossy { lost: 0, ..lossy }, 1000).is_ok(),
        "it was not needed"
    );
    // Serde's own buffer for an untagged type has no such numbers.
    assert!(matches!(
        is_refused(&Wide::Number(1)),
        SnapshotError::NotRead(_)
    ));
    comes_back(&Name::Text("One".to_owned()));
    assert!(matches!(
        is_refused(&Name::Known(Known::One)),
        SnapshotError::Changed
    ));
    comes_back(&chain(50));
    assert!(matches!(
        is_refused(&chain(2_000)),
        SnapshotError::NotWritten(_)
    ));
}

#[test]
fn types_that_panic_are_refused() {
    #[derive(Debug)]
    struct Even(u8);

    impl Serialize for Even {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            assert_ne!(self.0, 100, "a number that nobody writes");
            self.0.serialize(serializer)
        }
    }

    impl<'de> Deserialize<'de> for Even {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let number = u8::deserialize(deserializer)?;
            assert_eq!(number % 2, 0, "an odd number");
            Ok(Self(number))
        }
    }

    let even = take(&Even(2), 100).unwrap();
    assert_eq!(restore::<Even>(&even.bytes, even.shape).unwrap().0, 2);
    assert!(matches!(is_refused(&Even(100)), SnapshotError::Panicked));
    assert!(matches!(is_refused(&Even(1)), SnapshotError::Panicked));
    let odd = take(&1_u8, 100).unwrap();
    assert!(matches!(
        restore::<Even>(&odd.bytes, odd.shape),
        Err(SnapshotError::Panicked)
    ));
}

#[test]
fn bytes_cannot_ask_for_more_stack_or_memory_than_they_pay_for() {
    for tag in [tag::SOME, tag::NEWTYPE_VARIANT] {
        assert!(restore::<Chain>(&vec![tag; 1_000_000], 0).is_err());
    }
    let mut nested = Vec::new();
    for _ in 0..100_000 {
        nested.extend_from_slice(&[tag::SEQ, 1, 0, 0, 0]);
    }
    assert!(restore::<serde_json::Value>(&nested, 0).is_err());
    let huge = [tag::SEQ, 0xff, 0xff, 0xff, 0xff, tag::U8, 1];
    assert!(restore::<Vec<[u64; 32]>>(&huge, 0).is_err());
}
