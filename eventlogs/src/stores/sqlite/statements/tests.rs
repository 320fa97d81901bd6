//! Compares each file with what SQLite makes of it, and with what is bound to it.

use crate::event::{EventType, LogType};
use crate::ids::{EventId, LogId};
use crate::projection::known::KnownEvents;
use crate::stores::encoding::event::EncodedEvent;
use crate::stores::encoding::write::{EncodedAppend, EncodedWrite};
use crate::stores::idempotency::IdempotencyKey;
use crate::stores::request::Expected;
use crate::stores::sqlite::migrations::STEPS;
use crate::stores::sqlite::statements::pruning::Bound;
use crate::stores::sqlite::statements::text::{SIZES, Statement, statement, with_rows};
use crate::stores::sqlite::statements::{
    appends, checkpoints, feed, files, listing, pruning, questions, row_keys,
};
use crate::stores::sqlite::values;
use crate::stores::sqlite::values::{Accepted, Stamp};
use crate::stores::write::{StoredContext, StoredKey};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{
    Arguments, AssertSqlSafe, Column, ConnectOptions, Either, Execute, Executor, SqlSafeStr,
    SqlStr, Statement as _,
};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/stores/sqlite/statements")
}

/// All files, by their names without the ending.
fn files() -> BTreeMap<String, String> {
    let paths = fs::read_dir(folder()).unwrap();
    let paths = paths.map(|entry| entry.unwrap().path());
    let paths = paths.filter(|path| path.extension().is_some_and(|ending| ending == "sql"));
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    paths
        .map(|path| (name(&path), fs::read_to_string(&path).unwrap()))
        .collect()
}

