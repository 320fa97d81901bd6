//! What the output of `derive(Projection)` calls.

use crate::__private::schema::{assert_distinct_kinds, assert_distinct_parts};
use crate::event::Event;
use crate::feed::event::FeedEvent;
use crate::feed::source::Source;
use crate::hash::Fnv1a64;
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

/// Fails to compile if the source `checked` reads a name that another source reads, too, or the logs of another source.
///
/// # Panics
/// If a name is read twice, or two sources have a kind of logs in common; the message has the name.
#[track_caller]
pub const fn assert_distinct_sources(sources: &[Source], checked: usize) {
    let mut other = 0;
    while other < sources.len() {
        if other != checked {
            let (left, right) = if other < checked {
                (&sources[other], &sources[checked])
            } else {
                (&sources[checked], &sources[other])
            };
            assert_distinct_parts(left.schema, right.schema);
            assert_distinct_kinds(&left.log_type, &right.log_type);
        }
        other += 1;
    }
}

/// Returns the hash of the statements that create the tables of a projection. The ends of lines make no difference, because a
/// checkout may change them.
#[must_use]
pub fn text_fingerprint(text: Option<&str>) -> u64 {
    let lines = text.unwrap_or_default().lines();
    lines
        .fold(Fnv1a64::EMPTY, |hash, line| {
            hash.with(line.as_bytes()).with(b"\n")
        })
        .finish()
}
