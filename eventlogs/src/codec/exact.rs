//! Refuses values that a format would read back as other values.
//!
//! Formats write `None` as null, and some write other values as null, too. Within a `Some` such a value is read as `None`,
//! without an error. So the codecs of this crate write values through a serialiser that passes everything on, but knows whether
//! a value is directly within a `Some`. The compiler inlines everything but that check.

mod compound;
mod context;
mod guard;
mod value;

use context::{AsJson, AsMsgPack, Context};
use serde::Serialize;
use value::Exact;

/// Wraps a value so that serialisation fails if JSON would read it back as another value.
///
/// It is for a codec of your own that writes JSON. [`Codec`](super::Codec#what-cannot-be-stored) lists the refused values.
///
/// ```
/// use eventlogs::codec::exact_in_json;
///
/// let written = serde_json::to_string(&exact_in_json(&Some(Some(5))));
/// assert_eq!(written.ok().as_deref(), Some("5"));
/// assert!(serde_json::to_string(&exact_in_json(&Some(None::<u8>))).is_err());
/// assert!(serde_json::to_string(&exact_in_json(&[0.5, f64::NAN])).is_err());
/// ```
#[must_use = "it is written by giving it to a serialiser"]
pub fn exact_in_json<T: Serialize + ?Sized>(value: &T) -> impl Serialize {
    Exact::<T, AsJson>::new(value, Context::TOP)
}

/// Wraps a value so that serialisation fails if MessagePack would read it back as another value.
///
/// It is for a codec of your own that writes MessagePack, or another format that writes `()` and `None` alike and has every
/// floating-point number. [`Codec`](super::Codec#what-cannot-be-stored) lists the refused values.
///
/// ```
/// use eventlogs::codec::exact_in_msgpack;
///
/// // Any serialiser shows it, also one for JSON.
/// assert!(serde_json::to_string(&exact_in_msgpack(&Some(Some(5)))).is_ok());
/// assert!(serde_json::to_string(&exact_in_msgpack(&Some(None::<u8>))).is_err());
/// ```
#[must_use = "it is written by giving it to a serialiser"]
pub fn exact_in_msgpack<T: Serialize + ?Sized>(value: &T) -> impl Serialize {
    Exact::<T, AsMsgPack>::new(value, Context::TOP)
}
