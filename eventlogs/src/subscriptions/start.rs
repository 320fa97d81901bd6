//! Starting subscriptions.

use crate::cursor::Cursor;
use crate::projection::checkpoint::{
    CheckpointStore, ProjectionStore, RegisterError, Registration,
};
use crate::projection::contract::Projection;
use crate::subscriptions::error::SubscriptionError;
use crate::subscriptions::head::Heads;
use crate::subscriptions::job::{Job, JobFacts};
use crate::subscriptions::options::{StartAt, SubscriptionOptions, WhenChanged};
use crate::subscriptions::partition::{Failures, Partition};
use crate::subscriptions::progress::{Control, Shared};
use crate::subscriptions::running::RunningSubscriptions;
use crate::subscriptions::supervisor::{Known, supervise};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::Instrument;
use uuid::Uuid;

/// How long a lease lasts without a sign of life.
const LEASE: Duration = Duration::from_secs(15);
/// The shortest lease.
const SHORTEST_LEASE: Duration = Duration::from_millis(100);

/// Collects the subscriptions of a process, and starts them.
///
/// ```
/// # #[cfg(all(feature = "macros", feature = "sqlite", feature = "json"))]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use eventlogs::sqlx::{self, SqliteConnection};
/// use eventlogs::{Event, Projection, SqliteEventStore, event_handler};
/// use eventlogs::subscriptions::Subscriptions;
///
/// #[derive(Debug, Event)]
/// enum PaymentEvent { Captured { amount: u64 } }
///
/// #[derive(Projection)]
/// #[projection(
///     name = "totals", events(PaymentEvent), database = sqlite,
///     create = "create table totals (amount integer not null)",
/// )]
/// struct Totals;
///
/// #[event_handler(PaymentEvent)]
/// impl Totals {
///     #[on(Captured)]
///     async fn capture(&self, amount: u64, #[context] db: &mut SqliteConnection) -> sqlx::Result<()> {
///         let insert = sqlx::query("insert into totals (amount) values ($1)").bind(amount.cast_signed());
///         insert.execute(db).await.map(|_| ())
///     }
/// }
///
/// let store = SqliteEventStore::in_memory().await?;
/// let running = Subscriptions::new(&store).projection(Totals).start().await?;
/// // … serve requests …
/// running.shutdown().await;
/// # Ok(()) }
/// # #[cfg(not(all(feature = "macros", feature = "sqlite", feature = "json")))]
/// # fn main() {}
/// ```
#[must_use = "subscriptions run only after `start`"]
pub struct Subscriptions<S> {
    store: S,
    lease: Duration,
    jobs: Vec<(Arc<dyn Job<S>>, SubscriptionOptions)>,
}

impl<S: CheckpointStore> Subscriptions<S> {
    /// Begins without a subscription.
    pub fn new(store: &S) -> Self {
        Self {
            store: store.clone(),
            lease: LEASE,
            jobs: Vec::new(),
        }
    }

    /// Adds a projection.
    pub fn projection<P>(self, projection: P) -> Self
    where
        P: Projection,
        S: ProjectionStore<P::Database>,
    {
        self.projection_with(projection, SubscriptionOptions::default())
    }

    /// Adds a projection with options.
    pub fn projection_with<P>(mut self, projection: P, options: SubscriptionOptions) -> Self
    where
        P: Projection,
        S: ProjectionStore<P::Database>,
    {
        self.jobs.push((Arc::new(projection), options));
        self
    }

    /// Sets how long another process waits before it takes over the work of a process that has died; 15 s by default, at least
    /// 100 ms.
    ///
    /// Each page renews the lease. On PostgreSQL, a transaction of handlers that is idle for longer than a lease is ended by
    /// the server.
    pub fn lease(self, lease: Duration) -> Self {
        Self {
            lease: lease.max(SHORTEST_LEASE),
            ..self
        }
    }

