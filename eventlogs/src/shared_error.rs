//! An error that several callers can get.

use std::error::Error;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// The cause of an error of this crate: the error of a database, a codec or a cache, as it was returned.
///
/// The errors of this crate are `Clone`, because several callers may share what fails: a batch of writes, or a read of a log. Each
/// caller gets the error with its cause. A `Box<dyn Error + Send + Sync>` cannot be cloned; it converts into a `SharedError`, and
/// so does everything that converts into such a box.
///
/// It dereferences to the error, which [`source`](Error::source) of the error around it returns as well:
///
/// ```
/// use eventlogs::stores::StoreError;
/// use std::{error::Error, io};
///
/// let lost = io::Error::from(io::ErrorKind::ConnectionReset);
/// let error = StoreError::Database { source: lost.into() };
/// let StoreError::Database { source } = &error else { unreachable!() };
/// assert!(source.is::<io::Error>());
///
/// let copy = error.clone();
/// let cause = copy.source().and_then(|cause| cause.downcast_ref::<io::Error>());
/// assert_eq!(cause.map(io::Error::kind), Some(io::ErrorKind::ConnectionReset));
/// ```
///
/// The texts of the errors of this crate have the text of the cause already. So a log that has `{error}` needs no walk over the
/// sources.
///
/// Like the box, it does not implement [`Error`] itself.
// If it did, as `Arc<dyn Error>` does, `source` would return this type, and a caller could not downcast to the error within it.
// `thiserror` takes what implements `Error`, and derefs until something does.
#[derive(Clone)]
pub struct SharedError(Arc<dyn Error + Send + Sync>);

impl SharedError {
    /// Returns the text for the error around this one.
    pub(crate) fn cause(&self) -> Cause<'_> {
        cause(&*self.0)
    }
}

/// Returns the text of an error for the text of the error around it.
pub(crate) const fn cause<'a>(error: &'a (dyn Error + 'static)) -> Cause<'a> {
    Cause(error)
}

/// The text of an error and of its sources. A text that the texts before it contain is left out.
pub(crate) struct Cause<'a>(&'a (dyn Error + 'static));

impl fmt::Display for Cause<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = own_text(self.0);
        let mut source = self.0.source();
        while let Some(error) = source {
            let next = own_text(error);
            if !text.contains(&next) {
                text = format!("{text}: {next}");
            }
            source = error.source();
        }
        formatter.write_str(&text)
    }
}

/// Returns the text of an error without its sources, if it is one of the driver's that repeat their source after a prefix such as
/// "error returned from database". The errors of this crate say that in their own words.
#[cfg(feature = "_database")]
fn own_text(error: &(dyn Error + 'static)) -> String {
    use sqlx::Error::{Configuration, Database, Io, Tls};
    match error.downcast_ref::<sqlx::Error>() {
        Some(Database(source)) => source.to_string(),
        Some(Io(source)) => source.to_string(),
        Some(Configuration(source) | Tls(source)) => source.to_string(),
        _ => error.to_string(),
    }
}

#[cfg(not(feature = "_database"))]
fn own_text(error: &(dyn Error + 'static)) -> String {
    error.to_string()
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for SharedError {
    fn from(error: E) -> Self {
        Self(Arc::from(error.into()))
    }
}

impl Deref for SharedError {
    type Target = dyn Error + Send + Sync;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl fmt::Debug for SharedError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

impl fmt::Display for SharedError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::{SharedError, cause};
    use std::error::Error;
    use std::io;

    #[derive(Debug, Clone, thiserror::Error)]
    enum Outer {
        #[error("named: {source}")]
        Named { source: SharedError },
        #[error("optional")]
        Optional { source: Option<SharedError> },
        #[error("marked")]
        Marked(#[source] SharedError),
    }

    fn disk() -> SharedError {
        io::Error::other("the disk").into()
    }

    #[test]
    fn the_source_of_each_clone_is_the_original_error() {
        let errors = [
            Outer::Named { source: disk() },
            Outer::Optional {
                source: Some(disk()),
            },
            Outer::Marked(disk()),
        ];
        for error in errors {
            let copy = error.clone();
            let of = |error: &Outer| {
                let source = error.source()?.downcast_ref::<io::Error>()?;
                Some(std::ptr::from_ref(source))
            };
            assert!(of(&error).is_some(), "{error}");
            assert_eq!(of(&copy), of(&error), "{error}");
        }
        assert!(Outer::Optional { source: None }.source().is_none());
    }

    #[test]
    fn it_looks_like_the_error() {
        let boxed: Box<dyn Error + Send + Sync> = io::Error::other("the disk").into();
        let (text, debug) = (boxed.to_string(), format!("{boxed:?}"));
        let shared = SharedError::from(boxed);
        assert!(shared.is::<io::Error>());
        assert_eq!(shared.to_string(), text);
        assert_eq!(format!("{shared:?}"), debug);
        let named = Outer::Named { source: shared };
        assert_eq!(named.to_string(), "named: the disk");
        assert_eq!(SharedError::from("a text").to_string(), "a text");
    }

    #[test]
    fn a_cause_has_the_text_of_each_source_once() {
        let of = |error: Outer| cause(&error).to_string();
        assert_eq!(of(Outer::Named { source: disk() }), "named: the disk");
        assert_eq!(of(Outer::Marked(disk())), "marked: the disk");
        assert_eq!(of(Outer::Optional { source: None }), "optional");
        let inner = Outer::Named { source: disk() };
        assert_eq!(of(Outer::Marked(inner.into())), "marked: named: the disk");
    }

    #[test]
    #[cfg(feature = "_database")]
    fn a_cause_has_no_prefix_of_the_driver() {
        let error = sqlx::Error::Io(io::Error::other("the socket"));
        assert!(error.to_string().ends_with(": the socket"));
        let shared = SharedError::from(error);
        assert_eq!(shared.cause().to_string(), "the socket");
        assert_eq!(
            cause(&Outer::Marked(shared)).to_string(),
            "marked: the socket"
        );
    }
}
