//! A record of everything that was ever stored: a test fails when the code can no longer read it.
//!
//! [`check_events_lock!`](crate::testing::check_events_lock) writes `events.lock` next to the `Cargo.toml` of the package that
//! calls it. The file lists the kind of each enum's logs, and the stored name, version and fields of every event, as the code
//! spells them. Commit the file. From then on the test compares the code with it:
//!
//! | Change | Result |
//! |---|---|
//! | a new enum, a new event, a new alias, a new version with its upcasters | added to the file |
//! | a new field with `#[serde(default)]`, or of the type `Option<…>`; a renamed variant; a field renamed with `#[serde(rename = "…")]` or `#[serde(alias = "…")]` | the file is updated |
//! | one codec of this crate replaced by the other | the file is updated, as both are always read |
//! | a field that is gone, has another type, or is new without a default | fails: the event needs a new version and an upcaster |
//! | a name, an alias or a version that nothing reads any more; a codec of your own that is gone | fails |
//! | another kind of log, with the former one as its `log_type_alias`; a new such alias | the file is updated |
//! | another kind without that alias; a kind that another enum in the file has | fails |
//!
//! A field that is gone fails although serde would skip it: the upcaster states that its value may be dropped. The test does
//! not look into a type such as `Refund`: watch for changes inside it yourself.
//!
//! If no such events are stored anywhere, `EVENTS_LOCK=accept cargo test` updates the file to match the code. If the variable
//! `CI` is set, nothing is written, and a file that lacks something fails the test: it was not committed.
//!
//! The file is plain text: one enum after the other, with the kind of its logs, and its events by name and version. It keeps
//! past versions. Enums that a call does not name stay as they are, so several tests may check some enums each.

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

/// Compares events with `events.lock`, next to the `Cargo.toml` of the calling package, and [adds what is new](self). Call it
/// in a test:
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
/// The file records an enum by the name written in the call. The macro panics with a report of what is wrong and how to repair
/// it.
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

/// The changes that the check may make to the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Additions.
    Extend,
    /// Additions, and the removal of everything that the code does not read.
    Accept,
    /// None.
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

/// Compares events with `events.lock` in this folder; [`check_events_lock!`](crate::testing::check_events_lock) calls it with
/// the folder of the package.
///
/// # Errors
/// - [`EventsLockError::Changed`]: the code does not read everything that was stored.
/// - [`EventsLockError::OutOfDate`]: the file is missing or lacks something, and `CI` is set.
/// - [`EventsLockError::Unfit`]: a schema written by hand does not fit into the file.
/// - [`EventsLockError::Malformed`]: the file was not written by this crate.
/// - [`EventsLockError::Io`]: the file cannot be opened, read or written.
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
    // Tests run in parallel. Closing the file unlocks it.
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

/// Replaces the content: overwrites first and truncates last, so that a test that is killed does not leave an empty file.
fn write(mut file: &File, text: &str) -> io::Result<()> {
    file.rewind()?;
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)
}
