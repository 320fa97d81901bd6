//! Appending inside a transaction of the caller's.

use super::PostgresEventStore;
use crate::event::Event;
use crate::ids::LogId;
use crate::log_state::LogState;
use crate::manager::error::LogManagerError;
use crate::manager::write_options::{AppendOptions, CreateOptions};
use crate::stores::encoded;
use crate::stores::encoded::EncodedWrite;
use crate::stores::error::AppendError;
use crate::stores::error::store::StoreError;
use crate::stores::idempotency::Replay;
use crate::stores::postgres::error;
use crate::stores::postgres::error::Verdict;
use crate::stores::postgres::names::naming;
use crate::stores::postgres::refusal::{Finding, findings, in_question};
use crate::stores::postgres::values::scope_of;
use crate::stores::postgres::{read, values};
use crate::stores::request::AppendRequest;
use sqlx::postgres::PgConnection;
use sqlx::{Acquire, Connection, Postgres, Transaction};
use std::slice;
use std::time::Instant;

impl PostgresEventStore {
    /// Appends events inside your own transaction, so that they are recorded if and only if what else it writes is.
    ///
    /// The promises of an append hold: the log must end at `state`, all events land or none, a used key is a replay. What is
    /// given up is what needs the library to send the append by itself:
    ///
    /// - It is not gathered with others: a savepoint and an insert, three round trips and your commit.
    /// - The answer is only true once you have committed. A commit whose connection breaks is yours to find out about: run the
    ///   transaction again with the same idempotency key.
    /// - Until you commit, others who append to the log wait, and are told [`Busy`](StoreError::Busy) after a while. Commit
    ///   soon.
    /// - Nothing is cached. Metadata is that of the options alone.
    /// - The transaction must not be older than the log's last event, or else whoever reads all logs in the order of
    ///   transactions would see the events in the wrong order. One that has written before this call may be
    ///   ([`TransactionTooOld`](StoreError::TransactionTooOld)): roll it back and run it again, best with the append as its
    ///   first write.
    ///
    /// After an error the transaction can go on without the events, unless it is
    /// [`TransactionFailed`](StoreError::TransactionFailed). Dropped half-way, roll the transaction back.
    ///
    /// ```no_run
    /// # #[cfg(all(feature = "macros", feature = "json"))] {
    /// # use eventlogs::{Event, LogState, PostgresEventStore, sqlx::{self, PgPool}};
    /// # #[derive(Event)] enum OrderEvent { #[event(name = "order.paid")] Paid }
    /// # async fn pay(pool: PgPool, store: PostgresEventStore, state: LogState<OrderEvent>) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut transaction = pool.begin().await?;
    /// store.append_in(&mut transaction, state, &[OrderEvent::Paid], &Default::default()).await?;
    /// sqlx::query("update order_list set paid = true where id = $1").bind(7).execute(&mut *transaction).await?;
    /// transaction.commit().await?;
    /// # Ok(()) }
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`LogManager::append`](crate::LogManager::append), and the two named above.
    pub async fn append_in<E: Event>(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        state: impl Into<LogState<E>>,
        events: &[E],
        options: &AppendOptions,
    ) -> Result<LogState<E>, LogManagerError> {
        let state = state.into();
        let mut request = AppendRequest::after(state, events);
        options.apply_to(&mut request);
        let appended = self.write_in(transaction, &request).await;
        appended.map_err(|error| options.error(error, state.log_id()))
    }

    /// Creates a log inside your own transaction, as [`append_in`](PostgresEventStore::append_in) appends.
    ///
    /// # Errors
    /// Those of [`LogManager::create`](crate::LogManager::create), and those of
    /// [`append_in`](PostgresEventStore::append_in).
    pub async fn create_in<E: Event>(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        log_id: impl Into<LogId>,
        event: &E,
        options: &CreateOptions,
    ) -> Result<LogState<E>, LogManagerError> {
        let mut request = AppendRequest::create(log_id.into(), slice::from_ref(event));
        options.apply_to(&mut request);
        let created = self.write_in(transaction, &request).await;
        created.map_err(|error| options.error(error))
    }

    async fn write_in<E: Event>(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        request: &AppendRequest<'_, E>,
    ) -> Result<LogState<E>, AppendError> {
        let passed = |deadline| deadline <= Instant::now();
        if request.deadline.is_some_and(passed) {
            return Err(StoreError::DeadlineExceeded.into());
        }
        self.core.check_schema().await?;
        self.core.log_types.check::<E>()?;
        let (write, _) = encoded::encode(request, &self.core.options.limits)?;
        self.insert_in(transaction, &write).await?;
        Ok(request.state_after().into())
    }

    /// Inserts under a savepoint, since an insert that fails ends the transaction; and asks what stood in the way.
    async fn insert_in(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        write: &EncodedWrite,
    ) -> Result<(), AppendError> {
        let statements = &self.core.statements;
        let keeps_statements = self.core.options.pooler.keeps_statements();
        let mut is_stale = false;
        loop {
            let mut savepoint = transaction.begin().await.map_err(of)?;
            let inserted = values::insert_in(statements, write)
                .persistent(keeps_statements)
                .fetch_all(&mut *savepoint)
                .await;
            let error = match inserted {
                Ok(rows) if !rows.is_empty() => return Ok(savepoint.commit().await.map_err(of)?),
                Ok(_) => None,
                Err(error) => Some(error),
            };
            let rolled_back = savepoint.rollback().await;
            match error.map(|error| (error::of_statement(&error), error)) {
                None | Some((Verdict::Clash, _)) => {
                    rolled_back.map_err(of)?;
                    return Err(self.why_refused_in(transaction, write).await?);
                }
                // What the connection knows of the tables is not true any more.
                Some((Verdict::Stale, _)) if !is_stale => {
                    rolled_back.map_err(of)?;
                    transaction.clear_cached_statements().await.map_err(of)?;
                    is_stale = true;
                }
                // Where the rollback fails, too, the transaction is over, which the error says in any case.
                Some((_, error)) => return Err(naming(of(error), &[write]).into()),
            }
        }
    }

    async fn why_refused_in(
        &self,
        connection: &mut PgConnection,
        write: &EncodedWrite,
    ) -> Result<AppendError, StoreError> {
        let findings = self.findings_in(connection, write).await;
        Ok(match findings.map_err(of)?.into_iter().next() {
            Some(Finding::Settled(Err(AppendError::Replay(found)))) => {
                AppendError::Replay(self.part_of_key_in(connection, write, found).await?)
            }
            Some(Finding::Settled(Err(error)) | Finding::Refused(error)) => error,
            // What stood in the way is gone, or cannot be seen by a transaction as isolated as this one.
            _ => write.first.conflict(),
        })
    }
}

