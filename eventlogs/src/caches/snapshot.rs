//! How a state is written down outside the process, so that exactly that state comes back or none.
//!
//! The format keeps serde's data model as it is: `Some`, `None` and `()` are three things, numbers have their width, a
//! character is no text, and an enum's variant is no text either. Formats that people read, and `MessagePack` and CBOR too,
//! write several of these alike. Binary formats that write no types at all cannot be read by untagged and flattened types.
//! Reading hands each thing to the type as what was written, whatever it asks for, and goes no deeper than [`DEPTH`](format::DEPTH).
//!
//! That is not enough for every type: what serde itself keeps aside for an untagged or flattened type has no 128-bit numbers,
//! and what is written by hand may read something else than it writes. So a state is read back, and written once more, before
//! it leaves: [`take`] gives no bytes for a state that does not come back. That costs a writer, which is in the background,
//! three times the work; a reader does all this once.
//!
//! A reader may be another build, whose nested types have changed where no macro looks. So the bytes come with the *shape*:
//! a hash of everything that the types of the writer asked for while they read these very bytes, names of fields, of
//! variants and kinds of numbers among them. The reader's types must ask for the same, or it is another state. What types ask
//! for in an untagged or flattened part does not get here, so a state that has one is written once more by the reader,
//! too, and compared.

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

/// A state, written down.
pub(crate) struct Snapshot {
    /// The state.
    pub(crate) bytes: Vec<u8>,
    /// What its types asked for while they read it.
    pub(crate) shape: u64,
}

/// Why a state was not written down, or did not come back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SnapshotError {
    #[error("its `Serialize` fails")]
    NotWritten(#[source] Problem),
    #[error("it cannot be read back")]
    NotRead(#[source] Problem),
    #[error(
        "it comes back as another value; look for serde attributes that write less than they read"
    )]
    Changed,
    #[error("its types had another shape when it was written")]
    Shape,
    #[error("its `Serialize` or `Deserialize` panics")]
    Panicked,
    /// Not a fault: the caller has said how much it wants at the most.
    #[error("it takes more than {limit} bytes")]
    TooLarge { limit: usize },
}

/// Writes a state down, if it takes no more than `limit` bytes and comes back as it is.
///
/// # Errors
/// Why there are no bytes that would bring the state back.
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

/// Brings a state back.
///
/// # Errors
/// When these bytes are not of this type, or not all of it was written by types of the same shape.
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

/// Fails if the state, written down, is not what these bytes are.
fn ensure_same<T: Serialize>(state: &T, bytes: &[u8]) -> Result<(), SnapshotError> {
    let again = serializer::write(state).map_err(SnapshotError::NotWritten)?;
    if same::same(&again, bytes) {
        Ok(())
    } else {
        Err(SnapshotError::Changed)
    }
}

/// Runs what calls the code of a type. The bytes may be of another build, with values that this one would never write, and a
/// `Deserialize` may take it for granted that there are none.
fn guarded<T>(work: impl FnOnce() -> Result<T, SnapshotError>) -> Result<T, SnapshotError> {
    // Nothing outlives the panic: the state is borrowed to be read, and what was made so far is dropped.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(SnapshotError::Panicked))
}
