//! Several processes on one database, some of them killed: their results are compared with the stored events.

use crate::payments::{Payment, PaymentEvent};
use crate::postgres::TestStore;
use eventlogs::ids::LogId;
use eventlogs::{
    Aggregate, AppendOptions, CreateOptions, Event, EventRecord, LogManager, LogManagerError,
    LogManagerOptions, MemoryAggregationCache, PostgresEventStore, PostgresOptions,
    SqliteEventStore,
};
use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;
use std::time::Duration;

/// Tells a child process which store to use.
const PLACE: &str = "EVENTLOGS_TEST_PLACE";
/// Tells a child process its number.
const CHILD: &str = "EVENTLOGS_TEST_CHILD";
/// Tells a child process how many rounds to run.
const ROUNDS: &str = "EVENTLOGS_TEST_ROUNDS";

/// The store that the processes share.
#[derive(Clone)]
pub(crate) enum Place {
    Sqlite(String),
    Postgres { url: String, schema: String },
}

impl Place {
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite {path}"),
            Self::Postgres { url, schema } => format!("postgres {schema} {url}"),
        }
    }

    pub(crate) fn parse(text: &str) -> Self {
        match text.split_once(' ') {
            Some(("sqlite", path)) => Self::Sqlite(path.to_owned()),
            Some(("postgres", rest)) => {
                let (schema, url) = rest.split_once(' ').expect("schema and URL");
                Self::Postgres {
                    url: url.to_owned(),
                    schema: schema.to_owned(),
                }
            }
            _ => panic!("not a store: {text}"),
        }
    }

    pub(crate) async fn open<A: Aggregate<Event: Event>>(&self) -> LogManager<A> {
        let (cache, managed) = (
            MemoryAggregationCache::default(),
            LogManagerOptions::default(),
        );
        match self {
            Self::Sqlite(path) => {
                let store = SqliteEventStore::open(path).await.expect("the file opens");
                LogManager::new(store, cache, managed)
            }
            Self::Postgres { url, schema } => {
                let options = PostgresOptions {
                    schema: schema.clone(),
                    max_connections: 4,
                    ..PostgresOptions::default()
                };
                let connect = url.parse().expect("a valid URL");
                let store = PostgresEventStore::connect_with(connect, options).await;
                let store = store.expect("the server accepts the connection");
                LogManager::new(store, cache, managed)
            }
        }
    }
}

/// Returns three logs that all processes know by name.
fn logs(place: &Place) -> Vec<LogId> {
    (0..3)
        .map(|log| LogId::derived("processes", format!("{} {log}", place.to_text())))
        .collect()
}

/// Returns the store, the number and the number of rounds of a child process; `None` in a process that is none.
pub(crate) fn task_of_child() -> Option<(Place, u64, u64)> {
    let place = Place::parse(&std::env::var(PLACE).ok()?);
    let number = |variable| -> u64 { std::env::var(variable).unwrap().parse().unwrap() };
    Some((place, number(CHILD), number(ROUNDS)))
}

