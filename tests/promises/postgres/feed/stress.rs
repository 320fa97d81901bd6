//! Many writers of every kind, and several readers: the feed is what the table says in the end.

use super::{ADDED, Site, counters};
use crate::model::effort::{again, scaled, seed};
use eventlogs::ids::LogId;
use eventlogs::testing::conformance::{Counter, CounterEvent};
use eventlogs::{
    AppendOptions, CreateOptions, Cursor, EventFeed, FeedEvent, LogManager, LogState,
    PostgresEventStore,
};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Postgres, Row, Transaction};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::time::sleep;
use uuid::Uuid;

const WRITERS: u64 = 16;
const SHARED_LOGS: u64 = 8;

/// Random numbers that a seed repeats.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % limit
    }

    async fn pause(&mut self, most_millis: u64) {
        sleep(Duration::from_micros(self.below(most_millis * 1_000))).await;
    }
}

/// One writer.
struct Writer {
    random: Random,
    store: PostgresEventStore,
    counters: LogManager<Counter>,
    /// `None` while a transaction uses it.
    connection: Option<PgConnection>,
    shared: Vec<LogId>,
    own: Vec<LogState<CounterEvent>>,
}

impl Writer {
    /// Returns the end of a log that all writers use, or of one of its own.
    async fn state(&mut self) -> LogState<CounterEvent> {
        if !self.own.is_empty() && self.random.below(2) == 0 {
            let number = self.random.below(self.own.len() as u64);
            return self.own[usize::try_from(number).unwrap()];
        }
        let shared = self.shared[usize::try_from(self.random.below(SHARED_LOGS)).unwrap()];
        let reduced = self.counters.reduce(&shared).await.unwrap();
        LogState::at(shared, reduced.through_index())
    }

    fn has(&mut self, state: LogState<CounterEvent>) {
        match self
            .own
            .iter_mut()
            .find(|own| own.log_id() == state.log_id())
        {
            Some(own) => *own = state,
            None if self.shared.contains(&state.log_id()) => {}
            None => self.own.push(state),
        }
    }

    /// Writes once, in one of many ways.
    async fn write(&mut self) {
        let state = self.state().await;
        match self.random.below(10) {
            0 => {
                let options = CreateOptions::default();
                let created = self.counters.create(&LogId::new(), &ADDED, &options).await;
                self.own.push(created.unwrap());
            }
            1..=4 => {
                let events = vec![ADDED; usize::try_from(1 + self.random.below(4)).unwrap()];
                let options = AppendOptions::default();
                // Others write to the shared logs.
                if let Ok(state) = self.counters.append_all(state, &events, &options).await {
                    self.has(state);
                }
            }
            _ => self.in_transaction(state).await,
        }
    }

    async fn in_transaction(&mut self, state: LogState<CounterEvent>) {
        let mut connection = self.connection.take().unwrap();
        let mut transaction = connection.begin().await.unwrap();
        let appended = self.appended(&mut transaction, state).await;
        let is_committed = match (appended.is_some(), self.random.below(8)) {
            // A deadlock, for example.
            (false, _) | (true, 0) => {
                transaction.rollback().await.unwrap();
                false
            }
            (true, 1 | 2) => {
                let gid = Uuid::now_v7();
                let prepare = format!("prepare transaction '{gid}'");
                transaction.execute(AssertSqlSafe(prepare)).await.unwrap();
                // This transaction is over, but not for the driver.
                transaction.commit().await.unwrap();
                self.random.pause(60).await;
                let is_kept = self.random.below(2) == 0;
                let word = if is_kept { "commit" } else { "rollback" };
                let end = format!("{word} prepared '{gid}'");
                connection.execute(AssertSqlSafe(end)).await.unwrap();
                is_kept
            }
            (true, _) => {
                transaction.commit().await.unwrap();
                true
            }
        };
        for state in appended.into_iter().flatten().filter(|_| is_committed) {
            self.has(state);
        }
        self.connection = Some(connection);
    }

