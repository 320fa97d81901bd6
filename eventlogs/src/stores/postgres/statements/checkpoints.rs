//! The statements of checkpoints: each file, and the function that binds its parameters in the order of their numbers.

use crate::cursor::Cursor;
use crate::projection::checkpoint::{BUILD, PartitionKey, Registration, Step};
use crate::projection::known::KnownEvents;
use crate::stores::encoding::decoded::signed;
use crate::stores::postgres::statements::feed::cursor_values;
use crate::stores::postgres::statements::text::{Statement, in_schema};
use sqlx::SqlStr;
use std::time::Duration;
use uuid::Uuid;

/// The statements of checkpoints for one schema.
pub(in crate::stores) struct CheckpointStatements {
    register: SqlStr,
    partitions: SqlStr,
    common: SqlStr,
    repartition: SqlStr,
    unstop: SqlStr,
    take: SqlStr,
    renew: SqlStr,
    release: SqlStr,
    stop: SqlStr,
    pause: SqlStr,
    settle: SqlStr,
    settle_alone: SqlStr,
    states: SqlStr,
    know: SqlStr,
    clear: SqlStr,
}

impl CheckpointStatements {
    pub(super) fn for_schema(schema: &str) -> Self {
        let statement = |file| in_schema(file, schema);
        Self {
            register: statement(include_str!("checkpoint_register.sql")),
            partitions: statement(include_str!("checkpoint_partitions.sql")),
            common: statement(include_str!("checkpoint_common.sql")),
            repartition: statement(include_str!("checkpoint_repartition.sql")),
            unstop: statement(include_str!("checkpoint_unstop.sql")),
            take: statement(include_str!("checkpoint_take.sql")),
            renew: statement(include_str!("checkpoint_renew.sql")),
            release: statement(include_str!("checkpoint_release.sql")),
            stop: statement(include_str!("checkpoint_stop.sql")),
            pause: statement(include_str!("checkpoint_pause.sql")),
            settle: statement(include_str!("checkpoint_settle.sql")),
            settle_alone: statement(include_str!("checkpoint_settle_alone.sql")),
            states: statement(include_str!("checkpoint_states.sql")),
            know: statement(include_str!("checkpoint_know.sql")),
            clear: statement(include_str!("checkpoint_clear.sql")),
        }
    }

    /// Registers a subscription.
    pub(in crate::stores) fn register<'a>(&self, registration: &Registration<'a>) -> Statement<'a> {
        sqlx::query(self.register.clone())
            .bind(registration.name) // $1
            .bind(BUILD)
            .bind(registration.fingerprint.cast_signed())
            .bind(i32::from(registration.partitions))
            .bind(KnownEvents::of(registration.sources).stored())
    }

    /// Notes the events that the code knows.
    pub(in crate::stores) fn know<'a>(&self, name: &'a str, known: &KnownEvents) -> Statement<'a> {
        sqlx::query(self.know.clone())
            .bind(name) // $1
            .bind(BUILD)
            .bind(known.stored())
    }

    /// Removes what an earlier subscription of the same name has left.
    pub(in crate::stores) fn clear<'a>(&self, name: &'a str) -> Statement<'a> {
        sqlx::query(self.clear.clone()).bind(name).bind(BUILD) // $1, $2
    }

    /// Makes partitions at one place.
    pub(in crate::stores) fn partitions<'a>(
        &self,
        name: &'a str,
        partitions: u16,
        cursor: Cursor,
        token: i64,
    ) -> Statement<'a> {
        let (epoch, tx, position, event_id) = cursor_values(cursor);
        sqlx::query(self.partitions.clone())
            .bind(name) // $1
            .bind(BUILD)
            .bind(i32::from(partitions))
            .bind(epoch)
            .bind(tx)
            .bind(position)
            .bind(event_id)
            .bind(token)
    }

    /// Looks for the common place of all partitions.
    pub(in crate::stores) fn common<'a>(&self, name: &'a str) -> Statement<'a> {
        sqlx::query(self.common.clone()).bind(name).bind(BUILD) // $1, $2
    }

    /// Removes the partitions.
    pub(in crate::stores) fn repartition<'a>(
        &self,
        name: &'a str,
        partitions: u16,
    ) -> Statement<'a> {
        sqlx::query(self.repartition.clone())
            .bind(name) // $1
            .bind(BUILD)
            .bind(i32::from(partitions))
    }

    /// Lets stopped partitions run.
    pub(in crate::stores) fn unstop<'a>(&self, name: &'a str) -> Statement<'a> {
        sqlx::query(self.unstop.clone()).bind(name).bind(BUILD) // $1, $2
    }

    /// Takes a lease.
    pub(in crate::stores) fn take<'a>(
        &self,
        key: PartitionKey<'a>,
        owner: Uuid,
        lease: Duration,
    ) -> Statement<'a> {
        sqlx::query(self.take.clone())
            .bind(key.name) // $1
            .bind(BUILD)
            .bind(i32::from(key.partition))
            .bind(owner)
            .bind(lease.as_secs_f64())
            .bind(i32::from(key.partitions))
    }

    /// Renews all leases of a process.
    pub(in crate::stores) fn renew(&self, owner: Uuid, lease: Duration) -> Statement<'static> {
        sqlx::query(self.renew.clone())
            .bind(owner) // $1
            .bind(lease.as_secs_f64())
    }

    /// Gives up all leases of a process.
    pub(in crate::stores) fn release(&self, owner: Uuid) -> Statement<'static> {
        sqlx::query(self.release.clone()).bind(owner) // $1
    }

    /// Notes why a partition has stopped.
    pub(in crate::stores) fn stop<'a>(
        &self,
        key: PartitionKey<'a>,
        token: i64,
        reason: &'a str,
    ) -> Statement<'a> {
        sqlx::query(self.stop.clone())
            .bind(key.name) // $1
            .bind(BUILD)
            .bind(i32::from(key.partition))
            .bind(token)
            .bind(reason)
    }

    /// Pauses or continues a subscription.
    pub(in crate::stores) fn pause<'a>(&self, name: &'a str, is_paused: bool) -> Statement<'a> {
        sqlx::query(self.pause.clone())
            .bind(name) // $1
            .bind(BUILD)
            .bind(is_paused)
    }

    /// Moves a checkpoint, in the transaction of the handlers.
    pub(in crate::stores) fn settle<'a>(&self, step: &Step<'a>) -> Statement<'a> {
        settle(&self.settle, step)
    }

    /// Moves a checkpoint, in a transaction of its own.
    pub(in crate::stores) fn settle_alone<'a>(&self, step: &Step<'a>) -> Statement<'a> {
        settle(&self.settle_alone, step)
    }

    /// Reads the state of a subscription, or of all.
    pub(in crate::stores) fn states<'a>(&self, name: Option<&'a str>) -> Statement<'a> {
        sqlx::query(self.states.clone()).bind(name).bind(BUILD) // $1, $2
    }
}

/// Binds the parameters of both.
fn settle<'a>(text: &SqlStr, step: &Step<'a>) -> Statement<'a> {
    let (epoch, tx, position, _) = cursor_values(step.from);
    let (new_epoch, new_tx, new_position, event_id) = cursor_values(step.to);
    sqlx::query(text.clone())
        .bind(step.key.name) // $1
        .bind(BUILD)
        .bind(i32::from(step.key.partition))
        .bind(step.token)
        .bind(epoch)
        .bind(tx)
        .bind(position)
        .bind(new_epoch)
        .bind(new_tx)
        .bind(new_position) // $10
        .bind(event_id)
        .bind(signed(step.handled))
        .bind(step.lease.as_secs_f64())
}
