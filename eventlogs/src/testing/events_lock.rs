//! A record of everything that was ever stored, so that a test fails when the code could no longer read it.
//!
//! [`check_events_lock!`](crate::testing::check_events_lock) writes `events.lock` beside the `Cargo.toml` of the package
//! that calls it: the kind of each enum's logs, and the stored name, version and fields of every event, as the code spells
//! them. Commit the file. From then
//! on the test compares the code with it:
//!
//! | Change | Answer |
//! |---|---|
//! | a new enum, a new event, a new alias, a new version with its upcasters | added to the file |
//! | a new field with `#[serde(default)]`, or of the type `Option<…>`; a renamed variant; a field renamed with `#[serde(rename = "…")]` or `#[serde(alias = "…")]` | the file follows |
//! | one codec of this crate for the other | the file follows, as both are always read |
//! | a field that is gone, of another type, or new without a default | fails: the event needs a new version and an upcaster |
//! | a name, an alias or a version that nothing reads any more; a codec of your own that is gone | fails |
//! | another kind of log, with the former one as its `log_type_alias`; a new such alias | the file follows |
//! | another kind without that alias; a kind that another enum in the file has | fails |
//!
//! A field that is gone fails although serde would skip it: the upcaster is the place to say that it may be forgotten. What
//! a type such as `Refund` holds is not looked at: a change inside it is yours to notice.
//!
//! Where no such events are stored anywhere, `EVENTS_LOCK=accept cargo test` takes the code's word for it. Where the variable
//! `CI` is set nothing is written, and a file that lacks something fails: it was not committed.
//!
//! The file holds text, an enum after the other with the kind of its logs, and the events of each by name and version. It
//! keeps past versions. The
//! enums that a call does not name stay as they are, so several tests may check some enums each.

mod compare;
pub(crate) mod error;
mod fields;
mod format;
mod kinds;
mod problem;
mod report;
pub(crate) mod schema;
#[cfg(test)]
mod tests;

pub use error::EventsLockError;
pub use schema::EnumSchema;

use format::Lock;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::Path;

/// Compares events with `events.lock` beside the `Cargo.toml` of the package in which it stands, and
/// [adds what is new](self). Put it into a test:
///
/// ```no_run
/// # #[cfg(feature = "macros")] {
/// use eventlogs::Event;
///
/// #[derive(Event)]
/// pub enum PaymentEvent {
///     #[event(name = "payment.captured")]
///     Captured { amount: u64 },
/// }
///
/// # /*
/// #[test]
/// # */
/// fn stored_events_stay_readable() {
///     eventlogs::testing::check_events_lock!(PaymentEvent);
/// }
/// # }
/// ```
///
/// An enum is remembered as it is written in the call. It panics with what is wrong and how to repair it.
#[doc(hidden)]
#[macro_export]
macro_rules! __check_events_lock {
    ($($event:ty),+ $(,)?) => {
        if let ::core::result::Result::Err(error) = $crate::testing::events_lock::check(
            ::core::env!("CARGO_MANIFEST_DIR"),
            &[$($crate::testing::events_lock::EnumSchema::new::<$event>(::core::stringify!($event))),+],
        ) {
            ::core::panic!("{error}");
        }
    };
}

/// What may be done to the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Add to it.
    Extend,
    /// Add to it, and forget what the code does not read.
    Accept,
    /// Nothing.
    Frozen,
}

impl Mode {
    fn from_environment() -> Self {
        let value = |name| std::env::var(name).unwrap_or_default();
        if value("EVENTS_LOCK") == "accept" {
            Self::Accept
        } else if matches!(value("CI").as_str(), "" | "0" | "false") {
            Self::Extend
        } else {
            Self::Frozen
        }
    }
}

/// What [`check_events_lock!`](crate::testing::check_events_lock) calls, for another folder than the package's own.
///
/// # Errors
/// When the code does not read what was stored, when the file cannot be read or written, and when it is not one.
pub fn check(folder: impl AsRef<Path>, enums: &[EnumSchema]) -> Result<(), EventsLockError> {
    check_as(folder.as_ref(), enums, Mode::from_environment())
}

fn check_as(folder: &Path, enums: &[EnumSchema], mode: Mode) -> Result<(), EventsLockError> {
    let path = folder.join("events.lock");
    let io = |source| EventsLockError::Io {
        path: path.clone(),
        source,
    };
    let file = match open(&path, mode) {
        Err(error) if mode == Mode::Frozen && error.kind() == ErrorKind::NotFound => {
            return Err(EventsLockError::OutOfDate { path });
        }
        opened => opened.map_err(io)?,
    };
    // Tests run side by side. The file is unlocked where it is closed.
    if mode == Mode::Frozen {
        file.lock_shared().map_err(io)?;
    } else {
        file.lock().map_err(io)?;
    }
    let mut text = Vec::new();
    (&file).read_to_end(&mut text).map_err(io)?;
    let remembered = Lock::parse(&text).map_err(|malformed| EventsLockError::Malformed {
        path: path.clone(),
        line: malformed.line,
        problem: malformed.problem,
    })?;
    let (merged, problems) = compare::compare(&remembered, enums)?;
    if !problems.is_empty() && mode != Mode::Accept {
        return Err(EventsLockError::Changed {
            path,
            report: report::report(&problems),
        });
    }
    if merged == remembered {
        return Ok(());
    }
    if mode == Mode::Frozen {
        return Err(EventsLockError::OutOfDate { path });
    }
    write(&file, &merged.to_string()).map_err(io)
}

fn open(path: &Path, mode: Mode) -> io::Result<File> {
    let writes = mode != Mode::Frozen;
    File::options()
        .read(true)
        .write(writes)
        .create(writes)
        .open(path)
}

/// Replaces the content: first written over, then cut, so that a test that is killed does not leave an empty file.
fn write(mut file: &File, text: &str) -> io::Result<()> {
    file.rewind()?;
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)
}
