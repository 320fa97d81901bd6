#![allow(unused_variables)]

use eventlogs::{Event, Projection};

#[derive(Event)]
pub enum PaymentEvent {
    #[event(name = "payment.captured")]
    Captured,
}

#[derive(Projection)]
#[projection(name = "a", events("PaymentEvent"), database = elsewhere)]
pub struct Quoted;

#[derive(Projection)]
#[projection(name = "a", events(&PaymentEvent), database = elsewhere)]
pub struct Borrowed;

#[derive(Projection)]
#[projection("a", PaymentEvent, db = elsewhere)]
pub struct WithoutKeys;

#[derive(Projection)]
#[projection(name = "a", events(PaymentEvent by = key), database = postgres, table = "a")]
#[derive(Debug, Default, Clone, serde::Serialize, serde::Deserialize)]
pub struct Assigned {
    #[key]
    id: u64,
}

fn main() {}
