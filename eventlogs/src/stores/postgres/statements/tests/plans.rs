//! The plans of statements. What those of the feed read is bounded by what they return, however large the table is; and a log is
//! never sorted, however far apart its events are.

use super::{drop_schema, parameters, server};
use crate::stores::postgres::pooler::SETTINGS;
use crate::stores::postgres::statements::text::in_schema;
use serde_json::Value;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor, Row};

/// The number of events in the table: 100 per transaction, of which every tenth belongs to a kind of its own.
const EVENTS: i64 = 20_000;
/// The greatest number of rows that a page looks at.
const ROWS: i64 = 501;

/// Prepares a statement under its name, as a store does while the table is empty.
async fn prepare(connection: &mut PgConnection, name: &str, file: &str, schema: &str) {
    let types = parameters(file).join(", ");
    let types = if types.is_empty() {
        String::new()
    } else {
        format!("({types})")
    };
    let statement = in_schema(file, schema);
    let prepare = format!("prepare {name}{types} as {}", statement.as_str());
    connection.execute(AssertSqlSafe(prepare)).await.unwrap();
}

/// Executes a prepared statement, and returns the nodes of its plan.
async fn nodes(connection: &mut PgConnection, call: &str) -> Vec<Value> {
    let explain = format!("explain (analyze, timing off, format json) execute {call}");
    let row = sqlx::raw_sql(AssertSqlSafe(explain));
    let row = row.fetch_one(connection).await.unwrap();
    let text: Value = serde_json::from_str(row.get_unchecked(0)).unwrap();
    let mut nodes = Vec::new();
    collect(&text[0]["Plan"], &mut nodes);
    nodes
}

fn collect(node: &Value, nodes: &mut Vec<Value>) {
    nodes.push(node.clone());
    for child in node["Plans"].as_array().into_iter().flatten() {
        collect(child, nodes);
    }
}

/// Checks that a plan does not sort, and reads at most so many rows of the events, through the index of the feed. Returns how
/// many it has read.
fn check(nodes: &[Value], most: i64) -> i64 {
    let mut read = 0;
    for node in nodes {
        let kind = node["Node Type"].as_str().unwrap();
        assert!(!kind.contains("Sort"), "{node:#}");
        if node["Relation Name"] != "events" {
            continue;
        }
        assert_eq!(node["Index Name"], "events_feed", "{node:#}");
        let count = |key: &str| node[key].as_f64().unwrap_or_default();
        let rows = count("Actual Rows")
            + count("Rows Removed by Filter")
            + count("Rows Removed by Index Recheck");
        #[expect(clippy::cast_possible_truncation, reason = "it is a small number")]
        let rows = (rows * count("Actual Loops")) as i64;
        read += rows;
    }
    assert!(read <= most, "{read} rows were read: {nodes:#?}");
    read
}