    /// Writes in a transaction. Returns `None` if it cannot be committed any more.
    async fn appended(
        &mut self,
        transaction: &mut Transaction<'_, Postgres>,
        state: LogState<CounterEvent>,
    ) -> Option<Vec<LogState<CounterEvent>>> {
        if self.random.below(3) == 0 {
            // The transaction has its number long before it appends.
            let note = "insert into notes values ('first')";
            transaction.execute(note).await.ok()?;
            self.random.pause(40).await;
        }
        let mut appended = Vec::new();
        appended.extend(self.append(transaction, state).await);
        self.random.pause(30).await;
        if self.random.below(3) == 0 {
            transaction.execute("savepoint undone").await.ok()?;
            let other = self.state().await;
            if other.log_id() != state.log_id() {
                let undone = self.append(transaction, other).await;
                self.random.pause(10).await;
                if self.random.below(2) == 0 {
                    transaction.execute("rollback to undone").await.ok()?;
                } else {
                    appended.extend(undone);
                }
            }
        }
        transaction.execute("select 1").await.ok()?;
        Some(appended)
    }

    /// Appends, unless another writer was first.
    async fn append(
        &mut self,
        transaction: &mut Transaction<'_, Postgres>,
        state: LogState<CounterEvent>,
    ) -> Option<LogState<CounterEvent>> {
        let events = vec![ADDED; usize::try_from(1 + self.random.below(3)).unwrap()];
        let options = AppendOptions::default();
        let appended = self
            .store
            .append_in(transaction, state, &events, &options)
            .await;
        appended.ok()
    }
}

/// Writes until the time is over.
async fn write(site: &Site, number: u64, shared: Vec<LogId>, until: Instant) {
    // Some share a store, and so its batches; others have one of their own.
    let store = if number.is_multiple_of(4) {
        PostgresEventStore::connect(&site.server.url())
            .await
            .unwrap()
    } else {
        site.store.clone()
    };
    let mut writer = Writer {
        random: Random(seed().wrapping_add(number)),
        counters: counters(&store),
        store,
        connection: Some(site.connection().await),
        shared,
        own: Vec::new(),
    };
    while Instant::now() < until {
        writer.write().await;
        writer.random.pause(20).await;
    }
}

/// Runs transactions of another database until the time is over. One of them lasts all the time.
async fn write_elsewhere(site: &Site, until: Instant) {
    let mut random = Random(seed());
    let mut long = site.elsewhere().await;
    let table = "create table notes (text text)";
    long.execute(table).await.unwrap();
    let begin = "begin; insert into notes values ('long')";
    long.execute(sqlx::raw_sql(begin)).await.unwrap();
    let mut short = site.elsewhere().await;
    while Instant::now() < until {
        let begin =
            "begin; insert into notes values ('a'); savepoint a; insert into notes values ('b')";
        short.execute(sqlx::raw_sql(begin)).await.unwrap();
        random.pause(1_600).await;
        let end = "prepare transaction 'elsewhere'";
        short.execute(end).await.unwrap();
        random.pause(300).await;
        short.execute("commit prepared 'elsewhere'").await.unwrap();
    }
    long.execute("rollback").await.unwrap();
}

/// What a reader was given.
struct Given {
    events: Vec<FeedEvent>,
    /// How many of them came while events were written.
    meanwhile: usize,
}

/// How many events there are in the end; 0 while it is not known.
type Total = AtomicUsize;

