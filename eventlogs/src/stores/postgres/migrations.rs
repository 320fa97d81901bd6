//! The migrations, as data.

use crate::stores::database::steps::{EVENT_TABLES, SUBSCRIPTION_TABLES, Step, Steps};

/// The migrations, in their order. A released migration is never changed; a change goes into a new one.
pub(super) const STEPS: Steps = Steps::new(&[
    Step {
        version: 1,
        tables: EVENT_TABLES,
        sql: include_str!("migrations/0001_events.sql"),
    },
    Step {
        version: 2,
        tables: SUBSCRIPTION_TABLES,
        sql: include_str!("migrations/0002_subscriptions.sql"),
    },
    Step {
        version: 3,
        tables: &[],
        sql: include_str!("migrations/0003_requirements.sql"),
    },
]);

/// The version that this code needs.
pub(super) const NEEDED: i64 = STEPS.needed();

/// Stands for the version of tables that come from another server.
pub(super) const ELSEWHERE: i64 = -1;
