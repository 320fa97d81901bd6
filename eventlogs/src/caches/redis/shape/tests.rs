//! What changes a shape and what does not.

use super::shape;
use crate::ids::LogId;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use std::collections::BTreeMap;

/// An aggregate of which only a type that it holds differs.
macro_rules! order {
    ($module:ident, $line:item) => {
        #[allow(dead_code, reason = "only the shapes are looked at")]
        mod $module {
            use super::*;

            #[derive(Deserialize)]
            $line

            #[derive(Deserialize)]
            pub(super) struct Order {
                id: LogId,
                at: DateTime<Utc>,
                lines: Vec<Line>,
                note: Option<String>,
            }
        }
    };
}

order!(
    price,
    struct Line {
        price: u64,
    }
);
order!(
    cost,
    struct Line {
        cost: u64,
    }
);
order!(
    signed,
    struct Line {
        price: i64,
    }
);
order!(
    same_price,
    struct Line {
        price: u64,
    }
);
order!(
    two_variants,
    enum Line {
        Goods,
        Service,
    }
);
order!(
    three_variants,
    enum Line {
        Goods,
        Service,
        Discount,
    }
);
order!(
    hours,
    enum Line {
        Goods(u64),
        Service { hours: u32 },
    }
);
order!(
    minutes,
    enum Line {
        Goods(u64),
        Service { minutes: u32 },
    }
);

#[test]
fn a_change_in_a_nested_type_changes_the_shape() {
    assert_ne!(shape::<price::Order>(), shape::<cost::Order>());
    assert_ne!(shape::<signed::Order>(), shape::<price::Order>());
    assert_ne!(
        shape::<two_variants::Order>(),
        shape::<three_variants::Order>()
    );
    assert_ne!(shape::<hours::Order>(), shape::<minutes::Order>());
}

#[test]
fn the_same_type_has_the_same_shape() {
    assert_eq!(shape::<price::Order>(), shape::<price::Order>());
    assert_eq!(shape::<price::Order>(), shape::<same_price::Order>());
    // For ever and everywhere: entries of running services are found by it.
    assert_eq!(
        shape::<BTreeMap<String, Vec<u64>>>(),
        1_542_524_211_819_036_137
    );
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its shape is looked at")]
enum Expression {
    Number(i64),
    Sum(Box<Expression>, Box<Expression>),
    Call {
        name: String,
        arguments: Vec<Expression>,
    },
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its shape is looked at")]
struct Endless {
    inner: Box<Endless>,
}

#[derive(Debug)]
struct Picky;

impl<'de> Deserialize<'de> for Picky {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?;
        Err(serde::de::Error::custom("nothing is good enough"))
    }
}

#[test]
fn types_without_an_end_and_types_that_accept_nothing_have_a_shape() {
    let shapes = [shape::<Expression>(), shape::<Endless>(), shape::<Picky>()];
    assert_ne!(shapes[0], shapes[1]);
    assert_ne!(shapes[1], shapes[2]);
}
