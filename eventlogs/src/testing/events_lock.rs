//! A record of everything that was ever stored: a test fails when the code can no longer read it.
//!
//! [`check_events_lock!`](crate::testing::check_events_lock) writes `events.lock` next to the `Cargo.toml` of the package that
//! calls it. The file lists the kind of each enum's logs, the stored name, version and fields of every event, as the code
//! spells them, and encoded [samples](#samples), if the test gives some. Commit the file. From then on the test compares the
//! code with it:
//!
//! | Change | Result |
//! |---|---|
//! | a new enum, a new event, a new alias, a new version with its upcasters | added to the file |
//! | a new field with `#[serde(default)]`, or of the type `Option<…>`; a renamed variant; a field renamed with `#[serde(rename = "…")]` or `#[serde(alias = "…")]` | the file is updated |
//! | one codec of this crate replaced by the other | the file is updated, as both are always read |
//! | a field that is gone, has another type, or is new without a default | fails: the event needs a new version and an upcaster |
//! | a name, an alias or a version that nothing reads any more; a codec of your own that is gone | fails |
//! | a kept [sample](#samples) that is not read, or that is read as another value | fails |
//! | another kind of log, with the former one as its `log_type_alias`; a new such alias | the file is updated |
//! | another kind without that alias; a kind that another enum in the file has | fails |
//!
//! A field that is gone fails although serde would skip it: the upcaster states that its value may be dropped. The fields do not
//! show what is inside a type such as `Refund`; samples do.
//!
//! A version that the code [accepts](macro@crate::Event#accept) is recorded when a release writes it. If the file records a version
//! newer than the one that the code writes, the code must accept it. A [retired](macro@crate::Event#retired) event is recorded like
//! any other one.
//!
//! # Samples
//!
//! A call with samples keeps their encoded payloads, and every call decodes all that were ever kept with today's code. So it
//! notices what the fields do not show: a change inside a nested type, of serde's attributes there, or of a codec.
//!
//! ```no_run
//! # #[cfg(feature = "macros")] {
//! # use eventlogs::Event;
//! # #[derive(Event)]
//! # pub enum OrderEvent { #[event(name = "order.cancelled")] Cancelled { reason: String } }
//! # /*
//! #[test]
//! # */
//! fn stored_events_stay_readable() {
//!     eventlogs::testing::check_events_lock!(OrderEvent => samples());
//! }
//!
//! /// One of each event at least, for the file and for `event_laws!`.
//! fn samples() -> Vec<OrderEvent> {
//!     vec![OrderEvent::Cancelled { reason: "out of stock".to_owned() }]
//! }
//! # }
//! ```
//!
//! - JSON is kept as text, and other codecs in hexadecimal digits. Each sample is a line below its event and version.
//! - A sample is never removed when the code gives another one. The new one is added.
//! - Samples must be the same in each run: write fixed ids and times, and at most one entry into a `HashMap`.
//! - The test fails if a sample cannot be decoded.
//! - It also fails if a sample is decoded, but a value that was stored is lost or different when the event is encoded again: a
//!   nested field was renamed and has a default, for instance. Only samples of the version that the code writes, in the codec
//!   that it writes, are compared. A new field, a renamed field with the same value, and an empty value that is left out are no
//!   differences. If a value is written in another form, but means the same, `EVENTS_LOCK=accept` keeps both forms.
//! - What no sample shows, the test cannot notice. Give a sample of each variant of the enums inside, and of each optional field.
//!
//! A file without samples stays valid. It gets them with the next run.
//!
//! # Accepting
//!
//! If no such events are stored anywhere, `EVENTS_LOCK=accept cargo test` updates the file to match the code. If the variable
//! `CI` is set, nothing is written, and a file that lacks something fails the test: it was not committed.
//!
//! The file is plain text: one enum after the other, with the kind of its logs, and its events by name and version. It keeps
//! past versions. Enums that a call does not name stay as they are, so several tests may check some enums each.

mod compare;
mod content;
pub(crate) mod error;
mod fields;
mod format;
mod kinds;
mod problem;
mod report;
mod samples;
pub(crate) mod schema;
#[cfg(test)]
mod tests;

pub use error::{EventsLockError, SampleError};
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
/// `PaymentEvent => samples()` also keeps the encoded payloads of these events. The expression is evaluated twice, and must give
/// the same events each time; see [samples](self#samples).
///
/// The file records an enum by the name written in the call. The macro panics with a report of what is wrong and how to repair
/// it.
#[doc(hidden)]
#[macro_export]
macro_rules! __check_events_lock {
    ($($event:ty $(=> $samples:expr)?),+ $(,)?) => {
        if let ::core::result::Result::Err(error) = $crate::testing::events_lock::check(
            ::core::env!("CARGO_MANIFEST_DIR"),
            &[$($crate::__events_lock_schema!($event $(=> $samples)?)),+],
        ) {
            ::core::panic!("{error}");
        }
    };
}

/// Makes the schema of one enum, with or without samples.
#[doc(hidden)]
#[macro_export]
macro_rules! __events_lock_schema {
    ($event:ty) => {
        $crate::testing::events_lock::EnumSchema::new::<$event>(::core::stringify!($event))
    };
    ($event:ty => $samples:expr) => {
        $crate::testing::events_lock::EnumSchema::with_samples::<$event, _>(
            ::core::stringify!($event),
            || $samples,
        )
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
/// - [`EventsLockError::Samples`]: a sample cannot be encoded, or is not the same in each call.
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
