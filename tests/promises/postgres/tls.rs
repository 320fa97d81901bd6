//! Connections over TLS, including servers with a false identity.

use crate::payments::{captured, payments};
use crate::servers::{Authority, Credentials, Files, PrivatePostgres};
use eventlogs::ids::LogId;
use eventlogs::stores::{OpenError, StoreError};
use eventlogs::{CreateOptions, LogManagerError, PostgresEventStore};
use std::error::Error;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Tells a child process the server's URL.
const URL: &str = "EVENTLOGS_TEST_TLS_URL";

/// A server that accepts only TLS, and its files.
struct Server {
    postgres: PrivatePostgres,
    files: Files,
}

impl Server {
    async fn start(credentials: &Credentials) -> Option<Self> {
        Self::start_with(credentials, "hostssl all all 127.0.0.1/32 trust\n", None).await
    }

    /// Starts a server with these rules of access, and the authority of the clients.
    async fn start_with(
        credentials: &Credentials,
        rules: &str,
        clients: Option<&Authority>,
    ) -> Option<Self> {
        let files = Files::new();
        let (certificate, key) = files.put_server(credentials);
        let rules = files.put("pg_hba.conf", rules);
        let mut settings = vec![
            "ssl=on".to_owned(),
            format!("ssl_cert_file={}", certificate.display()),
            format!("ssl_key_file={}", key.display()),
            format!("hba_file={}", rules.display()),
        ];
        if let Some(clients) = clients {
            let path = files.put("clients.pem", &clients.pem);
            settings.push(format!("ssl_ca_file={}", path.display()));
        }
        let settings: Vec<_> = settings.iter().map(String::as_str).collect();
        let postgres = PrivatePostgres::start(&settings).await?;
        Some(Self { postgres, files })
    }

    /// Returns its URL with these parameters, in which `CA` stands for a file with that authority's certificate.
    fn url(&self, parameters: &str, authority: &Authority) -> String {
        let path = self.files.put("ca.pem", &authority.pem);
        let parameters = parameters.replace("CA", &path.display().to_string());
        format!("{}?{parameters}", self.postgres.url())
    }

    /// Restarts the server with another certificate.
    async fn show(&mut self, credentials: &Credentials) {
        self.files.put_server(credentials);
        self.postgres.crash();
        self.postgres.restart().await;
    }
}

/// Creates, appends and reduces.
async fn works(url: &str) {
    let store = PostgresEventStore::connect(url).await.expect(url);
    store.migrate().await.expect(url);
    let payments = payments(store.clone());
    let log_id = captured(&payments).await;
    let payment = payments.reduce(log_id).await.expect(url);
    assert_eq!(payment.aggregate().captured, 100, "{url}");
    store.close().await;
}

/// Returns the message of a connection that must fail.
async fn refused(url: &str) -> String {
    let begun = Instant::now();
    let error = PostgresEventStore::connect(url).await.expect_err(url);
    assert!(begun.elapsed() < Duration::from_secs(9), "{url}");
    assert!(
        matches!(error, OpenError::Store(StoreError::Tls { .. })),
        "{url}: {error:?}"
    );
    assert!(error.source().is_some(), "{url}");
    error.to_string()
}

#[tokio::test]
async fn a_server_with_the_right_certificate_is_used() {
    let authority = Authority::new("ours");
    let Some(server) = Server::start(&authority.sign("127.0.0.1")).await else {
        return;
    };
    for parameters in [
        "sslmode=verify-full&sslrootcert=CA",
        "sslmode=verify-ca&sslrootcert=CA",
        "sslmode=require",
        "sslmode=prefer",
    ] {
        works(&server.url(parameters, &authority)).await;
    }
}

#[tokio::test]
async fn a_server_with_a_wrong_certificate_is_not_called_unreachable() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let Some(mut server) = Server::start(&ours.sign("127.0.0.1")).await else {
        return;
    };
    // The other authority has another name, or the same name with another key.
    for other in [&theirs, &Authority::new("ours")] {
        for mode in ["verify-full", "verify-ca"] {
            let url = server.url(&format!("sslmode={mode}&sslrootcert=CA"), other);
            let told = refused(&url).await;
            assert!(told.contains("`sslrootcert`"), "{told}");
        }
    }
    let told = refused(&server.url("sslmode=verify-full", &ours)).await;
    assert!(told.contains("`sslrootcert`"), "{told}");
    let told = refused(&server.url("sslmode=disable", &ours)).await;
    assert!(told.contains("sslmode=verify-full"), "{told}");
    for missing in ["/no/such/file.pem", "/tmp"] {
        let parameters = format!("sslmode=verify-full&sslrootcert={missing}");
        let told = refused(&server.url(&parameters, &ours)).await;
        assert!(told.contains("cannot be read"), "{told}");
    }

    let full = "sslmode=verify-full&sslrootcert=CA";
    let only_signed = "sslmode=verify-ca&sslrootcert=CA";
    for other_host in [ours.sign("db.internal"), ours.sign_common_name("127.0.0.1")] {
        server.show(&other_host).await;
        let told = refused(&server.url(full, &ours)).await;
        assert!(told.contains("another host"), "{told}");
        works(&server.url(only_signed, &ours)).await;
    }
    server.show(&ours.sign_expired("127.0.0.1")).await;
    for parameters in [full, only_signed] {
        let told = refused(&server.url(parameters, &ours)).await;
        assert!(told.contains("expired"), "{told}");
    }
    // The certificate of an authority is not the certificate of a server, even if it is trusted.
    server.show(&ours.itself()).await;
    for parameters in [full, "sslmode=verify-full"] {
        let told = refused(&server.url(parameters, &ours)).await;
        assert!(told.contains("certificate"), "{told}");
    }
}