/// The work of a child process, which the tests below start. When run as a test, it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Some((place, child, rounds)) = task_of_child() else {
        return;
    };
    let manager = place.open::<Payment>().await;
    let tasks: Vec<_> = (0..4)
        .map(|task| {
            tokio::spawn(work(
                manager.clone(),
                logs(&place),
                child * 4 + task,
                rounds,
            ))
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// Appends, and reports each result once it is known.
async fn work(manager: LogManager<Payment>, logs: Vec<LogId>, task: u64, rounds: u64) {
    for round in 0..rounds {
        let log_id = logs[usize::try_from((task / 2 * 31 + round * 17) % 3).unwrap()];
        let state = manager
            .reduce(&log_id)
            .await
            .expect("the log exists")
            .state();
        let amount = task * 1_000_000 + round + 1;
        // Every third append shares its key with a task of another process.
        let key = (round % 3 == 0).then(|| format!("{log_id} {round}"));
        let options = AppendOptions {
            idempotency_key: key.clone(),
            ..Default::default()
        };
        let event = PaymentEvent::Captured { amount };
        let line = match manager.append(state, &event, &options).await {
            Ok(state) => format!(
                "ACK\t{log_id}\t{}\t{amount}\t{}",
                state.index(),
                key.unwrap_or_default()
            ),
            Err(LogManagerError::ConcurrentAppend { .. }) => continue,
            Err(LogManagerError::IdempotentReplay {
                log_id,
                event_index,
                ..
            }) => {
                format!(
                    "REPLAY\t{log_id}\t{event_index}\t0\t{}",
                    key.unwrap_or_default()
                )
            }
            Err(error) => format!("FAILED\t{error:?}"),
        };
        // One write per line, so that the lines of several tasks do not mix.
        std::io::stdout()
            .write_all(format!("\n{line}\n").as_bytes())
            .unwrap();
    }
}

fn spawn(place: &Place, child: u64, rounds: u64) -> Child {
    spawn_test("processes::child", place, child, rounds)
}

/// Starts a process that runs one test, with a store, a number and a number of rounds.
pub(crate) fn spawn_test(test: &str, place: &Place, child: u64, rounds: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(PLACE, place.to_text())
        .env(CHILD, child.to_string())
        .env(ROUNDS, rounds.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Tells a process that it runs only one test.
const ALONE: &str = "EVENTLOGS_TEST_ALONE";

/// Runs a test in a process of its own: other tests would disturb what it says about the process. The test ends immediately if
/// it is not [`is_alone`].
pub(crate) fn run_alone(test: &str) {
    let child = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(ALONE, test)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{said}");
    let counted = String::from_utf8_lossy(&child.stdout);
    assert!(counted.contains("1 passed"), "{counted}");
}

/// Returns `true` in a process of [`run_alone`].
pub(crate) fn is_alone() -> bool {
    std::env::var(ALONE).is_ok()
}

/// One line of a child process.
struct Answer {
    replay: bool,
    log_id: LogId,
    index: u64,
    amount: u64,
    key: String,
}

/// Reads the output of a child process until it ends, in whichever way, and signals the first line.
pub(crate) fn follow<T: Send + 'static>(
    child: &mut Child,
    parse: impl Fn(&str) -> Option<T> + Send + 'static,
) -> (JoinHandle<Vec<T>>, Receiver<()>) {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (said_something, heard) = mpsc::channel();
    let answers = std::thread::spawn(move || {
        let mut answers = Vec::new();
        for line in lines.map_while(Result::ok) {
            if let Some(answer) = parse(&line) {
                answers.push(answer);
                // After the first signal the receiver may be gone.
                let _ = said_something.send(());
            }
        }
        answers
    });
    (answers, heard)
}

fn parse(line: &str) -> Option<Answer> {
    assert!(!line.starts_with("FAILED"), "{line}");
    let fields: Vec<_> = line.split('\t').collect();
    // The last line of a killed process may be cut short; then nothing was acknowledged.
    let [kind @ ("ACK" | "REPLAY"), log_id, index, amount, key] = fields[..] else {
        return None;
    };
    Some(Answer {
        replay: kind == "REPLAY",
        log_id: log_id.parse().ok()?,
        index: index.parse().ok()?,
        amount: amount.parse().ok()?,
        key: key.to_owned(),
    })
}

async fn check(place: &Place, answers: Vec<Answer>) {
    let manager = place.open::<Payment>().await;
    let mut stored = HashMap::new();
    for log_id in logs(place) {
        let records = manager.load(&log_id, 0, 1_000_000).await.unwrap();
        for (record, index) in records.iter().zip(0..) {
            assert_eq!(record.index(), index, "indices are dense");
            stored.insert((log_id, index), record.event().clone());
        }
    }
    let (mut places, mut by_key) = (HashSet::new(), HashMap::new());
    for ack in answers.iter().filter(|answer| !answer.replay) {
        let place = (ack.log_id, ack.index);
        assert!(places.insert(place), "{place:?} was acknowledged twice");
        assert_eq!(
            stored.get(&place),
            Some(&PaymentEvent::Captured { amount: ack.amount }),
            "an acknowledged event is stored"
        );
        if !ack.key.is_empty() {
            assert!(
                by_key.insert(&ack.key, place).is_none(),
                "{} was used twice",
                ack.key
            );
        }
    }
    for replay in answers.iter().filter(|answer| answer.replay) {
        let place = (replay.log_id, replay.index);
        assert!(stored.contains_key(&place), "a replay points at an event");
        // The process that wrote the original may have been killed before it could report it.
        if let Some(original) = by_key.get(&replay.key) {
            assert_eq!(
                *original, place,
                "a replay returns the result of the original"
            );
        }
    }
}

async fn prepare(place: &Place) {
    let manager = place.open::<Payment>().await;
    for log_id in logs(place) {
        let requested = PaymentEvent::Requested { amount: 1 };
        manager
            .create(&log_id, &requested, &CreateOptions::default())
            .await
            .unwrap();
    }
}

async fn every_answer_is_true(place: Place) {
    prepare(&place).await;
    let mut children: Vec<_> = (0..3).map(|child| spawn(&place, child, 40)).collect();
    let followed: Vec<_> = children
        .iter_mut()
        .map(|child| follow(child, parse))
        .collect();
    let mut all = Vec::new();
    for (mut child, (answers, _)) in children.into_iter().zip(followed) {
        all.extend(answers.join().unwrap());
        assert!(child.wait().unwrap().success());
    }
    assert!(all.len() > 100, "{} answers", all.len());
    check(&place, all).await;
}

async fn what_was_acknowledged_survives_kills(place: Place) {
    prepare(&place).await;
    let mut all = Vec::new();
    for generation in 0..6 {
        let mut children: Vec<_> = (0..2)
            .map(|child| spawn(&place, generation * 2 + child, 1_000_000))
            .collect();
        let followed: Vec<_> = children
            .iter_mut()
            .map(|child| follow(child, parse))
            .collect();
        for (_, heard) in &followed {
            heard
                .recv_timeout(Duration::from_mins(1))
                .expect("a child process reports a line");
        }
        // At some point in the middle of their work, a different one each time.
        tokio::time::sleep(Duration::from_millis(20 + generation * 17)).await;
        for child in &mut children {
            child.kill().unwrap();
        }
        for (mut child, (answers, _)) in children.into_iter().zip(followed) {
            all.extend(answers.join().unwrap());
            child.wait().unwrap();
        }
    }
    assert!(all.len() > 20, "{} answers", all.len());
    check(&place, all).await;
}

pub(crate) async fn postgres() -> Option<Place> {
    let store = TestStore::new().await?;
    let url = crate::servers::postgres_url()?;
    Some(Place::Postgres {
        url,
        schema: store.options.schema,
    })
}

#[tokio::test]
async fn every_answer_is_true_on_one_sqlite_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.db").display().to_string();
    every_answer_is_true(Place::Sqlite(file)).await;
}

#[tokio::test]
async fn every_answer_is_true_on_postgres() {
    if let Some(place) = postgres().await {
        every_answer_is_true(place).await;
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_kills_on_one_sqlite_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.db").display().to_string();
    what_was_acknowledged_survives_kills(Place::Sqlite(file)).await;
}

#[tokio::test]
async fn what_was_acknowledged_survives_kills_on_postgres() {
    if let Some(place) = postgres().await {
        what_was_acknowledged_survives_kills(place).await;
    }
}