#[tokio::test]
async fn what_the_feed_reads_does_not_grow_with_the_table() {
    let Some((mut connection, options)) = server().await else {
        return;
    };
    let schema = &options.schema;
    for (name, value) in SETTINGS {
        let set = format!("set {name} = {value}");
        connection.execute(AssertSqlSafe(set)).await.unwrap();
    }
    for (name, file) in [
        ("feed_head", include_str!("../feed_head.sql")),
        ("feed_page", include_str!("../feed_page.sql")),
        ("feed_sparse_page", include_str!("../feed_sparse_page.sql")),
    ] {
        prepare(&mut connection, name, file, schema).await;
        if name == "feed_head" {
            // The plan is made now.
            connection.execute("execute feed_head(0)").await.unwrap();
        }
    }
    let insert = format!(
        "insert into {schema}.events (log_id, event_index, event_id, event_type, event_version, codec, payload, recorded_at,
                                      kind, epoch, tx)
         select gen_random_uuid(), 0, gen_random_uuid(), 'a', 1, 1, '', now(), (n % 10 = 0)::integer, 1,
                (10 + n / 100)::text::xid8
         from generate_series(1, {EVENTS}) n"
    );
    connection.execute(AssertSqlSafe(insert)).await.unwrap();

    let head = sqlx::raw_sql("execute feed_head(0)")
        .fetch_one(&mut connection)
        .await;
    let head = head.unwrap();
    let (timeline, started): (i32, i64) = (head.get("timeline"), head.get("started"));
    check(&nodes(&mut connection, "feed_head(0)").await, 2);
    // Many events wait behind the fence.
    check(&nodes(&mut connection, "feed_head(50)").await, 2);
    for (tx, position) in [(0, 0), (100, 9_000), (100, 1), (209, 19_950)] {
        for kinds in ["null", "'{1}'", "'{7}'"] {
            for (page, end) in [
                ("feed_page", 500),
                ("feed_sparse_page", 500),
                ("feed_page", 101),
            ] {
                let call = format!(
                    "{page}(1, {tx}, {position}, 1, {end}, {ROWS}, {kinds}, '{{a/2}}', 0, 1024, 8000, {timeline}, {started})"
                );
                let read = check(&nodes(&mut connection, &call).await, ROWS);
                assert!(read > 0 || tx > end, "{call}");
            }
        }
    }
    // Another server reads nothing.
    let call = format!(
        "feed_page(1, 0, 0, 1, 500, 501, null, '{{}}', 0, 1024, 8000, {timeline}, {started} + 1)"
    );
    assert_eq!(check(&nodes(&mut connection, &call).await, 0), 0);
    drop_schema(connection, &options).await;
}

/// Checks that a plan reads events in the order of the primary key.
fn check_order(name: &str, nodes: &[Value]) {
    let mut reads = 0;
    for node in nodes {
        let kind = node["Node Type"].as_str().unwrap();
        let is_in_order = !kind.contains("Sort") && !kind.contains("Bitmap");
        assert!(is_in_order, "{name}: {node:#}");
        if node["Relation Name"] == "events" {
            assert_eq!(node["Index Name"], "events_pkey", "{name}: {node:#}");
            reads += 1;
        }
    }
    assert!(reads > 0, "{name}: {nodes:#?}");
}

/// Sorted rows would come only after the last one was read, and a long log would be written to disk for it.
#[tokio::test]
async fn a_log_is_read_in_the_order_of_its_index() {
    let Some((mut connection, options)) = server().await else {
        return;
    };
    let schema = &options.schema;
    for (name, value) in SETTINGS {
        let set = format!("set {name} = {value}");
        connection.execute(AssertSqlSafe(set)).await.unwrap();
    }
    // Fifty logs, whose events take turns.
    let insert = format!(
        "insert into {schema}.events (log_id, event_index, event_id, event_type, event_version, codec, payload, recorded_at, kind)
         select pg_catalog.md5((n % 50)::text)::uuid, n / 50, gen_random_uuid(), 'a', 1, 1,
                pg_catalog.convert_to(pg_catalog.repeat('x', 130), 'utf8'), now(), 1
         from generate_series(0, 49999) n;
         analyze {schema}.events"
    );
    sqlx::raw_sql(AssertSqlSafe(insert))
        .execute(&mut connection)
        .await
        .unwrap();
    let log = "pg_catalog.md5('7')::uuid";
    let names = "null, null, null, null, null";
    let all = i64::MAX;
    for (name, file, parameters) in [
        (
            "contents",
            include_str!("../contents.sql"),
            format!("{log}, 0, 32, {all}"),
        ),
        (
            "wanted_contents",
            include_str!("../wanted_contents.sql"),
            format!("{log}, 0, 32, {names}, {all}"),
        ),
        (
            "records",
            include_str!("../records.sql"),
            format!("{log}, 0, {names}, {all}"),
        ),
        (
            "tail",
            include_str!("../tail.sql"),
            format!("{log}, 10, 42, 10, 8192, 33"),
        ),
    ] {
        prepare(&mut connection, name, file, schema).await;
        check_order(
            name,
            &nodes(&mut connection, &format!("{name}({parameters})")).await,
        );
    }
    drop_schema(connection, &options).await;
}
