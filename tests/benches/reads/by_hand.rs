//! The same logs read without the library, as an author with good knowledge of the driver would do it: with the columns that
//! are needed, and nothing else.

use crate::common::payments::{Capture, Payment};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgPool;
use sqlx::{PgExecutor, Row};
use uuid::Uuid;

/// How a payload is decoded.
pub(crate) type Decode = fn(&[u8]) -> Capture;

const ALL: &str = "select payload from events where log_id = $1 order by event_index";

/// Reads all events of a log at once, and adds them up.
pub(crate) async fn reduce(pool: &PgPool, id: Uuid, decode: Decode) -> sqlx::Result<Payment> {
    let rows = sqlx::query(ALL).bind(id).fetch_all(pool).await?;
    let mut payment = Payment::default();
    for row in rows {
        payment.capture(&decode(row.try_get(0)?));
    }
    Ok(payment)
}

/// Reads the events of a log one after the other, and adds them up.
pub(crate) async fn stream(pool: &PgPool, id: Uuid, decode: Decode) -> sqlx::Result<Payment> {
    let mut rows = sqlx::query(ALL).bind(id).fetch(pool);
    let mut payment = Payment::default();
    while let Some(row) = rows.try_next().await? {
        payment.capture(&decode(row.try_get(0)?));
    }
    Ok(payment)
}

/// The sum of the events of a log so far.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(crate) struct State {
    /// The sum.
    pub(crate) payment: Payment,
    /// The index of the next event.
    pub(crate) next: i64,
}

impl State {
    /// Reads the new events of a log, adds them up, and returns `true` if there were any.
    pub(crate) async fn catch_up(
        &mut self,
        executor: impl PgExecutor<'_>,
        id: Uuid,
    ) -> sqlx::Result<bool> {
        const TAIL: &str = "
            select event_index, payload from events
            where log_id = $1 and event_index >= $2
            order by event_index";
        let tail = sqlx::query(TAIL).bind(id).bind(self.next);
        let rows = tail.fetch_all(executor).await?;
        for row in &rows {
            self.add(row.try_get(0)?, row.try_get(1)?);
        }
        Ok(!rows.is_empty())
    }

    /// Adds the next event.
    pub(crate) fn add(&mut self, index: i64, payload: &[u8]) {
        self.payment.capture(&Capture::from_json(payload));
        self.next = index + 1;
    }
}
