//! Compares the comment at the start of a statement's file with the parameters that are sent and with those that a server
//! finds.

mod checkpoints;
mod feed;
mod plans;

use super::*;
use crate::cursor::Place;
use crate::event::{EventType, LogType};
use crate::ids::EventId;
use crate::log_state::LogPosition;
use crate::stores::encoding::event::EncodedEvent;
use crate::stores::encoding::write::{EncodedAppend, Requirement};
use crate::stores::postgres::statements::reads::{TailBounds, Unwanted};
use crate::stores::postgres::{PostgresEventStore, PostgresOptions};
use crate::stores::request::Expected;
use crate::stores::write::{StoredContext, StoredKey};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{
    Arguments, AssertSqlSafe, Column, ConnectOptions, Either, Execute, Executor, Statement as _,
    TypeInfo,
};
use std::collections::BTreeMap;
use std::path::Path;

/// Returns all files, by their names without the ending.
fn files() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/stores/postgres/statements");
    let paths = std::fs::read_dir(folder).unwrap();
    let paths = paths.map(|entry| entry.unwrap().path());
    let paths = paths.filter(|path| path.extension().is_some_and(|ending| ending == "sql"));
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    paths
        .map(|path| (name(&path), std::fs::read_to_string(&path).unwrap()))
        .collect()
}