/// Reads until all events have come.
async fn read(store: PostgresEventStore, page_size: usize, resumes: bool, total: &Total) -> Given {
    let mut feed = store.feed(Cursor::START).with_page_size(page_size);
    let (mut events, mut meanwhile) = (Vec::new(), 0);
    let mut over = None;
    loop {
        let total = total.load(Ordering::Relaxed);
        if total == 0 {
            meanwhile = events.len();
        } else if over.get_or_insert_with(Instant::now).elapsed() > Duration::from_secs(20) {
            return Given { events, meanwhile };
        }
        match feed.next_page().await.unwrap() {
            Some(page) => events.extend(page.events),
            None if total > 0 && events.len() >= total => return Given { events, meanwhile },
            None => {
                let _ = tokio::time::timeout(Duration::from_millis(100), feed.wait()).await;
            }
        }
        if resumes {
            let cursor = feed.cursor().to_string().parse().unwrap();
            feed = store.feed(cursor).with_page_size(page_size);
        }
    }
}

/// Returns what the table has, in the order that it has in the end.
async fn stored(site: &Site) -> Vec<(Uuid, i64, Uuid)> {
    let all =
        "select log_id, event_index, event_id from eventlogs.events order by epoch, tx, position";
    let rows = sqlx::query(all)
        .fetch_all(&mut site.connection().await)
        .await;
    let rows = rows.unwrap();
    rows.iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect()
}

/// What happens besides.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Besides {
    Nothing,
    /// Another database of the server is written to.
    OtherDatabases,
    /// The feed is read from a server that follows.
    Following,
}

async fn nothing_is_missed(besides: Besides) {
    let Some(site) = Site::open().await else {
        return;
    };
    let text = "create table notes (text text)";
    site.connection().await.execute(text).await.unwrap();
    let shared = site.create(usize::try_from(SHARED_LOGS).unwrap()).await;
    let shared: Vec<_> = shared.iter().map(LogState::log_id).collect();
    let standby = match besides {
        Besides::Following => Some(site.server.standby().await),
        _ => None,
    };
    let url = standby.as_ref().unwrap_or(&site.server).url();
    let site = Arc::new(site);
    let total = Arc::new(Total::default());
    let end = Instant::now() + Duration::from_secs(3) * scaled(1);
    let mut writers = Vec::new();
    for number in 0..WRITERS {
        let (site, shared) = (Arc::clone(&site), shared.clone());
        writers.push(tokio::spawn(async move {
            write(&site, number, shared, end).await;
        }));
    }
    if besides == Besides::OtherDatabases {
        let site = Arc::clone(&site);
        writers.push(tokio::spawn(
            async move { write_elsewhere(&site, end).await },
        ));
    }
    let mut readers = Vec::new();
    let own = PostgresEventStore::connect(&url).await.unwrap();
    for (page_size, resumes) in [(500, false), (7, false), (50, true)] {
        // One of them has the store of the writers.
        let store = match besides {
            Besides::Following => own.clone(),
            _ if resumes => own.clone(),
            _ => site.store.clone(),
        };
        let total = Arc::clone(&total);
        readers.push(tokio::spawn(async move {
            read(store, page_size, resumes, &total).await
        }));
        sleep(Duration::from_millis(300)).await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let stored = stored(&site).await;
    total.store(stored.len(), Ordering::Relaxed);
    let hint = again(seed());
    assert!(stored.len() > 300, "{} events", stored.len());
    for reader in readers {
        let Given { events, meanwhile } = reader.await.unwrap();
        assert!(
            meanwhile > stored.len() / 4,
            "{meanwhile} of {}",
            stored.len()
        );
        let places = events.iter().map(|event| event.cursor);
        assert!(
            places.is_sorted_by(|a, b| a < b),
            "no event was taken from its log; {hint}"
        );
        let index = |event: &FeedEvent| i64::try_from(event.index).unwrap();
        let events = events.iter();
        let events = events.map(|event| (event.log_id.into(), index(event), event.event_id.into()));
        assert!(
            events.eq(stored.iter().copied()),
            "the feed is the table; {hint}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_missed_between_many_writers() {
    nothing_is_missed(Besides::Nothing).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_missed_while_other_databases_write() {
    nothing_is_missed(Besides::OtherDatabases).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_missed_on_a_server_that_follows() {
    nothing_is_missed(Besides::Following).await;
}
