//! Redis over TLS, including servers with a false identity.

use super::{counters, five_events, options, raw, until_cached};
use crate::servers::{self, Authority, Credentials, Files, PrivateRedis};
use eventlogs::ids::LogId;
use eventlogs::redis::cmd;
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::testing::conformance::Counter;
use eventlogs::{
    AggregationCache, RedisAggregationCache, RedisCacheOptions, RedisConnectError, RedisTls,
    RedisTlsClient,
};
use std::collections::HashMap;
use std::error::Error;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Tells a child process the server's URL.
const URL: &str = "EVENTLOGS_TEST_TLS_URL";

/// A server that accepts only TLS, and its files.
struct Server {
    redis: PrivateRedis,
    files: Files,
    url: String,
}

impl Server {
    /// Starts a server. With an authority for clients, it demands their certificates.
    async fn start(credentials: &Credentials, clients: Option<&Authority>) -> Option<Self> {
        let plain = PrivateRedis::start(&[]).await?;
        let found: HashMap<String, String> = cmd("CONFIG")
            .arg(&["GET", "tls-port"])
            .query_async(&mut raw(&plain.url()).await)
            .await
            .unwrap();
        if found.is_empty() {
            servers::left_out("TLS on Redis: redis-server was built without it");
            return None;
        }
        let files = Files::new();
        let (certificate, key) = files.put_server(credentials);
        let roots = clients.map_or(&credentials.certificate, |clients| &clients.pem);
        let roots = files.put("clients.pem", roots);
        let paths = [certificate, key, roots].map(|path| path.display().to_string());
        let [certificate, key, roots] = &paths;
        let wants = if clients.is_some() { "yes" } else { "no" };
        let redis = PrivateRedis::start(&[
            "--port",
            "0",
            "--tls-port",
            "{port}",
            "--tls-cert-file",
            certificate,
            "--tls-key-file",
            key,
            "--tls-ca-cert-file",
            roots,
            "--tls-auth-clients",
            wants,
        ])
        .await?;
        let url = redis.url().replace("redis://", "rediss://");
        Some(Self { redis, files, url })
    }

    /// Restarts the server with another certificate.
    async fn show(&mut self, credentials: &Credentials) {
        self.files.put_server(credentials);
        self.redis.kill();
        self.redis.restart().await;
    }
}

fn trusting(authority: &Authority) -> RedisCacheOptions {
    RedisCacheOptions {
        tls: RedisTls {
            root_certificates: Some(authority.pem.clone()),
            client: None,
        },
        ..options()
    }
}

/// Puts an entry and gets it again.
async fn works(url: &str, options: RedisCacheOptions) -> RedisAggregationCache<Counter> {
    let cache = RedisAggregationCache::connect_with(url, options).await;
    let cache = cache.expect(url);
    let counters = counters(FakeEventStore::new(), cache.clone());
    let log_id = five_events(&counters).await;
    until_cached(&counters, &log_id).await;
    assert!(cache.get(log_id).await.unwrap().is_some());
    cache
}

/// Returns the message of a connection that must fail.
async fn refused(url: &str, options: RedisCacheOptions) -> String {
    let begun = Instant::now();
    let error = RedisAggregationCache::<Counter>::connect_with(url, options)
        .await
        .expect_err(url);
    assert!(begun.elapsed() < Duration::from_secs(9), "{url}");
    assert!(
        matches!(error, RedisConnectError::Tls { .. }),
        "{url}: {error:?}"
    );
    assert!(error.source().is_some(), "{url}");
    error.to_string()
}

#[tokio::test]
async fn a_server_with_the_right_certificate_is_used() {
    let authority = Authority::new("ours");
    let Some(server) = Server::start(&authority.sign("127.0.0.1"), None).await else {
        return;
    };
    works(&server.url, trusting(&authority)).await;
    let cache = RedisAggregationCache::lazy_with(&server.url, trusting(&authority)).unwrap();
    let counters = counters(FakeEventStore::new(), cache);
    let log_id = five_events(&counters).await;
    until_cached(&counters, &log_id).await;
}

#[tokio::test]
async fn a_server_with_a_wrong_certificate_is_not_called_unreachable() {
    let ours = Authority::new("ours");
    let Some(mut server) = Server::start(&ours.sign("127.0.0.1"), None).await else {
        return;
    };
    // Another name, or the same name with another key.
    for other in [Authority::new("theirs"), Authority::new("ours")] {
        let told = refused(&server.url, trusting(&other)).await;
        assert!(told.contains("`tls.root_certificates`"), "{told}");
    }
    let told = refused(&server.url, options()).await;
    assert!(told.contains("`tls.root_certificates`"), "{told}");
    let insecure = format!("{}/#insecure", server.url);
    for options in [trusting(&ours), options()] {
        let told = refused(&insecure, options).await;
        assert!(told.contains("#insecure"), "{told}");
    }
    for other_host in [
        ours.sign("cache.internal"),
        ours.sign_common_name("127.0.0.1"),
    ] {
        server.show(&other_host).await;
        let told = refused(&server.url, trusting(&ours)).await;
        assert!(told.contains("another host"), "{told}");
    }
    server.show(&ours.sign_expired("127.0.0.1")).await;
    let told = refused(&server.url, trusting(&ours)).await;
    assert!(told.contains("expired"), "{told}");
    server.show(&ours.itself()).await;
    let told = refused(&server.url, trusting(&ours)).await;
    assert!(told.contains("certificate"), "{told}");
}