/// Returns the comment at the start of a file.
fn header(file: &str) -> String {
    let lines = file.lines().take_while(|line| line.starts_with("--"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the types of the parameters, as the header lists them.
fn parameters(file: &str) -> Vec<String> {
    let header = header(file);
    let lines = header.lines().filter_map(|line| line.strip_prefix("-- $"));
    let parameters = lines.zip(1..).map(|(line, number)| {
        let (found, rest) = line.split_once(' ').unwrap();
        assert_eq!(found, number.to_string(), "{line}");
        let parameter = rest.trim_start().split("  ").next().unwrap();
        parameter.to_owned()
    });
    parameters.collect()
}

#[test]
fn the_schema_is_the_only_placeholder() {
    for (name, file) in files() {
        assert!(file.starts_with("-- "), "{name} does not say what it does");
        let statement = in_schema(&file, "payments");
        let statement = statement.as_str();
        assert!(!statement.contains(['{', '}']), "{name}: {statement}");
        assert!(
            !statement.starts_with("--") && !statement.ends_with(';'),
            "{name}"
        );
    }
}

#[test]
fn each_parameter_is_listed_and_used() {
    for (name, file) in files() {
        let listed = parameters(&file).len();
        let statement = in_schema(&file, "payments");
        let is_used = |number: usize| {
            let parameter = format!("${number}");
            let mut behind = statement.as_str().split(&parameter).skip(1);
            behind.any(|rest| !rest.starts_with(|char: char| char.is_ascii_digit()))
        };
        for number in 1..=listed {
            assert!(is_used(number), "{name} does not use ${number}");
        }
        assert!(!is_used(listed + 1), "{name} does not list ${}", listed + 1);
    }
}

fn event(payload: &str) -> EncodedEvent {
    EncodedEvent {
        id: EventId::new(),
        event_type: EventType {
            name: "payment.captured",
            version: 1,
        },
        codec: 1,
        payload: payload.as_bytes().to_vec(),
    }
}

fn write(log_id: LogId, expected: Expected, events: usize, key: Option<&str>) -> EncodedWrite {
    let append = EncodedAppend {
        log_id,
        expected,
        first_index: expected.next_index(),
        head: event("{}"),
        tail: (1..events).map(|_| event("[]")).collect(),
        log_type: LogType::new("payment"),
    };
    EncodedWrite {
        first: append,
        others: Vec::new(),
        requirements: Vec::new(),
        context: StoredContext {
            key: key.map(|key| StoredKey {
                scope: None,
                key: key.to_owned(),
                request_fingerprint: None,
            }),
            occurred_at: None,
            metadata: Some(b"{}".to_vec()),
        },
    }
}

fn required(log_id: LogId, expected: Expected) -> Requirement {
    Requirement {
        log_id,
        expected,
        log_type: LogType::new("payment"),
    }
}

fn created(key: Option<&str>) -> EncodedWrite {
    write(LogId::new(), Expected::NewLog, 1, key)
}

/// Makes one event after the only event of a write.
fn next(write_before: &EncodedWrite) -> EncodedWrite {
    let EncodedAppend { log_id, head, .. } = &write_before.first;
    let expected = Expected::After(LogPosition::new(*log_id, 0, head.id));
    write(*log_id, expected, 1, None)
}

/// Returns a connection, and the options of a store in its own schema, if there is a server.
async fn server() -> Option<(PgConnection, PostgresOptions)> {
    let url = std::env::var("EVENTLOGS_POSTGRES_URL").unwrap_or_default();
    if url.is_empty() {
        let is_wanted = std::env::var_os("EVENTLOGS_SERVERS").is_some();
        assert!(!is_wanted, "left out: EVENTLOGS_POSTGRES_URL is not set");
        return None;
    }
    let connect: PgConnectOptions = url.parse().unwrap();
    let options = PostgresOptions {
        schema: format!("eventlogs_test_{}", Uuid::now_v7().simple()),
        ..PostgresOptions::default()
    };
    let store = PostgresEventStore::connect_with(connect.clone(), options.clone());
    let store = store.await.unwrap();
    store.migrate().await.unwrap();
    store.close().await;
    Some((connect.connect().await.unwrap(), options))
}

async fn drop_schema(mut connection: PgConnection, options: &PostgresOptions) {
    let drop = format!("drop schema {} cascade", options.schema);
    connection.execute(AssertSqlSafe(drop)).await.unwrap();
}

/// Returns the name that the server has for a type.
fn server_name(sql_type: &str) -> String {
    let (element, array) = match sql_type.strip_suffix("[]") {
        Some(element) => (element, "[]"),
        None => (sql_type, ""),
    };
    let element = match element {
        "smallint" => "INT2".to_owned(),
        "integer" => "INT4".to_owned(),
        "bigint" => "INT8".to_owned(),
        "double precision" => "FLOAT8".to_owned(),
        "boolean" => "BOOL".to_owned(),
        other => other.to_uppercase(),
    };
    element + array
}

#[tokio::test]
async fn a_server_finds_the_parameters_and_columns_that_the_header_lists() {
    let Some((mut connection, options)) = server().await else {
        return;
    };
    for (name, file) in files() {
        let text = in_schema(&file, &options.schema);
        let prepared = (&mut connection).prepare(text).await;
        let prepared = prepared.unwrap_or_else(|error| panic!("{name}: {error}"));
        let Some(Either::Left(found)) = prepared.parameters() else {
            panic!("{name}: the server says no types");
        };
        let found: Vec<_> = found.iter().map(|found| found.name().to_owned()).collect();
        let listed: Vec<_> = parameters(&file)
            .iter()
            .map(|listed| server_name(listed))
            .collect();
        assert_eq!(found, listed, "{name}");
        let header = header(&file);
        for column in prepared.columns() {
            let is_word = |char: char| char.is_ascii_alphanumeric() || char == '_';
            let mut words = header.split(|char| !is_word(char));
            let is_listed = words.any(|word| word == column.name());
            assert!(
                is_listed,
                "{name} does not list the column {}",
                column.name()
            );
        }
    }
    drop_schema(connection, &options).await;
}

const LIST: ListBounds = ListBounds {
    log_type: LogType::new("payment"),
    limit: 4,
    looked: 100,
};

fn list_by_id(statements: &Statements) -> Statement<'static> {
    statements.list_by_id(Uuid::nil(), LIST)
}

fn list_by_change(statements: &Statements) -> Statement<'static> {
    let before = ChangesBefore {
        place: Place {
            epoch: u32::MAX,
            tx: u64::MAX,
            position: u64::MAX,
        },
        epoch: 0,
        snapshot: None,
    };
    statements.list_by_change(before, LIST)
}

/// The write that has joined two logs may be settled before the others are sent again.
#[test]
fn writes_to_different_logs_in_one_group_take_a_statement_for_several_logs() {
    let statements = Statements::for_schema("eventlogs").unwrap();
    let [one, other, third] = [created(None), created(None), created(None)];
    let mut whole = created(None);
    whole.others = vec![created(None).first];
    let texts = |groups: &[Group<'_, '_>]| statements.append(groups).sql().as_str().to_owned();
    assert_eq!(texts(&[&[&one, &other]]), texts(&[&[&whole]]));
    assert_eq!(
        texts(&[&[&one, &other], &[&third]]),
        texts(&[&[&whole], &[&third]])
    );
    assert_ne!(texts(&[&[&one, &other]]), texts(&[&[&one], &[&other]]));
}

/// Executes each statement with parameters, bound as the store binds them. Returns the numbers of parameters, by file name.
#[expect(clippy::too_many_lines, reason = "one line per statement")]
async fn execute_all(connection: &mut PgConnection, schema: &str) -> BTreeMap<&'static str, usize> {
    let statements = Statements::for_schema(schema).unwrap();
    let mut bound = BTreeMap::new();
    // `rows` is the number of rows that it must return.
    let mut execute = async |name, mut statement: Statement<'_>, rows: usize| {
        let arguments = statement.take_arguments().unwrap().unwrap();
        bound.insert(name, arguments.len());
        let text = statement.sql();
        let query = sqlx::query_with(text, arguments);
        let found = query.fetch_all(&mut *connection).await;
        let found = found.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(found.len(), rows, "{name}");
    };
    let one = created(None);
    let two = [created(None), created(None)];
    let keyed = [created(Some("a")), created(Some("b"))];
    let large = write(LogId::new(), Expected::NewLog, 3, Some("c"));
    let mut several = write(LogId::new(), Expected::NewLog, 2, Some("d"));
    several.others = vec![created(None).first];
    several.requirements = vec![required(large.first.log_id, Expected::NewLog)];
    let in_transaction = write(LogId::new(), Expected::NewLog, 2, Some("e"));
    let after = next(&one);
    execute("append_one", statements.append(&[&[&one]]), 1).await;
    execute("append_next", statements.append(&[&[&after]]), 1).await;
    let groups: [Group<'_, '_>; 2] = [&[&two[0]], &[&two[1]]];
    execute("append_singles", statements.append(&groups), 2).await;
    let groups: [Group<'_, '_>; 2] = [&[&keyed[0]], &[&keyed[1]]];
    execute("append_keyed_singles", statements.append(&groups), 2).await;
    let mut whole = write(LogId::new(), Expected::NewLog, 2, Some("f"));
    whole.others = vec![created(None).first];
    execute("append_whole", statements.append(&[&[&whole]]), 2).await;
    // Required while `one` exists: the other group is stored alone.
    let mut refused = created(None);
    refused.requirements = vec![required(one.first.log_id, Expected::NewLog)];
    let groups: [Group<'_, '_>; 2] = [&[&several], &[&refused]];
    execute("append_across", statements.append(&groups), 2).await;
    execute("append_groups", statements.append(&[&[&large]]), 1).await;
    execute("append_in", statements.append_in(&in_transaction), 1).await;
    execute("refusals", statements.refusals(&[&one, &several]), 4).await;
    execute("refusals_in", statements.refusals_in(&large), 1).await;
    let numbered = [(7, &large), (8, &several)];
    execute("stored_writes", statements.stored_writes(&numbered), 2).await;
    let log_id = large.first.log_id;
    execute("log_type", statements.log_type(log_id), 1).await;
    execute("find_key", statements.find_key(None, "d"), 2).await;
    execute("ends", statements.ends(&[log_id, LogId::new()]), 2).await;
    let bounds = PageBounds {
        log_id,
        from: 0,
        anchor: Some(0),
        rows: 10,
        whole_bytes: 2,
    };
    execute("page", statements.page(bounds), 3).await;
    execute("large_events", statements.large_events(bounds, (0, 2)), 3).await;
    let mut unwanted = Unwanted::default();
    unwanted.add("payment.captured", 1, true);
    let reads = &statements.reads;
    execute("contents", reads.contents(log_id, 0, 1), 3).await;
    let wanted = reads.wanted_contents(log_id, 1, 1, &unwanted);
    execute("wanted_contents", wanted, 2).await;
    execute("records", reads.records(log_id, 2, &unwanted), 1).await;
    let tail = TailBounds {
        log_id,
        first: 0,
        last: 1,
        anchor: Some(0),
    };
    execute("tail", reads.tail(tail, 100), 2).await;
    let other = TailBounds {
        log_id: one.first.log_id,
        first: 1,
        last: 7,
        anchor: None,
    };
    execute("tails", reads.tails(&[tail, other], 100), 3).await;
    let log_ids = [log_id, one.first.log_id];
    execute("newest", reads.newest(&log_ids, 2, 100), 4).await;
    execute("list_by_id", list_by_id(&statements), 4).await;
    // One row is about the first page.
    execute("list_by_change", list_by_change(&statements), 5).await;
    execute("prune", statements.prune(Duration::ZERO, 100), 8).await;
    let finish = migration::finish_migration(schema, 1, 0);
    execute("finish_migration", finish, 0).await;
    bound.extend(feed::execute_all(connection, &statements, log_id).await);
    bound.extend(checkpoints::execute_all(connection, &statements).await);
    bound
}

#[tokio::test]
async fn each_parameter_is_bound_in_its_place() {
    let Some((mut connection, options)) = server().await else {
        return;
    };
    let bound = execute_all(&mut connection, &options.schema).await;
    for (name, file) in files() {
        let listed = parameters(&file).len();
        assert_eq!(bound.get(&*name).copied().unwrap_or(0), listed, "{name}");
    }
    drop_schema(connection, &options).await;
}
