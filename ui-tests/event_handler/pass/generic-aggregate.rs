//! Type parameters of the aggregate, with bounds in the user's choice of places, and of the events.

#![deny(warnings)]

use eventlogs::{Aggregate, Event, event_handler};

pub trait Item: Clone {
    fn price(&self) -> u64;
}

#[derive(Event)]
pub enum CartEvent<I> {
    #[event(name = "cart.filled")]
    Filled { item: I, times: u32 },
    #[event(name = "cart.swapped")]
    Swapped(I, I),
    #[event(name = "cart.emptied")]
    Emptied,
}

#[derive(Default, Clone, Aggregate)]
#[aggregate(event = CartEvent<I>, cache(min_events = 2))]
pub struct Cart<I: Item> {
    items: Vec<I>,
    total: u64,
}

#[event_handler(CartEvent<I>)]
impl<I> Cart<I>
where
    I: Item,
{
    #[on(Filled)]
    fn fill(&mut self, item: I, times: u32) {
        self.total += item.price() * u64::from(times);
        self.items.push(item);
    }

    #[on(Swapped(old, new))]
    fn swap(&mut self, old: &I, new: &I) {
        self.total = self.total + new.price() - old.price();
    }

    #[on(Emptied)]
    fn clear(&mut self) {
        self.items.clear();
        self.total = 0;
    }
}

#[derive(Default, Clone, serde::Serialize, serde::Deserialize)]
pub struct Book;

impl Item for Book {
    fn price(&self) -> u64 {
        12
    }
}

/// Parameters that only some variants use, with bounds between them and constants.
#[derive(Event)]
pub enum PairEvent<L: PartialEq<R> + Clone, R, const N: usize>
where
    R: From<u8>,
    Vec<L>: Clone,
{
    Left(L),
    Right { value: R, count: Count<N> },
    Neither,
}

#[derive(serde::Serialize, serde::Deserialize)]
pub struct Count<const N: usize>;

fn needs_aggregate<A: Aggregate>() -> &'static str {
    A::name()
}

fn needs_event<E: Event>() -> usize {
    E::SCHEMA.len()
}

fn main() {
    assert_eq!(needs_aggregate::<Cart<Book>>(), "Cart");
    assert_eq!(needs_event::<CartEvent<Book>>(), 3);
    assert_eq!(needs_event::<PairEvent<u8, u8, 4>>(), 3);
    let cart = Cart::<Book>::default();
    assert_eq!(cart.total + cart.items.len() as u64, 0);
}
