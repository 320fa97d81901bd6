//! Upgrading the payloads of past versions.

use crate::codec::Codec;
use crate::codec::stored::{DecodeProblem, StoredPayload};
use serde::de::DeserializeOwned;

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
