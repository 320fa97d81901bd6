//! Finds out whether serde keeps all fields of an aggregate.

use crate::serde_attributes::SerdeAttributes;
use syn::{Data, DeriveInput, Fields};

/// The serde attributes with which a field is skipped, in one direction or in both.
const SKIPPING: &[&str] = &["skip", "skip_serializing", "skip_deserializing"];

/// Returns `true` if serde keeps all fields. (Skipped variants do no harm, because serde cannot write them at all.)
pub(crate) fn is_whole(input: &DeriveInput) -> bool {
    let skipped = |fields: &Fields| {
        let mut attributes = fields
            .iter()
            .map(|field| SerdeAttributes::new(&field.attrs));
        attributes.any(|serde| serde.have_any(SKIPPING))
    };
    match &input.data {
        Data::Struct(data) => !skipped(&data.fields),
        Data::Enum(data) => !data.variants.iter().any(|variant| skipped(&variant.fields)),
        Data::Union(_) => true,
    }
}
