//! Refuses what a format would bring back as something else.
//!
//! Formats write `None` as null, and some write other values as null, too. Within a `Some` such a value is read as `None`,
//! and nobody notices. So the codecs of this crate do not write a value themselves: they have it written through a serialiser
//! that passes everything on, and knows whether it stands right within a `Some`. It is inlined away but for that.

mod compound;
mod context;
mod guard;
mod value;

use context::{AsJson, AsMsgPack, Context};
use serde::Serialize;
use value::Exact;

/// The value, refused wherever JSON would bring it back as something else: for a codec of your own that is made of JSON.
///
/// What is refused is listed at [`Codec`](super::Codec#what-cannot-be-stored).
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

/// The value, refused wherever MessagePack would bring it back as something else: for a codec of your own that is made of
/// MessagePack, or of another format that writes `()` and `None` alike and knows every floating-point number.
///
/// What is refused is listed at [`Codec`](super::Codec#what-cannot-be-stored).
///
/// ```
/// use eventlogs::codec::exact_in_msgpack;
///
/// // Any serialiser shows it; this one is at hand.
/// assert!(serde_json::to_string(&exact_in_msgpack(&Some(Some(5)))).is_ok());
/// assert!(serde_json::to_string(&exact_in_msgpack(&Some(None::<u8>))).is_err());
/// ```
#[must_use = "it is written by giving it to a serialiser"]
pub fn exact_in_msgpack<T: Serialize + ?Sized>(value: &T) -> impl Serialize {
    Exact::<T, AsMsgPack>::new(value, Context::TOP)
}
