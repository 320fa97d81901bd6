//! Reading logs into folds.
//!
//! A fold reads short pages: a statement that stayed open would keep the write-ahead log from being emptied. What a page returns
//! is given to the fold only after it is certain that it came from the file at the path.

use crate::event::Event;
use crate::stores::error::ReadError;
use crate::stores::fold::EventFold;
use crate::stores::page::ReadRequest;
use crate::stores::sqlite::pool::ConnectionPool;
use crate::stores::sqlite::read::{Folded, folded};

/// Gives the events of a log to a fold, from where it starts to the end of the log.
pub(super) async fn fold<E: Event>(
    pool: &ConnectionPool,
    fold: &mut dyn EventFold<E>,
) -> Result<(), ReadError> {
    let ignored: Vec<_> = fold.needs().ignores(E::SCHEMA).collect();
    loop {
        let request = ReadRequest::new(fold.log_id(), fold.start(), fold.page_size());
        let (page, more) = folded(pool, request, &ignored).await?;
        for event in page {
            let taken = match event {
                Folded::Event(record) => fold.take(&record),
                Folded::Passed(event) => fold.pass(event),
            };
            if taken.is_break() {
                return Ok(());
            }
        }
        if !more {
            return Ok(());
        }
    }
}
