//! Upgrading the payloads of past versions.

use crate::codec::Codec;
use crate::codec::stored::{DecodeProblem, StoredPayload};
use serde::de::DeserializeOwned;

/// A function that upgrades version `FROM`. It exists for its message, which is about functions only: what the old payload
/// lacks is said better by serde.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot upgrade version {FROM}",
    label = "expected `fn(Old) -> {E}` where `Old: Deserialize`"
)]
pub trait Upcast<const FROM: u16, Old, E>: Sized {
    /// Makes an event of the old payload.
    fn upcast(self, old: Old) -> E;
}

#[diagnostic::do_not_recommend]
impl<const FROM: u16, Old, E, F: Fn(Old) -> E> Upcast<FROM, Old, E> for F {
    fn upcast(self, old: Old) -> E {
        self(old)
    }
}

/// Reads a payload of a past version and upgrades it. A function of its own so that the type of the old payload is
/// inferred from the upcaster's parameter.
///
/// # Errors
/// Those of [`StoredPayload::read`].
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