    /// Registers all subscriptions, and starts them on the current runtime.
    ///
    /// Each process that is to share the work calls it. Whoever starts first creates the tables of a new projection. A
    /// subscription that has stopped because of an error tries again.
    ///
    /// # Errors
    /// - [`Duplicate`](SubscriptionError::Duplicate) if two subscriptions have one name.
    /// - [`Refused`](SubscriptionError::Refused) if a name is not a plain identifier, the statements that create the tables
    ///   fail, a table cannot hold the rows of its projection, the number of partitions cannot change now, rows by another key
    ///   than the log are to have several partitions, or the code has changed and that [is refused](WhenChanged::Refuse).
    /// - [`Store`](SubscriptionError::Store) if the database failed.
    ///
    /// Nothing is started then.
    pub async fn start(self) -> Result<RunningSubscriptions<S>, SubscriptionError> {
        let Self { store, lease, jobs } = self;
        let mut names = Vec::new();
        for (job, options) in &jobs {
            let name = job.facts().name;
            if names.contains(&name) {
                return Err(SubscriptionError::Duplicate {
                    name: name.to_owned(),
                });
            }
            names.push(name);
            check(&job.facts(), options)?;
        }
        for (job, options) in &jobs {
            register(&store, &**job, options).await?;
        }
        let owner = Uuid::now_v7();
        let (heads, looking) = Heads::start(store.clone());
        let mut tasks = JoinSet::new();
        let mut known = Vec::new();
        for (job, options) in jobs {
            let begin = |shared, control| Partition {
                store: store.clone(),
                job: Arc::clone(&job),
                facts: job.facts(),
                options: options.clone(),
                owner,
                lease,
                heads: heads.clone(),
                control,
                shared,
                failures: Failures::default(),
                parked: Vec::new(),
                wished: 0,
            };
            known.push(spawn(
                &mut tasks,
                job.facts().name,
                options.partitions,
                begin,
            ));
        }
        let known = Arc::new(known);
        let (stop, stopped) = watch::channel(false);
        let supervisor = supervise(
            store.clone(),
            owner,
            lease,
            Arc::clone(&known),
            stopped,
            tasks,
        );
        let (is_running, ended) = watch::channel(());
        tokio::spawn(async move {
            supervisor.await;
            looking.abort();
            drop(is_running);
        });
        Ok(RunningSubscriptions::new(store, known, stop, ended))
    }
}

/// Spawns the tasks of the partitions of a subscription.
fn spawn<S: CheckpointStore>(
    tasks: &mut JoinSet<()>,
    name: &'static str,
    partitions: u16,
    begin: impl Fn(Shared, watch::Receiver<Control>) -> Partition<S>,
) -> Known {
    let (control, told) = watch::channel(Control::default());
    let partitions: Vec<_> = (0..partitions).map(Shared::new).collect();
    for shared in &partitions {
        let partition = begin(shared.clone(), told.clone());
        let number = shared.partition;
        let span = tracing::info_span!("subscription", name, partition = number);
        tasks.spawn(partition.run().instrument(span));
    }
    Known {
        name,
        control,
        partitions,
    }
}

/// Registers one subscription.
async fn register<S: CheckpointStore>(
    store: &S,
    job: &dyn Job<S>,
    options: &SubscriptionOptions,
) -> Result<(), SubscriptionError> {
    let facts = job.facts();
    let start = match options.start_at {
        StartAt::Beginning => Cursor::START,
        StartAt::Now => store.head().await?.now(),
    };
    let refused = |source| SubscriptionError::Refused {
        name: facts.name.to_owned(),
        source,
    };
    let table = job.table().map_err(|error| refused(error.into()))?;
    let registration = Registration {
        sources: facts.sources,
        partitions: options.partitions,
        start,
        create: facts.create,
        table: table.as_ref(),
        refuses_stale: options.when_changed == WhenChanged::Refuse,
        ..Registration::new(facts.name, facts.fingerprint)
    };
    match store.register(registration).await {
        Ok(()) => Ok(()),
        Err(RegisterError::Store(error)) => Err(error.into()),
        Err(source) => Err(refused(source)),
    }
}

/// Checks a name and its options. The name becomes the name of a schema.
fn check(facts: &JobFacts, options: &SubscriptionOptions) -> Result<(), SubscriptionError> {
    let name = facts.name;
    let is_first = |char: char| char.is_ascii_lowercase() || char == '_';
    let is_plain = name.len() <= 63
        && name.starts_with(is_first)
        && name
            .chars()
            .all(|char| is_first(char) || char.is_ascii_digit())
        && !name.starts_with("pg_");
    let reason = if !is_plain {
        "its name is not a plain identifier; use 1 to 63 of `a-z 0-9 _`, starting neither with a digit nor with `pg_`"
    } else if !(1..=1024).contains(&options.partitions) {
        "it must have 1 to 1024 partitions"
    } else if facts.one_partition && options.partitions > 1 {
        "events of several logs change one row, which two partitions would overwrite; start it with 1 partition"
    } else {
        return Ok(());
    };
    Err(SubscriptionError::Refused {
        name: name.to_owned(),
        source: RegisterError::Refused {
            reason: reason.to_owned(),
        },
    })
}

impl<S> fmt::Debug for Subscriptions<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Subscriptions")
            .field("subscriptions", &self.jobs.len())
            .finish_non_exhaustive()
    }
}
