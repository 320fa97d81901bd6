//! Type parameters of the projection, and of its events and its context.

#![deny(warnings)]

use eventlogs::{Event, EventRecord, FeedEvent, HandlerError, Projection, event_handler};
use std::marker::PhantomData;

pub trait Item: Clone + Send + Sync + 'static {
    fn price(&self) -> u64;
}

#[derive(Event)]
pub enum CartEvent<I> {
    #[event(name = "cart.filled")]
    Filled { item: I, times: u32 },
    #[event(name = "cart.emptied")]
    Emptied,
}

#[derive(Event)]
pub enum OrderEvent {
    #[event(name = "order.placed")]
    Placed,
}

#[derive(Projection)]
#[projection(name = "carts", events(CartEvent<I>, OrderEvent), database = elsewhere)]
pub struct Carts<I: Item, const N: usize> {
    items: PhantomData<I>,
}

#[event_handler(CartEvent<I>)]
impl<I, const N: usize> Carts<I, N>
where
    I: Item,
{
    #[on(Filled)]
    async fn fill(
        &self,
        item: I,
        times: &u32,
        #[record] record: &impl EventRecord<CartEvent<I>>,
    ) -> Result<(), String> {
        std::future::ready(()).await;
        if record.index() > item.price() * u64::from(*times) {
            return Err("cheap".to_owned());
        }
        Ok(())
    }

    #[on(Emptied)]
    async fn clear(&self) {}
}

#[event_handler(OrderEvent)]
impl<I: Item, const N: usize> Carts<I, N> {
    #[on(Placed)]
    async fn place(&self) {}
}

fn sends<P: Projection>(
    projection: &P,
    event: &FeedEvent,
    context: &mut <P::Database as eventlogs::projection::Database>::Connection,
) -> impl Future<Output = Result<(), HandlerError>> + Send {
    projection.apply(event, context)
}

#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub struct Book;

impl Item for Book {
    fn price(&self) -> u64 {
        12
    }
}

fn main() {
    let _ = sends::<Carts<Book, 2>>;
    assert_eq!(Carts::<Book, 2>::SOURCES.len(), 2);
}
