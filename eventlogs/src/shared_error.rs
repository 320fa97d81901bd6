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
/// Like the box, it does not implement [`Error`] itself.
// If it did, as `Arc<dyn Error>` does, `source` would return this type, and a caller could not downcast to the error within it.
// `thiserror` takes what implements `Error`, and derefs until something does.
#[derive(Clone)]
pub struct SharedError(Arc<dyn Error + Send + Sync>);

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
    use super::SharedError;
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

    fn cause() -> SharedError {
        io::Error::other("the disk").into()
    }

    #[test]
    fn the_source_of_each_clone_is_the_original_error() {
        let errors = [
            Outer::Named { source: cause() },
            Outer::Optional {
                source: Some(cause()),
            },
            Outer::Marked(cause()),
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
}
