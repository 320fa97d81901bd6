//! Retired events of an aggregate.

use crate::event::{self, Event, EventSchema};
use std::marker::PhantomData;

/// Finds out if an event is retired, if its enum has stored names.
///
/// The events of an aggregate need not implement [`Event`]. As for [`SchemaFingerprint`](super::SchemaFingerprint), a method call on
/// `&PhantomData::<E>` tries the implementation for those that do first.
pub trait RetiredEvents<E> {
    /// Returns the entry of the event in the schema if it is retired.
    fn retired(self, event: &E) -> Option<&'static EventSchema>;
}

impl<E: Event> RetiredEvents<E> for &PhantomData<E> {
    fn retired(self, event: &E) -> Option<&'static EventSchema> {
        event::retired(event)
    }
}

impl<E> RetiredEvents<E> for PhantomData<E> {
    fn retired(self, _: &E) -> Option<&'static EventSchema> {
        None
    }
}
