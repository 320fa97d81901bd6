//! The fields of events.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The type of a field that serde can write and read.
///
/// The output of `derive(Event)` asks for it before it uses serde's derives, whose messages are several per field.
#[diagnostic::on_unimplemented(
    message = "serde cannot write and read `{Self}`, a field of an event",
    label = "derive `serde::Serialize` and `serde::Deserialize` for this type",
    note = "for a type of another crate, enable its feature for serde, or write `#[serde(with = \"…\")]` on the field",
    note = "if it is another event enum, write `#[event(flatten)]` on the variant"
)]
pub trait Payload {
    /// Has a value for each such type.
    const CHECKED: () = ();
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Payload for T {}
