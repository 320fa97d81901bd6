//! Opens the store that a URL names. No error repeats the URL, because it may hold a password.

use crate::stores::any::AnyEventStore;
use crate::stores::error::open::OpenError;
#[cfg(feature = "postgres")]
use crate::stores::postgres::PostgresEventStore;
#[cfg(feature = "sqlite")]
use crate::stores::sqlite::SqliteEventStore;

/// How to write a URL.
const URL: &str =
    "write `sqlite:payments.db`, `sqlite::memory:` or `postgres://user:password@host/database`";

/// Opens the store that the URL names.
pub(super) async fn open(url: &str) -> Result<AnyEventStore, OpenError> {
    match url.split_once(':') {
        Some(("sqlite", rest)) => open_sqlite(rest).await,
        Some(("postgres" | "postgresql", _)) => open_postgres(url).await,
        Some((_, _)) => Err(invalid(
            "it starts neither with `sqlite:` nor with `postgres:`",
        )),
        None if url.is_empty() => Err(invalid("it is empty; is the variable set?")),
        None => Err(invalid("it does not start with the name of a database")),
    }
}

#[cfg(feature = "sqlite")]
async fn open_sqlite(rest: &str) -> Result<AnyEventStore, OpenError> {
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    if path == ":memory:" {
        if !parameters.is_empty() {
            return Err(invalid("a database in memory has no parameters"));
        }
        return Ok(SqliteEventStore::in_memory().await?.into());
    }
    let path = decoded(path.strip_prefix("//").unwrap_or(path))?;
    let store = match parameters {
        "" | "mode=rwc" => SqliteEventStore::open(path).await?,
        "mode=ro" => SqliteEventStore::open_read_only(path).await?,
        _ => {
            return Err(invalid(
                "after `?`, a file takes only `mode=ro` (to read) or `mode=rwc`; other settings are in `SqliteOptions`",
            ));
        }
    };
    Ok(store.into())
}

#[cfg(not(feature = "sqlite"))]
async fn open_sqlite(_: &str) -> Result<AnyEventStore, OpenError> {
    Err(invalid(
        "the feature `sqlite` of eventlogs is not enabled; enable it in Cargo.toml",
    ))
}

#[cfg(feature = "postgres")]
async fn open_postgres(url: &str) -> Result<AnyEventStore, OpenError> {
    Ok(PostgresEventStore::connect(url).await?.into())
}

#[cfg(not(feature = "postgres"))]
async fn open_postgres(_: &str) -> Result<AnyEventStore, OpenError> {
    Err(invalid(
        "the feature `postgres` of eventlogs is not enabled; enable it in Cargo.toml",
    ))
}

/// Replaces `%20` and the like by the bytes that they stand for.
#[cfg(feature = "sqlite")]
fn decoded(path: &str) -> Result<String, OpenError> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let digits = after
            .get(..2)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let byte = byte
            .ok_or_else(|| invalid("a `%` in a path needs two digits after it; `%25` is a `%`"))?;
        bytes.push(byte);
        rest = &after[2..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).map_err(|_| invalid("the path is not UTF-8"))
}

fn invalid(problem: &'static str) -> OpenError {
    OpenError::InvalidUrl {
        advice: URL,
        source: problem.into(),
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::{decoded, open};

    #[test]
    fn a_path_may_be_percent_encoded() {
        assert_eq!(decoded("a%20b%2Fc").ok().as_deref(), Some("a b/c"));
        assert_eq!(decoded("%C3%BC.db").ok().as_deref(), Some("ü.db"));
        for wrong in ["100%", "%2", "%zz", "%+1", "%FF", "%é"] {
            assert!(decoded(wrong).is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn what_names_no_store_is_refused_without_a_repetition() {
        for url in [
            "",
            "secret",
            "mysql://secret@host/db",
            "sqlite:a.db?secret=1",
            "sqlite::memory:?secret",
        ] {
            let error = open(url)
                .await
                .err()
                .map(|error| format!("{error} {error:?}"));
            let text = error.unwrap_or_default();
            assert!(text.contains("sqlite:payments.db"), "{url}: {text}");
            assert!(!text.contains("secret"), "{text}");
        }
    }
}
