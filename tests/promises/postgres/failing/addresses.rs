//! Mistakes in an address, and addresses of several servers.

use crate::payments::{captured, payments};
use crate::postgres::TestStore;
use crate::proxy::Proxy;
use crate::servers;
use eventlogs::stores::{OpenError, StoreError};
use eventlogs::{PostgresEventStore, PostgresOptions};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

/// Each mistake in an address returns an error with advice.
#[tokio::test]
async fn servers_that_cannot_be_had_are_reported_without_secrets() {
    let unreachable = "postgres://app:hunter2@127.0.0.1:1/payments";
    let malformed = [
        "postgres://app:hunter2@host:notaport/db",
        "postgres://app:hunter2#@host/db",
        "postgres://app:hunter2/@host/db",
        "postgres://app:12/hunter2@host/db",
        "postgres://app:12?hunter2@host/db",
        "postgres://app:x@one,two/db?port=1,hunter2,3",
        "postgres://app:x@one/db?target_session_attrs=hunter2",
        "mysql://app:hunter2@host/db",
        "app:hunter2",
        "",
    ];
    for url in malformed {
        let error = PostgresEventStore::connect(url).await.unwrap_err();
        assert!(
            matches!(error, OpenError::InvalidUrl { .. }),
            "{url}: {error:?}"
        );
        assert!(
            !format!("{error} {error:?}").contains("hunter2"),
            "{error:?}"
        );
        assert!(error.to_string().contains("%23"), "{error}");
    }
    let error = PostgresEventStore::connect(unreachable).await.unwrap_err();
    assert!(
        matches!(error, OpenError::Store(StoreError::Unavailable { .. })),
        "{error:?}"
    );
    assert!(
        !format!("{error} {error:?}").contains("hunter2"),
        "{error:?}"
    );

    let Some(store) = TestStore::new().await else {
        return;
    };
    let no_database = store.connect.clone().database("no_such_database");
    let tls = store
        .connect
        .clone()
        .ssl_mode(sqlx::postgres::PgSslMode::Require);
    let error = PostgresEventStore::connect_with(no_database, store.options.clone())
        .await
        .unwrap_err();
    assert!(
        matches!(error, OpenError::Store(StoreError::AccessDenied { .. })),
        "{error:?}"
    );
    let error = PostgresEventStore::connect_with(tls, store.options.clone())
        .await
        .unwrap_err();
    assert!(
        matches!(error, OpenError::Store(StoreError::Tls { .. })),
        "{error:?}"
    );
    let schema = PostgresOptions {
        schema: "No; drop table".to_owned(),
        ..PostgresOptions::default()
    };
    let error = PostgresEventStore::connect_with(store.connect.clone(), schema)
        .await
        .unwrap_err();
    assert!(
        matches!(error, OpenError::InvalidSchema { .. }),
        "{error:?}"
    );
    let wrong = store
        .connect
        .clone()
        .username("nobody_of_that_name")
        .password("hunter2");
    let error = PostgresEventStore::connect_with(wrong, store.options.clone())
        .await
        .unwrap_err();
    assert!(
        matches!(error, OpenError::Store(StoreError::AccessDenied { .. })),
        "{error:?}"
    );
    assert!(
        !format!("{error} {error:?}").contains("hunter2"),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_address_names_several_servers() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let url = servers::postgres_url().unwrap();
    let (front, place) = url.rsplit_once('@').unwrap();
    let (server, database) = place.split_once('/').unwrap();
    let (host, port) = server.split_once(':').unwrap();
    for url in [
        format!("{front}@127.0.0.1:1,{server}/{database}"),
        format!("{front}@{server},127.0.0.1:1/{database}?target_session_attrs=read-write"),
        format!("{front}@127.0.0.1:1,{server}/{database}?target_session_attrs=primary"),
        format!("{front}@/{database}?host=127.0.0.1,{host}&port=1,{port}&target_session_attrs=any"),
    ] {
        let opened = PostgresEventStore::connect_url_with(&url, store.options.clone()).await;
        captured(&payments(opened.unwrap())).await;
    }
}

/// A server that accepts the connection and then sends nothing.
#[tokio::test]
async fn a_server_that_never_lets_us_in_is_not_waited_for_for_ever() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let options = PostgresOptions {
        timeout: Duration::from_secs(1),
        ..PostgresOptions::default()
    };
    let begun = Instant::now();
    let url = format!("postgres://app:hunter2@127.0.0.1:{port}/db");
    let error = PostgresEventStore::connect_url_with(&url, options.clone())
        .await
        .unwrap_err();
    assert!(
        matches!(error, OpenError::Store(StoreError::Unavailable { .. })),
        "{error:?}"
    );
    assert!(begun.elapsed() < Duration::from_secs(8));

    // Such a server does not prevent the use of the next one.
    let Some(store) = TestStore::new().await else {
        return;
    };
    let silent = store.connect.clone().host("127.0.0.1").port(port);
    let options = PostgresOptions {
        schema: store.options.schema.clone(),
        timeout: Duration::from_secs(8),
        ..options
    };
    let servers = [silent, store.connect.clone()];
    let opened = PostgresEventStore::connect_any(servers, options).await;
    captured(&payments(opened.unwrap())).await;
}

/// The first server of a list is the one that dies silently.
#[tokio::test]
async fn another_server_takes_over_from_one_that_falls_silent() {
    let Some(store) = TestStore::new().await else {
        return;
    };
    let server = (
        store.connect.get_host().to_owned(),
        store.connect.get_port(),
    );
    let proxy = Proxy::in_front_of(server).await;
    let first = store.connect.clone().host("127.0.0.1");
    let first = first.port(proxy.address.port());
    let options = PostgresOptions {
        timeout: Duration::from_secs(16),
        silence: Some(Duration::from_secs(1)),
        ..store.options.clone()
    };
    let opened = PostgresEventStore::connect_any([first, store.connect.clone()], options).await;
    let manager = payments(opened.unwrap());
    let log_id = captured(&manager).await;
    manager.load(&log_id, 0, 10).await.unwrap();
    proxy.black_hole(true);
    let begun = Instant::now();
    captured(&manager).await;
    manager.load(&log_id, 0, 10).await.unwrap();
    assert!(
        begun.elapsed() < Duration::from_secs(12),
        "{:?}",
        begun.elapsed()
    );
}
