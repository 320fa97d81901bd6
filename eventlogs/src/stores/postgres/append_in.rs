//! Appends inside a transaction of the caller: a guarded insert under a savepoint.

use crate::event::Event;
use crate::log_state::LogPosition;
use crate::stores::encoding::event_enum::EventEnum;
use crate::stores::encoding::write::{EncodedWrite, encode};
use crate::stores::error::AppendError;
use crate::stores::error::store::StoreError;
use crate::stores::idempotency::Replay;
use crate::stores::postgres::PostgresEventStore;
use crate::stores::postgres::error::into_store_error;
use crate::stores::postgres::failure::{Verdict, classify_statement};
use crate::stores::postgres::names::naming;
use crate::stores::postgres::read::replay;
use crate::stores::postgres::refusal::{Finding, findings, in_question};
use crate::stores::request::AppendRequest;
use sqlx::postgres::PgConnection;
use sqlx::{Acquire, Connection, Postgres, Transaction};
use std::time::Instant;

impl PostgresEventStore {
    /// Writes the events of a request inside a transaction of the caller.
    pub(crate) async fn write_in<E: Event>(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        request: &AppendRequest<'_, E>,
    ) -> Result<LogPosition, AppendError> {
        let passed = |deadline| deadline <= Instant::now();
        if request.context.deadline.is_some_and(passed) {
            return Err(StoreError::DeadlineExceeded.into());
        }
        self.core.check_schema().await?;
        self.core.log_types.check(EventEnum::new::<E>())?;
        let (write, _) = encode(request, &self.core.options.limits)?;
        self.insert_in(transaction, &write).await?;
        Ok(request.state_after())
    }

    /// Inserts under a savepoint, because a failed insert ends the transaction; then asks why the insert stored nothing.
    async fn insert_in(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        write: &EncodedWrite,
    ) -> Result<(), AppendError> {
        let statements = &self.core.statements;
        let keeps_statements = self.core.options.pooler.keeps_statements();
        let mut is_stale = false;
        loop {
            let mut savepoint = transaction.begin().await.map_err(in_transaction)?;
            let inserted = statements
                .append_in(write)
                .persistent(keeps_statements)
                .fetch_all(&mut *savepoint)
                .await;
            let error = match inserted {
                Ok(rows) if !rows.is_empty() => {
                    return Ok(savepoint.commit().await.map_err(in_transaction)?);
                }
                Ok(_) => None,
                Err(error) => Some(error),
            };
            let rolled_back = savepoint.rollback().await;
            match error.map(|error| (classify_statement(&error), error)) {
                None | Some((Verdict::Clash, _)) => {
                    rolled_back.map_err(in_transaction)?;
                    return Err(self.why_refused_in(transaction, write).await?);
                }
                // The connection's prepared statement no longer fits the tables.
                Some((Verdict::Stale, _)) if !is_stale => {
                    rolled_back.map_err(in_transaction)?;
                    transaction
                        .clear_cached_statements()
                        .await
                        .map_err(in_transaction)?;
                    is_stale = true;
                }
                // If the rollback fails, too, the transaction is over, which the error says in any case.
                Some((_, error)) => return Err(naming(in_transaction(error), &[write]).into()),
            }
        }
    }

    async fn why_refused_in(
        &self,
        connection: &mut PgConnection,
        write: &EncodedWrite,
    ) -> Result<AppendError, StoreError> {
        let findings = self.findings_in(connection, write).await;
        Ok(match findings.map_err(in_transaction)?.into_iter().next() {
            Some(Finding::Settled(Err(AppendError::Replay(found)))) => {
                AppendError::Replay(self.part_of_key_in(connection, write, found).await?)
            }
            Some(Finding::Settled(Err(error))) => error,
            Some(Finding::Refused(refusals)) => {
                let refusal = refusals.into_iter().next();
                refusal.map_or_else(|| write.first.conflict(), |refusal| refusal.error)
            }
            // The obstacle is gone, or this transaction cannot see it at its isolation level.
            _ => write.first.conflict(),
        })
    }
}

impl PostgresEventStore {
    /// Returns why a write was not stored.
    async fn findings_in(
        &self,
        connection: &mut PgConnection,
        write: &EncodedWrite,
    ) -> Result<Vec<Finding>, sqlx::Error> {
        let statements = &self.core.statements;
        let keeps_statements = self.core.options.pooler.keeps_statements();
        let refusals = statements
            .refusals_in(write)
            .persistent(keeps_statements)
            .fetch_all(&mut *connection)
            .await?;
        let in_question = in_question(&[write], &refusals)?;
        let stored = if in_question.is_empty() {
            Vec::new()
        } else {
            statements
                .stored_writes(&in_question)
                .persistent(keeps_statements)
                .fetch_all(connection)
                .await?
        };
        findings(&[write], &refusals, &stored)
    }

    /// Returns the use of a key on the log of a write, if the key was used on several logs; otherwise `found`.
    async fn part_of_key_in(
        &self,
        connection: &mut PgConnection,
        write: &EncodedWrite,
        found: Replay,
    ) -> Result<Replay, StoreError> {
        let is_here = |part: &Replay| part.state.log_id() == write.first.log_id;
        let Some(key) = write.context.key.as_ref().filter(|_| !is_here(&found)) else {
            return Ok(found);
        };
        let statement = self.core.statements.find_key(key.scope, &key.key);
        let statement = statement.persistent(self.core.options.pooler.keeps_statements());
        let rows = statement.fetch_all(connection).await;
        let rows = rows.map_err(in_transaction)?;
        for row in &rows {
            let part = replay(row).map_err(in_transaction)?;
            if is_here(&part) {
                return Ok(part);
            }
        }
        Ok(found)
    }
}

/// Converts an error for a caller whose transaction the store cannot try again.
pub(super) fn in_transaction(error: sqlx::Error) -> StoreError {
    if classify_statement(&error) == Verdict::Retry {
        return StoreError::TransactionFailed {
            source: error.into(),
        };
    }
    into_store_error(error)
}
