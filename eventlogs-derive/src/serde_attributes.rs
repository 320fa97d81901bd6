//! Serde's attributes on a variant or a field. The macros read some of them, and pass all on to serde.

use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token};

/// All `#[serde(…)]` attributes on one variant or field.
pub(crate) struct SerdeAttributes<'a> {
    /// The attributes as they were written.
    pub(crate) written: Vec<&'a Attribute>,
    /// Their entries, in order. Entries that do not parse are left out, because serde reports them.
    pub(crate) entries: Vec<Meta>,
}

impl<'a> SerdeAttributes<'a> {
    /// Selects serde's attributes among these.
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

    /// The entries with this name.
    pub(crate) fn called(&self, name: &str) -> impl Iterator<Item = &Meta> {
        self.entries
            .iter()
            .filter(move |entry| entry.path().is_ident(name))
    }

    /// Returns `true` if there is an entry with one of these names.
    pub(crate) fn have_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.called(name).next().is_some())
    }
}
