//! Reading the payloads of other versions: upgrading older ones, accepting newer ones.

use crate::codec::Codec;
use crate::codec::stored::{DecodeProblem, StoredPayload};
use serde::de::DeserializeOwned;

/// A function that accepts version `FROM`, which newer code writes.
///
/// Like [`Upcast`], it exists for its compiler message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot read version {FROM}",
    label = "expected `fn(New) -> {E}` where `New: Deserialize`"
)]
pub trait Accept<const FROM: u16, New, E>: Sized {
    /// Makes an event from the newer payload.
    fn accept(self, new: New) -> E;
}

#[diagnostic::do_not_recommend]
impl<const FROM: u16, New, E, F: Fn(New) -> E> Accept<FROM, New, E> for F {
    fn accept(self, new: New) -> E {
        self(new)
    }
}

/// Reads a payload of a newer version and makes it an event of this code.
///
/// # Errors
/// - Those of [`StoredPayload::read`].
pub fn accept<const FROM: u16, Own, New, E>(
    stored: &StoredPayload<'_>,
    reader: impl Accept<FROM, New, E>,
) -> Result<E, DecodeProblem>
where
    Own: Codec,
    New: DeserializeOwned,
{
    stored.read::<Own, New>().map(|new| reader.accept(new))
}

/// A function that upgrades version `FROM`.
///
/// The trait exists for its compiler message, which is only about functions. Errors about the old payload are left to serde,
/// whose messages are better.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot upgrade version {FROM}",
    label = "expected `fn(Old) -> {E}` where `Old: Deserialize`",
    note = "an event stays one event, and an upcaster cannot fail: what is stored has happened"
)]
pub trait Upcast<const FROM: u16, Old, E>: Sized {
    /// Makes an event from the old payload.
    fn upcast(self, old: Old) -> E;
}

#[diagnostic::do_not_recommend]
impl<const FROM: u16, Old, E, F: Fn(Old) -> E> Upcast<FROM, Old, E> for F {
    fn upcast(self, old: Old) -> E {
        self(old)
    }
}

/// Reads a payload of a past version and upgrades it.
///
/// It is a function so that the compiler infers the type of the old payload from the upcaster's parameter.
///
/// # Errors
/// - Those of [`StoredPayload::read`].
pub fn upcast<const FROM: u16, Own, Old, E>(
    stored: &StoredPayload<'_>,
    upcaster: impl Upcast<FROM, Old, E>,
) -> Result<E, DecodeProblem>
where
    Own: Codec,
    Old: DeserializeOwned,
{
    stored.read::<Own, Old>().map(|old| upcaster.upcast(old))
}
