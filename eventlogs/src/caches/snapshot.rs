//! Encodes a state for use outside the process, so that exactly that state is read back, or none.
//!
//! The format keeps serde's data model as it is: `Some`, `None` and `()` are three different values, numbers have their width,
//! and neither a character nor a variant of an enum is a string. Formats that people read, and also `MessagePack` and CBOR,
//! write several of these alike. Untagged and flattened types cannot read binary formats that write no types at all. The reader
//! gives each value to the type as what was written, whatever the type asks for, and goes no deeper than
//! [`DEPTH`](format::DEPTH).
//!
//! That is not enough for every type. Serde's own buffer for an untagged or flattened type has no 128-bit numbers, and a
//! hand-written implementation may read something else than it writes. So a state is read back, and encoded again, before it
//! leaves the process: [`take`] returns no bytes for a state that is not read back as it was. This is three times the work for
//! a writer, which is in the background; a reader does all this once.
//!
//! A reader may be another build, whose nested types have changed where no macro looks. So the bytes come with the *shape*: a
//! hash of everything that the types of the writer asked for while they read these very bytes, including names of fields, names
//! of variants and kinds of numbers. The reader's types must ask for the same; otherwise it is another state. Anything that
//! types ask for in an untagged or flattened part does not get here, so the reader encodes a state with such a part again, too,
//! and compares it.

mod deserializer;
mod entries;
mod format;
mod parts;
mod reader;
mod same;
mod serializer;
mod trace;
mod writer;

#[cfg(test)]
mod tests;

use format::Problem;
use reader::Reader;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An encoded state.
pub(crate) struct Snapshot {
    /// The bytes of the state.
    pub(crate) bytes: Vec<u8>,
    /// The hash of what its types asked for while they read it.
    pub(crate) shape: u64,
}

/// The reason why a state was not encoded, or was not read back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SnapshotError {
    #[error("its `Serialize` fails: {0}")]
    NotWritten(#[source] Problem),
    #[error("it cannot be read back: {0}")]
    NotRead(#[source] Problem),
    #[error(
        "it comes back as another value; look for serde attributes that write less than they read"
    )]
    Changed,
    #[error("its types had another shape when it was written")]
    Shape,
    #[error("its `Serialize` or `Deserialize` panics")]
    Panicked,
    /// Not a fault: the caller has set the limit.
    #[error("it takes more than {limit} bytes")]
    TooLarge { limit: usize },
}

/// Encodes a state, if it takes no more than `limit` bytes and is read back as it was.
///
/// # Errors
/// - [`NotWritten`](SnapshotError::NotWritten) if its `Serialize` fails.
/// - [`TooLarge`](SnapshotError::TooLarge) if it takes more than `limit` bytes.
/// - [`NotRead`](SnapshotError::NotRead) if it cannot be read back.
/// - [`Changed`](SnapshotError::Changed) if it is read back as another value.
/// - [`Panicked`](SnapshotError::Panicked) if the code of its type panics.
pub(crate) fn take<T: Serialize + DeserializeOwned>(
    state: &T,
    limit: usize,
) -> Result<Snapshot, SnapshotError> {
    guarded(|| {
        let bytes = serializer::write(state).map_err(SnapshotError::NotWritten)?;
        if bytes.len() > limit {
            return Err(SnapshotError::TooLarge { limit });
        }
        let (back, trace) = read::<T>(&bytes)?;
        ensure_same(&back, &bytes)?;
        Ok(Snapshot {
            bytes,
            shape: trace.shape(),
        })
    })
}

/// Decodes a state.
///
/// # Errors
/// - [`NotRead`](SnapshotError::NotRead) if these bytes are not of this type.
/// - [`Shape`](SnapshotError::Shape) if they were written by types of another shape.
/// - [`Changed`](SnapshotError::Changed) if a part whose shape is not known is read as another value.
/// - [`NotWritten`](SnapshotError::NotWritten) if such a part is to be compared, and its `Serialize` fails.
/// - [`Panicked`](SnapshotError::Panicked) if the code of the type panics.
pub(crate) fn restore<T: Serialize + DeserializeOwned>(
    bytes: &[u8],
    shape: u64,
) -> Result<T, SnapshotError> {
    guarded(|| {
        let (state, trace) = read::<T>(bytes)?;
        if trace.shape() != shape {
            return Err(SnapshotError::Shape);
        }
        if trace.is_blind() {
            ensure_same(&state, bytes)?;
        }
        Ok(state)
    })
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, trace::Trace), SnapshotError> {
    let mut reader = Reader::new(bytes);
    let state = T::deserialize(&mut reader).map_err(SnapshotError::NotRead)?;
    let trace = reader.finish().map_err(SnapshotError::NotRead)?;
    Ok((state, trace))
}

/// Fails if the state, encoded, is not the same as these bytes.
fn ensure_same<T: Serialize>(state: &T, bytes: &[u8]) -> Result<(), SnapshotError> {
    let again = serializer::write(state).map_err(SnapshotError::NotWritten)?;
    if same::same(&again, bytes) {
        Ok(())
    } else {
        Err(SnapshotError::Changed)
    }
}

/// Runs work that calls the code of a type, and catches its panics. The bytes may come from another build, with values that
/// this build would never write, and a `Deserialize` may assume that there are none.
fn guarded<T>(work: impl FnOnce() -> Result<T, SnapshotError>) -> Result<T, SnapshotError> {
    // Nothing outlives the panic: the state is only borrowed for reading, and everything made so far is dropped.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(SnapshotError::Panicked))
}
