//! What the output of `derive(Projection)` calls.

use crate::__private::schema::assert_distinct;
use crate::event::{Event, EventSchema};
use crate::feed::event::FeedEvent;
use crate::feed::source::Source;
use crate::projection::handler::{HandlerError, Subscriber};

/// Decodes an event, and calls the handler of its variant.
///
/// # Errors
/// - [`Decode`](HandlerError::Decode) if this code cannot read the event.
/// - Those of the handler.
pub async fn deliver<E, P, C>(
    projection: &P,
    event: &FeedEvent,
    context: &mut C,
) -> Result<(), HandlerError>
where
    E: Event,
    P: Subscriber<E, C> + Sync,
    C: Send + ?Sized,
{
    let record = event.decode::<E>()?;
    projection.handle(&record, context).await
}

/// Fails to compile if the source `checked` reads a name that another source reads, too.
///
/// # Panics
/// If a name is read twice; the message has the name and both variants.
#[track_caller]
pub const fn assert_distinct_sources<const COUNT: usize>(
    sources: &[Source; COUNT],
    checked: usize,
) {
    let mut schemas: [&[EventSchema]; COUNT] = [&[]; COUNT];
    let mut source = 0;
    while source < COUNT {
        schemas[source] = sources[source].schema;
        source += 1;
    }
    assert_distinct(&schemas, checked);
}
