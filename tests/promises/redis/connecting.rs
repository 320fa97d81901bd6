//! Each reason why the cache cannot connect is reported, with advice and without secrets.

use super::{cache, connect, counters, five_events, options, raw, until_cached};
use crate::servers::PrivateRedis;
use eventlogs::redis::cmd;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::testing::conformance::Counter;
use eventlogs::{AggregationCache, RedisAggregationCache, RedisCacheOptions, RedisConnectError};
use std::error::Error;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

/// Returns the error of a connection that must fail, after a search for the password in all its visible forms.
async fn refused(url: &str) -> RedisConnectError {
    let options = RedisCacheOptions {
        connect_timeout: Duration::from_millis(500),
        ..options()
    };
    let started = Instant::now();
    let error = RedisAggregationCache::<Counter>::connect_with(url, options)
        .await
        .expect_err(url);
    assert!(started.elapsed() < Duration::from_secs(10), "{url}");
    let mut texts = vec![format!("{error:?}")];
    let mut source: Option<&dyn Error> = Some(&error);
    while let Some(error) = source {
        texts.push(error.to_string());
        source = error.source();
    }
    for text in texts {
        assert!(!text.contains("hunter2"), "{text}");
    }
    error
}

#[tokio::test]
async fn malformed_urls_are_told_apart() {
    for (url, problem) in [
        ("", "redis://"),
        ("hunter2", "redis://"),
        ("postgres://app:hunter2@host/db", "redis://"),
        ("redis://app:hunter2@host:port", "cannot be distinguished"),
        ("redis://:hunter2@host:99999", "cannot be distinguished"),
        ("redis://app:hunter2@", "host"),
        ("redis://:hunter2@0.0.0.0", "host"),
        ("redis://:hunter2@host/hunter2", "database"),
        ("redis://:hunter2@host?protocol=hunter2", "protocol"),
        ("redis://:%ffhunter2@host", "UTF-8"),
    ] {
        let error = refused(url).await;
        assert!(
            matches!(error, RedisConnectError::MalformedUrl { .. }),
            "{url}: {error:?}"
        );
        let message = error.to_string();
        let inner = message.split(['(', ')']).nth(1).unwrap_or_default();
        assert!(inner.contains(problem), "{url}: {message}");
    }
}

#[tokio::test]
async fn unreachable_servers_are_told_apart() {
    let error = refused("redis://:hunter2@127.0.0.1:1").await;
    assert!(
        matches!(error, RedisConnectError::Refused { .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("127.0.0.1:1"), "{error}");
    let error = refused("unix:///nowhere/redis.sock?pass=hunter2").await;
    assert!(
        matches!(error, RedisConnectError::Refused { .. }),
        "{error:?}"
    );
    let error = refused("redis://:hunter2@no-such-host.invalid").await;
    assert!(
        matches!(
            error,
            // A missing resolver takes its time.
            RedisConnectError::Unreachable { .. } | RedisConnectError::TimedOut { .. }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn what_is_no_redis_is_called_so() {
    // A server that hangs up, as one does that expects TLS; another service; and a server that sends nothing.
    for answer in [Some(""), Some("HTTP/1.1 400 Bad Request\r\n\r\n"), None] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let mut silent = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                match answer {
                    Some(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
                    None => silent.push(stream),
                }
            }
        });
        let error = refused(&format!("redis://:hunter2@{address}")).await;
        let told = match answer {
            Some(_) => matches!(error, RedisConnectError::NotRedis { .. }),
            None => matches!(error, RedisConnectError::TimedOut { .. }),
        };
        assert!(told, "{answer:?}: {error:?}");
        server.abort();
    }
}

#[tokio::test]
async fn passwords_are_asked_for() {
    let Some(server) = PrivateRedis::start(&["--requirepass", "right"]).await else {
        return;
    };
    let url = server.url();
    let with = |user: &str| url.replace("://", &format!("://{user}@"));
    for url in [url.clone(), with(":hunter2"), with("app:hunter2")] {
        let error = refused(&url).await;
        assert!(
            matches!(error, RedisConnectError::NotAuthenticated { .. }),
            "{error:?}"
        );
    }
    let cache = RedisAggregationCache::<Counter>::connect(&with(":right")).await;
    let debug = format!("{:?}", cache.expect("the password is right"));
    assert!(!debug.contains("right"), "{debug}");
}

#[tokio::test]
async fn a_server_that_refuses_says_why() {
    let Some(server) = PrivateRedis::start(&[]).await else {
        return;
    };
    let mut raw = raw(&server.url()).await;
    let () = cmd("ACL")
        .arg(&["SETUSER", "app", "on", ">hunter2", "~*", "-@all"])
        .query_async(&mut raw)
        .await
        .unwrap();
    let error = refused(&server.url().replace("://", "://app:hunter2@")).await;
    let RedisConnectError::Refusing { source, .. } = &error else {
        panic!("{error:?}");
    };
    assert!(source.to_string().contains("no permissions"), "{source}");

    let () = cmd("CONFIG")
        .arg(&["SET", "maxclients", "1"])
        .query_async(&mut raw)
        .await
        .unwrap();
    let error = refused(&server.url()).await;
    assert!(error.to_string().contains("maxclients"), "{error}");
}

#[tokio::test]
async fn a_user_may_have_few_rights() {
    let Some(server) = PrivateRedis::start(&[]).await else {
        return;
    };
    let rights =
        "SETUSER app on >secret ~shop:* -@all +ping +get +evalsha +eval +getrange +set +unlink";
    let () = cmd("ACL")
        .arg(rights.split(' ').collect::<Vec<_>>())
        .query_async(&mut raw(&server.url()).await)
        .await
        .unwrap();
    let options = RedisCacheOptions {
        namespace: "shop".to_owned(),
        ..options()
    };
    let url = server.url().replace("://", "://app:secret@");
    let cache = connect(&url, options).await;
    let counters = counters(FakeEventStore::new(), cache.clone());
    let log_id = five_events(&counters).await;
    until_cached(&counters, &log_id).await;
    let entry = cache.get(log_id).await.unwrap().expect("it was just put");
    cache.remove(entry.position()).await.unwrap();
    assert!(cache.get(log_id).await.unwrap().is_none());
}

#[tokio::test]
async fn the_cache_shows_its_options_only() {
    let Some(cache) = cache().await else { return };
    let debug = format!("{cache:?}");
    assert!(
        debug.contains("namespace") && !debug.contains("127.0.0.1"),
        "{debug}"
    );
}