/// The comment at the start of a file.
fn header(file: &str) -> String {
    let lines = file.lines().take_while(|line| line.starts_with("--"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The number of parameters that the header lists.
fn listed(file: &str) -> usize {
    let header = header(file);
    let lines = header.lines().filter_map(|line| line.strip_prefix("-- ?"));
    let mut count = 0;
    for line in lines {
        count += 1;
        let (number, _) = line.split_once(' ').unwrap();
        assert_eq!(number, count.to_string(), "{line}");
    }
    count
}

/// A database in memory with all tables.
async fn database() -> SqliteConnection {
    let memory = SqliteConnectOptions::new().filename(":memory:");
    let mut connection = memory.connect().await.unwrap();
    for step in STEPS.missing_steps(0).unwrap() {
        connection.execute(sqlx::raw_sql(step.sql)).await.unwrap();
    }
    connection
}

/// The number of parameters that SQLite finds in a text, and the columns.
async fn prepared(connection: &mut SqliteConnection, text: SqlStr) -> (usize, Vec<String>) {
    let shown = text.as_str().to_owned();
    let prepared = connection.prepare(text).await;
    let prepared = prepared.unwrap_or_else(|error| panic!("{error}:\n{shown}"));
    let Some(Either::Right(parameters)) = prepared.parameters() else {
        panic!("SQLite returns no number of parameters:\n{shown}");
    };
    let columns = prepared.columns().iter();
    let columns = columns.map(|column| column.name().to_owned()).collect();
    (parameters, columns)
}

#[tokio::test]
async fn sqlite_finds_the_parameters_and_columns_that_the_header_lists() {
    let mut connection = database().await;
    for (name, file) in files() {
        assert!(file.starts_with("-- "), "{name} does not say what it does");
        let text = statement(&file);
        assert!(!text.starts_with("--") && !text.ends_with(';'), "{name}");
        let text = AssertSqlSafe(text.to_owned()).into_sql_str();
        let (parameters, columns) = prepared(&mut connection, text).await;
        assert_eq!(parameters, listed(&file), "{name}");
        let header = header(&file);
        for column in columns {
            let is_word = |char: char| char.is_ascii_alphanumeric() || char == '_';
            let mut words = header.split(|char| !is_word(char));
            assert!(
                words.any(|word| word == column),
                "{name} does not list the column {column}"
            );
        }
    }
}

fn event() -> EncodedEvent {
    EncodedEvent {
        id: EventId::new(),
        event_type: EventType {
            name: "payment.captured",
            version: 1,
        },
        codec: 1,
        payload: b"{}".to_vec(),
    }
}

/// A write of one event with a key.
fn write() -> EncodedWrite {
    EncodedWrite {
        first: EncodedAppend {
            log_id: LogId::new(),
            expected: Expected::NewLog,
            first_index: 0,
            head: event(),
            tail: Vec::new(),
            log_type: LogType::new("payment"),
        },
        others: Vec::new(),
        requirements: Vec::new(),
        context: StoredContext {
            key: Some(StoredKey {
                scope: None,
                key: EventId::new().to_string(),
                request_fingerprint: None,
            }),
            occurred_at: None,
            metadata: None,
        },
    }
}

fn accepted(write: &EncodedWrite) -> Accepted<'_> {
    Accepted {
        write,
        recorded_at: 0,
        kind: write.first.log_type.number(),
        other_kinds: Vec::new(),
    }
}

/// Compares what SQLite finds in a text with what is bound to it, and runs it.
async fn try_out(connection: &mut SqliteConnection, mut statement: Statement<'_>) {
    let arguments = statement.take_arguments().unwrap().unwrap();
    let text = statement.sql();
    let (parameters, _) = prepared(connection, text.clone()).await;
    assert_eq!(arguments.len(), parameters, "{}", text.as_str());
    let query = sqlx::query_with(text.clone(), arguments);
    let found = query.fetch_all(connection).await;
    found.unwrap_or_else(|error| panic!("{error}:\n{}", text.as_str()));
}

#[tokio::test]
async fn each_parameter_of_a_batch_is_bound() {
    let mut connection = database().await;
    let stamp = Stamp { epoch: 1, tx: 1 };
    for rows in SIZES {
        for and_commit in [false, true] {
            let writes: Vec<_> = (0..rows).map(|_| write()).collect();
            let asked = values::asked(&writes);
            let accepted: Vec<_> = writes.iter().map(accepted).collect();
            for text in appends::begin_and_places(&asked) {
                try_out(&mut connection, text).await;
            }
            for text in appends::places(&asked) {
                try_out(&mut connection, text).await;
            }
            let events = values::event_rows(&accepted);
            let text = appends::insert_events(stamp, &events, and_commit);
            try_out(&mut connection, text).await;
            if and_commit {
                connection.execute(appends::BEGIN).await.unwrap();
            }
            let keys = values::key_rows(&accepted);
            try_out(&mut connection, appends::insert_keys(&keys, and_commit)).await;
            for text in appends::refusals(&asked) {
                try_out(&mut connection, text).await;
            }
            if !and_commit {
                connection.execute(appends::ROLLBACK).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn each_parameter_of_the_other_statements_is_bound() {
    let mut connection = database().await;
    let log_id = LogId::new();
    let key = IdempotencyKey::new("4f2c");
    let keys = vec![(log_id, "[\"ada\"]".to_owned())];
    let (first, last) = (Bound::first(), Bound::last());
    let copy = tempfile::tempdir().unwrap();
    let copy = copy.path().join("copy.db");
    let copy = copy.to_str().unwrap().to_owned();
    for statement in [
        questions::event_ids(&log_id, 0, 1),
        questions::page(&log_id, 0, None, 1, None),
        questions::log_type(&log_id),
        questions::ends(&[log_id, LogId::new()]),
        questions::find_key(&key),
        listing::list_by_id(log_id.as_uuid(), 1),
        listing::list_by_change(1, 1, 1),
        feed::head(),
        feed::page(0, 10, 3),
        feed::gap(&log_id, &(0..3)),
        feed::of_row(&log_id, 0, 3, "payments"),
        pruning::end_of_stretch(&first, 1),
        pruning::has_old_keys(&first, &last, 0),
        pruning::prune(&first, &last, 0),
        files::has_table("events"),
        files::finish_migration(1),
        files::copy(copy),
        row_keys::write(&row_keys::ROW_KEYS, "ledger", keys),
        row_keys::read(&row_keys::ROW_KEYS, "ledger", &[log_id]),
        checkpoints::know("ledger", &KnownEvents::default()),
    ]
    .into_iter()
    .chain(checkpoints::clear("ledger"))
    {
        try_out(&mut connection, statement).await;
    }
}

/// The texts that consist of several statements, or of more than one row.
const GENERATED: [(&str, &[&str]); 7] = [
    ("begin_and_places", appends::BEGIN_AND_PLACES),
    ("places", &[appends::PLACES]),
    ("insert_events", &[appends::INSERT_EVENTS]),
    (
        "insert_events_and_commit",
        appends::INSERT_EVENTS_AND_COMMIT,
    ),
    ("insert_keys", &[appends::INSERT_KEYS]),
    ("insert_keys_and_commit", appends::INSERT_KEYS_AND_COMMIT),
    ("refusals", &[appends::REFUSALS]),
];

#[test]
fn generated_texts_are_as_recorded() {
    let overwrite = std::env::var("EVENTLOGS_STATEMENTS").is_ok_and(|value| value == "overwrite");
    for (name, statements) in GENERATED {
        assert_eq!(with_rows(statements, 1), statements.join(";\n"), "{name}");
        let path = folder().join(format!("golden/{name}.sql"));
        let generated = with_rows(statements, 3) + "\n";
        if overwrite {
            fs::write(&path, &generated).unwrap();
        }
        let recorded = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            generated.lines().collect::<Vec<_>>(),
            recorded.lines().collect::<Vec<_>>(),
            "{name}: if this is intended, run the test again with EVENTLOGS_STATEMENTS=overwrite, and review the difference"
        );
    }
}