impl PostgresEventStore {
    /// What stands in the way of a write.
    async fn findings_in(
        &self,
        connection: &mut PgConnection,
        write: &EncodedWrite,
    ) -> Result<Vec<Finding>, sqlx::Error> {
        let statements = &self.core.statements;
        let keeps_statements = self.core.options.pooler.keeps_statements();
        let why = values::why(&statements.why_in, &[write])
            .persistent(keeps_statements)
            .fetch_all(&mut *connection)
            .await?;
        let in_question = in_question(&[write], &why)?;
        let stored = if in_question.is_empty() {
            Vec::new()
        } else {
            values::own(&statements.own, &in_question)
                .persistent(keeps_statements)
                .fetch_all(connection)
                .await?
        };
        findings(&[write], &why, &stored)
    }

    /// What a key was used for on the log of a write, if it was used on several; else what was found.
    async fn part_of_key_in(
        &self,
        connection: &mut PgConnection,
        write: &EncodedWrite,
        found: Replay,
    ) -> Result<Replay, StoreError> {
        let is_here = |part: &Replay| part.state.log_id() == write.first.log_id;
        let Some(key) = write.key.as_ref().filter(|_| !is_here(&found)) else {
            return Ok(found);
        };
        let rows = sqlx::query(self.core.statements.find_key.clone())
            .bind(scope_of(key.scope))
            .bind(key.key.as_bytes())
            .fetch_all(connection)
            .await
            .map_err(of)?;
        for row in &rows {
            let part = read::replay(row, 0).map_err(of)?;
            if is_here(&part) {
                return Ok(part);
            }
        }
        Ok(found)
    }
}

/// What went wrong in a transaction that is not ours to try again.
fn of(error: sqlx::Error) -> StoreError {
    if error::of_statement(&error) == Verdict::Retry {
        return StoreError::TransactionFailed {
            source: error.into(),
        };
    }
    error::of(error)
}