#[tokio::test]
async fn a_server_without_tls_is_not_spoken_to_in_plain_text() {
    let Some(plain) = PrivatePostgres::start(&[]).await else {
        return;
    };
    for mode in ["require", "verify-ca", "verify-full"] {
        let told = refused(&format!("{}?sslmode={mode}", plain.url())).await;
        assert!(told.contains("plain text"), "{told}");
    }
    works(&format!("{}?sslmode=prefer", plain.url())).await;
}

/// A server restarts with another certificate while a store is open.
#[tokio::test]
async fn later_connections_are_looked_at_as_well() {
    let authority = Authority::new("ours");
    let right = authority.sign("127.0.0.1");
    let Some(mut server) = Server::start(&right).await else {
        return;
    };
    let url = server.url("sslmode=verify-full&sslrootcert=CA", &authority);
    let store = PostgresEventStore::connect(&url).await.unwrap();
    store.migrate().await.unwrap();
    let payments = payments(store);
    let log_id = captured(&payments).await;
    server
        .show(&Authority::new("theirs").sign("127.0.0.1"))
        .await;
    let begun = Instant::now();
    let is_told =
        |error: &LogManagerError| matches!(error, LogManagerError::Store(StoreError::Tls { .. }));
    let error = payments.load(log_id, 0, 10).await.unwrap_err();
    assert!(is_told(&error), "{error:?}");
    let requested = crate::payments::PaymentEvent::Requested { amount: 1 };
    let options = CreateOptions::default();
    let creating = payments.create(LogId::new(), &requested, &options);
    let error = creating.await.unwrap_err();
    assert!(is_told(&error), "{error:?}");
    assert!(
        begun.elapsed() < Duration::from_secs(15),
        "{:?}",
        begun.elapsed()
    );

    server.show(&right).await;
    let payment = payments.reduce(log_id).await.unwrap();
    assert_eq!(payment.aggregate().captured, 100);
    captured(&payments).await;
}

#[tokio::test]
async fn a_server_may_want_a_certificate_too() {
    let (authority, clients) = (Authority::new("servers"), Authority::new("clients"));
    let rules = "hostssl all all 127.0.0.1/32 trust clientcert=verify-ca\n";
    let credentials = authority.sign("127.0.0.1");
    let Some(server) = Server::start_with(&credentials, rules, Some(&clients)).await else {
        return;
    };
    let url = server.url("sslmode=verify-full&sslrootcert=CA", &authority);
    let told = refused(&url).await;
    assert!(told.contains("`sslcert`"), "{told}");
    for (signer, is_known) in [(&clients, true), (&authority, false)] {
        let client = signer.sign("app");
        let certificate = server.files.put("client.pem", &client.certificate);
        let key = server.files.put("client.key", &client.key);
        let (certificate, key) = (certificate.display(), key.display());
        let url = format!("{url}&sslcert={certificate}&sslkey={key}");
        if is_known {
            works(&url).await;
        } else {
            let told = refused(&url).await;
            assert!(told.contains("`sslcert`"), "{told}");
        }
    }
}

/// Runs in a process of its own, since the environment names the system's authorities.
#[tokio::test]
async fn whom_the_system_trusts_is_trusted() {
    if let Ok(url) = std::env::var(URL) {
        works(&url).await;
        return;
    }
    let authority = Authority::new("the system's");
    let Some(server) = Server::start(&authority.sign("127.0.0.1")).await else {
        return;
    };
    let url = server.url("sslmode=verify-full", &authority);
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "postgres::tls::whom_the_system_trusts_is_trusted",
        ])
        .env(URL, url)
        .env("SSL_CERT_FILE", server.files.path().join("ca.pem"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("1 passed"), "{told}");
}
