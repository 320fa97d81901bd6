//! A state is not read by types that differ from those that wrote it. This includes nested types, which no macro sees.

use crate::caches::snapshot::{SnapshotError, restore, take};
use crate::ids::LogId;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Defines aggregates that differ only in the type of a part.
macro_rules! order {
    ($($module:ident { $($line:tt)* } $value:expr;)*) => {$(
        mod $module {
            use super::*;

            #[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
            $($line)*

            #[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
            pub(super) struct Order {
                id: LogId,
                at: DateTime<Utc>,
                pub(super) lines: Vec<Line>,
                note: Option<String>,
            }

            #[allow(dead_code, reason = "not each is a writer")]
            pub(super) fn order() -> Order {
                Order { lines: vec![$value, $value], ..Order::default() }
            }
        }
    )*};
}

order! {
    price { pub(super) struct Line { price: u64 } } Line { price: 1 };
    same_price { pub(super) struct Line { price: u64 } } Line { price: 1 };
    cost { pub(super) struct Line { cost: u64 } } Line { cost: 1 };
    cost_as_well { pub(super) struct Line { #[serde(alias = "price")] cost: u64 } } Line { cost: 1 };
    signed { pub(super) struct Line { price: i64 } } Line { price: 1 };
    renamed { pub(super) struct Position { price: u64 } pub(super) type Line = Position; } Line { price: 1 };
    discounted { pub(super) struct Line { price: u64, #[serde(default)] discount: u64 } } Line { price: 1, discount: 0 };
    maybe_discounted {
        pub(super) struct Line { price: u64, #[serde(default, skip_serializing_if = "Option::is_none")] discount: Option<u64> }
    } Line { price: 1, discount: None };
    two_variants { pub(super) enum Line { #[default] Goods, Service } } Line::Goods;
    three_variants { pub(super) enum Line { #[default] Goods, Service, Discount } } Line::Goods;
    hours { pub(super) enum Line { #[default] Goods, Service { hours: u32 } } } Line::Service { hours: 1 };
    minutes { pub(super) enum Line { #[default] Goods, Service { minutes: u32 } } } Line::Service { minutes: 1 };
    flat { pub(super) struct Line { #[serde(flatten)] price: Price } } Line { price: Price { price: 1 } };
    flat_discounted {
        pub(super) struct Line { #[serde(flatten)] price: DiscountedPrice }
    } Line { price: DiscountedPrice { price: 1, discount: 0 } };
    number { pub(super) struct Line(u64); } Line(1);
    text { pub(super) struct Line(String); } Line("1".to_owned());
}

#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
struct Price {
    price: u64,
}

#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
struct DiscountedPrice {
    price: u64,
    #[serde(default)]
    discount: u64,
}

/// Returns `true` if a state that one type wrote is read by another type.
fn reads<T: Serialize + DeserializeOwned, U: Serialize + DeserializeOwned>(written: &T) -> bool {
    let taken = take(written, usize::MAX).expect("its own type reads it");
    restore::<U>(&taken.bytes, taken.shape).is_ok()
}

/// Asserts that neither type reads what the other one wrote, and that each reads its own.
macro_rules! differ {
    ($($one:ident and $other:ident;)*) => {$({
        assert!(reads::<_, $one::Order>(&$one::order()));
        assert!(reads::<_, $other::Order>(&$other::order()));
        assert!(!reads::<_, $other::Order>(&$one::order()), concat!(stringify!($one), " as ", stringify!($other)));
        assert!(!reads::<_, $one::Order>(&$other::order()), concat!(stringify!($other), " as ", stringify!($one)));
    })*};
}

#[test]
fn a_change_in_a_nested_type_is_another_state() {
    differ! {
        price and cost;
        price and cost_as_well;
        price and signed;
        price and renamed;
        price and discounted;
        price and maybe_discounted;
        two_variants and three_variants;
        hours and minutes;
        flat and flat_discounted;
        flat and price;
        number and text;
    }
}

#[test]
fn the_same_types_read_each_other() {
    assert!(reads::<_, same_price::Order>(&price::order()));
    // Fixed indefinitely and on all platforms: entries of running services are found by it.
    let taken = take(&price::order().lines, usize::MAX).unwrap();
    assert_eq!(taken.shape, 15_936_826_470_258_009_163);
}

#[test]
fn the_shape_is_said_where_it_is_the_reason() {
    let taken = take(&two_variants::order(), usize::MAX).unwrap();
    assert!(matches!(
        restore::<three_variants::Order>(&taken.bytes, taken.shape),
        Err(SnapshotError::Shape)
    ));
}
