//! Reads the URL of a store. No error repeats the URL, because it may hold a password.

use crate::stores::error::open::OpenError;

/// How to write a URL.
const URL: &str =
    "write `sqlite:payments.db`, `sqlite::memory:` or `postgres://user:password@host/database`";

/// What a URL names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A SQLite database in memory.
    #[cfg(feature = "sqlite")]
    Memory,
    /// A SQLite file.
    #[cfg(feature = "sqlite")]
    File {
        /// The path.
        path: String,
        /// `true` if it is opened for reading only.
        is_read_only: bool,
    },
    /// A PostgreSQL server, with the whole URL as its address.
    #[cfg(feature = "postgres")]
    Server,
}

/// Reads a URL.
pub(super) fn read(url: &str) -> Result<Place, OpenError> {
    match url.split_once(':') {
        Some(("sqlite", rest)) => sqlite(rest),
        Some(("postgres" | "postgresql", _)) => postgres(),
        Some((_, _)) => Err(invalid(
            "it starts neither with `sqlite:` nor with `postgres:`",
        )),
        None if url.is_empty() => Err(invalid("it is empty; is the variable set?")),
        None => Err(invalid("it does not start with the name of a database")),
    }
}

#[cfg(feature = "sqlite")]
fn sqlite(rest: &str) -> Result<Place, OpenError> {
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    if path == ":memory:" {
        if !parameters.is_empty() {
            return Err(invalid("a database in memory has no parameters"));
        }
        return Ok(Place::Memory);
    }
    let is_read_only = match parameters {
        "" | "mode=rwc" => false,
        "mode=ro" => true,
        _ => {
            return Err(invalid(
                "after `?`, a file takes only `mode=ro` (to read) or `mode=rwc`; other settings are in `SqliteOptions`",
            ));
        }
    };
    Ok(Place::File {
        path: decoded(path.strip_prefix("//").unwrap_or(path))?,
        is_read_only,
    })
}

#[cfg(not(feature = "sqlite"))]
fn sqlite(_: &str) -> Result<Place, OpenError> {
    Err(invalid(
        "the feature `sqlite` of eventlogs is not enabled; enable it in Cargo.toml",
    ))
}

#[cfg(feature = "postgres")]
#[expect(
    clippy::unnecessary_wraps,
    reason = "without the feature it is an error"
)]
fn postgres() -> Result<Place, OpenError> {
    Ok(Place::Server)
}

#[cfg(not(feature = "postgres"))]
fn postgres() -> Result<Place, OpenError> {
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
    use super::{Place, decoded, read};

    #[test]
    fn a_path_may_be_percent_encoded() {
        assert_eq!(decoded("a%20b%2Fc").ok().as_deref(), Some("a b/c"));
        assert_eq!(decoded("%C3%BC.db").ok().as_deref(), Some("ü.db"));
        for wrong in ["100%", "%2", "%zz", "%+1", "%FF", "%é"] {
            assert!(decoded(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_is_named_as_other_libraries_name_it() {
        let file = |path: &str, is_read_only| Place::File {
            path: path.to_owned(),
            is_read_only,
        };
        for (url, place) in [
            ("sqlite:a.db", file("a.db", false)),
            ("sqlite://a.db", file("a.db", false)),
            ("sqlite:/srv/a.db", file("/srv/a.db", false)),
            ("sqlite:///srv/a.db?mode=rwc", file("/srv/a.db", false)),
            ("sqlite:a.db?mode=ro", file("a.db", true)),
            ("sqlite::memory:", Place::Memory),
        ] {
            assert_eq!(read(url).ok(), Some(place), "{url}");
        }
    }

    #[test]
    fn what_names_no_store_is_refused_without_a_repetition() {
        for url in [
            "",
            "secret",
            "mysql://secret@host/db",
            "sqlite:a.db?secret=1",
            "sqlite::memory:?secret",
        ] {
            let error = read(url).err();
            let text = error.map(|error| format!("{error} {error:?}"));
            let text = text.unwrap_or_default();
            assert!(text.contains("sqlite:payments.db"), "{url}: {text}");
            assert!(!text.contains("secret"), "{text}");
        }
    }
}