#[tokio::test]
async fn a_server_without_tls_is_not_spoken_to_in_plain_text() {
    let Some(plain) = PrivateRedis::start(&[]).await else {
        return;
    };
    let url = plain.url().replace("redis://", "rediss://");
    // Redis reads the TLS greeting as an incomplete command or as a wrong one, depending on its random bytes.
    let error = RedisAggregationCache::<Counter>::connect_with(&url, options())
        .await
        .expect_err(&url);
    let told = error.to_string();
    match error {
        RedisConnectError::Tls { .. } => assert!(told.contains("plain text"), "{told}"),
        RedisConnectError::TimedOut { .. } => assert!(told.contains("speaks TLS"), "{told}"),
        other => panic!("{other:?}"),
    }
}

/// The options say TLS and the URL does not, or the options hold invalid certificates.
#[tokio::test]
async fn options_that_cannot_be_meant_are_refused() {
    let authority = Authority::new("ours");
    let client = authority.sign("app");
    let client = |certificates: &str, key: &str| RedisTlsClient {
        certificates: certificates.replace("GOOD", &client.certificate),
        key: key.replace("GOOD", &client.key),
    };
    let roots = |pem: &str| RedisTls {
        root_certificates: Some(pem.to_owned()),
        client: None,
    };
    let with_client = |client| RedisTls {
        root_certificates: None,
        client: Some(client),
    };
    for (url, tls) in [
        ("redis://127.0.0.1:1", roots(&authority.pem)),
        ("rediss://127.0.0.1:1", roots("")),
        ("rediss://127.0.0.1:1", roots("/etc/ca.pem")),
        ("rediss://127.0.0.1:1", roots(&authority.pem[..100])),
        ("rediss://127.0.0.1:1", with_client(client("", "GOOD"))),
        ("rediss://127.0.0.1:1", with_client(client("GOOD", ""))),
        (
            "rediss://127.0.0.1:1",
            with_client(client("GOOD", "hunter2")),
        ),
    ] {
        let options = RedisCacheOptions { tls, ..options() };
        let error = RedisAggregationCache::<Counter>::lazy_with(url, options).expect_err(url);
        assert!(
            matches!(error, RedisConnectError::TlsOptions { .. }),
            "{error:?}"
        );
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}

/// A server restarts with another certificate while a cache is open.
#[tokio::test]
async fn later_connections_are_looked_at_as_well() {
    let authority = Authority::new("ours");
    let right = authority.sign("127.0.0.1");
    let Some(mut server) = Server::start(&right, None).await else {
        return;
    };
    let cache = works(&server.url, trusting(&authority)).await;
    server
        .show(&Authority::new("theirs").sign("127.0.0.1"))
        .await;
    let is_told = async {
        loop {
            let found = cache.get(LogId::new()).await;
            if found.is_err_and(|error| error.to_string().contains("certificate")) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), is_told)
        .await
        .expect("the cache reports the cause");
    server.show(&right).await;
    let counters = counters(FakeEventStore::new(), cache);
    let log_id = five_events(&counters).await;
    until_cached(&counters, &log_id).await;
}

#[tokio::test]
async fn a_server_may_want_a_certificate_too() {
    let (authority, clients) = (Authority::new("servers"), Authority::new("clients"));
    let credentials = authority.sign("127.0.0.1");
    let Some(server) = Server::start(&credentials, Some(&clients)).await else {
        return;
    };
    let told = refused(&server.url, trusting(&authority)).await;
    assert!(told.contains("`tls.client`"), "{told}");
    for (signer, is_known) in [(&clients, true), (&authority, false)] {
        let client = signer.sign("app");
        let mut options = trusting(&authority);
        options.tls.client = Some(RedisTlsClient {
            certificates: client.certificate,
            key: client.key,
        });
        if is_known {
            works(&server.url, options).await;
        } else {
            let told = refused(&server.url, options).await;
            assert!(told.contains("`tls.client`"), "{told}");
        }
    }
}

/// Runs in a process of its own, since the environment names the system's authorities.
#[tokio::test]
async fn whom_the_system_trusts_is_trusted() {
    if let Ok(url) = std::env::var(URL) {
        works(&url, options()).await;
        return;
    }
    let authority = Authority::new("the system's");
    let Some(server) = Server::start(&authority.sign("127.0.0.1"), None).await else {
        return;
    };
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "redis::tls::whom_the_system_trusts_is_trusted"])
        .env(URL, &server.url)
        .env("SSL_CERT_FILE", server.files.put("ca.pem", &authority.pem))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("1 passed"), "{told}");
}
