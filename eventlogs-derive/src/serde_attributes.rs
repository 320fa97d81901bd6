//! Serde's attributes on a variant or a field, read once. The macros heed some of them, and leave all to serde.

use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token};

/// All `#[serde(…)]` of one place.
pub(crate) struct SerdeAttributes<'a> {
    /// The attributes as they were written.
    pub(crate) written: Vec<&'a Attribute>,
    /// Their entries, in order. What does not parse is left to serde to complain about.
    pub(crate) entries: Vec<Meta>,
}

impl<'a> SerdeAttributes<'a> {
    /// Serde's among these attributes.
    pub(crate) fn new(attributes: &'a [Attribute]) -> Self {
        let written: Vec<&Attribute> = attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("serde"))
            .collect();
        let entries = written.iter().flat_map(|attribute| {
            attribute
                .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
                .unwrap_or_default()
        });
        Self {
            entries: entries.collect(),
            written,
        }
    }

    /// The entries of this name.
    pub(crate) fn called(&self, name: &str) -> impl Iterator<Item = &Meta> {
        self.entries
            .iter()
            .filter(move |entry| entry.path().is_ident(name))
    }

    /// Whether there is an entry of one of these names.
    pub(crate) fn have_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.called(name).next().is_some())
    }
}
